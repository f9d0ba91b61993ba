package declare

import (
	"context"

	"github.com/postern-dev/postern/internal/domain"
)

// memories are tables that read each object once: of the kinds that applying reads and
// writes again and again.
type memories struct {
	clients    *memory[domain.Client]
	tombstones *memory[domain.Tombstone]
	tables     domain.Tables
}

func rememberAll(t domain.Tables, rehearsal bool) *memories {
	m := &memories{
		clients:    remember(t.Clients, rehearsal, func(v *domain.Client) *int64 { return &v.Version }),
		tombstones: remember(t.Tombstones, rehearsal, func(v *domain.Tombstone) *int64 { return &v.Version }),
	}
	t.Clients, t.Tombstones = m.clients, m.tombstones
	t.Tenants = remember(t.Tenants, rehearsal, func(v *domain.Tenant) *int64 { return &v.Version })
	t.Issuers = remember(t.Issuers, rehearsal, func(v *domain.Issuer) *int64 { return &v.Version })
	t.Keys = remember(t.Keys, rehearsal, func(v *domain.Key) *int64 { return &v.Version })
	t.APIs = remember(t.APIs, rehearsal, func(v *domain.API) *int64 { return &v.Version })
	t.Policies = remember(t.Policies, rehearsal, func(v *domain.Policy) *int64 { return &v.Version })
	t.Tiers = remember(t.Tiers, rehearsal, func(v *domain.Tier) *int64 { return &v.Version })
	m.tables = t
	return m
}

// fetch reads at once what is there of the clients with these keys.
func (m *memories) fetch(ctx context.Context, clients []string) error {
	if len(clients) == 0 {
		return nil
	}
	if err := m.clients.fetch(ctx, clients); err != nil {
		return err
	}
	return m.tombstones.fetch(ctx, clients)
}

// oneReading is a store whose transactions read each object once.
type oneReading struct {
	domain.Store
	clients []string // keys of those that the next transaction is about
}

// Change runs f in a transaction of the store.
func (s *oneReading) Change(ctx context.Context, by domain.Actor, f func(domain.Tables) ([]domain.Change, error)) (domain.Seq, error) {
	return s.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		m := rememberAll(t, false)
		if err := m.fetch(ctx, s.clients); err != nil {
			return nil, err
		}
		return f(m.tables)
	})
}

// rehearsal is a store in which everything seems to happen and nothing does: it reads the
// one below, and keeps what would be written there.
type rehearsal struct {
	domain.Store
	kept *memories
}

func rehearse(below domain.Store) *rehearsal {
	return &rehearsal{Store: below, kept: rememberAll(below.Read(), true)}
}

// Read returns the tables as they would be.
func (s *rehearsal) Read() domain.Tables { return s.kept.tables }

// Change runs f on them. Where f fails the rehearsal is over.
func (s *rehearsal) Change(_ context.Context, _ domain.Actor, f func(domain.Tables) ([]domain.Change, error)) (domain.Seq, error) {
	_, err := f(s.kept.tables)
	return 0, err
}
