package registry

import (
	"context"
	"fmt"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// CreateClient makes a client and its first secret, which is returned here and
// never again (COM-05). Of spec only what an administrator may choose is taken
// (D-74). Without an id it gets a random UUID; with one it is domain.ErrExists
// where there is such a client, and an epoch above that of any earlier client
// of this id (D-40).
func (r *Registry) CreateClient(ctx context.Context, by domain.Actor, spec domain.Client) (domain.Client, oauth.Secret, error) {
	if err := r.allow("client.create", by); err != nil {
		return domain.Client{}, "", err
	}
	if spec.ID == "" {
		spec.ID = domain.NewUUID()
	}
	spec.Imported = false
	s := secret.Generate()
	c, err := r.addClient(ctx, by, "client.create", spec, func(c *domain.Client, id string) domain.Secret {
		return r.generated(c, id, s)
	})
	if err != nil {
		return domain.Client{}, "", err
	}
	return c, s, nil
}

// generated is what is kept of a generated secret.
func (r *Registry) generated(c *domain.Client, id string, s oauth.Secret) domain.Secret {
	return domain.Secret{
		ID: id, LastFour: string(s[len(s)-4:]), Created: r.now(),
		Hash: r.Vault.Peppers.Hash(c.Issuer, c.ID, id, s),
	}
}

// addClient puts a new client with one secret.
func (r *Registry) addClient(ctx context.Context, by domain.Actor, action string, spec domain.Client, first func(c *domain.Client, id string) domain.Secret) (domain.Client, error) {
	var made domain.Client
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		c := clone(spec)
		c.Epoch, c.Created, c.Version, c.Secrets = 1, r.now(), 0, nil
		var err error
		if c.Origin, err = r.declared(c, "", c.Origin); err != nil {
			return nil, err
		}
		if err := r.checkClient(ctx, t, &c); err != nil {
			return nil, err
		}
		if err := r.canGive(ctx, t, &c); err != nil {
			return nil, err
		}
		if err := r.checkDecoded(ctx, t, &c); err != nil {
			return nil, err
		}
		grave, err := find(ctx, t.Tombstones, c.Key())
		if err != nil {
			return nil, err
		}
		changes := []domain.Change{change(c, action)}
		if grave != nil {
			if !r.Sees(grave.Issuer, grave.Tenant) { // somebody may still know the id as that of another tenant's client
				return nil, fmt.Errorf("client %q: %w", c.ID, domain.ErrExists)
			}
			c.Epoch = grave.Epoch + 1
			if err := t.Tombstones.Delete(ctx, grave.Key(), grave.Version); err != nil {
				return nil, err
			}
			changes = append(changes, change(*grave, "tombstone.delete"))
		}
		c.Secrets = []domain.Secret{first(&c, secretID(&c))}
		c.Version, err = t.Clients.Put(ctx, c, 0)
		made = c
		return changes, err
	})
	if err != nil {
		return domain.Client{}, err
	}
	return made, nil
}

// secretID is the id of the one secret that the next put of this client adds:
// epoch and version of the client together never come again, not even after it
// was deleted and made anew.
func secretID(c *domain.Client) string { return fmt.Sprintf("%d-%d", c.Epoch, c.Version+1) }

// GetClient returns a client; its hashes are in no JSON.
func (r *Registry) GetClient(ctx context.Context, issuer, id string) (domain.Client, error) {
	if err := r.may("client.read"); err != nil {
		return domain.Client{}, err
	}
	return r.client(ctx, r.Store.Read(), issuer, id)
}

// client is a client that the caller may see.
func (r *Registry) client(ctx context.Context, t domain.Tables, issuer, id string) (domain.Client, error) {
	key := domain.ClientKey(issuer, id)
	c, err := t.Clients.Get(ctx, key)
	return shown(c, err, func(c *domain.Client) bool { return r.Sees(c.Issuer, c.Tenant) }, key)
}

// ListClients lists clients in the order of their keys: of one issuer or, where
// that is empty, all; of one tenant or, where that is empty, all. page.Prefix
// is that of ids and needs an issuer; page.After is a key (domain.ClientKey).
func (r *Registry) ListClients(ctx context.Context, issuer, tenant string, page domain.Page) ([]domain.Client, error) {
	if err := r.may("client.list"); err != nil {
		return nil, err
	}
	if issuer != "" {
		page.Prefix = domain.ClientKey(issuer, page.Prefix)
	} else if page.Prefix != "" {
		return nil, &domain.Invalid{Object: "list of clients", Problems: []domain.Problem{{Field: "prefix", Message: "is of ids within one issuer; name the issuer too"}}}
	}
	var list []domain.Client
	err := eachClient(ctx, r.Store.Read(), page, func(c domain.Client) bool {
		if (tenant == "" || c.Tenant == tenant) && r.Sees(c.Issuer, c.Tenant) {
			list = append(list, c)
		}
		return page.Limit == 0 || len(list) < page.Limit
	})
	return list, err
}

// chunk is how many clients are read at once.
const chunk = 500

// eachClient calls f with the clients of the page, whatever its limit, until f
// returns false.
func eachClient(ctx context.Context, t domain.Tables, page domain.Page, f func(domain.Client) bool) error {
	page.Limit = chunk
	for {
		list, err := t.Clients.List(ctx, page)
		if err != nil {
			return err
		}
		for _, c := range list {
			if !f(c) {
				return nil
			}
			page.After = c.Key()
		}
		if len(list) < chunk {
			return nil
		}
	}
}

// checkClient fills what was left out and lists every problem of a client.
func (r *Registry) checkClient(ctx context.Context, t domain.Tables, c *domain.Client) error {
	var failed error
	err := r.clientProblems(ctx, t, c, r.existing(ctx, t, &failed))
	if failed != nil {
		return failed
	}
	return err
}

func (r *Registry) clientProblems(ctx context.Context, t domain.Tables, c *domain.Client, exists domain.Exists) error {
	issuer, err := r.issuerOf(ctx, t, c)
	if err != nil {
		return err
	}
	tenant, err := r.tenantOf(ctx, t, c)
	if err != nil {
		return err
	}
	d := r.dialect(issuer)
	c.Defaults(d)
	problems := c.Problems(issuer, d, tenant, exists)
	if c.ValidUntil != nil {
		until := c.ValidUntil.UTC().Truncate(time.Second)
		c.ValidUntil = &until
	}
	return domain.AsError(fmt.Sprintf("client %q", c.ID), problems)
}
