package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

type clientRotateCommand struct {
	remote
	issuerFlag
	newSecret
	ID   string `arg:"" help:"The client's id."`
	Kill bool   `name:"kill" help:"Must be said: the secrets that it has are worth nothing from now on, and every token of it is dead."`
}

// Run gives the client a new secret. What it takes away has to be asked for.
func (c clientRotateCommand) Run(ctx context.Context, s *streams) error {
	if !c.Kill {
		return misuse{hinted{errors.New("--kill is missing: a new secret takes the place of all that the client has at once, and every token of it is dead"),
			"add --kill, and give the client the new secret at once: until it has that it gets no token; there is no rotation yet that leaves the old secret valid for a while"}}
	}
	conn := c.dial()
	issuer, err := c.resolve(ctx, conn)
	if err != nil {
		return err
	}
	made, lost, err := c.take(s, func() (admin.CreatedClient, error) {
		return conn.RotateClient(ctx, issuer, c.ID, admin.SecretRotation{Kill: true})
	})
	if err != nil {
		return err
	}
	s.say("client %s (%s) of issuer %s has a new secret; those it had are worth nothing, and the tokens it has are dead", made.ID, made.Name, made.Issuer)
	if made.Status == domain.Disabled {
		s.hint("it is disabled, and gets no token until `postern client enable`")
	}
	s.hint(deadHint)
	if lost != nil {
		return hinted{fmt.Errorf("the new secret could not be handed over: %w", lost), "rotate once more; nobody has this one"}
	}
	return nil
}
