package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

type apiKeyCommand struct {
	Create apiKeyCreateCommand `cmd:"" help:"Make an API key; it is shown once."`
	List   apiKeyListCommand   `cmd:"" help:"List API keys."`
	Show   apiKeyShowCommand   `cmd:"" help:"Show one API key, but never its text."`
	Delete apiKeyDeleteCommand `cmd:"" help:"End an API key at once."`
}

type apiKeyCreateCommand struct {
	remote
	reachFlags
	newSecret
	Label    string      `name:"label" required:"" placeholder:"TEXT" help:"What people call it."`
	Role     domain.Role `name:"role" required:"" placeholder:"ROLE" help:"platform-admin, integration-manager, tenant-developer or auditor; at an API one that the API knows."`
	Audience string      `name:"audience" placeholder:"URI" help:"Of the one API that takes it; left out: it is for administration."`
	Expires  *string     `name:"expires" placeholder:"DATE" help:"From then on it is worth nothing, as in 2027-01-31 (UTC) or 2027-01-31T12:00:00Z."`
}

// createdKey is what `api-key create --json` prints.
type createdKey struct {
	admin.APIKey
	Text string `json:"key,omitempty"`
	File string `json:"secret_file,omitempty"`
}

// Run makes an API key.
func (c apiKeyCreateCommand) Run(ctx context.Context, s *streams) error {
	n, err := c.form()
	if err != nil {
		return err
	}
	var made admin.CreatedAPIKey
	file, err := opened("--secret-file", c.SecretFile, func() (err error) {
		made, err = c.dial().CreateAPIKey(ctx, n)
		return err
	})
	if err != nil {
		return err
	}
	if err := c.keyTo(s, made, file); err != nil {
		return hinted{fmt.Errorf("API key %s was made, but could not be handed over: %w", made.ID, err), "postern api-key delete" + c.flags() + " " + made.ID + ", and make it anew"}
	}
	return nil
}

func (c apiKeyCreateCommand) form() (admin.NewAPIKey, error) {
	p := patcher{patch: admin.Patch{}}
	c.reachFlags.patch(&p)
	n := admin.NewAPIKey{}
	if err := errors.Join(p.err, p.into(&n)); err != nil {
		return n, err
	}
	n.Label, n.Role, n.Audience = c.Label, c.Role, c.Audience
	if c.Expires != nil {
		at, err := parseTime(*c.Expires)
		if err != nil {
			return n, misuse{fmt.Errorf("--expires: %w", err)}
		}
		n.Expires = &at
	}
	return n, nil
}

func (c apiKeyCreateCommand) keyTo(s *streams, made admin.CreatedAPIKey, file *os.File) error {
	shown := createdKey{APIKey: made.APIKey, Text: made.Key}
	if file != nil {
		if err := writeLine(file, made.Key); err != nil {
			return err
		}
		shown.Text, shown.File = "", c.SecretFile
	}
	if c.JSON {
		return s.json(shown)
	}
	rows := [][]string{{"id", made.ID}}
	field(&rows, "key", shown.Text)
	if err := s.table(rows); err != nil {
		return err
	}
	if file == nil {
		s.say("the key is shown this once and kept nowhere")
	} else {
		s.say("the key is in %s and nowhere else", c.SecretFile)
	}
	return nil
}

type apiKeyListCommand struct{ listFlags }

// Run prints a line for each API key.
func (c apiKeyListCommand) Run(ctx context.Context, s *streams) error {
	list, err := c.dial().ListAPIKeys(ctx)
	if err != nil {
		return err
	}
	return printList(s, c.JSON, list, []string{"ID", "LABEL", "ROLE", "FOR", "ENDS IN", "EXPIRES"}, func(k *admin.APIKey) []string {
		return []string{k.ID, k.Label, string(k.Role), keyFor(k), k.LastFour, dash(moment(k.Expires))}
	})
}

// keyFor is where a key is good.
func keyFor(k *admin.APIKey) string {
	if k.Audience == domain.AdminAudience {
		return "administration"
	}
	return k.Audience
}

// oneAPIKey is what the commands about one API key have in common.
type oneAPIKey struct {
	remote
	ID   string `arg:"" help:"The key's id; never its text."`
	JSON bool   `name:"json" help:"Print it as JSON."`
}

// show reads the key; whoever gives its text instead of its id is told so, and the text goes nowhere.
func (c oneAPIKey) show(ctx context.Context) (*admin.Conn, admin.APIKey, error) {
	if strings.HasPrefix(c.ID, "pak_") {
		return nil, admin.APIKey{}, misuse{hinted{errors.New("that is the text of a key, which is a secret and does not belong on a command line"), "name it by its id; `postern api-key list` shows it. Who saw the text may use it: delete the key"}}
	}
	conn := c.dial()
	k, err := conn.GetAPIKey(ctx, c.ID)
	return conn, k, err
}

type apiKeyShowCommand struct{ oneAPIKey }

// Run prints an API key.
func (c apiKeyShowCommand) Run(ctx context.Context, s *streams) error {
	_, k, err := c.show(ctx)
	if err != nil {
		return err
	}
	return printOne(s, c.JSON, k, func(k *admin.APIKey) [][]string {
		var rows [][]string
		field(&rows, "id", k.ID)
		field(&rows, "label", k.Label)
		field(&rows, "for", keyFor(k))
		field(&rows, "role", string(k.Role))
		reachRows(&rows, k.Reach)
		field(&rows, "ends in", k.LastFour)
		field(&rows, "created", moment(&k.Created))
		field(&rows, "expires", moment(k.Expires))
		field(&rows, "version", strconv.FormatInt(k.Version, 10))
		return rows
	})
}

type apiKeyDeleteCommand struct{ oneAPIKey }

// Run ends an API key.
func (c apiKeyDeleteCommand) Run(ctx context.Context, s *streams) error {
	conn, k, err := c.show(ctx)
	if err != nil {
		return err
	}
	if err := conn.DeleteAPIKey(ctx, k.ID, k.Version); err != nil {
		return err
	}
	s.say("API key %s (%s) is worth nothing now", k.ID, k.Label)
	if c.JSON {
		return s.json(k)
	}
	return nil
}
