package snapshot_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/snapshot"
)

const studies = `
type Query { study(id: ID! @scopedBy(kind: "study")): Study @authenticated }
type Study @scoped(kind: "study") { id: ID! name: String! }
`

// graphTown is town with an API that has a GraphQL endpoint. change makes another row of it.
func graphTown(t *testing.T) (s *snapshot.Snapshot, w *world, change func(func(*domain.GraphQL)) error) {
	w = town(t)
	var version int64
	change = func(edit func(*domain.GraphQL)) error {
		g := &domain.GraphQL{Path: "/graphql", Schema: strings.Clone(studies), Rules: []graphql.Rule{{Coordinate: "Query.study", Policy: [][]string{{"studies:read"}}}}}
		edit(g)
		put(t, w.db, apis, domain.API{Name: "studies", Audience: "urn:studies", Issuers: []string{"bip"}, GraphQL: g}, version)
		version++
		if s == nil {
			return nil
		}
		return s.Poll(t.Context())
	}
	w.check(change(func(*domain.GraphQL) {}))
	s = w.open(w.db)
	return s, w, change
}

func schema(t *testing.T, s *snapshot.Snapshot) *graphql.Schema {
	t.Helper()
	a, ok := s.View().API("studies")
	if !ok || a.Schema == nil {
		t.Fatal("there is no schema")
	}
	return a.Schema
}

// A schema is loaded once: whatever else changes, plans that were made by it hold.
func TestSchemaIsKept(t *testing.T) {
	s, w, change := graphTown(t)
	first := schema(t, s)
	view := s.View()
	put(t, w.db, tenants, domain.Tenant{ID: "33333333-54d5-4f0c-9a36-0d6f3e1b8a11", Label: "Three"}, 0)
	w.check(s.Poll(t.Context()))
	if s.View() == view {
		t.Fatal("no new view")
	}
	if got := schema(t, s); got != first {
		t.Error("a change of a tenant loads the schema again")
	}
	w.check(change(func(*domain.GraphQL) {})) // another row of the same content
	if schema(t, s) != first {
		t.Error("a change of the API elsewhere loads the schema again")
	}
	w.api("rest", "/rest", []string{"bip"})
	w.check(s.Poll(t.Context()))
	if a, _ := s.View().API("rest"); a.Schema != nil {
		t.Error("an API without a GraphQL endpoint has a schema")
	}
	if another := schema(t, w.open(w.db)); another == first {
		t.Error("two nodes share a schema: nothing is told apart here")
	}
}

// What a schema is made of makes another: plans of the one before are not taken for it.
func TestSchemaChanges(t *testing.T) { // D-94
	s, w, change := graphTown(t)
	last := schema(t, s)
	for name, edit := range map[string]func(*domain.GraphQL){
		"schema":        func(g *domain.GraphQL) { g.Schema += "\nscalar Date" },
		"rules":         func(g *domain.GraphQL) { g.Rules[0].Policy[0][0] = "studies:list" },
		"responses":     func(g *domain.GraphQL) { g.Responses = domain.CheckResponses },
		"introspection": func(g *domain.GraphQL) { g.Introspection = true },
		"limits":        func(g *domain.GraphQL) { g.Limits.Depth = 1 },
	} {
		w.check(change(edit))
		next := schema(t, s)
		if next == last {
			t.Errorf("%s: the schema of before", name)
		}
		last = next
	}
	// The options reach the engine: the last edits one by one.
	const query = `{ __schema { types { name } } }`
	for _, c := range []struct {
		edit func(*domain.GraphQL)
		want graphql.Reason
	}{
		{func(*domain.GraphQL) {}, graphql.Introspection},
		{func(g *domain.GraphQL) { g.Introspection = true }, ""},
		{func(g *domain.GraphQL) { g.Introspection, g.Limits.Depth = true, 1 }, graphql.TooComplex},
	} {
		w.check(change(c.edit))
		_, err := schema(t, s).Plan(query, "")
		refusal, _ := errors.AsType[*graphql.Refusal](err)
		if refusal == nil && c.want != "" || refusal != nil && refusal.Reason != c.want {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// A schema that does not load fails the view as a broken row does: what was known before stands.
func TestSchemaThatDoesNotLoad(t *testing.T) { // D-91
	s, w, change := graphTown(t)
	before, applied := s.View(), s.Applied()
	err := change(func(g *domain.GraphQL) { g.Schema += "\ntype Study @unscopd { id: ID! }" })
	if err == nil || !strings.Contains(err.Error(), "API studies: GraphQL: ") {
		t.Errorf("%v", err)
	}
	if s.View() != before || s.Applied() != applied {
		t.Error("a part was applied")
	}
	w.local.add(s.MaxStaleness + 1)
	if s.Fresh() == nil {
		t.Error("a node that cannot follow calls itself fresh")
	}
	w.check(change(func(*domain.GraphQL) {}))
	if schema(t, s) != mustAPI(t, before).Schema {
		t.Error("loaded again")
	}
}

func mustAPI(t *testing.T, v *snapshot.View) *snapshot.API {
	t.Helper()
	a, ok := v.API("studies")
	if !ok {
		t.Fatal("no API")
	}
	return a
}
