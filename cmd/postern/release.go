package main

import (
	"context"

	"github.com/postern-dev/postern/internal/domain"
)

type releaseCommand struct {
	remote
	issuerFlag
	Kind string `arg:"" enum:"tier,policy,issuer,tenant,api,client" help:"tier, policy, issuer, tenant, api or client."`
	Name string `arg:"" help:"Its name; of a tenant or a client, its id."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help says what it is for.
func (releaseCommand) Help() string {
	return "What came from a file is changed and deleted by applying its files only. Released, it stays as it is and is administered by commands again, until a file that declares it is applied."
}

// released is what `release --json` prints.
type released struct {
	Kind   string `json:"kind"`
	Key    string `json:"key"`
	Origin string `json:"origin,omitempty"`
}

// Run makes an object nobody's.
func (c releaseCommand) Run(ctx context.Context, s *streams) error {
	conn := c.dial()
	key := c.Name
	if kind := domain.Kind(c.Kind); kind == domain.KindClient {
		issuer, err := c.resolve(ctx, conn)
		if err != nil {
			return err
		}
		key = domain.ClientKey(issuer, c.Name)
	}
	origin, err := conn.Release(ctx, domain.Kind(c.Kind), key)
	if err != nil {
		return err
	}
	if origin == "" {
		s.say("%s %s came from no file; it is as it was", c.Kind, c.Name)
	} else {
		s.say("%s %s is released; it came from %s", c.Kind, c.Name, origin)
		s.hint("take it out there too, or the next `postern apply` makes it its set's again")
	}
	if c.JSON {
		return s.json(released{Kind: c.Kind, Key: key, Origin: origin})
	}
	return nil
}
