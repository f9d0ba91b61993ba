package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// UpdateClient changes what an administrator may choose of a client; what f does
// to its issuer, id, epoch, secrets, whether it was imported, and when it was
// made is undone (D-74). ifVersion is the version that the caller has seen, 0
// any: where it is not the current one the error is domain.ErrConflict. Whatever
// ends the client's tokens raises its epoch. Nothing changed makes no change.
func (r *Registry) UpdateClient(ctx context.Context, by domain.Actor, issuer, id string, ifVersion int64, f func(*domain.Client) error) (domain.Client, error) {
	return r.changeClient(ctx, by, "client.update", issuer, id, ifVersion, f, r.checkClient)
}

// DisableClient ends a client's tokens now, and it gets no new ones. It is not
// checked otherwise: what is wrong with a client never keeps it alive.
func (r *Registry) DisableClient(ctx context.Context, by domain.Actor, issuer, id string) (domain.Client, error) {
	return r.setStatus(ctx, by, "client.disable", issuer, id, domain.Disabled)
}

// EnableClient lets a client have tokens again; those of before stay dead.
func (r *Registry) EnableClient(ctx context.Context, by domain.Actor, issuer, id string) (domain.Client, error) {
	return r.setStatus(ctx, by, "client.enable", issuer, id, domain.Enabled)
}

func (r *Registry) setStatus(ctx context.Context, by domain.Actor, action, issuer, id string, status domain.Status) (domain.Client, error) {
	return r.changeClient(ctx, by, action, issuer, id, 0, func(c *domain.Client) error {
		c.Status = status
		return nil
	}, nil)
}

// DeleteClient removes a client. Its tokens are dead, and a tombstone keeps its
// epoch for a client that is made again under this id. ifVersion as in
// UpdateClient.
func (r *Registry) DeleteClient(ctx context.Context, by domain.Actor, issuer, id string, ifVersion int64) error {
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		c, err := t.Clients.Get(ctx, domain.ClientKey(issuer, id))
		if err != nil {
			return nil, err
		}
		if err := sameVersion(ifVersion, c.Version); err != nil {
			return nil, err
		}
		grave := domain.Tombstone{Issuer: issuer, ID: id, Epoch: c.Epoch + 1, Deleted: r.now()}
		if _, err := t.Tombstones.Put(ctx, grave, 0); err != nil {
			return nil, err
		}
		return []domain.Change{change(grave, "client.delete"), change(c, "client.delete")}, t.Clients.Delete(ctx, c.Key(), c.Version)
	})
	return err
}

// ReplaceSecrets gives a client one new secret in place of all it has. kill ends
// every token of the client at once; otherwise they live to their expiry.
func (r *Registry) ReplaceSecrets(ctx context.Context, by domain.Actor, issuer, id string, kill bool) (domain.Client, oauth.Secret, error) {
	s := secret.Generate()
	c, err := r.change(ctx, by, "client.replace_secrets", issuer, id, 0, func(_ domain.Tables, c *domain.Client) error {
		if kill {
			c.Epoch++
		}
		c.Secrets = []domain.Secret{r.generated(c, secretID(c), s)}
		return nil
	})
	if err != nil {
		return domain.Client{}, "", err
	}
	return c, s, nil
}

// ReplaceHash puts another hash of the same secret in place of the one given: a
// foreign hash at its first use, or one under an old pepper. Where the secret
// no longer has that hash the error is domain.ErrConflict.
func (r *Registry) ReplaceHash(ctx context.Context, issuer, id, secretID, oldHash, newHash string) error {
	if _, err := secret.Parse(newHash); err != nil {
		return fmt.Errorf("replace the hash of secret %s of client %q: %w", secretID, id, err)
	}
	_, err := r.change(ctx, domain.System, "client.rehash", issuer, id, 0, func(_ domain.Tables, c *domain.Client) error {
		i := slices.IndexFunc(c.Secrets, func(s domain.Secret) bool { return s.ID == secretID && s.Hash == oldHash })
		if i < 0 {
			return domain.ErrConflict
		}
		c.Secrets[i].Hash = newHash
		return nil
	})
	return err
}

// changeClient is change for what an administrator may choose; check, which may
// be nil, looks at the outcome.
func (r *Registry) changeClient(ctx context.Context, by domain.Actor, action, issuer, id string, ifVersion int64,
	f func(*domain.Client) error, check func(context.Context, domain.Tables, *domain.Client) error,
) (domain.Client, error) {
	return r.change(ctx, by, action, issuer, id, ifVersion, func(t domain.Tables, c *domain.Client) error {
		old := clone(*c)
		if err := f(c); err != nil {
			return err
		}
		c.Issuer, c.ID, c.Imported, c.Created, c.Version = old.Issuer, old.ID, old.Imported, old.Created, old.Version
		c.Secrets, c.Epoch = old.Secrets, old.Epoch
		if check != nil {
			if err := check(ctx, t, c); err != nil {
				return err
			}
		}
		if r.ends(&old, c) {
			c.Epoch++
		}
		return nil
	})
}

// ends reports whether tokens issued before must not live on: the client was
// enabled and is disabled; it had run out and lives again; or it is somebody
// else's now.
func (r *Registry) ends(old, now *domain.Client) bool {
	at := r.now()
	disabled := old.Status == domain.Enabled && now.Status != domain.Enabled
	revived := old.Status == domain.Enabled && !old.Alive(at) && now.Alive(at)
	return disabled || revived || old.Tenant != now.Tenant || old.PlatformWide != now.PlatformWide
}

// change is the one read-change-write of a client.
func (r *Registry) change(ctx context.Context, by domain.Actor, action, issuer, id string, ifVersion int64, f func(domain.Tables, *domain.Client) error) (domain.Client, error) {
	var done domain.Client
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		c, err := t.Clients.Get(ctx, domain.ClientKey(issuer, id))
		if err != nil {
			return nil, err
		}
		if err := sameVersion(ifVersion, c.Version); err != nil {
			return nil, err
		}
		done = clone(c)
		if err := f(t, &done); err != nil {
			return nil, err
		}
		if same(c, done) && maps.Equal(c.Sensitive(), done.Sensitive()) {
			return nil, nil
		}
		done.Version, err = t.Clients.Put(ctx, done, c.Version)
		return []domain.Change{change(done, action)}, err
	})
	if err != nil {
		return domain.Client{}, err
	}
	return done, nil
}

func sameVersion(want, have int64) error {
	if want != 0 && want != have {
		return fmt.Errorf("version %d is not the current one: %w", want, domain.ErrConflict)
	}
	return nil
}

// same reports whether two objects are kept as the same JSON.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// clone copies a client so deeply that a change of the copy leaves it alone.
func clone(c domain.Client) domain.Client {
	c.Scopes, c.Audiences, c.Policies, c.Secrets = slices.Clone(c.Scopes), slices.Clone(c.Audiences), slices.Clone(c.Policies), slices.Clone(c.Secrets)
	c.ResourceScope, c.RateLimits = maps.Clone(c.ResourceScope), maps.Clone(c.RateLimits)
	for kind, res := range c.ResourceScope {
		res.IDs = slices.Clone(res.IDs)
		c.ResourceScope[kind] = res
	}
	if c.ValidUntil != nil {
		until := *c.ValidUntil
		c.ValidUntil = &until
	}
	return c
}
