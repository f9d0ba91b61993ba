package declare

import (
	"context"
	"errors"
	"fmt"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// making is one object that is made or changed in a transaction.
type making struct {
	*step
	reg         *registry.Registry
	by          domain.Actor
	differences bool       // are to be told
	secret      *NewSecret // of a new client
}

// do makes the object and says in its item what became of it.
func (m *making) do(ctx context.Context) error {
	if m.item.Outcome == TakenOver {
		if _, err := m.reg.Release(ctx, m.by, m.Kind(), m.Key()); err != nil {
			return err
		}
	}
	switch v := m.body.(type) {
	case *domain.Tier:
		return put(ctx, m, *v, m.reg.GetTier, m.reg.PutTier, func(t domain.Tier) int64 { return t.Version })
	case *domain.Policy:
		return put(ctx, m, *v, m.reg.GetPolicy, m.reg.PutPolicy, func(p domain.Policy) int64 { return p.Version })
	case *domain.Issuer:
		return put(ctx, m, *v, m.reg.GetIssuer, m.reg.PutIssuer, func(i domain.Issuer) int64 { return i.Version })
	case *domain.Tenant:
		return put(ctx, m, *v, m.reg.GetTenant, m.reg.PutTenant, func(t domain.Tenant) int64 { return t.Version })
	case *domain.API:
		return put(ctx, m, *v, m.reg.GetAPI, m.reg.PutAPI, func(a domain.API) int64 { return a.Version })
	case *domain.Client:
		return m.client(ctx, v)
	}
	return fmt.Errorf("there is no kind %s", m.Kind())
}

// put makes an object of any kind but clients, or replaces what is there.
func put[T object, P interface {
	*T
	body
}](ctx context.Context, m *making, v T,
	get func(context.Context, string) (T, error), put func(context.Context, domain.Actor, T, int64) (T, []registry.Warning, error), version func(T) int64,
) error {
	old, err := absent(get(ctx, v.Key()))
	if err != nil {
		return err
	}
	done, warnings, err := put(ctx, m.by, v, version(old))
	if err != nil {
		return err
	}
	m.item.Warnings = warnings
	m.became(version(old), version(done))
	if m.differences && version(old) == 0 {
		m.item.Differences = differences(nil, P(&done))
	} else if m.differences {
		m.item.Differences = differences(P(&old), P(&done))
	}
	return nil
}

// became notes the outcome, by the versions before and after.
func (m *making) became(before, after int64) {
	switch {
	case before == 0:
		m.item.Outcome = Created
	case m.item.Outcome == Adopted || m.item.Outcome == TakenOver:
	case before == after:
		m.item.Outcome = Unchanged
	default:
		m.item.Outcome = Updated
	}
}

// absent is the zero value for what is not there.
func absent[T any](v T, err error) (T, error) {
	if errors.Is(err, domain.ErrNotFound) {
		err = nil
	}
	return v, err
}

// client makes a client, or changes it; its status only where that is said.
func (m *making) client(ctx context.Context, v *domain.Client) error {
	old, err := absent(m.reg.Store.Read().Clients.Get(ctx, v.Key()))
	if err != nil {
		return err
	}
	if old.Version == 0 {
		made, secret, err := m.reg.CreateClient(ctx, m.by, *v)
		if err != nil {
			return err
		}
		m.secret = &NewSecret{Issuer: v.Issuer, ClientID: v.ID, Name: v.Name, Secret: secret}
		m.became(0, made.Version)
		if m.differences {
			m.item.Differences = differences(nil, &made)
		}
		return nil
	}
	done, err := m.reg.UpdateClient(ctx, m.by, old.Issuer, old.ID, old.Version, func(c *domain.Client) error {
		kept := c.Status
		*c = *v
		if !m.doc.Has("status") {
			c.Status = kept
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.became(old.Version, done.Version)
	if m.differences {
		m.item.Differences = differences(&old, &done)
	}
	return nil
}
