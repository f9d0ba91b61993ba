package guard_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/guard"
)

// D-83: one content type, as it is.
func TestGraphQLContentType(t *testing.T) {
	n := graphTown(t, nil)
	token, body := n.token("main", "c1", "read"), query("{ reads }")
	for _, c := range []struct {
		name, value string
		want        guard.Reason
	}{
		{"Content-Type", "application/json", ""},
		{"Content-Type", "Application/JSON; charset=UTF-8", ""},
		{"Content-Type", "application/json; charset=utf-16", guard.BodyType},
		{"Content-Type", "", guard.BodyType},
		{"Content-Type", "text/plain", guard.BodyType},
		{"Content-Type", "application/graphql", guard.BodyType},
		{"Content-Type", "application/x-www-form-urlencoded", guard.BodyType},
		{"Content-Type", "multipart/form-data; boundary=x", guard.BodyType},
		{"Content-Encoding", "gzip", guard.BodyType},
		{"Content-Encoding", "identity", guard.BodyType},
		{"Upgrade", "websocket", guard.UpgradeRefused},
		{"Connection", "upgrade", guard.UpgradeRefused},
		{"X-HTTP-Method-Override", "GET", guard.MethodOverride},
	} {
		r := with(request("POST", endpoint, token), "application/json", body)
		if r.Header.Set(c.name, c.value); c.value == "" {
			r.Header.Del(c.name)
		}
		v := n.judge(r)
		if v.Reason() != c.want || v.GraphQL == nil { // the answer is an envelope
			t.Errorf("%s %s: %q", c.name, c.value, v.Reason())
		}
	}
	r := with(request("POST", endpoint, token), "application/json", body)
	r.Header["Content-Type"] = []string{"application/json", "text/plain"}
	n.want(n.judge(r), guard.BodyType)
}

// D-82: by GET, where it is turned on, a query and nothing else.
func TestGraphQLByGet(t *testing.T) {
	n := graphTown(t, func(g *domain.GraphQL) { g.Get = true })
	token := n.token("main", "c1", "read")
	study := url.QueryEscape(`query Q($i: ID!) { study(id: $i) { id } }`)
	for query, want := range map[string]guard.Reason{
		"query={reads}": "",
		"query={audit}": guard.ScopeMissing,
		"query={reads}&operationName=&variables=":                      "",
		"query=" + study + "&variables={\"i\":\"s1\"}&operationName=Q": "",
		"query=" + study + "&variables={\"i\":\"s3\"}":                 guard.ResourceOutside,
		"query=" + study + "&variables={\"i\":\"s1\",\"i\":\"s3\"}":    guard.GraphQLMalformed,
		"query=" + study + "&variables=[]":                             guard.GraphQLMalformed,
		"query=" + study + "&variables={}},\"query\":\"{audit}\"":      guard.GraphQLMalformed,
		"query={reads}&query={audit}":                                  guard.Parameter,
		"query={reads}&variables={}&variables={}":                      guard.Parameter,
		"operationName=x":             guard.Parameter,
		"":                            guard.Parameter,
		"query={reads}&extensions={}": guard.GraphQLNotSupported,
		"query={reads}&x=1":           guard.QueryRefused,
		"query={reads}&Query={audit}": guard.QueryRefused,
		"query=" + url.QueryEscape(`mutation { rename(id: "s1", name: "x") { id } }`): guard.GraphQLNotSupported,
		"query=subscription{changed}": guard.GraphQLNotSupported,
	} {
		v := n.get(endpoint+"?"+strings.ReplaceAll(query, `"`, "%22"), token)
		if v.Reason() != want {
			t.Errorf("%s: %q (%v), want %q", query, v.Reason(), v.Err, want)
		}
		if v.Err == nil && (v.RawQuery != "" || v.GraphQL.Method != "GET" || !strings.HasPrefix(string(v.GraphQL.Body), `{"query":"`)) {
			t.Errorf("%s: %q, %s", query, v.RawQuery, v.GraphQL.Body)
		}
	}
	r := with(request("GET", endpoint+"?query={reads}", token), "application/json", query("{ audit }"))
	n.want(n.judge(r), guard.QueryRefused) // D-85
	r = request("HEAD", endpoint+"?query={reads}", token)
	n.want(n.judge(r), guard.NoRoute)
}

// D-81: a batch passes whole or not at all, and each of it counts.
func TestGraphQLBatches(t *testing.T) {
	n := graphTown(t, func(g *domain.GraphQL) { g.Batching = 3 })
	update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"graph": 10} })
	token := n.token("main", "c1", "read")
	good, bad := query("{ reads }"), query("{ audit }")
	for _, c := range []struct {
		body string
		want guard.Reason
		item int
		left int64
	}{
		{`[` + good + `,` + query(`{ study(id: "s1") { id } }`) + `]`, "", 0, 8},
		{` [` + good + `,` + bad + `,` + query("{") + `]`, guard.ScopeMissing, 2, 5},
		{`[` + good + `]`, "", 0, 4},
		{good, "", 0, 3},
		{bad, guard.ScopeMissing, 0, 2},
		{`[]`, guard.BodyMalformed, 0, 1},
		{`[` + good + `,` + good + `]`, guard.RateLimited, 0, 0},
	} {
		v := n.ask(token, c.body)
		if n.want(v, c.want); v.Limit.Remaining != c.left {
			t.Errorf("%s: %d left, want %d", c.body, v.Limit.Remaining, c.left)
		}
		if r, ok := v.Err.(*guard.Refusal); ok && r.Item != c.item {
			t.Errorf("%s: in request %d", c.body, r.Item)
		}
		if v.Err == nil {
			if array := strings.HasPrefix(strings.TrimSpace(c.body), "["); array != (v.GraphQL.Body[0] == '[') {
				t.Errorf("%s: forwarded %s", c.body, v.GraphQL.Body)
			}
		}
	}
	n.wait(1e9 * 60)
	n.want(n.ask(token, `[`+good+`,`+good+`,`+good+`,`+good+`]`), guard.GraphQLTooComplex)
	n.want(n.ask(token, `[`+good+`,{"query":"{ reads }","query":"{ audit }"}]`), guard.BodyMalformed)
	v := n.ask(token, `[`+good+`,`+query(`{ study(id: "s1") { id } }`)+`]`)
	n.want(v, "")
	if got := string(v.GraphQL.Body); got != `[{"query":"query{reads}"},{"query":"query{study(id:\"s1\"){id}}"}]` {
		t.Errorf("forwarded %s", got)
	}
}

// D-89: what a request holds is bounded by number and depth, however it comes, and all requests
// of a batch together (D-81, D-82, D-86).
func TestGraphQLValues(t *testing.T) {
	n := graphTown(t, func(g *domain.GraphQL) {
		g.Batching, g.Get, g.Limits = 3, true, graphql.Limits{Values: 7, Depth: 2}
	})
	token := n.token("main", "c1", "read")
	asking := func(variables string) string {
		return `{"query":"query($i: ID!) { study(id: $i) { id } }","variables":` + variables + `}`
	}
	for body, want := range map[string]guard.Reason{
		asking(`{"i":"s1","x":[1,2]}`):                                "",
		asking(`{"i":"s1","x":[1,2,3]}`):                              guard.GraphQLTooComplex,
		asking(`{"i":"s1","x":[[]]}`):                                 "",
		asking(`{"i":"s1","x":[[[]]]}`):                               guard.GraphQLTooComplex,
		asking(`{"i":"s1","x":` + strings.Repeat("[", 99)):            guard.GraphQLTooComplex,
		`[` + asking(`{"i":"s1"}`) + `,` + query(`{ reads }`) + `]`:   "",
		`[` + asking(`{"i":"s1"}`) + `,` + asking(`{"i":"s1"}`) + `]`: guard.GraphQLTooComplex,
	} {
		n.want(n.ask(token, body), want)
	}
	ask := endpoint + "?query=" + url.QueryEscape(`query($i: ID!) { study(id: $i) { id } }`) + "&variables="
	n.want(n.get(ask+url.QueryEscape(`{"i":"s1","x":[1,2,3,4]}`), token), "")
	n.want(n.get(ask+url.QueryEscape(`{"i":"s1","x":[1,2,3,4,5]}`), token), guard.GraphQLTooComplex)
	n.want(n.get(ask+url.QueryEscape(`{"i":"s1","x":[[[]]]}`), token), guard.GraphQLTooComplex)
}
