package main

import (
	"context"
	"fmt"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// audience is the API of the tokens.
const audience = "https://api.example"

// chunk is how many clients are written in one transaction.
const chunk = 1000

// crowd writes the clients of the setup.
func crowd(ctx context.Context, r *registry.Registry, s setup) ([]fixture.Client, error) {
	clients := make([]fixture.Client, 0, s.clients)
	for len(clients) < s.clients {
		var made []fixture.Client
		_, err := r.Store.Change(ctx, domain.System, func(t domain.Tables) ([]domain.Change, error) {
			made = made[:0] // f may run again
			var changes []domain.Change
			for i := len(clients); i < min(s.clients, len(clients)+chunk); i++ {
				c, plain, err := member(r, s, i)
				if err != nil {
					return nil, err
				}
				if _, err := t.Clients.Put(ctx, c, 0); err != nil {
					return nil, err
				}
				made = append(made, fixture.Client{ID: c.ID, Secret: string(plain), Scope: scope})
				changes = append(changes, domain.Change{Kind: c.Kind(), Key: c.Key(), Action: "client.create"})
			}
			return changes, nil
		})
		if err != nil {
			return nil, fmt.Errorf("write clients from %d on: %w", len(clients), err)
		}
		clients = append(clients, made...)
	}
	return clients, nil
}

func clientID(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", i) }

// member is the client with the number given, and its secret.
func member(r *registry.Registry, s setup, i int) (domain.Client, oauth.Secret, error) {
	plain := secret.Generate()
	now := time.Now().UTC()
	c := domain.Client{
		Issuer: issuerName, ID: clientID(i), Name: fmt.Sprintf("client-%d", i),
		PlatformWide: true, Status: domain.Enabled, Epoch: 1, Scopes: oauth.Scope{scope}, Audiences: []string{audience},
		Tier: domain.DefaultTier, Imported: s.imported, Created: now,
	}
	made := domain.Secret{ID: "1-1", LastFour: string(plain[len(plain)-4:]), Created: now}
	made.Hash = r.Vault.Peppers.Hash(c.Issuer, c.ID, made.ID, plain)
	if s.imported {
		var err error
		if made.Hash, err = secret.HashImported(plain); err != nil {
			return c, "", err
		}
	}
	c.Secrets = []domain.Secret{made}
	if s.calls != nil {
		entitle(&c, i)
	}
	return c, plain, nil
}
