package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth"
)

func parseKeys(data []byte) (*jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	return &set, json.Unmarshal(data, &set)
}

// act does what stands behind `!`:
//
//	from ADDRESS                   the next requests come from there
//	before N                       the next request is sent N times before it counts
//	tick DURATION                  time passes
//	disable|enable|delete NAME     of a client
//	create FILE                    the objects of a file of the conversation
//	refused FILE TEXT              they are refused, and the reason holds the text
//	import ISSUER TENANT AUDIENCE ID SECRET   a client of another system, with its secret
//	let NAME = TEXT                the name means what the text means now
//	lose tenant ID                 it is gone from the store, though clients need it
//	stale, fresh                   the node loses touch with its store, and finds it again
func (p *player) act(text string) error {
	verb, arg, _ := strings.Cut(text, " ")
	arg, err := p.expand(arg, nil)
	if err != nil {
		return err
	}
	switch verb {
	case "from":
		p.wire.close()
		p.wire.from = net.ParseIP(arg)
	case "before":
		p.before, err = strconv.Atoi(arg)
	case "tick":
		var d time.Duration
		d, err = time.ParseDuration(arg)
		p.world.clock.tick(d)
		if err == nil {
			err = p.world.node.Snapshot.Poll(context.Background()) // else the node is stale until the next
		}
	case "disable", "enable", "delete":
		err = p.change(verb, arg)
	case "create":
		err = p.create(arg)
	case "refused":
		file, reason, _ := strings.Cut(arg, " ")
		err = p.refused(file, reason)
	case "import":
		err = p.importClient(strings.Fields(arg))
	case "let":
		name, value, _ := strings.Cut(arg, " = ")
		p.text[name] = value
	case "lose":
		_, id, _ := strings.Cut(arg, " ")
		err = p.lose(id)
	case "stale":
		err = p.stale()
	case "fresh":
		err = p.fresh()
	default:
		err = fmt.Errorf("no such act: %s", verb)
	}
	return err
}

func (p *player) change(verb, name string) error {
	c, ok := p.clients[name]
	if !ok {
		return fmt.Errorf("no client %q", name)
	}
	ctx, r := context.Background(), p.world.node.Registry
	var err error
	switch verb {
	case "disable":
		_, err = r.DisableClient(ctx, administrator, c.Issuer, c.ID)
	case "enable":
		_, err = r.EnableClient(ctx, administrator, c.Issuer, c.ID)
	case "delete":
		err = r.DeleteClient(ctx, administrator, c.Issuer, c.ID, 0)
	}
	return err
}

func (p *player) importClient(args []string) error {
	if len(args) != 5 {
		return fmt.Errorf("import wants 5 words and has %d", len(args))
	}
	spec := domain.Client{Issuer: args[0], ID: args[3], Name: args[3], Tenant: args[1], Audiences: args[2:3]}
	_, err := p.world.node.Registry.ImportClient(context.Background(), administrator, spec, registry.Imported{Secret: oauth.Secret(args[4])})
	return err
}

func (p *player) refused(file, reason string) error {
	if p.files[file] == "" {
		return fmt.Errorf("no file %q", file)
	}
	err := p.create(file)
	if err == nil {
		return errors.New("accepted")
	}
	if _, invalid := errors.AsType[*domain.Invalid](err); !invalid || !strings.Contains(err.Error(), reason) {
		return fmt.Errorf("refused otherwise: %w", err)
	}
	return nil
}

// lose deletes a tenant behind the server's back, and gives the feed another
// incarnation, upon which nodes read everything again.
func (p *player) lose(id string) error {
	db, err := p.world.database()
	if err != nil {
		return err
	}
	if _, err := db.Exec(`DELETE FROM object WHERE kind = 'tenant' AND key = ?`, id); err != nil {
		return err
	}
	if _, err := db.Exec(`UPDATE feed SET incarnation = incarnation || '.'`); err != nil {
		return err
	}
	return p.world.node.Snapshot.Poll(context.Background())
}

// stale breaks the store and waits, by the clock, longer than the node trusts
// what it knows.
func (p *player) stale() error {
	db, err := p.world.database()
	if err != nil {
		return err
	}
	if _, err := db.Exec(`ALTER TABLE feed RENAME TO feed_gone`); err != nil {
		return err
	}
	p.broken = true
	if p.world.node.Snapshot.Poll(context.Background()) == nil {
		return errors.New("the store still answers")
	}
	p.world.clock.tick(p.world.node.Config.MaxStaleness.Duration() + time.Second)
	return nil
}

func (p *player) fresh() error {
	db, err := p.world.database()
	if err != nil {
		return err
	}
	if _, err := db.Exec(`ALTER TABLE feed_gone RENAME TO feed`); err != nil {
		return err
	}
	p.broken = false
	return p.world.node.Snapshot.Poll(context.Background())
}
