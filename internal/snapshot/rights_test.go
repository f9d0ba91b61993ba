package snapshot_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
)

// COM-12: what a client holds is what it was given, as far as its tenant still has it.
func TestRights(t *testing.T) {
	some := func(ids ...string) policy.Resources { return policy.Resources{IDs: ids} }
	base := domain.Client{
		Issuer: "main", ID: "c", Tenant: tenant1, Scopes: oauth.Scope{"a", "b"}, Policies: []string{"p", "q", "gone"},
		ResourceScope: policy.ResourceScope{"study": some("1", "2"), "team": {All: true}, "site": {All: true}, "note": some("9"), "empty": {All: true}},
	}
	wide := base
	wide.Tenant, wide.PlatformWide = "", true
	orphan := base
	orphan.Tenant = "none"
	tenant := domain.Tenant{
		ID: tenant1, Label: "One", Endpoints: []string{"lookup"},
		Resources: map[string][]string{"study": {"2", "3"}, "team": {"t1", "t2"}, "empty": {}},
	}
	for _, c := range []struct {
		name    string
		client  domain.Client
		ceiling *domain.Ceiling
		scopes  []string
		actions []string
		tags    []string
		want    policy.ResourceScope
	}{
		{"of a tenant", base, nil, []string{"a", "b"}, []string{"x", "y", "z"}, []string{"lookup"},
			policy.ResourceScope{"study": some("2"), "team": {IDs: []string{"t1", "t2"}}, "site": {All: true}}},
		{"below a ceiling", base, &domain.Ceiling{Scopes: oauth.Scope{"b", "c"}, Policies: []string{"q"}}, []string{"b"}, []string{"z"}, []string{"lookup"},
			policy.ResourceScope{"study": some("2"), "team": {IDs: []string{"t1", "t2"}}, "site": {All: true}}},
		{"below an empty ceiling", base, &domain.Ceiling{}, nil, nil, []string{"lookup"},
			policy.ResourceScope{"study": some("2"), "team": {IDs: []string{"t1", "t2"}}, "site": {All: true}}},
		{"platform-wide", wide, nil, []string{"a", "b"}, []string{"x", "y", "z"}, []string{"lookup", "cancel"}, wide.ResourceScope},
		{"of a tenant that is not there", orphan, nil, nil, nil, nil, policy.ResourceScope{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			put(t, w.db, policies, domain.Policy{Name: "p", Actions: map[string]string{"x": "", "y": ""}}, 0)
			put(t, w.db, policies, domain.Policy{Name: "q", Actions: map[string]string{"z": ""}}, 0)
			at := tenant
			at.Ceiling = c.ceiling
			put(t, w.db, tenants, at, 0)
			client, err := snapshot.NewClient(c.client)
			w.check(err)
			rights := client.Rights(w.open(w.db).View())
			said := &policy.Said{Scopes: []string{"a", "b", "c"}}
			if diff := cmp.Diff(c.scopes, append([]string(nil), rights.Scopes(said)...)); diff != "" {
				t.Errorf("scopes: %s", diff)
			}
			if diff := cmp.Diff(c.want, rights.Resources(said)); diff != "" {
				t.Errorf("resources: %s", diff)
			}
			allowed := func(need policy.Need) bool { return rights.Decide(&need, said).Allowed }
			for what, held := range map[string]struct {
				all  []string
				of   []string
				need func(string) policy.Need
			}{
				"action": {[]string{"x", "y", "z", "w"}, c.actions, func(s string) policy.Need { return policy.Need{Actions: []string{s}} }},
				"tag":    {[]string{"lookup", "cancel"}, c.tags, func(s string) policy.Need { return policy.Need{Endpoints: []string{s}} }},
			} {
				var got []string
				for _, s := range held.all {
					if allowed(held.need(s)) {
						got = append(got, s)
					}
				}
				if diff := cmp.Diff(held.of, got); diff != "" {
					t.Errorf("%s: %s", what, diff)
				}
			}
		})
	}
}

// Rights are made once for a client's row and a view, and anew for another of either.
func TestRightsAreMadeOnce(t *testing.T) {
	w := newWorld(t)
	put(t, w.db, policies, domain.Policy{Name: "p", Actions: map[string]string{"x": ""}}, 0)
	row := client(1)
	row.PlatformWide, row.Policies = true, []string{"p"}
	put(t, w.db, clients, row, 0)
	s := w.open(w.db)
	need := policy.Need{Actions: []string{"x"}}
	first := get(t, s).Rights(s.View())
	if get(t, s).Rights(s.View()) != first || !first.Decide(&need, &policy.Said{}).Allowed {
		t.Error("made twice")
	}
	put(t, w.db, policies, domain.Policy{Name: "p", Actions: map[string]string{"y": ""}}, 1)
	w.check(s.Poll(t.Context()))
	second := get(t, s).Rights(s.View())
	if second == first || second.Decide(&need, &policy.Said{}).Allowed {
		t.Error("rights of an earlier view")
	}
	row.Policies = nil
	put(t, w.db, clients, row, 1)
	w.check(s.Poll(t.Context()))
	if get(t, s).Rights(s.View()) == second {
		t.Error("rights of an earlier row")
	}
	known, view := get(t, s), s.View()
	known.Rights(view)
	if n := testing.AllocsPerRun(100, func() { known.Rights(view) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
