package domain_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
)

// trials is an API with a GraphQL endpoint without a fault.
func trials() *domain.API {
	a := bookings()
	a.GraphQL = &domain.GraphQL{Path: "/graphql/v1", Schema: `
type Query {
  study(id: ID! @scopedBy(kind: "study")): Study @policy(policies: [["studies:read"]])
}
type Study @scoped(kind: "study") { id: ID! name: String! }
`}
	a.Defaults()
	return a
}

func TestGraphQLProblems(t *testing.T) {
	const noPath = " is no path of an endpoint: begin with /, do not end in it, write no //, dots or ;, and no escape of what needs none, as in /graphql"
	for _, c := range []struct {
		name   string
		change func(*domain.GraphQL)
		want   []string
	}{
		{"good", func(*domain.GraphQL) {}, nil},
		{"at the root", func(g *domain.GraphQL) { g.Path = "/" }, nil},
		{"all that can be turned on", func(g *domain.GraphQL) {
			g.Responses, g.Introspection, g.Batching, g.Get = domain.CheckResponses, true, 100, true
			g.Limits = graphql.Limits{Bytes: 1 << 20, Tokens: 100_000, Depth: 100, Aliases: 10_000, Directives: 10_000, Fragments: 1000, Cost: 100_000}
		}, nil},
		{"no path", func(g *domain.GraphQL) { g.Path = "" }, []string{`graphql.path: ""` + noPath}},
		{"D-60 path that ends in /", func(g *domain.GraphQL) { g.Path = "/graphql/" }, []string{`graphql.path: "/graphql/"` + noPath}},
		{"D-60 path with dots", func(g *domain.GraphQL) { g.Path = "/a/../graphql" }, []string{`graphql.path: "/a/../graphql"` + noPath}},
		{"D-60 path in another spelling", func(g *domain.GraphQL) { g.Path = "/%67raphql" }, []string{`graphql.path: "/%67raphql"` + noPath}},
		{"D-60 path with a parameter", func(g *domain.GraphQL) { g.Path = "/{any}" }, []string{`graphql.path: "/{any}"` + noPath}},
		{"path of a route, whatever its method", func(g *domain.GraphQL) { g.Path = "/status" },
			[]string{"graphql.path: /status is the path of routes[2] (DELETE) too; give one of them another path"}},
		{"responses", func(g *domain.GraphQL) { g.Responses = "look" }, []string{`graphql.responses: "look" is neither pass nor check`}},
		{"D-81 batching", func(g *domain.GraphQL) { g.Batching = 101 }, []string{"graphql.batching: is 101 requests in one array; from 0, which is none, to 100"}},
		{"D-81 less than none", func(g *domain.GraphQL) { g.Batching = -1 }, []string{"graphql.batching: is -1 requests in one array; from 0, which is none, to 100"}},
		{"D-89 limits", func(g *domain.GraphQL) {
			g.Limits = graphql.Limits{Bytes: 1<<20 + 1, Tokens: -1, Depth: 101, Aliases: 10_001, Directives: 10_001, Fragments: 1001, Cost: 100_001, Values: 1_000_001}
		}, []string{
			"graphql.limits.bytes: is 1048577; from 1 to 1048576, or leave it out", "graphql.limits.tokens: is -1; from 1 to 100000, or leave it out",
			"graphql.limits.depth: is 101; from 1 to 100, or leave it out", "graphql.limits.aliases: is 10001; from 1 to 10000, or leave it out",
			"graphql.limits.directives: is 10001; from 1 to 10000, or leave it out", "graphql.limits.fragments: is 1001; from 1 to 1000, or leave it out",
			"graphql.limits.cost: is 100001; from 1 to 100000, or leave it out", "graphql.limits.values: is 1000001; from 1 to 1000000, or leave it out",
		}},
		{"no schema", func(g *domain.GraphQL) { g.Schema = "" },
			[]string{"graphql.schema: is missing; write it there (SDL), or name its file: schema_file: x.graphql"}},
		{"D-109 a schema too large is not read", func(g *domain.GraphQL) { g.Schema = strings.Repeat("?", 4<<20+1) },
			[]string{"graphql.schema: is 4194305 bytes; at most 4194304"}},
		{"D-91 syntax, with its line", func(g *domain.GraphQL) { g.Schema += "typo X" }, []string{`graphql.schema:6: Unexpected Name "typo"`}},
		{"D-91 a type that is not there", func(g *domain.GraphQL) { g.Schema += "extend type Study { site: Site }" }, []string{"graphql.schema:6: Undefined type Site."}},
		{"D-94 directives that cannot be there, with their lines", func(g *domain.GraphQL) {
			g.Schema += "type Site @paging { id: ID!\n name: String @scopedBy(kind: \"site\") }"
		}, []string{"graphql.schema:6: Site: @paging cannot stand on an object type", "graphql.schema:7: Site.name: @scopedBy cannot stand on a field"}},
		{"D-94 a directive that means something else", func(g *domain.GraphQL) { g.Schema += "directive @policy(names: [String!]) on FIELD_DEFINITION" },
			[]string{"graphql.schema:6: @policy: the schema defines this directive in another way than Postern reads it: its arguments must be policies: [[String!]!]!"}},
		{"D-94 rules beside the schema", func(g *domain.GraphQL) {
			g.Rules = []graphql.Rule{{Coordinate: "Study.name", Authenticated: true}, {Coordinate: "Study.nome", Authenticated: true}, {Coordinate: "Study"}, {Coordinate: "Study.name", Unscoped: true, Checkable: true}}
		}, []string{
			"graphql.rules[1]: Study.nome: the schema has no such coordinate: write Type, Type.field, Type.field(argument:), Input.field or Enum.VALUE",
			"graphql.rules[2]: Study: the rule says nothing",
			"graphql.rules[3]: Study.name: @unscoped and @checkable contradict each other",
		}},
		{"D-94 what a rule makes of the schema", func(g *domain.GraphQL) {
			g.Rules = []graphql.Rule{{Coordinate: "Query.study", Authenticated: true}, {Coordinate: "Query", Scoped: "study"}}
		}, []string{`graphql.rules[1]: Query: @scoped by "id": there is no such field that holds one id and needs no argument`}},
		{"words", func(g *domain.GraphQL) {
			g.Schema = strings.NewReplacer(`"studies:read"`, `"studies read"`, `"study"`, `"Study"`).Replace(g.Schema)
			g.Rules = []graphql.Rule{{Coordinate: "Study.name", RequiresScopes: [][]string{{"a b"}}}}
		}, []string{
			"graphql.schema: \"Study\" is no resource kind: lower case, digits, `-` and `_`",
			"graphql.schema: \"studies read\" is no action: letters, digits and `:._-`, at most 64, the first a letter or digit",
			`graphql.schema: "a b" is no scope: printable ASCII without spaces, quotes or backslashes (RFC 6749 §3.3)`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := trials()
			a.Routes = append(a.Routes, domain.Route{Method: "DELETE", Path: "/status"})
			c.change(a.GraphQL)
			if diff := cmp.Diff(c.want, lines(a.Problems(exists))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// However much is wrong, what is told of it can be read.
func TestManyGraphQLProblems(t *testing.T) { // D-109
	a := trials()
	for range 150 {
		a.GraphQL.Rules = append(a.GraphQL.Rules, graphql.Rule{Coordinate: "Query.none", Authenticated: true})
	}
	told := lines(a.Problems(exists))
	if len(told) != 101 || told[100] != "graphql.schema: has 50 problems more" || !strings.HasPrefix(told[99], "graphql.rules[99]: ") {
		t.Errorf("%d: %q", len(told), told[len(told)-1])
	}
}

// Defaults fill a copy: whose endpoint it was keeps it as it is.
func TestGraphQLDefaults(t *testing.T) {
	in := &domain.GraphQL{Path: "/graphql"}
	a := domain.API{GraphQL: in}
	a.Defaults()
	if a.GraphQL.Responses != domain.PassResponses || in.Responses != "" || a.GraphQL.Path != "/graphql" {
		t.Errorf("%+v of %+v", a.GraphQL, in)
	}
	var none domain.API
	if none.Defaults(); none.GraphQL != nil {
		t.Error("an endpoint that nobody asked for")
	}
}
