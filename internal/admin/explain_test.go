package admin_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth/dialect"
)

const (
	shop  = "22222222-2222-4222-8222-222222222222"
	team  = "5f1e2d3c4b5a69788796a5b4"
	team2 = "aaaaaaaaaaaaaaaaaaaaaaaa"
)

const explained = `
kind: Issuer
name: main
url: https://id.example.com
---
kind: Issuer
name: bound
url: https://bound.example.com
dialect: bipsync
---
kind: Policy
name: reader
actions: {"studies:read": see studies}
---
kind: Policy
name: wide
actions: {"studies:read": see studies, "sites:read": see sites, "money:read": see costs, "doors:open": open doors}
---
kind: Policy
name: money
actions: {"money:read": see costs, "sites:read": see sites}
---
kind: Policy
name: telling
actions: {"events:blocked": tell what was blocked}
---
kind: Tenant
id: 11111111-1111-4111-8111-111111111111
label: T
endpoints: [lookup]
resources: {study: [s1, s2], team: [5f1e2d3c4b5a69788796a5b4, aaaaaaaaaaaaaaaaaaaaaaaa]}
---
kind: API
name: graph
audience: urn:graph
issuers: [main]
upstream: http://127.0.0.1:9
path: /graph
graphql:
  path: /graphql
  schema: |
    type Query @authenticated {
      study(id: ID! @scopedBy(kind: "study")): Study
      studies(ids: [ID!]! @scopedBy(kind: "study")): [Study!]!
      all: [Study!]! @checkable
      either: Int! @policy(policies: [["doors:open"], ["money:read", "sites:read"]]) @unscoped
      none: Int! @policy(policies: [["nobody:has"], ["studies:read", "money:read"]]) @unscoped
      nobody: Int! @policy(policies: [["nobody:has"]]) @unscoped
      scoped: Int! @requiresScopes(scopes: [["a", "b"]]) @unscoped
      site(id: ID! @scopedBy(kind: "site")): Int! @policy(policies: [["sites:read"]])
      forgotten: Int!
    }
    type Study @scoped(kind: "study") @policy(policies: [["studies:read"]]) {
      id: ID!
      name: String!
      cost: Int! @policy(policies: [["money:read"]])
    }
  responses: check
---
kind: API
name: rest
audience: urn:rest
issuers: [main, bound]
hosts: [rest.example.com]
upstream: http://127.0.0.1:9/v2
routes:
  - {method: GET, path: "/studies/{study}", actions: ["studies:read"], scopes: [a], tags: [cancel], parameters: [{name: study, kind: study}]}
  - {method: GET, path: /open, tags: [lookup]}
  - {method: POST, path: /moves, parameters: [{name: study, in: body, kind: study}]}
  - {method: GET, path: "/teams/{team}", parameters: [{name: team, kind: team}]}
  - {method: GET, path: "/teams/{team}/with/{other}", parameters: [{name: team, kind: team}, {name: other, kind: team}]}
  - {method: POST, path: /anything}
---
kind: API
name: log
audience: urn:rest
issuers: [main]
hosts: [rest.example.com]
path: /log
audit_log: {}
routes:
  - {method: POST, path: /events, scopes: [a]}
  - {method: GET, path: /, scopes: [a]}
---
kind: Client
issuer: main
id: 22222222-2222-4222-8222-222222222222
name: shop
tenant: 11111111-1111-4111-8111-111111111111
audiences: [urn:graph, urn:rest]
scopes: [a]
policies: [reader]
resource_scope: {study: {ids: [s1]}}
---
kind: Client
issuer: bound
id: 22222222-2222-4222-8222-222222222222
name: team
tenant: 11111111-1111-4111-8111-111111111111
audiences: [urn:rest]
resource_scope: {team: {ids: [5f1e2d3c4b5a69788796a5b4, aaaaaaaaaaaaaaaaaaaaaaaa]}}
---
kind: Client
issuer: main
id: 33333333-3333-4333-8333-333333333333
name: other
platform_wide: true
audiences: [urn:rest]
valid_until: 2020-01-01
`

// explaining serves the admin API of a node that can explain.
func explaining(t testing.TB) (*admin.Conn, *registry.Registry) {
	t.Helper()
	dir := t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	check(err)
	t.Cleanup(func() { _ = db.Close() })
	master, err := seal.NewMaster(filepath.Join(dir, "master.key"))
	check(err)
	vault, err := keys.OpenVault(t.Context(), db, master, time.Now())
	check(err)
	snap, err := snapshot.Open(t.Context(), snapshot.Config{Store: db, Vault: vault, Dialects: dialect.Builtin(), Clients: 100,
		MaxStaleness: time.Hour, Local: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	check(err)
	reg := &registry.Registry{Store: snap.Committing(), Dialects: dialect.Builtin(), Vault: vault, Now: time.Now, AllowHS256: true}
	l, err := admin.Listen(filepath.Join(dir, "admin.sock"))
	check(err)
	server := &http.Server{ReadHeaderTimeout: time.Second}
	admin.Serve(server, admin.New(admin.Config{Registry: reg, Explainer: guard.New(guard.Config{Snapshot: snap}), Log: slog.New(slog.DiscardHandler)}))
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	conn := admin.Dial(filepath.Join(dir, "admin.sock"))
	_, err = conn.Apply(t.Context(), admin.Files{Files: []admin.File{{Name: "all.yaml", Content: explained}}})
	check(err)
	return conn, reg
}

func graphCall(query string) admin.Call {
	return admin.Call{Issuer: "main", Client: shop, API: "graph", Query: query}
}

func restCall(method, path string) admin.Call {
	return admin.Call{Issuer: "main", Client: shop, API: "rest", Method: method, Path: path}
}

func logCall(method, path, body string) admin.Call {
	c := restCall(method, path)
	if c.API, c.Body = "log", body; body != "" {
		c.ContentType = "application/json"
	}
	return c
}

func asking(c admin.Call, scope string) admin.Call {
	c.Scope = &scope
	return c
}

// brief is a grant on one line.
func brief(g *admin.Grant) string {
	text, _ := json.Marshal(g)
	return strings.NewReplacer(`"`, "").Replace(string(text))
}

// What the verdict, its reason and the least grant are: TRI-08 on both axes, TRI-09, TRI-10.
func TestExplain(t *testing.T) {
	conn, _ := explaining(t)
	bound := func(path, scope string) admin.Call {
		c := restCall("GET", path)
		if c.Issuer = "bound"; scope != "" {
			c.Scope = &scope
		}
		return c
	}
	ofIssuer := func(c admin.Call, issuer, client string) admin.Call {
		c.Issuer, c.Client = issuer, client
		return c
	}
	for _, c := range []struct {
		name   string
		call   admin.Call
		reason guard.Reason // "" is allowed
		why    string       // how it begins
		grant  string
	}{
		{"TRI-10 whatever its shape", graphCall(`query Q { x: study(id: "s1") { ...F } } fragment F on Study { id name }`), "", "", "null"},
		{"TRI-08 an action", graphCall(`{ study(id: "s1") { cost } }`), "action_missing", `it needs the action "money:read"`, `{policies:[money]}`},
		{"TRI-08 a resource", graphCall(`{ study(id: "s2") { id } }`), "resource_outside", "it touches study s2, which", `{resources:{study:{ids:[s2]}}}`},
		{"TRI-08 both axes, several ids", graphCall(`{ studies(ids: ["s1", "s2", "s3"]) { cost } }`), "resource_outside", "it touches study s2",
			`{policies:[money],resources:{study:{ids:[s2,s3]}},tenant:{resources:{study:[s3]}}}`},
		{"fewest policies, and of these the smallest", graphCall(`{ study(id: "s1") { cost } site(id: "7") }`), "action_missing", `it needs the action "money:read"`,
			`{policies:[money],resources:{site:{ids:[7]}},tenant:{resources:{site:[7]}}}`},
		{"an alternative", graphCall(`{ either }`), "action_missing", "it needs one of: doors:open; money:read and sites:read", `{policies:[wide]}`},
		{"an alternative that is lacking anyway", graphCall(`{ either study(id: "s1") { cost } site(id: "s1") }`), "action_missing", "it needs one of: ",
			`{policies:[money],resources:{site:{ids:[s1]}},tenant:{resources:{site:[s1]}}}`},
		{"an alternative that there is", graphCall(`{ none }`), "action_missing", "it needs one of: nobody:has; ", `{policies:[money]}`},
		{"an action that no policy has", graphCall(`{ nobody }`), "action_missing", `it needs the action "nobody:has"`,
			`{not:[no policy has the action \nobody:has\: make one, or add it to one]}`},
		{"scopes", graphCall(`{ scoped }`), "scope_missing", `it needs the scope "b"`, `{scopes:[b]}`},
		{"scopes not asked for", asking(graphCall(`{ scoped }`), ""), "scope_missing", `it needs the scope "b"`, `{scopes:[b],token:[a,b]}`},
		{"a scope not to be had", asking(graphCall(`{ scoped }`), "b z"), "scope_refused", "no token is issued for the scope", `{scopes:[b,z]}`},
		{"TRI-09 nobody may", graphCall(`{ forgotten }`), "graphql_unanswered", "nobody may have this field, as its rules lack an answer: ", "null"},
		{"D-91 not in the schema", graphCall(`{ study(id: "s1") { missing } }`), "graphql_invalid", "the document is not valid in the schema of this API: Cannot query field", "null"},
		{"no document", graphCall(`{`), "graphql_malformed", "the document, or its variables, cannot be read: ", "null"},
		{"wrong variables", graphCall(`query($x: ID!) { study(id: $x) { id } }`), "graphql_bad_variables", "the variables do not fit their types: ", "null"},
		{"introspection", graphCall(`{ __schema { types { name } } }`), "graphql_introspection", "introspection is not turned on", "null"},
		{"checked", graphCall(`{ all { id } }`), "", "", "null"},

		{"route", restCall("GET", "/open"), "", "", "null"},
		{"route, all of it", restCall("GET", "/studies/s9"), "endpoint_disabled", `the endpoint "cancel" is not enabled`,
			`{resources:{study:{ids:[s9]}},tenant:{endpoints:[cancel],resources:{study:[s9]}}}`},
		{"no route", restCall("PUT", "/open"), "no_route", "no rule of this API lets anybody pass there", "null"},
		{"two readings", restCall("GET", "/studies/../open"), "path_ambiguous", "the path, or its query, can be read in two ways", "null"},
		{"a body", func() admin.Call {
			c := restCall("POST", "/moves")
			c.ContentType, c.Body = "application/json", `{"study":"s2"}`
			return c
		}(), "resource_outside", "it touches study s2", `{resources:{study:{ids:[s2]}}}`},
		{"no body", restCall("POST", "/moves"), "body_type", "the rule reads the body", "null"},
		{"ARB-18 an event", logCall("POST", "/events", `{"action":"blocked"}`), "action_missing", `it needs the action "events:blocked"`, `{policies:[telling]}`},
		{"ARB-18 no event", logCall("POST", "/events", `{"action":"Blocked"}`), "event_refused", "the body holds something that is no event: event 1: action is the name", "null"},
		{"ARB-17 search", logCall("GET", "/", ""), "", "", "null"},
		{"all of kinds that the tenant lists", restCall("POST", "/anything"), "resource_outside", "it touches all of kind study",
			`{not:[the tenant lists what it has of kind study: what touches all there are is for clients of no tenant, or of one that leaves the kind out of its resources,the tenant lists what it has of kind team: what touches all there are is for clients of no tenant, or of one that leaves the kind out of its resources]}`},

		{"BIP-05 bound to nothing", bound("/teams/"+team, ""), "resource_outside", "it touches team " + team, `{token:[team_` + team + `]}`},
		{"bound to another", bound("/teams/"+team, "team_"+team2), "resource_outside", "it touches team " + team, `{token:[team_` + team + `]}`},
		{"bound to it", bound("/teams/"+team, "team_"+team), "", "", "null"},
		{"bound to one of two", bound("/teams/"+team+"/with/"+team2, ""), "resource_outside", "it touches team " + team, `{token:[team_` + team +
			`],not:[a token of issuer bound is bound to one team, and this needs several]}`},

		{"past its end", ofIssuer(restCall("GET", "/open"), "main", "33333333-3333-4333-8333-333333333333"), "client_ended", "the client is past its end", "null"},
		{"another audience", ofIssuer(graphCall(`{ all { id } }`), "main", "33333333-3333-4333-8333-333333333333"), "audience_missing", "the client gets no tokens for this API: urn:graph",
			`{audiences:[urn:graph]}`},
		{"another issuer", ofIssuer(graphCall(`{ all { id } }`), "bound", shop), "issuer_not_trusted", "the API takes no tokens of issuer bound, but of main", "null"},
	} {
		got, err := conn.Explain(t.Context(), c.call)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got.Reason != c.reason || got.Allowed != (c.reason == "") || !strings.HasPrefix(got.Why, c.why) || brief(got.Grant) != c.grant {
			t.Errorf("%s: %q, %q, %s", c.name, got.Reason, got.Why, brief(got.Grant))
		}
	}
}

// What passes says what the API gets, which resources it touches, and whether the answer is
// looked into; what is refused says where, and what is held.
func TestExplainedWhole(t *testing.T) {
	conn, reg := explaining(t)
	call := graphCall("query Q($x: ID!) {\n  study(id: $x) { id name }\n}")
	call.Variables = []byte(`{"x": "s1"}`)
	before, err := reg.Store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := conn.Explain(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	if f := got.Forwards; f == nil || !f.Checked || f.Method != "POST" || f.URL != "http://127.0.0.1:9/graphql" || !strings.Contains(f.Body, `"variables":{"x":"s1"}`) {
		t.Errorf("forwards %+v", got.Forwards)
	}
	if diff := cmp.Diff([]admin.Resource{{Kind: "study", ID: "s1"}}, got.Touches); diff != "" {
		t.Error(diff)
	}
	call.Variables = []byte(`{"x": "s3"}`)
	if got, err = conn.Explain(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	want := admin.Explained{
		Reason: "resource_outside", Why: "it touches study s3, which the client may not reach",
		At:    &admin.Place{Path: "study", Coordinate: "Query.study", Line: 2, Column: 3},
		Lacks: []admin.Lack{{Place: admin.Place{Path: "study", Coordinate: "Query.study", Line: 2, Column: 3}, Resource: &admin.Resource{Kind: "study", ID: "s3"}}},
		Holds: admin.Holds{Scopes: []string{"a"}, Policies: []admin.HeldPolicy{{Name: "reader", Actions: []string{"studies:read"}}},
			Resources: got.Holds.Resources, Endpoints: []string{"lookup"}, Tier: "standard", PerMinute: 600},
		Grant: got.Grant, Touches: []admin.Resource{{Kind: "study", ID: "s3"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || !got.Holds.Resources.Holds("study", "s1") || len(got.Holds.Resources) != 1 {
		t.Errorf("%+v\n%s", got.Holds.Resources, diff)
	}
	rest, err := conn.Explain(t.Context(), restCall("GET", "/open?x=1"))
	if err != nil || rest.Forwards.URL != "http://127.0.0.1:9/v2/open?x=1" || rest.Forwards.Method != "GET" || rest.Forwards.Checked || rest.Touches != nil {
		t.Errorf("%+v, %v", rest, err)
	}
	if own, err := conn.Explain(t.Context(), logCall("GET", "/", "")); err != nil || !own.Allowed || own.Forwards != nil { // ARB-17: nobody else answers
		t.Errorf("%+v, %v", own, err)
	}
	after, err := reg.Store.Head(t.Context())
	if err != nil || after.Seq != before.Seq {
		t.Errorf("the store has changed: %v", err)
	}
}

// A client that is disabled is told of as such, and what is not there is not found.
func TestExplainNothing(t *testing.T) {
	conn, _ := explaining(t)
	if _, err := conn.DisableClient(t.Context(), "main", shop); err != nil {
		t.Fatal(err)
	}
	got, err := conn.Explain(t.Context(), graphCall(`{ all { id } }`))
	if err != nil || got.Reason != "client_disabled" || got.Grant != nil || got.Why != "the client is disabled: it gets no token, and those it has are worth nothing" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, c := range []struct {
		name   string
		change func(*admin.Call)
		status int
		words  string
	}{
		{"no client", func(c *admin.Call) { c.Client = "x" }, 404, `client "main/x": not found`},
		{"no API", func(c *admin.Call) { c.API = "x" }, 404, `api "x": not found`},
		{"no issuer", func(c *admin.Call) { c.Issuer = "x" }, 404, `issuer "x": not found`},
		{"no call", func(c *admin.Call) { c.Query = "" }, 422, "query: is missing, and so is path"},
		{"two calls", func(c *admin.Call) { c.Path = "/x" }, 422, "query: stands beside a path"},
		{"no endpoint", func(c *admin.Call) { c.API = "rest" }, 422, `query: is a GraphQL document, but API "rest" has no GraphQL endpoint`},
		{"no document", func(c *admin.Call) { c.Query, c.Path, c.OperationName = "", "/x", "Q" }, 422, "query: is missing; variables and operation_name"},
		{"no method", func(c *admin.Call) { c.Query, c.Path = "", "/x" }, 422, "method: is missing"},
		{"no scope", func(c *admin.Call) { c.Scope = new("a\"b") }, 422, "scope: "},
	} {
		call := graphCall(`{ all { id } }`)
		c.change(&call)
		_, err := conn.Explain(t.Context(), call)
		var p *admin.Problem
		if !errors.As(err, &p) || p.Status != c.status || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
