package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth/dialect"
)

const studies = `type Query {
  study(id: ID! @scopedBy(kind: "study")): Study @policy(policies: [["studies:read"]])
  site(id: ID! @scopedBy(kind: "site")): String @policy(policies: [["sites:list"], ["studies:read", "sites:read"]])
}
type Study @scoped(kind: "study") @authenticated { id: ID! name: String! }
`

// theGraph is an API with a GraphQL endpoint and no routes.
func theGraph(schema string) domain.API {
	a := theAPI()
	a.Routes, a.GraphQL = nil, &domain.GraphQL{Path: "/graphql", Schema: schema}
	return a
}

func warned(list []registry.Warning) (s []string) {
	for _, w := range list {
		s = append(s, w.Object+": "+w.Field+": "+w.Message)
	}
	return s
}

// COM-12, D-65: what a schema leaves to nobody is told, and what nobody can have since.
func TestUncallableFields(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	noPolicy := func(action string) string {
		return `API api: graphql.schema: no policy has the action "` + action + `", so nobody has the fields that need it`
	}
	told := func(want []string, warnings []registry.Warning, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, warned(warnings)); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	_, warnings, err := r.PutAPI(ctx, by, theGraph(studies), 0)
	told([]string{noPolicy("sites:list"), noPolicy("sites:read"), noPolicy("studies:read")}, warnings, err)
	_, warnings, err = r.PutPolicy(ctx, by, reader(), 0)
	told(nil, warnings, err)
	lister := domain.Policy{Name: "lister", Actions: map[string]string{"sites:list": "list sites", "other": "do something else", graphql.Introspect: "read the schema"}}
	_, warnings, err = r.PutPolicy(ctx, by, lister, 0)
	told(nil, warnings, err)
	a := theGraph(studies)
	a.GraphQL.Introspection, a.GraphQL.Rules = true, []graphql.Rule{{Coordinate: "Study.name", Policy: [][]string{{"other"}}}}
	_, warnings, err = r.PutAPI(ctx, by, a, 0)
	told(nil, warnings, err)
	_, warnings, err = r.PutPolicy(ctx, by, domain.Policy{Name: "lister", Actions: map[string]string{"unheard": "be of no use"}}, 0)
	told([]string{noPolicy(graphql.Introspect), noPolicy("other"), noPolicy("sites:list")}, warnings, err)
	_, warnings, err = r.PutPolicy(ctx, by, domain.Policy{Name: "lister", Actions: map[string]string{"studies:read": "what reader has too"}}, 0)
	told(nil, warnings, err)
	_, warnings, err = r.PutPolicy(ctx, by, domain.Policy{Name: "reader", Actions: map[string]string{"sites:read": "read sites"}}, 0)
	told(nil, warnings, err) // lister has the other
}

// Fields without an answer are warnings, not problems: they are refused to everybody.
func TestGaps(t *testing.T) { // D-91, D-94
	const schema = "type Query {\n  a: Int\n  b: Int @authenticated\n  c: Int @unscopd @unscoped @authenticated\n}\n"
	warnings := registry.Uncallable([]domain.API{theGraph(schema)}, nil)
	want := []string{
		"API api: graphql.schema: leaves 2 of its fields without an answer, so they are refused to everybody; `postern graphql coverage` lists all",
		"API api: graphql.schema:2: Query.a lacks an answer on the action axis: ", "API api: graphql.schema:2: Query.a lacks an answer on the where axis: ",
		"API api: graphql.schema:3: Query.b lacks an answer on the where axis: ",
	}
	got := warned(warnings)
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i, w := range want {
		if !strings.HasPrefix(got[i], w) || got[i] == w && i > 0 {
			t.Errorf("%s, want %s…", got[i], w)
		}
	}
	many := "\n"
	for i := range 50 {
		many += fmt.Sprintf("  f%d: Int @authenticated\n", i)
	}
	got = warned(registry.Uncallable([]domain.API{theGraph("type Query {" + many + "}")}, nil))
	if len(got) != 11 || !strings.Contains(got[0], " 50 of its fields ") || !strings.Contains(got[10], "graphql.schema:11: Query.f9 ") {
		t.Errorf("%q", got)
	}
	for name, api := range map[string]domain.API{"wrong": theGraph("typo"), "too large": theGraph(strings.Repeat("#", domain.MaxSchema+1))} {
		if got := registry.Uncallable([]domain.API{api}, nil); got != nil { // Problems tells
			t.Errorf("a schema that is %s: %v", name, got)
		}
	}
}

// A GraphQL endpoint hides behind those of an issuer as a route does.
func TestGraphQLClashes(t *testing.T) {
	main := domain.Issuer{Name: "main", URL: "https://id.example.com", Dialect: "rfc"} // /oauth2/token
	reg := &registry.Registry{Dialects: dialect.Builtin()}
	for name, c := range map[string]struct{ api, graphql, want string }{
		"beside it":          {"/oauth2", "/graphql", ""},
		"the token endpoint": {"/oauth2", "/token", "id.example.com/oauth2/token"},
		"at its end":         {"/oauth2/token", "/", "id.example.com/oauth2/token"},
		"its keys":           {"", "/.well-known/jwks.json", "id.example.com/.well-known/jwks.json"},
		"below it":           {"", "/oauth2/token/x", ""},
	} {
		api := theGraph(studies)
		api.Path, api.GraphQL.Path = c.api, c.graphql
		var got string
		for _, clash := range reg.Clashes([]domain.Issuer{main}, nil, []domain.API{api}) {
			got += clash.API + " " + clash.Problem.Field + ": " + clash.Problem.Message
		}
		want := ""
		if c.want != "" {
			want = "api graphql.path: " + c.graphql + " would hide behind " + c.want + ", an endpoint of issuer main; give one of them another path or host"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A schema that cannot be read keeps what was there, and is told by its line (D-112).
func TestSchemaRefused(t *testing.T) {
	r := furnished(t)
	a := must[domain.API](t)(r.PutAPI(t.Context(), by, theGraph(studies), 0))
	before := len(r.feed(t))
	_, _, err := r.PutAPI(t.Context(), by, theGraph(studies+"\nextend type Study { site: Place }"), 0)
	if problem(t, err, "graphql.schema"); !strings.Contains(err.Error(), "graphql.schema:7: Undefined type Place") {
		t.Errorf("%v", err)
	}
	if kept, err := r.GetAPI(t.Context(), "api"); err != nil || cmp.Diff(a, kept) != "" || len(r.feed(t)) != before {
		t.Errorf("%s, %v, %s", cmp.Diff(a, kept), err, r.actions(t, before))
	}
}
