package guard_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/postern-dev/postern/internal/guard"
)

// D-60: a path has one reading, or none.
func TestPaths(t *testing.T) {
	n := newTown(t)
	token := n.token("main", "c1", "")
	for _, c := range []struct {
		path, forwarded string
		want            guard.Reason
	}{
		{"/v1/studies/s1", "/studies/s1", ""},
		{"/v1/%73tudies/s1", "/studies/s1", ""},
		{"/%76%31/studies/s1", "/studies/s1", ""},
		{"/v1/studies/s1/notes/%C3%A4", "/studies/s1/notes/%C3%A4", ""},
		{"/v1/studies/s1/notes/%c3%a4", "/studies/s1/notes/%C3%A4", ""},
		{"/v1/studies/s1/notes/ä", "/studies/s1/notes/%C3%A4", ""},
		{"/v1/studies/s3/../s1", "", guard.PathAmbiguous},
		{"/v1/studies/s3/%2e%2e/s1", "", guard.PathAmbiguous},
		{"/v1/studies/./s1", "", guard.PathAmbiguous},
		{"/v1/studies//s1", "", guard.PathAmbiguous},
		{"/v1//studies/s1", "", guard.PathAmbiguous},
		{"/v1/studies/s1%2fs3", "", guard.PathAmbiguous},
		{"/v1/studies/s1%2fnotes/ä", "", guard.PathAmbiguous}, // package url would write it anew, with a slash
		{"/v1%2Fstudies/s1/notes/|", "", guard.PathAmbiguous},
		{"/v1/studies/s1%5c..%5cs3", "", guard.PathAmbiguous},
		{"/v1/studies/s1;v=2", "", guard.PathAmbiguous},
		{"/v1/studies/s1%3bv=2", "", guard.PathAmbiguous},
		{"/v1/studies/s1%00", "", guard.PathAmbiguous},
		{"/v1/studies/%2573%31", "", guard.PathAmbiguous},
		{"/v1/studies/%ff", "", guard.PathAmbiguous},
		{"/v1/studies/s1/", "", guard.NoRoute},
		{"/v1/Studies/s1", "", guard.NoRoute},
		{"/v1/studies/s1%3Amerge", "", guard.NoRoute}, // a verb, and no GET of it
		{"/V1/studies/s1", "", guard.NoAPI},
		{"/v1", "", guard.NoAPI},
		{"/v1.5/me", "", guard.NoAPI},
		{"//v1/studies/s1", "", guard.NoAPI},
		{"/v2/../v1/studies/s1", "", guard.NoAPI},
		{"/%2e%2e/v1/studies/s1", "", guard.NoAPI},
	} {
		v := n.get("https://auth.example.com"+c.path, token)
		if v.Reason() != c.want || v.Path != c.forwarded {
			t.Errorf("%s: %q (%v), forwarded %s", c.path, v.Reason(), v.Err, v.Path)
		}
	}
}

// D-61: a method is what it says, and HEAD is what GET may.
func TestMethods(t *testing.T) {
	n := newTown(t)
	token := n.token("main", "c1", "")
	for method, want := range map[string]guard.Reason{
		"GET": "", "HEAD": "", "POST": guard.NoRoute, "TRACE": guard.NoRoute, "OPTIONS": guard.NoRoute, "CONNECT": guard.NoRoute,
		"get": guard.NoRoute, "PURGE": guard.NoRoute,
	} {
		r := request("GET", base+"/studies/s1", token)
		r.Method = method
		n.want(n.judge(r), want)
	}
	n.want(n.judge(request("HEAD", base+"/studies/s3", token)), guard.ResourceOutside)
	for _, header := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "x_http_method_override", "X-HTTP_METHOD", "X.Method.Override"} {
		n.want(n.judge(request("GET", base+"/me", token, header, "GET")), guard.MethodOverride)
	}
	n.want(n.judge(request("GET", base+"/me", token, "X-HTTP-Methods", "a", "X-Something-Othe", "b")), "")
	n.want(n.get(base+"/me?_method=DELETE", token), guard.MethodOverride)
	n.want(n.judge(with(request("POST", base+"/search", token), "application/x-www-form-urlencoded", "study=s1&_method=DELETE")), guard.MethodOverride)
	n.want(n.judge(with(request("POST", base+"/search", token), "application/json", `{"study":"s1","_method":"DELETE"}`)), guard.MethodOverride)
}

// RULES "Guard, REST": a query with two readings is refused, and what a rule uses is there once.
func TestQueries(t *testing.T) {
	n := newTown(t)
	token := n.token("main", "c1", "")
	for query, want := range map[string]guard.Reason{
		"study=s1":                "",
		"study=s1&other=s3&other": "",
		"study=%73%31":            "",
		"study=s3":                guard.ResourceOutside, // D-73
		"study=s1&study=s1":       guard.Parameter,
		"study=s1&study=s3":       guard.Parameter,
		"study=s1&STUDY=s3":       guard.Parameter,
		"study=s1&study[]=s3":     guard.Parameter,
		"study=s1&stud%79=s3":     guard.Parameter,
		"study=":                  guard.Parameter,
		"study":                   guard.Parameter,
		"":                        guard.Parameter,
		"study=s1;study=s3":       guard.QueryAmbiguous,
		"study=s1%":               guard.QueryAmbiguous,
		"study=s1&x=%zz":          guard.QueryAmbiguous,
		"study=s1&x=\xc3\xa4":     guard.QueryAmbiguous,
		"x=#&study=s1":            guard.QueryAmbiguous, // D-60: who cuts a fragment off sees no study
		"#study=s1":               guard.QueryAmbiguous,
		"study=s1&x=%23":          "",
		"study=s1&.method=DELETE": guard.MethodOverride, // D-61: PHP reads a dot as `_`
		"study=s1&_METHOD=DELETE": guard.MethodOverride,
	} {
		r := request("GET", base+"/search", token)
		r.URL.RawQuery = query
		v := n.judge(r)
		if v.Reason() != want || want == "" && v.RawQuery != query {
			t.Errorf("%q: %q (%v), forwarded %q", query, v.Reason(), v.Err, v.RawQuery)
		}
	}
	r := request("GET", base+"/me", token)
	r.URL.RawQuery = "a b" // as HTTP/2 could carry it
	n.want(n.judge(r), guard.QueryAmbiguous)
	n.want(n.get(base+"/studies/s1?study=s3", token), guard.Parameter)
	n.want(n.get(base+"/studies/s1?note=s3", token), "")
}

// D-73: the resource in a body, once over path, query and body.
func TestBodies(t *testing.T) {
	const jsonType, formType = "application/json", "application/x-www-form-urlencoded"
	n := newTown(t)
	token := n.token("main", "c1", "")
	for _, c := range []struct {
		name, path, contentType, body string
		want                          guard.Reason
	}{
		{"JSON", "/search", jsonType, `{"study":"s1","x":{"study":"s3"}}`, ""},
		{"JSON in UTF-8", "/search", "application/json; charset=utf-8", `{"study":"s1"}`, ""},
		{"a form", "/search", formType, "study=s1&x=1", ""},
		{"JSON, outside", "/search", jsonType, `{"study":"s3"}`, guard.ResourceOutside},
		{"a form, outside", "/search", formType, "study=s3", guard.ResourceOutside},
		{"JSON, twice", "/search", jsonType, `{"study":"s1","study":"s1"}`, guard.BodyMalformed},
		{"JSON, twice by an escape", "/search", jsonType, `{"study":"s1","stud\u0079":"s3"}`, guard.BodyMalformed},
		{"JSON, twice by case", "/search", jsonType, `{"study":"s1","Study":"s3"}`, guard.Parameter},
		{"JSON, a number", "/search", jsonType, `{"study":1}`, guard.Parameter},
		{"JSON, a list", "/search", jsonType, `{"study":["s1","s3"]}`, guard.Parameter},
		{"JSON, null", "/search", jsonType, `{"study":null}`, guard.Parameter},
		{"JSON, empty", "/search", jsonType, `{"study":""}`, guard.Parameter},
		{"JSON, missing", "/search", jsonType, `{}`, guard.Parameter},
		{"JSON, a list of objects", "/search", jsonType, `[{"study":"s1"}]`, guard.BodyMalformed},
		{"JSON, two documents", "/search", jsonType, `{"study":"s1"}{"study":"s3"}`, guard.BodyMalformed},
		{"JSON, a byte order mark", "/search", jsonType, "\ufeff" + `{"study":"s1"}`, guard.BodyMalformed},
		{"JSON, no UTF-8", "/search", jsonType, "{\"study\":\"s1\",\"x\":\"\xff\"}", guard.BodyMalformed},
		{"a form, twice", "/search", formType, "study=s1&study=s3", guard.Parameter},
		{"a form, malformed", "/search", formType, "study=s1;study=s3", guard.BodyMalformed},
		{"in the query too", "/search?study=s1", jsonType, `{"study":"s1"}`, guard.Parameter},
		{"nothing", "/search", jsonType, "", guard.BodyMalformed},
		{"no type", "/search", "", `{"study":"s1"}`, guard.BodyType},
		{"another type", "/search", "application/xml", `{"study":"s1"}`, guard.BodyType},
		{"another JSON type", "/search", "application/merge-patch+json", `{"study":"s1"}`, guard.BodyType},
		{"multipart", "/search", "multipart/form-data; boundary=x", "--x--", guard.BodyType},
		{"another charset", "/search", "application/json; charset=utf-16", `{"study":"s1"}`, guard.BodyType},
		{"a malformed type", "/search", "application/json; charset", `{"study":"s1"}`, guard.BodyType},
		{"a path and a body, both inside", "/studies/s1:merge", jsonType, `{"into":"s2"}`, ""},
		{"the body's outside", "/studies/s1:merge", jsonType, `{"into":"s3"}`, guard.ResourceOutside},
		{"the path's outside", "/studies/s3:merge", jsonType, `{"into":"s1"}`, guard.ResourceOutside},
		{"the path's in the body too", "/studies/s1:merge", jsonType, `{"into":"s2","study":"s3"}`, guard.Parameter},
		{"the path's in the body too, as a number", "/studies/s1:merge", jsonType, `{"into":"s2","study":3}`, guard.Parameter},
	} {
		t.Run(c.name, func(t *testing.T) {
			n.want(n.judge(with(request("POST", base+c.path, token), c.contentType, c.body)), c.want)
		})
	}
	r := with(request("POST", base+"/search", token), jsonType, `{"study":"s1"}`)
	r.Header.Set("Content-Encoding", "gzip")
	n.want(n.judge(r), guard.BodyType)
	r = with(request("POST", base+"/search", token), jsonType, `{"study":"s1"}`)
	r.Header.Add("Content-Type", "text/plain")
	n.want(n.judge(r), guard.BodyType)
	r = with(request("POST", base+"/search", token), jsonType, `{"study":"s1"}`)
	r.Body = http.MaxBytesReader(nil, r.Body, 5)
	n.want(n.judge(r), guard.BodyTooLarge)
}

// The API may take less than what is judged.
func TestBodyOfTheAPI(t *testing.T) {
	n := newTown(t)
	api, _ := n.snap.View().API("reports")
	small := api.API
	small.MaxBody, small.Version = 13, 0
	remove(n, apis, "reports")
	put(n, apis, small)
	token := n.token("main", "c1", "")
	for body, want := range map[string]guard.Reason{`{"study":"s1"}`: guard.BodyTooLarge, `{"study":""} `: guard.Parameter} {
		r := with(request("POST", base+"/search", token), "application/json", body)
		n.want(n.judge(r), want)
		r = with(request("POST", base+"/search", token), "application/json", body)
		r.ContentLength = -1
		n.want(n.judge(r), want)
	}
}

// unread fails the test where anything is read of it.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("a body was read that says itself that it is too large")
	return 0, io.EOF
}

func (unread) Close() error { return nil }

func TestBodyTooLargeIsNotRead(t *testing.T) {
	n := newTown(t)
	r := with(request("POST", base+"/search", n.token("main", "c1", "")), "application/json", "")
	r.Body, r.ContentLength = unread{t}, 1<<20+1
	n.want(n.judge(r), guard.BodyTooLarge)
}

// RULES "Guard, REST": another protocol only where the rule says so, and h2c nowhere.
func TestUpgrades(t *testing.T) {
	n := newTown(t)
	token := n.token("main", "c1", "")
	for _, c := range []struct {
		name   string
		header []string
		plain  guard.Reason // on a route without upgrade
		live   guard.Reason // on one with
	}{
		{"none", nil, "", ""},
		{"kept alive", []string{"Connection", "keep-alive"}, "", ""},
		{"WebSocket", []string{"Connection", "keep-alive, Upgrade", "Upgrade", "websocket"}, guard.UpgradeRefused, ""},
		{"without Connection", []string{"Upgrade", "websocket"}, guard.UpgradeRefused, ""},
		{"without Upgrade", []string{"Connection", "upgrade"}, guard.UpgradeRefused, ""},
		{"h2c", []string{"Connection", "Upgrade", "Upgrade", "h2c"}, guard.UpgradeRefused, guard.UpgradeRefused},
		{"h2c among others", []string{"Connection", "Upgrade", "Upgrade", "websocket, H2C"}, guard.UpgradeRefused, guard.UpgradeRefused},
		{"settings of HTTP/2", []string{"HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"}, guard.UpgradeRefused, guard.UpgradeRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			n.want(n.judge(request("GET", base+"/me", token, c.header...)), c.plain)
			n.want(n.judge(request("GET", base+"/live", token, c.header...)), c.live)
		})
	}
}
