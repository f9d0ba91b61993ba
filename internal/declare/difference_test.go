package declare

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/oauth"
)

// lines are the differences, one a line.
func lines(list []Difference) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%s: %v -> %v\n", d.Field, d.Old, d.New)
		for _, line := range d.Lines {
			b.WriteString("  " + line + "\n")
		}
	}
	return strings.TrimSpace(b.String())
}

func TestDifferences(t *testing.T) {
	client := func(change func(*domain.Client)) *domain.Client {
		c := &domain.Client{Issuer: "main", ID: "x", Name: "n", Status: domain.Enabled, Tier: "standard", Audiences: []string{"a", "b"}, Epoch: 3, Version: 7,
			Secrets: []domain.Secret{{ID: "s", Hash: "canary"}}, Lifetime: 1800, ResourceScope: domain.ResourceScope{"study": {IDs: []string{"s1", "s2"}}}}
		change(c)
		return c
	}
	api := func(change func(*domain.API)) *domain.API {
		a := &domain.API{Name: "a", Routes: []domain.Route{{Method: "GET", Path: "/a", Actions: []string{"x"}}, {Method: "GET", Path: "/b"}},
			GraphQL: &domain.GraphQL{Path: "/graphql", Schema: "type Query {\n  a: Int\n}\n", Rules: []graphql.Rule{{Coordinate: "Query.a", Policy: [][]string{{"x"}}}}}}
		change(a)
		return a
	}
	same := func(*domain.Client) {}
	for name, c := range map[string]struct {
		old, now body
		want     string
	}{
		"nothing":               {client(same), client(func(c *domain.Client) { c.Epoch, c.Version, c.Secrets, c.Scopes = 9, 1, nil, oauth.Scope{} }), ""},
		"scalars and durations": {client(same), client(func(c *domain.Client) { c.Lifetime, c.Note, c.Partner = 5400, "hi", true }), "lifetime: 30m -> 90m\npartner: <nil> -> true\nnote: <nil> -> hi"},
		"elements":              {client(same), client(func(c *domain.Client) { c.Audiences = []string{"c", "b"} }), "audiences: a -> <nil>\naudiences: <nil> -> c"},
		"an order":              {client(same), client(func(c *domain.Client) { c.Audiences = []string{"b", "a"} }), "audiences: [a b] -> [b a]"},
		"one that stands twice": {client(same), client(func(c *domain.Client) { c.Audiences = []string{"a", "b", "b"} }), "audiences: <nil> -> b"},
		"nested": {client(same), client(func(c *domain.Client) {
			c.ResourceScope = domain.ResourceScope{"study": {IDs: []string{"s2"}}, "site": {}}
		}), "resource_scope.site: <nil> -> map[]\nresource_scope.study.ids: s1 -> <nil>"},
		"where it comes from":     {client(same), client(func(c *domain.Client) { c.Origin = "core/a.yaml" }), "origin: <nil> -> core/a.yaml"},
		"a ceiling of nothing":    {&domain.Tenant{ID: "t"}, &domain.Tenant{ID: "t", Ceiling: &domain.Ceiling{}}, "ceiling: <nil> -> map[]"},
		"a kind without ids":      {&domain.Tenant{ID: "t"}, &domain.Tenant{ID: "t", Resources: map[string][]string{"study": nil}}, "resources.study: <nil> -> map[]"},
		"words of a policy":       {&domain.Policy{Actions: map[string]string{"a": "b"}}, &domain.Policy{Actions: map[string]string{"a": "c", "d": "e"}}, "actions.a: b -> c\nactions.d: <nil> -> e"},
		"made":                    {nil, &domain.Tier{Name: "t", PerMinute: 5, Origin: "core/t.yaml"}, "name: <nil> -> t\nper_minute: <nil> -> 5\norigin: <nil> -> core/t.yaml"},
		"deleted":                 {&domain.Tier{Name: "t", Unlimited: true}, nil, "name: t -> <nil>\nunlimited: true -> <nil>"},
		"a route by its name":     {api(func(*domain.API) {}), api(func(a *domain.API) { a.Routes[0].Actions = []string{"x", "y"} }), "routes[GET /a].actions: <nil> -> y"},
		"a route that comes":      {api(func(*domain.API) {}), api(func(a *domain.API) { a.Routes = append(a.Routes, domain.Route{Method: "PUT", Path: "/a"}) }), "routes[PUT /a].method: <nil> -> PUT\nroutes[PUT /a].path: <nil> -> /a"},
		"the order of routes":     {api(func(*domain.API) {}), api(func(a *domain.API) { a.Routes[0], a.Routes[1] = a.Routes[1], a.Routes[0] }), "routes (order): [GET /a GET /b] -> [GET /b GET /a]"},
		"a rule":                  {api(func(*domain.API) {}), api(func(a *domain.API) { a.GraphQL.Rules[0].Policy = [][]string{{"x", "y"}} }), "graphql.rules[Query.a].policy: [x] -> <nil>\ngraphql.rules[Query.a].policy: <nil> -> [x y]"},
		"no GraphQL any more":     {api(func(a *domain.API) { a.GraphQL = &domain.GraphQL{Path: "/g"} }), api(func(a *domain.API) { a.GraphQL = nil }), "graphql.path: /g -> <nil>"},
		"a schema, line by line":  {api(func(*domain.API) {}), api(func(a *domain.API) { a.GraphQL.Schema = "type Query {\n  a: Int\n  b: Int\n}\n" }), "graphql.schema: <nil> -> <nil>\n  @@ -1,3 +1,4 @@\n   type Query {\n     a: Int\n  +  b: Int\n   }"},
		"rules that stand twice":  {api(func(a *domain.API) { a.GraphQL.Rules = append(a.GraphQL.Rules, a.GraphQL.Rules[0]) }), api(func(*domain.API) {}), "graphql.rules: map[coordinate:Query.a policy:[[x]]] -> <nil>"},
		"what was left out of it": {&domain.Issuer{Name: "i", Scopes: oauth.Scope{"a"}}, &domain.Issuer{Name: "i"}, "scopes: a -> <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, lines(differences(c.old, c.now))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// A difference of a long text is bounded.
func TestUnifiedIsBounded(t *testing.T) {
	got := unified("", strings.Repeat("a\n", 5000))
	if len(got) != maxLines+1 || got[maxLines] != fmt.Sprintf("… %d more lines", 5001-maxLines) {
		t.Errorf("%d lines, the last is %s", len(got), got[len(got)-1])
	}
}
