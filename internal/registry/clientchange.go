package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
)

// UpdateClient changes what an administrator may choose of a client; what f does
// to its issuer, id, epoch, secrets, whether it was imported, and when it was
// made is undone (D-74). ifVersion is the version that the caller has seen, 0
// any: where it is not the current one the error is domain.ErrConflict. Whatever
// ends the client's tokens raises its epoch. Nothing changed makes no change.
func (r *Registry) UpdateClient(ctx context.Context, by domain.Actor, issuer, id string, ifVersion int64, f func(*domain.Client) error) (domain.Client, error) {
	act := act{name: "client.update", by: by, issuer: issuer, id: id, ifVersion: ifVersion}
	return r.change(ctx, act, func(t domain.Tables, c *domain.Client) error {
		old := clone(*c)
		if err := f(c); err != nil {
			return err
		}
		want := c.Origin
		c.Issuer, c.ID, c.Imported, c.Created, c.Version = old.Issuer, old.ID, old.Imported, old.Created, old.Version
		c.Secrets, c.Epoch = old.Secrets, old.Epoch
		var err error
		if c.Origin, err = r.declared(old, old.Origin, want); err != nil {
			return err
		}
		if err := r.checkClient(ctx, t, c); err != nil {
			return err
		}
		if r.ends(&old, c) {
			c.Epoch++
		}
		return nil
	})
}

// DisableClient ends a client's tokens now, and it gets no new ones. It is not
// checked otherwise: what is wrong with a client never keeps it alive, nor does the
// file it came from.
func (r *Registry) DisableClient(ctx context.Context, by domain.Actor, issuer, id string) (domain.Client, error) {
	return r.change(ctx, act{name: "client.disable", by: by, issuer: issuer, id: id, emergency: true}, func(_ domain.Tables, c *domain.Client) error {
		if c.Status == domain.Enabled {
			c.Epoch++
		}
		c.Status = domain.Disabled
		return nil
	})
}

// EnableClient lets a client have tokens again; those of before stay dead. It undoes
// DisableClient for a client from a file too, whose next applying disables it anew where the
// file says so.
func (r *Registry) EnableClient(ctx context.Context, by domain.Actor, issuer, id string) (domain.Client, error) {
	return r.change(ctx, act{name: "client.enable", by: by, issuer: issuer, id: id, emergency: true}, func(_ domain.Tables, c *domain.Client) error {
		old := *c
		c.Status = domain.Enabled
		if r.ends(&old, c) {
			c.Epoch++
		}
		return nil
	})
}

// DeleteClient removes a client. Its tokens are dead, and a tombstone keeps its
// epoch for a client that is made again under this id. ifVersion as in
// UpdateClient.
func (r *Registry) DeleteClient(ctx context.Context, by domain.Actor, issuer, id string, ifVersion int64) error {
	act := act{name: "client.delete", by: by, issuer: issuer, id: id, ifVersion: ifVersion}
	if err := r.allow(act.name, by); err != nil {
		return err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		c, err := r.actOn(ctx, t, act)
		if err != nil {
			return nil, err
		}
		grave := domain.Tombstone{Issuer: issuer, ID: id, Tenant: c.Tenant, Epoch: c.Epoch + 1, Deleted: r.now()}
		if _, err := t.Tombstones.Put(ctx, grave, 0); err != nil {
			return nil, err
		}
		return []domain.Change{change(grave, act.name), change(c, act.name)}, t.Clients.Delete(ctx, c.Key(), c.Version)
	})
	return err
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

// act is what somebody does to a client.
type act struct {
	name       string // of the operation
	by         domain.Actor
	issuer, id string
	ifVersion  int64
	emergency  bool // what came from a file does not keep from it
}

// actOn is the client, for whoever may see it and give all that it holds.
func (r *Registry) actOn(ctx context.Context, t domain.Tables, a act) (domain.Client, error) {
	c, err := r.client(ctx, t, a.issuer, a.id)
	if err != nil {
		return c, err
	}
	if err := sameVersion(a.ifVersion, c.Version); err != nil {
		return c, err
	}
	if err := r.canGive(ctx, t, &c); err != nil {
		return c, err
	}
	if !a.emergency {
		_, err = r.declared(c, c.Origin, "")
	}
	return c, err
}

// change is the one read-change-write of a client.
func (r *Registry) change(ctx context.Context, a act, f func(domain.Tables, *domain.Client) error) (domain.Client, error) {
	var done domain.Client
	if err := r.allow(a.name, a.by); err != nil {
		return done, err
	}
	_, err := r.Store.Change(ctx, a.by, func(t domain.Tables) ([]domain.Change, error) {
		c, err := r.actOn(ctx, t, a)
		if err != nil {
			return nil, err
		}
		done = clone(c)
		if err := f(t, &done); err != nil {
			return nil, err
		}
		if err := r.canGive(ctx, t, &done); err != nil {
			return nil, err
		}
		if same(c, done) && maps.Equal(c.Sensitive(), done.Sensitive()) {
			return nil, nil
		}
		done.Secrets = r.alive(done.Secrets)
		done.Version, err = t.Clients.Put(ctx, done, c.Version)
		return []domain.Change{change(done, a.name)}, err
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
