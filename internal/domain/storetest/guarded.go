package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
)

// guarded proves the kinds that the gateway reads, each in the same way.
func guarded(t *testing.T, s Store) {
	api := domain.API{
		Name: "reports", Label: "Ünïcode \"<&>", Audience: "https://api.example", Issuers: []string{"rfc", "other"}, Hosts: []string{"api.example:8443"}, Path: "/v1",
		Upstream: "http://127.0.0.1:9000/x", RateLimits: map[string]int64{"premium": 7}, RateLimitHeaders: true, IdentityToken: true, MaxBody: 1 << 40, ServeStale: 60,
		Timeouts: domain.Timeouts{Connect: 1, Answer: 2, Idle: 3},
		Routes:   []domain.Route{{Method: "GET", Path: "/reports/{id}"}, {Method: "POST", Path: "/reports"}},
	}
	object(t, s, func(t domain.Tables) domain.Table[domain.API] { return t.APIs }, func(a *domain.API) *int64 { return &a.Version },
		api, func(a *domain.API) { a.Routes = a.Routes[:1] })
	object(t, s, func(t domain.Tables) domain.Table[domain.Policy] { return t.Policies }, func(p *domain.Policy) *int64 { return &p.Version },
		domain.Policy{Name: "team:reader", Label: "Reader", Actions: map[string]string{"reports:read": "Read reports", "reports:list": "List them"}},
		func(p *domain.Policy) { p.Actions = map[string]string{"reports:read": "Read one"} })
	object(t, s, func(t domain.Tables) domain.Table[domain.Tier] { return t.Tiers }, func(n *domain.Tier) *int64 { return &n.Version },
		domain.Tier{Name: "bulk", PerMinute: 1 << 40}, func(n *domain.Tier) { n.PerMinute, n.Unlimited = 0, true })
	verified(t, s)
}

// object puts, reads, lists, edits and deletes v, and reads the changes that tell of it.
func object[T interface {
	Kind() domain.Kind
	Key() string
}](t *testing.T, s Store, in func(domain.Tables) domain.Table[T], version func(*T) *int64, v T, edit func(*T)) {
	t.Helper()
	before, table := len(changes(t, s)), in(s.Read())
	for n := range int64(2) {
		if n > 0 {
			edit(&v)
		}
		*version(&v) = put(t, s, in, v, n)
		same(t, "version", *version(&v), n+1)
		got, err := table.Get(t.Context(), v.Key())
		list, errL := table.List(t.Context(), domain.Page{})
		if err := errors.Join(err, errL); err != nil {
			t.Fatal(err)
		}
		same(t, string(v.Kind()), got, v)
		same(t, string(v.Kind())+" in a list", list, []T{v})
	}
	if _, err := table.Put(t.Context(), v, 2); err == nil {
		t.Errorf("a put of %s outside Change passed", v.Kind())
	}
	for _, version := range []int64{1, 2} { // an old one first
		_, err := s.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
			return []domain.Change{{Kind: v.Kind(), Key: v.Key(), Action: "delete"}}, in(tables).Delete(t.Context(), v.Key(), version)
		})
		if (version == 1) != errors.Is(err, domain.ErrConflict) || version == 2 && err != nil {
			t.Errorf("delete of %s at version %d: %v", v.Kind(), version, err)
		}
	}
	if _, err := table.Get(t.Context(), v.Key()); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("get of a deleted %s: %v", v.Kind(), err)
	}
	told := ""
	for _, c := range changes(t, s)[before:] {
		told += fmt.Sprint(c.Kind == v.Kind() && c.Key == v.Key(), " ", c.Version, " ", c.Object != nil, "; ")
	}
	same(t, "changes of "+string(v.Kind()), told, "true 1 true; true 2 true; true 0 false; ")
}
