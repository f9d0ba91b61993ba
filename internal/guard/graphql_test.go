package guard_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
)

const trials = `
type Query {
  study(id: ID! @scopedBy(kind: "study")): Study @policy(policies: [["studies:read"]])
  studies(first: Int @paging): [Study!]! @policy(policies: [["studies:read"]]) @checkable
  count: Int! @wholeScope(kinds: ["study"]) @policy(policies: [["studies:read"]])
  audit: String @requiresScopes(scopes: [["audit"]]) @unscoped
  reads: String @requiresScopes(scopes: [["read"]]) @unscoped
  either: String @policy(policies: [["studies:write"], ["studies:own"]]) @unscoped
  forgotten: String
  hidden(id: ID!): String @authenticated
  echo(text: String @unscoped): String @authenticated @unscoped
}
type Mutation { rename(id: ID! @scopedBy(kind: "study"), name: String! @unscoped): Study @policy(policies: [["studies:write"]]) }
type Subscription { changed: String @authenticated @unscoped }
type Study @scoped(kind: "study") @authenticated { id: ID! name: String! budget: Int @policy(policies: [["studies:finance"]]) }
`

const endpoint = "https://auth.example.com/v2/graphql"

// graphTown is a town with an API that has a GraphQL endpoint beside routes that could lead
// there.
func graphTown(t testing.TB, edit func(*domain.GraphQL)) *town {
	n := newTown(t)
	g := &domain.GraphQL{Path: "/graphql", Schema: trials}
	if edit != nil {
		edit(g)
	}
	n.api(domain.API{Name: "graph", Audience: "urn:reports", Issuers: []string{"main"}, Path: "/v2", GraphQL: g, MaxBody: 4096, Routes: []policy.Route{
		{Method: "GET", Path: "/{thing}", Parameters: []policy.Parameter{{Name: "thing", Unscoped: true}}},
		{Method: "POST", Path: "/{thing}", Parameters: []policy.Parameter{{Name: "thing", Unscoped: true}}},
		{Method: "PUT", Path: "/{thing}", Parameters: []policy.Parameter{{Name: "thing", Unscoped: true}}},
	}})
	return n
}

// ask judges a document by POST.
func (n *town) ask(token, body string) guard.Verdict {
	return n.judge(with(request("POST", endpoint, token), "application/json", body))
}

// query is the body for a document.
func query(document string) string {
	return `{"query":"` + strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(document) + `"}`
}

// TRI-06: what is forwarded is what was judged, printed again, and nothing else.
func TestGraphQLForwards(t *testing.T) {
	n := graphTown(t, nil)
	token := n.token("main", "c1", "read")
	v := n.ask(token, ` { "operationName" : "B", "variables" : {"id": "s1", "other": [1]}, "query": "query A { count } `+
		`query B($id: ID!, $n: Boolean = true) { # why\n me: study(id: $id) { ...F @include(if: $n) } } fragment F on Study { n:name }", "extensions": {} }`)
	n.want(v, "")
	want := `{"query":"query B($id:ID!,$n:Boolean=true){me:study(id:$id){...F@include(if:$n)}}fragment F on Study{n:name}","operationName":"B","variables":{"id":"s1"}}`
	if got := string(v.GraphQL.Body); got != want {
		t.Errorf("forwarded %s", got)
	}
	if v.Path != "/graphql" || v.RawQuery != "" || v.GraphQL.Method != "POST" || v.GraphQL.Check || v.Route != nil {
		t.Errorf("%+v", v)
	}
	if diff := cmp.Diff(policy.ResourceScope{"study": {IDs: []string{"s1", "s2"}}}, v.Resources); diff != "" || v.Scopes.String() != "read" {
		t.Errorf("scopes %s, resources %s", v.Scopes, diff)
	}
}

// Each reason, with the place that is told; what is said of a token, a limit and a request is
// said as for REST.
func TestGraphQLReasons(t *testing.T) {
	n := graphTown(t, nil)
	token := n.token("main", "c1", "write")
	for _, c := range []struct {
		name, body string
		want       guard.Reason
		place      guard.Place
	}{
		{"D-75", query(`{ study(id: "s1") { name: budget } }`), guard.ActionMissing, guard.Place{Path: "study.name", Line: 1, Column: 21, Coordinate: "Study.budget"}},
		{"outside", query(`{ study(id: "s3") { id } }`), guard.ResourceOutside, guard.Place{Path: "study", Line: 1, Column: 3, Coordinate: "Query.study"}},
		{"D-87", query(`{ studies { id } }`), guard.ResourceOutside, guard.Place{Path: "studies", Line: 1, Column: 3, Coordinate: "Query.studies"}},
		{"whole", query(`{ count }`), guard.ResourceOutside, guard.Place{Path: "count", Line: 1, Column: 3, Coordinate: "Query.count"}},
		{"scope", query(`{ audit }`), guard.ScopeMissing, guard.Place{Path: "audit", Line: 1, Column: 3, Coordinate: "Query.audit"}},
		{"scope not said", query(`{ reads }`), guard.ScopeMissing, guard.Place{Path: "reads", Line: 1, Column: 3, Coordinate: "Query.reads"}},
		{"mutation", query(`mutation { rename(id: "s1", name: "x") { id } }`), guard.ActionMissing, guard.Place{Path: "rename", Line: 1, Column: 12, Coordinate: "Mutation.rename"}},
		{"D-94", query(`{ forgotten }`), guard.GraphQLUnanswered, guard.Place{Path: "forgotten", Line: 1, Column: 3, Coordinate: "Query.forgotten"}},
		{"D-90", query(`subscription { changed }`), guard.GraphQLNotSupported, guard.Place{Line: 1, Column: 1}},
		{"D-91", query(`{ nothing }`), guard.GraphQLInvalid, guard.Place{Line: 1, Column: 3}},
		{"D-79", query(`{ __schema { types { name } } }`), guard.GraphQLIntrospection, guard.Place{Path: "__schema", Line: 1, Column: 3, Coordinate: "__schema"}},
		{"syntax", query(`{ study(`), guard.GraphQLMalformed, guard.Place{Line: 1, Column: 9}},
		{"D-78", query(`query A { reads } query B { reads }`), guard.GraphQLNoOperation, guard.Place{}},
		{"D-86", `{"query":"query($i: ID!) { study(id: $i) { id } }","variables":{"i":{}}}`, guard.GraphQLBadVariables, guard.Place{Path: "$i"}},
		{"D-89", query(strings.Repeat("{ a", 20) + strings.Repeat("}", 20)), guard.GraphQLTooComplex, guard.Place{Line: 1, Column: 48}},
		{"D-84", `{"query":"{ reads }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`, guard.GraphQLNotSupported, guard.Place{}},
		{"D-84 by id", `{"id":"x"}`, guard.GraphQLNotSupported, guard.Place{}},
		{"D-81", `[` + query(`{ reads }`) + `]`, guard.BodyMalformed, guard.Place{}},
		{"D-81 two", `[` + query(`{ reads }`) + `,` + query(`{ reads }`) + `]`, guard.BodyMalformed, guard.Place{}},
		{"D-85", `{"query":"{ reads }","query":"{ audit }"}`, guard.BodyMalformed, guard.Place{}},
		{"D-85 escaped", `{"query":"{ reads }","qu\u0065ry":"{ audit }"}`, guard.BodyMalformed, guard.Place{}},
		{"no object", `"{ reads }"`, guard.BodyMalformed, guard.Place{}},
		{"nothing", ``, guard.BodyMalformed, guard.Place{}},
		{"too large", query(`{ reads }` + strings.Repeat(" ", 5000)), guard.BodyTooLarge, guard.Place{}},
	} {
		v := n.ask(token, c.body)
		if v.Reason() != c.want {
			t.Errorf("%s: %q (%v), want %q", c.name, v.Reason(), v.Err, c.want)
			continue
		}
		if diff := cmp.Diff(c.place, v.Err.(*guard.Refusal).Place); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if v.GraphQL == nil || v.GraphQL.Body != nil || v.GraphQL.Check {
			t.Errorf("%s: something to forward: %+v", c.name, v.GraphQL)
		}
	}
	n.want(n.judge(with(request("POST", endpoint, ""), "application/json", query("{ reads }"))), guard.TokenMissing)
}

// The schema's rules stand at one path, by POST; no route leads past them, however an
// upstream reads a path.
func TestGraphQLPath(t *testing.T) {
	n := graphTown(t, nil)
	token, body := n.token("main", "c1", "read"), query("{ reads }")
	for _, c := range []struct {
		method, path string
		want         guard.Reason
		graphql      bool
	}{
		{"POST", "/graphql", "", true},
		{"POST", "/%67raphql", "", true},
		{"POST", "/other", "", false},
		{"GET", "/graphql?query={audit}", guard.NoRoute, false},
		{"HEAD", "/graphql", guard.NoRoute, false},
		{"PUT", "/graphql", guard.NoRoute, false},
		{"OPTIONS", "/graphql", guard.NoRoute, false},
		{"post", "/graphql", guard.NoRoute, false},
		{"POST", "/GraphQL", guard.NoRoute, false},
		{"POST", "/graphql/", guard.NoRoute, false},
		{"GET", "/GRAPHQL?query={audit}", guard.NoRoute, false},
		{"POST", "/graphql;x", guard.PathAmbiguous, false},
		{"POST", "/./graphql", guard.PathAmbiguous, false},
		{"POST", "/graphql?", "", true},
		{"POST", "/graphql?query=%7Baudit%7D", guard.QueryRefused, true}, // D-85
		{"POST", "/graphql?x", guard.QueryRefused, true},
		{"POST", "/graphql?a;b", guard.QueryAmbiguous, true},
	} {
		r := with(request("POST", "https://auth.example.com/v2"+c.path, token), "application/json", body)
		r.Method = c.method
		v := n.judge(r)
		if v.Reason() != c.want || (v.GraphQL != nil) != c.graphql {
			t.Errorf("%s %s: %q (%v), %v", c.method, c.path, v.Reason(), v.Err, v.GraphQL)
		}
	}
}

// TRI-11: what an administrator changes holds for tokens that are out, at once: rights,
// resources, rules and the schema itself.
func TestGraphQLChangesAtOnce(t *testing.T) {
	n := graphTown(t, nil)
	token := n.token("main", "c1", "read")
	study, budget := query(`{ study(id: "s1") { id } }`), query(`{ study(id: "s1") { budget } }`)
	edit := func(f func(*domain.GraphQL)) {
		update(n, apis, "graph", func(a *domain.API) { g := *a.GraphQL; f(&g); a.GraphQL = &g })
	}
	for _, step := range []struct {
		name   string
		change func()
		body   string
		want   guard.Reason
	}{
		{"as it was", func() {}, study, ""},
		{"policy gone", func() { remove(n, policies, "viewer") }, study, guard.ActionMissing},
		{"policy back", func() {
			put(n, policies, domain.Policy{Name: "viewer", Actions: map[string]string{"studies:read": "x"}})
		}, study, ""},
		{"tenant loses the study", func() {
			update(n, tenants, tenant1, func(t *domain.Tenant) { t.Resources = map[string][]string{"study": {"s2"}} })
		}, study, guard.ResourceOutside},
		{"and has it again", func() {
			update(n, tenants, tenant1, func(t *domain.Tenant) { t.Resources = map[string][]string{"study": {"s1"}} })
		}, study, ""},
		{"no finance", func() {}, budget, guard.ActionMissing},
		{"a policy with finance", func() {
			put(n, policies, domain.Policy{Name: "finance", Actions: map[string]string{"studies:finance": "x"}})
			update(n, clients, "main/c1", func(c *domain.Client) { c.Policies = append(c.Policies, "finance") })
		}, budget, ""},
		{"a rule beside the schema", func() {
			edit(func(g *domain.GraphQL) {
				g.Rules = []graphql.Rule{{Coordinate: "Study.id", Policy: [][]string{{"ids:read"}}}}
			})
		}, study, guard.ActionMissing},
		{"without it", func() { edit(func(g *domain.GraphQL) { g.Rules = nil }) }, study, ""},
		{"the field is gone from the schema", func() {
			edit(func(g *domain.GraphQL) { g.Schema = strings.Replace(trials, "budget: Int", "spent: Int", 1) })
		}, budget, guard.GraphQLInvalid},
		{"no endpoint", func() { update(n, apis, "graph", func(a *domain.API) { a.GraphQL, a.Routes = nil, nil }) }, study, guard.NoRoute},
	} {
		step.change()
		for range 2 { // the plan is kept now
			if v := n.ask(token, step.body); v.Reason() != step.want {
				t.Errorf("%s: %q (%v), want %q", step.name, v.Reason(), v.Err, step.want)
			}
		}
	}
}

// One text is two documents at two APIs: plans of one are never those of the other.
func TestGraphQLOfTwoAPIs(t *testing.T) {
	n := graphTown(t, nil)
	loose := strings.ReplaceAll(trials, `@policy(policies: [["studies:finance"]])`, "@authenticated")
	n.api(domain.API{Name: "loose", Audience: "urn:reports", Issuers: []string{"main"}, Path: "/v3", GraphQL: &domain.GraphQL{Path: "/graphql", Schema: loose}})
	token, body := n.token("main", "c1", "read"), query(`{ study(id: "s1") { budget } }`)
	for range 3 {
		n.want(n.ask(token, body), guard.ActionMissing)
		n.want(n.judge(with(request("POST", "https://auth.example.com/v3/graphql", token), "application/json", body)), "")
	}
}

// D-38, TRI-11: while calls run, what is taken away is gone for every call that begins after
// the administrator was answered; also rules of a schema that is loaded anew.
func TestGraphQLTakenAwayWhileCallsRun(t *testing.T) {
	for name, c := range map[string]struct {
		change func(n *town)
		want   guard.Reason
	}{
		"policy": {func(n *town) { remove(n, policies, "viewer") }, guard.ActionMissing},
		"study": {func(n *town) {
			update(n, clients, "main/c1", func(c *domain.Client) { c.ResourceScope = nil })
		}, guard.ResourceOutside},
		"schema": {func(n *town) {
			update(n, apis, "graph", func(a *domain.API) {
				g := *a.GraphQL
				g.Rules = []graphql.Rule{{Coordinate: "Study", Policy: [][]string{{"more"}}}}
				a.GraphQL = &g
			})
		}, guard.ActionMissing},
		"client": {func(n *town) { remove(n, clients, "main/c1") }, guard.TokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			n := graphTown(t, func(g *domain.GraphQL) { g.Get = true })
			update(n, clients, "main/c1", func(c *domain.Client) { c.Tier = "unlimited" })
			token := n.token("main", "c1", "read")
			at := endpoint + "?query=" + url.QueryEscape(`{ study(id: "s1") { id } }`)
			n.want(n.get(at, token), "")
			stop := n.hammer(at, token)
			c.change(n)
			for _, got := range stop() {
				if got != c.want {
					t.Errorf("answered %q, want %q", got, c.want)
				}
			}
		})
	}
}

// D-88: an answer is held against what the client may see, in a batch one by one.
func TestGraphQLCheckAnswer(t *testing.T) {
	n := graphTown(t, func(g *domain.GraphQL) { g.Responses, g.Batching = domain.CheckResponses, 3 })
	token := n.token("main", "c1", "read")
	v := n.ask(token, query(`{ studies { name } }`))
	n.want(v, "")
	if !v.GraphQL.Check {
		t.Fatal("the answer is not checked")
	}
	answer := func(id string) string {
		return `{"data":{"studies":[{"name":"x","` + hidden(t, string(v.GraphQL.Body)) + `":"` + id + `"}]}}`
	}
	batch := n.ask(token, `[`+query(`{ studies { name } }`)+`,`+query(`{ studies { name } }`)+`]`)
	n.want(batch, "")
	for _, c := range []struct {
		name string
		call *guard.GraphQLCall
		body string
		want guard.Reason
		out  string
		item int
	}{
		{"inside", v.GraphQL, answer("s2"), "", `{"data":{"studies":[{"name":"x"}]}}`, 0},
		{"outside", v.GraphQL, answer("s3"), guard.GraphQLOutside, "", 0},
		{"cut", v.GraphQL, `{"data":{"stud`, guard.GraphQLBadAnswer, "", 0},
		{"an array for one", v.GraphQL, `[` + answer("s1") + `]`, guard.GraphQLBadAnswer, "", 0},
		{"batch", batch.GraphQL, ` [ ` + answer("s1") + ` , ` + answer("s2") + `]`, "", `[{"data":{"studies":[{"name":"x"}]}},{"data":{"studies":[{"name":"x"}]}}]`, 0},
		{"batch outside", batch.GraphQL, `[` + answer("s1") + `,` + answer("s3") + `]`, guard.GraphQLOutside, "", 2},
		{"batch too short", batch.GraphQL, `[` + answer("s1") + `]`, guard.GraphQLBadAnswer, "", 0},
		{"batch too long", batch.GraphQL, `[` + answer("s1") + `,` + answer("s1") + `,` + answer("s1") + `]`, guard.GraphQLBadAnswer, "", 0},
		{"no batch", batch.GraphQL, answer("s1"), guard.GraphQLBadAnswer, "", 0},
		{"null", batch.GraphQL, `null`, guard.GraphQLBadAnswer, "", 0},
		{"batch cut", batch.GraphQL, `[` + answer("s1"), guard.GraphQLBadAnswer, "", 0},
	} {
		out, err := c.call.CheckAnswer([]byte(c.body))
		got := guard.Verdict{Err: err}
		if got.Reason() != c.want || string(out) != c.out {
			t.Errorf("%s: %s %v", c.name, out, err)
		}
		if r, ok := err.(*guard.Refusal); ok && r.Item != c.item {
			t.Errorf("%s: in request %d", c.name, r.Item)
		}
	}
	wide := n.ask(n.token("main", "wide", ""), query(`{ studies { name } }`))
	if n.want(wide, ""); wide.GraphQL.Check {
		t.Error("an answer is checked to a client that may see all")
	}
}

// hidden is the alias of the key that the gateway asks for.
func hidden(t testing.TB, body string) string {
	t.Helper()
	found := regexp.MustCompile(`(\w+):id`).FindStringSubmatch(body)
	if found == nil {
		t.Fatalf("no hidden key in %s", body)
	}
	return found[1]
}
