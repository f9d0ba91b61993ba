package gateway_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
)

// TRI-06: POST of JSON; the upstream sees what was judged, by whom, and nothing else that
// the client said of the body; its answer is passed through as it is.
func TestGraphQL(t *testing.T) {
	n := newGraphTown(t, nil)
	n.graph(func(string) string {
		return ok(`{"data": {"study":null}, "errors":[{"message":"upstream's own"}]}`, "X-Answer: a", "X-RateLimit-Limit: 1", "ETag: x")
	})
	c := n.dial()
	body := `{"operationName":"B","variables":{"i":"s1","j":2},"query":"query A { audit } query B($i: ID!) { # c\n study(id: $i) { n: name } }"}`
	c.send("POST /v2/graphql/v1 HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer " + n.bearer + `
Content-Type: application/json; charset=utf-8
Content-Md5: 1B2M2Y8AsgTpgAmY7PhCfg==
Content_Encoding: gzip
Digest: x
Expect: 100-continue
Accept-Encoding: br
X-Postern-Client: admin
Connection: Content-Type
Trailer: X-Last
Transfer-Encoding: chunked

`)
	if line, err := c.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatal(line, err)
	}
	_, _ = c.r.ReadString('\n')
	c.raw(fmt.Sprintf("%x\r\n%s\r\n0\r\nX-Last: 1\r\n\r\n", len(body), body))
	res := c.want(200, `{"data": {"study":null}, "errors":[{"message":"upstream's own"}]}`)
	if h := res.Header; h.Get("X-Answer") != "a" || h.Get("Etag") != "x" || h.Get("X-RateLimit-Limit") != "600" {
		t.Errorf("answered %v", h)
	}
	head, sent, _ := strings.Cut(n.upstream.text(), "\r\n\r\n")
	first, got := fields(head)
	want := `{"query":"query B($i:ID!){study(id:$i){n:name}}","operationName":"B","variables":{"i":"s1"}}`
	if first != "POST /base/graphql/v1 HTTP/1.1" || sent != want {
		t.Errorf("sent %s\n%s", first, sent)
	}
	delete(got, "X-Request-Id")
	delete(got, "Cdn-Loop")
	if diff := cmp.Diff(map[string][]string{
		"Host": {n.upstream.Addr().String()}, "Content-Type": {"application/json"}, "Content-Length": {fmt.Sprint(len(want))}, "Accept-Encoding": {"br"},
		"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Host": {"api.example.com"}, "X-Forwarded-Proto": {"http"},
		"X-Postern-Client": {"c1"}, "X-Postern-Tenant": {tenantID}, "X-Postern-Issuer": {"main"}, "X-Postern-Scope": {"read"},
		"X-Postern-Resources": {`{"study":{"ids":["s1"]}}`}, "X-Postern-Actor": {""},
	}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if line := n.log.wait(1); strings.Contains(line, `"reason"`) || n.counted("graph", "allowed", "standard") != 1 {
		t.Errorf("logged %s", line)
	}
}

// TRI-07 to TRI-10, D-75 to D-94: whatever is wrong with one field, however it is asked for,
// the whole request is refused, in one envelope without data, and the upstream hears
// nothing.
func TestGraphQLRefusals(t *testing.T) {
	vars := func(document, variables string) string {
		return strings.TrimSuffix(query(document), "}") + `,"variables":` + variables + `}`
	}
	n := newGraphTown(t, nil)
	rows, counted, wants := 0, map[string]float64{}, []domain.Entry{}
	for _, c := range []struct {
		name, body string
		status     int
		code       string
		message    string // begins so
		path       string
		at         string
		reason     string
		about      string
	}{
		{"TRI-08 action", query(`{ study(id: "s1") { budget } }`), 200, "FORBIDDEN", "the call needs the action studies:finance", "study budget", "1:21", "action_missing", "Study.budget"},
		{"TRI-08 resource", query(`{ study(id: "s2") { id } }`), 200, "FORBIDDEN", "this client may not act on study s2", "study", "1:3", "resource_outside", "Query.study"},
		{"TRI-08 OAuth scope", query(`{ audit }`), 200, "FORBIDDEN", "the call needs the scope audit", "audit", "1:3", "scope_missing", "Query.audit"},
		{"TRI-09 one of many", query(`{ me study(id: "s1") { id name } other: study(id: "s2") { id } }`), 200, "FORBIDDEN", "this client may not act on study s2", "other", "1:34", "resource_outside", "Query.study"},
		{"TRI-10 mutation", query(`mutation { rename(id: "s2", name: "x") { id } }`), 200, "FORBIDDEN", "this client may not act on study s2", "rename", "1:12", "resource_outside", "Mutation.rename"},
		{"D-75 alias", query(`{ study(id: "s1") { id: budget } }`), 200, "FORBIDDEN", "the call needs the action studies:finance", "study id", "1:21", "action_missing", "Study.budget"},
		{"D-76 named fragment", query(`{ study(id: "s1") { ...F } } fragment F on Study { budget }`), 200, "FORBIDDEN", "the call needs", "study budget", "1:52", "action_missing", "Study.budget"},
		{"D-76 inline fragment", query(`{ study(id: "s1") { ... { ... on Study { budget } } } }`), 200, "FORBIDDEN", "the call needs", "study budget", "1:42", "action_missing", "Study.budget"},
		{"D-76 on an interface", query(`{ node(id: "s1") { ... on Site { name } } }`), 200, "FORBIDDEN", "the call needs the action sites:read", "node", "1:3", "action_missing", "Query.node"},
		{"D-76 cycle", query(`{ study(id: "s1") { ...F } } fragment F on Study { ...F }`), 200, "GRAPHQL_VALIDATION_FAILED", "the document is not valid", "", "*", "graphql_invalid", ""},
		{"D-76 unused", query(`{ me } fragment F on Study { budget }`), 200, "GRAPHQL_VALIDATION_FAILED", "the document is not valid", "", "*", "graphql_invalid", ""},
		{"D-76 expansion", query("{ study(id: \"s1\") { ...F0 } } " + doubling(40)), 200, "TOO_COMPLEX", "the request is larger", "", "*", "graphql_too_complex", ""},
		{"D-77 skip", query(`{ study(id: "s1") { budget @skip(if: true) } }`), 200, "FORBIDDEN", "the call needs", "study budget", "1:21", "action_missing", "Study.budget"},
		{"D-77 include", vars(`query($x: Boolean!) { study(id: "s1") { budget @include(if: $x) } }`, `{"x":false}`), 200, "FORBIDDEN", "the call needs", "study budget", "1:41", "action_missing", "Study.budget"},
		{"D-78 no name", query(`query A { me } query B { me }`), 200, "BAD_REQUEST", "the document has no such operation", "", "", "graphql_no_operation", ""},
		{"D-78 unknown name", `{"query":"query A { me }","operationName":"B"}`, 200, "BAD_REQUEST", "the document has no such operation", "", "", "graphql_no_operation", ""},
		{"D-78 the other one", `{"query":"query A { me } query B { audit }","operationName":"B"}`, 200, "FORBIDDEN", "the call needs the scope audit", "audit", "1:26", "scope_missing", "Query.audit"},
		{"D-79 schema", query(`{ __schema { types { name } } }`), 200, "NOT_SUPPORTED", "this API does not tell its schema", "__schema", "1:3", "graphql_introspection", "__schema"},
		{"D-79 type", query(`{ me __type(name: "Study") { name } }`), 200, "NOT_SUPPORTED", "this API does not tell its schema", "__type", "1:6", "graphql_introspection", "__type"},
		{"D-80 interface", query(`{ node(id: "s1") { id } }`), 200, "FORBIDDEN", "the call needs the action sites:read", "node", "1:3", "action_missing", "Query.node"},
		{"D-80 union", query(`{ any(id: "s1") { __typename } }`), 200, "FORBIDDEN", "the call needs the action sites:read", "any", "1:3", "action_missing", "Query.any"},
		{"D-80 federation", query(`{ _service }`), 200, "NOT_SUPPORTED", "this API takes no", "_service", "1:3", "graphql_not_supported", "Query._service"},
		{"D-81 off", `[` + query(`{ me }`) + `]`, 400, "BAD_REQUEST", "send one JSON object", "", "", "body_malformed", ""},
		{"D-84 hash", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}`, 200, "NOT_SUPPORTED", "this API takes no", "", "", "graphql_not_supported", ""},
		{"D-84 hash and query", `{"query":"{ me }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}`, 200, "NOT_SUPPORTED", "this API takes no", "", "", "graphql_not_supported", ""},
		{"D-85 twice", `{"query":"{ me }","query":"{ audit }"}`, 400, "BAD_REQUEST", "send one JSON object", "", "", "body_malformed", ""},
		{"D-85 variables twice", `{"query":"{ me }","variables":{"a":1},"variables":{"a":2}}`, 400, "BAD_REQUEST", "send one JSON object", "", "", "body_malformed", ""},
		{"D-85 a variable twice", vars(`query($i: ID!) { study(id: $i) { id } }`, `{"i":"s1","i":"s2"}`), 400, "BAD_REQUEST", "send one JSON object", "", "", "body_malformed", ""},
		{"D-86 variable", vars(`query($i: ID!) { study(id: $i) { id } }`, `{"i":"s2"}`), 200, "FORBIDDEN", "this client may not act on study s2", "study", "1:18", "resource_outside", "Query.study"},
		{"D-86 default", query(`query($i: ID! = "s2") { study(id: $i) { id } }`), 200, "FORBIDDEN", "this client may not act on study s2", "study", "1:25", "resource_outside", "Query.study"},
		{"D-86 list", query(`{ byIds(ids: ["s1", "s2"]) { id } }`), 200, "FORBIDDEN", "this client may not act on study s2", "byIds", "1:3", "resource_outside", "Query.byIds"},
		{"D-86 one for a list", vars(`query($i: [ID!]!) { byIds(ids: $i) { id } }`, `{"i":"s2"}`), 200, "FORBIDDEN", "this client may not act on study s2", "byIds", "1:21", "resource_outside", "Query.byIds"},
		{"D-86 nested", query(`{ find(filter: {study: "s1", or: [{study: "s2"}]}) { id } }`), 200, "FORBIDDEN", "this client may not act on study s2", "find", "1:3", "resource_outside", "Query.find"},
		{"D-86 enum", query(`{ find(filter: {study: "s1", status: SECRET}) { id } }`), 200, "FORBIDDEN", "the call needs the action studies:secret", "find", "1:3", "action_missing", "Query.find"},
		{"D-86 null", query(`{ find(filter: {study: null}) { id } }`), 200, "FORBIDDEN", "the call needs a client that may act on every study", "find", "1:3", "resource_outside", "Query.find"},
		{"D-86 number", vars(`query($i: ID!) { study(id: $i) { id } }`, `{"i":7}`), 200, "FORBIDDEN", "this client may not act on study 7", "study", "1:18", "resource_outside", "Query.study"},
		{"D-86 fraction", vars(`query($i: ID!) { study(id: $i) { id } }`, `{"i":1.0}`), 200, "BAD_REQUEST", "the variable $i does not fit", "", "", "graphql_bad_variables", ""},
		{"D-86 nothing", query(`{ study(id: "") { id } }`), 200, "BAD_REQUEST", "a value here does not fit its type", "study", "1:3", "graphql_bad_variables", "Query.study"},
		{"D-86 what may hold ids", query(`mutation { keep(id: "s1", data: {study: "s2"}) { id } }`), 200, "FORBIDDEN", "no rule says what this value names", "keep", "1:12", "graphql_undeclared_ids", "Mutation.keep"},
		{"D-87", query(`{ studies { id } }`), 200, "FORBIDDEN", "the call needs a client that may act on every study", "studies", "1:3", "resource_outside", "Query.studies"},
		{"D-89 depth", query("{ study(id: \"s1\") " + strings.Repeat("{ sponsor ", 16) + "{ id }" + strings.Repeat("}", 17)), 200, "TOO_COMPLEX", "the request is larger", "", "*", "graphql_too_complex", ""},
		{"D-89 aliases", query("{" + strings.Repeat(" a:me", 101) + "}"), 200, "TOO_COMPLEX", "the request is larger", "", "*", "graphql_too_complex", ""},
		{"D-89 tokens", query("{" + strings.Repeat(" me", 4000) + "}"), 200, "TOO_COMPLEX", "the request is larger", "", "*", "graphql_too_complex", ""},
		{"D-89 directives", query("{ me" + strings.Repeat(" @skip(if: false)", 51) + "}"), 200, "TOO_COMPLEX", "the request is larger", "", "*", "graphql_too_complex", ""},
		{"D-89 bytes", query("{ me }" + strings.Repeat(" ", 65<<10)), 200, "TOO_COMPLEX", "the request is larger", "", "", "graphql_too_complex", ""},
		{"D-89 body", query("{ me }" + strings.Repeat(" ", 1<<20)), 413, "BAD_REQUEST", "the body is larger", "", "", "body_too_large", ""},
		{"D-90", query(`subscription { changed }`), 200, "NOT_SUPPORTED", "this API takes no subscriptions", "", "1:1", "graphql_not_supported", ""},
		{"D-91 field", query(`{ study(id: "s1") { idd } }`), 200, "GRAPHQL_VALIDATION_FAILED", "the document is not valid in the schema of this API", "", "1:21", "graphql_invalid", ""},
		{"D-91 type", query(`{ study(id: "s1") { ... on Stud { id } } }`), 200, "GRAPHQL_VALIDATION_FAILED", "the document is not valid in the schema of this API", "", "*", "graphql_invalid", ""},
		{"D-92 comment", query("{ me # }\n audit\n}"), 200, "FORBIDDEN", "the call needs the scope audit", "audit", "2:2", "scope_missing", "Query.audit"},
		{"D-92 block string", query(`{ study(id: """s2""") { id } }`), 200, "FORBIDDEN", "this client may not act on study s2", "study", "1:3", "resource_outside", "Query.study"},
		{"D-92 escape", query(`{ study(id: "\u0073\u0032") { id } }`), 200, "FORBIDDEN", "this client may not act on study s2", "study", "1:3", "resource_outside", "Query.study"},
		{"D-92 byte order mark", "\ufeff" + query(`{ me }`), 400, "BAD_REQUEST", "send one JSON object", "", "", "body_malformed", ""},
		{"D-94", query(`{ forgotten }`), 200, "FORBIDDEN", "no rule lets anybody ask for this", "forgotten", "1:3", "graphql_unanswered", "Query.forgotten"},
		{"ids that nobody declared", query(`{ hidden(id: "s2") }`), 200, "FORBIDDEN", "no rule lets anybody ask for this", "hidden", "1:3", "graphql_unanswered", "Query.hidden"},
		{"no JSON", `{"query":`, 400, "BAD_REQUEST", "send one JSON object", "", "", "body_malformed", ""},
		{"text", `"{ me }"`, 400, "BAD_REQUEST", "send one JSON object", "", "", "body_malformed", ""},
		{"nothing asked", `{}`, 400, "BAD_REQUEST", "send one JSON object", "", "", "body_malformed", ""},
		{"syntax", query(`{ me`), 200, "BAD_REQUEST", "the document, or its variables, cannot be read", "", "*", "graphql_malformed", ""},
	} {
		res, body := n.call("POST", "", c.body)
		got := refused(t, res, body)
		at := ""
		if len(got.Locations) > 0 {
			at = fmt.Sprintf("%d:%d", got.Locations[0].Line, got.Locations[0].Column)
		}
		if res.StatusCode != c.status || got.Extensions.Code != c.code || !strings.HasPrefix(got.Message, c.message) ||
			!either(c.path, strings.Join(got.Path, " ")) || !either(c.at, at) || res.Header.Get("X-RateLimit-Limit") != "600" {
			t.Errorf("%s: answered %d %s", c.name, res.StatusCode, body)
		}
		rows++
		counted[c.reason]++
		if line := n.log.wait(rows); !strings.Contains(line, `"reason":"`+c.reason+`"`) || len(line) > 1200 {
			t.Errorf("%s: logged %s", c.name, line)
		}
		wants = append(wants, domain.Entry{Action: domain.CallRefused, Issuer: "main", Client: "c1", Tenant: tenantID, Reason: c.reason, Source: "127.0.0.1",
			Resource: strings.TrimSpace("graph POST /graphql/v1 " + c.about), Correlation: got.Extensions.RequestID})
	}
	entries := n.recorded()
	for i := range entries {
		entries[i].Correlation, entries[i].ID, entries[i].Count = entries[i].ID.String(), domain.EventID{}, 0
	}
	if diff := cmp.Diff(wants, entries); diff != "" {
		t.Errorf("recorded -want +got\n%s", diff)
	}
	for reason, calls := range counted {
		if got := n.scene.counted("graph", reason, "standard"); got != calls {
			t.Errorf("%s: counted %v, want %v", reason, got, calls)
		}
	}
	if n.upstream.text() != "" {
		t.Errorf("sent %q", n.upstream.text())
	}
}

func either(want, got string) bool { return want == "*" || want == got }

// doubling are fragments of which each spreads the next one twice.
func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "fragment F%d on Study { ...F%d ...F%d } ", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "fragment F%d on Study { id }", n)
	return b.String()
}

// What is about the request is answered as for REST: TRI-07, D-82 to D-85; where that is 400,
// 413 or 415 it is in the envelope too.
func TestGraphQLRequests(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(query(`{ me }`)))
	_ = z.Close()
	for _, c := range []struct {
		name, method, query, body string
		header                    []string
		status                    int
		message                   string // of an envelope; "" where there is none
		reason                    string
	}{
		{"TRI-07 no token", "POST", "", query(`{ me }`), []string{"Authorization", ""}, 401, "", "token_missing"},
		{"TRI-07 forged", "POST", "", query(`{ me }`), []string{"Authorization", "Bearer x.y.z"}, 401, "", "token_invalid"},
		{"D-82 GET", "GET", "?query=%7Bme%7D", "", nil, 404, "", "no_route"},
		{"HEAD", "HEAD", "?query=%7Bme%7D", "", nil, 404, "", "no_route"},
		{"D-83 text", "POST", "", query(`{ me }`), []string{"Content-Type", "text/plain"}, 415, "send the body as application/json", "body_type"},
		{"D-83 form", "POST", "", "query=%7Bme%7D", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "send the body as application/json", "body_type"},
		{"D-83 upload", "POST", "", "--x--", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, "send the body as application/json", "body_type"},
		{"D-83 document", "POST", "", "{ me }", []string{"Content-Type", "application/graphql"}, 415, "send the body as application/json", "body_type"},
		{"D-83 no type", "POST", "", query(`{ me }`), []string{"Content-Type", ""}, 415, "send the body as application/json", "body_type"},
		{"packed", "POST", "", packed.String(), []string{"Content-Encoding", "gzip"}, 415, "send the body as application/json, not compressed", "body_type"},
		{"D-85 query and body", "POST", "?query=%7Baudit%7D", query(`{ me }`), nil, 400, "send query, operationName and variables in the body", "query_refused"},
		{"ambiguous query", "POST", "?a;b", query(`{ me }`), nil, 400, "the query can be read in more than one way", "query_ambiguous"},
		{"override", "POST", "", query(`{ me }`), []string{"X-Http-Method-Override", "GET"}, 400, "the method is that of the request line", "method_override"},
		{"D-90 upgrade", "POST", "", query(`{ me }`), []string{"Connection", "Upgrade", "Upgrade", "websocket"}, 400, "this endpoint does not change", "upgrade_refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newGraphTown(t, nil)
			res, body := n.call(c.method, c.query, c.body, c.header...)
			if res.StatusCode != c.status {
				t.Errorf("answered %d %s", res.StatusCode, body)
			}
			if strings.HasPrefix(body, `{"errors"`) != (c.message != "") {
				t.Errorf("answered %s", body)
			} else if c.message != "" {
				if got := refused(t, res, body); got.Extensions.Code != "BAD_REQUEST" || !strings.HasPrefix(got.Message, c.message) {
					t.Errorf("answered %s", body)
				}
			}
			if c.status == 401 && !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), `Bearer realm="graph"`) {
				t.Errorf("challenge %q", res.Header.Get("WWW-Authenticate"))
			}
			if entries := n.recorded(); len(entries) != 1 || entries[0].Reason != c.reason || n.upstream.text() != "" {
				t.Errorf("recorded %+v, sent %q", entries, n.upstream.text())
			}
		})
	}
}

// TRI-11: what an administrator changes holds for the next call of a token that is out.
func TestGraphQLRightsChange(t *testing.T) {
	n := newGraphTown(t, nil)
	budget := query(`{ study(id: "s1") { budget } }`)
	for i, step := range []struct {
		change func()
		code   string
	}{
		{func() {}, "FORBIDDEN"},
		{func() { n.update("c1", func(c *domain.Client) { c.Policies = append(c.Policies, "treasurer") }) }, ""},
		{func() { n.policy("treasurer", "nothing") }, "FORBIDDEN"},
		{func() { n.policy("treasurer", "studies:finance") }, ""},
		{func() { n.update("c1", func(c *domain.Client) { c.ResourceScope = nil }) }, "FORBIDDEN"},
		{func() { n.holdsAllBut() }, ""},
		{func() {
			n.editAPI(func(a *domain.API) {
				g := *a.GraphQL
				g.Schema = strings.Replace(trials, "budget", "spent", 1)
				a.GraphQL = &g
			})
		}, "GRAPHQL_VALIDATION_FAILED"},
	} {
		step.change()
		before := n.upstream.text()
		res, body := n.call("POST", "", budget)
		if step.code == "" {
			if body != "ok" {
				t.Errorf("%d: answered %d %s", i, res.StatusCode, body)
			}
			continue
		}
		if got := refused(t, res, body); got.Extensions.Code != step.code || n.upstream.text() != before {
			t.Errorf("%d: answered %s", i, body)
		}
	}
}

// D-82: by GET where it is turned on; the upstream is asked by POST.
func TestGraphQLGet(t *testing.T) {
	n := newGraphTown(t, func(a *domain.API) { a.GraphQL.Get = true })
	n.graph(func(string) string { return ok(`{"data":{}}`) })
	res, body := n.call("GET", `?query=query(%24i:ID!)%7Bstudy(id:%24i)%7Bid%7D%7D&variables=%7B%22i%22:%22s1%22%7D`, "", "If-None-Match", `"x"`)
	if res.StatusCode != 200 || body != `{"data":{}}` {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	head, sent, _ := strings.Cut(n.upstream.text(), "\r\n\r\n")
	if first, got := fields(head); first != "POST /base/graphql/v1 HTTP/1.1" || sent != `{"query":"query($i:ID!){study(id:$i){id}}","variables":{"i":"s1"}}` || got["Content-Type"][0] != "application/json" {
		t.Errorf("sent %s", n.upstream.text())
	}
	before := n.upstream.text()
	for query, status := range map[string]int{
		"?query=%7Baudit%7D": 200, "?query=%7Bme%7D&query=%7Baudit%7D": 400, "": 400, "?query=%7Bme%7D&x=1": 400,
		"?query=mutation%7Brename(id:%22s1%22,name:%22x%22)%7Bid%7D%7D": 200, "?query=%7Bme%7D&extensions=%7B%7D": 200,
	} {
		res, body := n.call("GET", query, "")
		if refused(t, res, body); res.StatusCode != status || n.upstream.text() != before {
			t.Errorf("%s: answered %d %s", query, res.StatusCode, body)
		}
	}
	if res, _ := n.call("HEAD", "?query=%7Bme%7D", ""); res.StatusCode != 404 || n.upstream.text() != before {
		t.Errorf("answered %d", res.StatusCode)
	}
	for _, e := range n.recorded() {
		if e.Reason != "no_route" && !strings.HasPrefix(e.Resource, "graph GET /graphql/v1") {
			t.Errorf("recorded %+v", e)
		}
	}
}

// D-81: all of a batch or nothing, one envelope for it, and each of it counts.
func TestGraphQLBatch(t *testing.T) {
	n := newGraphTown(t, func(a *domain.API) { a.GraphQL.Batching = 2 })
	n.update("c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"graph": 6} })
	n.graph(func(string) string { return ok(`[{"data":{}},{"data":{}}]`) })
	me, audit := query(`{ me }`), query(`{ audit }`)
	res, body := n.call("POST", "", `[`+me+`,`+me+`]`)
	if res.StatusCode != 200 || body != `[{"data":{}},{"data":{}}]` || res.Header.Get("X-RateLimit-Remaining") != "4" {
		t.Errorf("answered %d %s %v", res.StatusCode, body, res.Header)
	}
	if !strings.HasSuffix(n.upstream.text(), "\r\n\r\n"+`[{"query":"query{me}"},{"query":"query{me}"}]`) {
		t.Errorf("sent %s", n.upstream.text())
	}
	before := n.upstream.text()
	res, body = n.call("POST", "", `[`+me+`,`+audit+`]`)
	if got := refused(t, res, body); res.StatusCode != 200 || got.Extensions.Code != "FORBIDDEN" || !strings.HasPrefix(got.Message, "request 2 of the batch: the call needs the scope audit") {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	res, body = n.call("POST", "", `[`+me+`,`+me+`,`+me+`]`)
	if got := refused(t, res, body); res.StatusCode != 200 || got.Extensions.Code != "TOO_COMPLEX" {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	res, body = n.call("POST", "", `[`+me+`,`+me+`]`)
	if res.StatusCode != 429 || !strings.HasPrefix(body, `{"error":"rate_limited"`) || res.Header.Get("Retry-After") != "60" || res.Header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("answered %d %s %v", res.StatusCode, body, res.Header)
	}
	if n.upstream.text() != before {
		t.Errorf("sent %s", n.upstream.text())
	}
}

// D-93: what a client that may nothing is told has no word of the schema that it did not
// send itself.
func TestGraphQLTellsNothing(t *testing.T) {
	n := newGraphTown(t, nil)
	n.update("c1", func(c *domain.Client) { c.Policies, c.ResourceScope = nil, nil })
	for _, document := range []string{
		`{ stud }`, `{ study }`, `{ study(id: 1.5) { id } }`, `{ study(idd: 1) { id } }`, `{ hit: any(id: "s1") { id } }`, `{ me { x } }`,
		`mutation { renam }`, `{ find(filter: {statu: OPEN}) { id } }`, `{ find(filter: {status: OPE}) { id } }`, `query($x: Filte) { me }`, `{ ... on Stud { id } }`,
		`{ me @nope }`, `{ forgotte }`,
	} {
		res, body := n.ask(document)
		got := refused(t, res, body)
		for _, word := range []string{"Did you mean", "Study", "Query", "Site", "studies", "Filter", "SECRET", "OPEN,", "ID!", "budget", "String"} {
			if strings.Contains(body, word) && !strings.Contains(document, word) {
				t.Errorf("%s: told %q in %s", document, word, body)
			}
		}
		for _, name := range got.Path {
			if !strings.Contains(document, name) {
				t.Errorf("%s: path %v", document, got.Path)
			}
		}
	}
}

// However long a document's names are, what is told and kept of it is short.
func TestGraphQLLongNames(t *testing.T) {
	n := newGraphTown(t, nil)
	long := strings.Repeat("x", 60<<10)
	for _, document := range []string{"{ " + long + " }", "query($" + long + ": ID!) { study(id: $" + long + ") { id } }", `{ study(id: "` + long + `") { id } }`, "{ me @" + long + " }", `"` + long} {
		res, body := n.ask(document)
		if refused(t, res, body); len(body) > 2000 {
			t.Errorf("answered %d bytes", len(body))
		}
	}
	for _, e := range n.recorded() {
		if len(e.Resource) > 300 {
			t.Errorf("recorded %d bytes", len(e.Resource))
		}
	}
	n.log.mu.Lock()
	defer n.log.mu.Unlock()
	for _, line := range n.log.all {
		if len(line) > 1500 {
			t.Errorf("logged %d bytes", len(line))
		}
	}
}

// D-79: the schema is told where that is turned on, to those who hold the action for it.
func TestGraphQLIntrospection(t *testing.T) {
	n := newGraphTown(t, func(a *domain.API) { a.GraphQL.Introspection = true })
	res, body := n.ask(`{ __schema { types { name } } }`)
	if got := refused(t, res, body); got.Extensions.Code != "FORBIDDEN" || !strings.HasPrefix(got.Message, "the call needs the action graphql:introspect") || n.upstream.text() != "" {
		t.Errorf("answered %s", body)
	}
	n.policy("curious", "graphql:introspect")
	n.update("c1", func(c *domain.Client) { c.Policies = append(c.Policies, "curious") })
	if res, body := n.ask(`{ __schema { types { name } } }`); res.StatusCode != 200 || body != "ok" {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
}

// An upstream of GraphQL that cannot be reached, and one that changes protocols, are answered
// as elsewhere.
func TestGraphQLUpstreamFails(t *testing.T) {
	n := newGraphTown(t, nil)
	n.upstream.always("HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n\n")
	res, body := n.ask(`{ me }`)
	if res.StatusCode != 502 || !strings.Contains(body, `"error":"bad_gateway"`) {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	n.editAPI(func(a *domain.API) { a.Upstream = "http://127.0.0.1:1" })
	res, body = n.ask(`{ me }`)
	if res.StatusCode != 502 || !strings.Contains(body, `"request_id":"`+res.Header.Get("X-Request-Id")+`"`) {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
}
