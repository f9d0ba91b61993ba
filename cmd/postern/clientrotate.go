package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

type clientRotateCommand struct {
	remote
	issuerFlag
	newSecret
	ID      string  `arg:"" help:"The client's id."`
	Expires *string `name:"old-expires" placeholder:"TIME" help:"The old secret ends by itself after so long, as in 7d; left out: not before postern client retire."`
	Kill    bool    `name:"kill" xor:"how" help:"No overlap: the secrets that it has are worth nothing from now on, and every token of it is dead."`
	Cancel  bool    `name:"cancel" xor:"how" help:"Take the new secret away again; the old one is good as before."`
}

// Help tells the whole of a rotation.
func (clientRotateCommand) Help() string {
	return `Both secrets are good from then on. Give the client the new one, look at postern client secrets until it says that the old one is safe to retire, and then postern client retire.`
}

// Run gives the client a second secret, or one in place of all.
func (c clientRotateCommand) Run(ctx context.Context, s *streams) error {
	switch {
	case c.Expires != nil && (c.Kill || c.Cancel):
		return misuse{errors.New("--old-expires is for a rotation with an overlap; leave it out beside --kill and --cancel")}
	case c.SecretFile != "" && c.Cancel:
		return misuse{errors.New("--cancel makes no secret; leave --secret-file out")}
	}
	conn := c.dial()
	issuer, err := c.resolve(ctx, conn)
	if err != nil {
		return err
	}
	if c.Cancel {
		client, err := conn.CancelRotation(ctx, issuer, c.ID)
		if err != nil {
			return err
		}
		s.say("client %s (%s) of issuer %s has its old secret only; the new one is worth nothing", client.ID, client.Name, client.Issuer)
		if c.JSON {
			return s.json(client)
		}
		return nil
	}
	rotate, err := c.how(ctx, conn, issuer)
	if err != nil {
		return err
	}
	made, lost, err := c.take(s, rotate)
	if err != nil {
		return err
	}
	c.told(s, &made)
	if lost != nil {
		return hinted{fmt.Errorf("the new secret could not be handed over: %w", lost), "rotate once more, after --cancel where the old one is still good; nobody has this one"}
	}
	return nil
}

// how is the rotation that was asked for.
func (c clientRotateCommand) how(ctx context.Context, conn *admin.Conn, issuer string) (func() (admin.CreatedClient, error), error) {
	if c.Kill {
		return func() (admin.CreatedClient, error) {
			return conn.RotateClient(ctx, issuer, c.ID, admin.SecretRotation{Kill: true})
		}, nil
	}
	var n admin.NewRotation
	if c.Expires != nil {
		var err error
		if n.Expires, err = domain.ParseSeconds(*c.Expires); err != nil {
			return nil, misuse{fmt.Errorf("--old-expires: %w", err)}
		}
	}
	return func() (admin.CreatedClient, error) { return conn.StartRotation(ctx, issuer, c.ID, n) }, nil
}

// told says what holds now.
func (c clientRotateCommand) told(s *streams, made *admin.CreatedClient) {
	if c.Kill {
		s.say("client %s (%s) of issuer %s has a new secret; those it had are worth nothing, and the tokens it has are dead", made.ID, made.Name, made.Issuer)
		s.hint(deadHint)
	} else {
		s.say("client %s (%s) of issuer %s has a new secret beside the one it had; both are good", made.ID, made.Name, made.Issuer)
		s.hint("`postern client secrets%s --issuer %s %s` tells when the old one is safe to retire", c.flags(), made.Issuer, quoted(made.ID))
	}
	if made.Status == domain.Disabled {
		s.hint("it is disabled, and gets no token until `postern client enable`")
	}
}

type clientRetireCommand struct {
	oneClient
	Tokens string `name:"tokens" required:"" enum:"live,die" placeholder:"live|die" help:"What becomes of the tokens that it has: live to their expiry, or die (it fetches new ones with the new secret)."`
}

// Run takes the old secret away.
func (c clientRetireCommand) Run(ctx context.Context, s *streams) error {
	conn, issuer, err := c.open(ctx)
	if err != nil {
		return err
	}
	state, err := conn.GetRotation(ctx, issuer, c.ID)
	if err != nil {
		return err
	}
	client, err := conn.CompleteRotation(ctx, issuer, c.ID, admin.RotationEnd{Kill: c.Tokens == "die"})
	if err != nil {
		return err
	}
	if !state.Safe && len(state.Secrets) > 0 {
		s.say("warning: it was not safe to retire yet: the old secret was %s", lastUse(state.Secrets[0].LastUsed))
	}
	if c.Tokens == "die" {
		err = c.done(s, client, "has its new secret only, and the tokens it had are dead")
		s.hint(deadHint)
		return err
	}
	return c.done(s, client, "has its new secret only; the tokens it has live to their expiry")
}

type clientSecretsCommand struct{ oneClient }

// Run prints the secrets that are good, and whether the old one can go.
func (c clientSecretsCommand) Run(ctx context.Context, s *streams) error {
	conn, issuer, err := c.open(ctx)
	if err != nil {
		return err
	}
	state, err := conn.GetRotation(ctx, issuer, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(state)
	}
	rows := [][]string{{"SECRET", "ENDS IN", "MADE", "EXPIRES", "LAST USED"}}
	for i := range state.Secrets {
		one := &state.Secrets[i]
		rows = append(rows, []string{one.ID, dash(one.LastFour), moment(&one.Created), dash(moment(one.Expires)), dash(moment(one.LastUsed))})
	}
	if err := s.list(rows); err != nil || !state.Rotating {
		return err
	}
	switch {
	case state.Safe:
		s.say("the old secret is safe to retire: it was not used for a day")
		s.hint("postern client retire%s --issuer %s --tokens live %s", c.flags(), issuer, quoted(c.ID))
	case state.SafeFrom != nil:
		s.say("the old secret is not safe to retire before %s: it was %s", moment(state.SafeFrom), lastUse(state.Secrets[0].LastUsed))
	default:
		s.say("whether the old secret is still in use is not known: audit.tokens is off")
	}
	return nil
}

func lastUse(at *time.Time) string {
	if at == nil {
		return "never seen in use, and the rotation began less than a day ago"
	}
	return "last used " + moment(at)
}
