package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
)

// fields splits a head into its first line and its header lines.
func fields(head string) (first string, all map[string][]string) {
	all = map[string][]string{}
	first, rest, _ := strings.Cut(head, "\r\n")
	for line := range strings.SplitSeq(rest, "\r\n") {
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ": ")
		all[name] = append(all[name], value)
	}
	return first, all
}

// What reaches the upstream, to the byte: the path and query that were judged, and of the
// headers what is the client's to say (D-62, D-66).
func TestForwarded(t *testing.T) {
	s := newScene(t)
	c := s.dial()
	c.send(`POST /caf%c3%a9/a%3Ab?b=%41&a=1&a=2 HTTP/1.1
Host: api.example.com
Client: c1
Authorization: Bearer secret
Content-Type: application/json
Content-Length: 2
Cookie: session=1
Accept: a/b
Connection: keep-alive, X-Postern-Client, X-Forwarded-For, Content-Type, X-Hop, X-Request-Id, CDN-Loop
X-Hop: hop
Keep-Alive: timeout=5
Proxy-Authorization: Basic x
Proxy-Connection: keep-alive
X-Postern-Client: admin
X_Postern_Client: admin
x-postern_resources: {}
X-Postern-Anything: 1
X-Forwarded-For: 203.0.113.9
X-Forwarded-Host: evil.example.com
X-Forwarded-Proto: https
X-Forwarded-Prefix: /x
Forwarded: for=203.0.113.9
X-Real-Ip: 203.0.113.9
X-Original-Url: /admin
X-Rewrite-Url: /admin
X-HTTP-Method-Override: DELETE
X-Request-Id: r-1
X_Request_Id: r-2
CDN-Loop: other; v=1

{}`)
	res := c.want(200, "ok")
	event := res.Header.Get("X-Request-Id")
	head, body, _ := strings.Cut(s.upstream.text(), "\r\n\r\n")
	first, got := fields(head)
	if loop := got["Cdn-Loop"]; len(loop) != 1 || !strings.HasPrefix(loop[0], "other; v=1, postern-") { // RFC 8586 §2
		t.Errorf("CDN-Loop: %q", loop)
	}
	delete(got, "Cdn-Loop")
	if want := "POST /base/caf%C3%A9/a:b?b=%41&a=1&a=2 HTTP/1.1"; first != want || body != "{}" {
		t.Errorf("sent %q, %q, want %q", first, body, want)
	}
	want := map[string][]string{
		"Host": {s.upstream.Addr().String()}, "Client": {"c1"}, "Content-Type": {"application/json"}, "Content-Length": {"2"},
		"Cookie": {"session=1"}, "Accept": {"a/b"},
		"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Host": {"api.example.com"}, "X-Forwarded-Proto": {"http"}, // the peer is a trusted proxy
		"X-Request-Id": {event}, "X-Correlation-Id": {"r-1"},
		"X-Postern-Client": {"c1"}, "X-Postern-Tenant": {"t1"}, "X-Postern-Issuer": {"main"}, "X-Postern-Scope": {"read write"}, "X-Postern-Resources": {""},
		"X-Postern-Actor": {""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if _, err := domain.ParseEventID(event); err != nil || res.Header.Get("X-Correlation-Id") != "r-1" { // OMN-08
		t.Errorf("answered %v", res.Header)
	}
}

// The client's token goes to the upstream only where the API says so.
func TestForwardToken(t *testing.T) {
	s := newScene(t)
	s.change(func(a *domain.API) { a.ForwardToken = true })
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: h\nAuthorization: Bearer secret\n\n")
	c.want(200, "ok")
	if first, got := fields(s.upstream.text()); first != "GET /base/ HTTP/1.1" || got["Authorization"] == nil || got["Authorization"][0] != "Bearer secret" {
		t.Errorf("sent %q %v", first, got)
	}
	if agent := "User-Agent"; strings.Contains(s.upstream.text(), agent) {
		t.Errorf("a %s that no client sent", agent)
	}
}

func TestIdentity(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*guard.Verdict)
		want map[string]string
	}{
		{"nothing known", func(v *guard.Verdict) { v.Client, v.Issuer, v.Scopes = nil, nil, nil },
			map[string]string{"Client": "", "Tenant": "", "Issuer": "", "Scope": "", "Resources": ""}},
		{"resources", func(v *guard.Verdict) {
			v.Resources = policy.ResourceScope{"study": {IDs: []string{"b", "a"}}, "site": {All: true}, "team": {}, "those": {All: true, IDs: []string{"x"}}}
		}, map[string]string{"Resources": `{"site":{"all":true},"study":{"ids":["b","a"]},"team":{},"those":{"all":true,"ids":["x"]}}`}},
		{"escapes", func(v *guard.Verdict) {
			v.Resources = policy.ResourceScope{"s": {IDs: []string{"\"\\\r\n\x00é€😀\xff"}}}
		}, map[string]string{"Resources": `{"s":{"ids":["\"\\\u000d\u000a\u0000\u00e9\u20ac\ud83d\ude00\ufffd"]}}`}},
		{"a list as long as it may be", func(v *guard.Verdict) {
			v.Resources = policy.ResourceScope{"s": {IDs: []string{strings.Repeat("a", 4096-len(`{"s":{"ids":[""]}}`))}}}
		}, map[string]string{"Resources": `{"s":{"ids":["` + strings.Repeat("a", 4096-len(`{"s":{"ids":[""]}}`)) + `"]}}`}},
		{"left out, never cut", func(v *guard.Verdict) {
			for i := range 1000 {
				v.Scopes = append(v.Scopes, fmt.Sprint("scope", i))
			}
			v.Resources = policy.ResourceScope{"s": {IDs: v.Scopes}}
		}, map[string]string{"Scope": "", "Resources": "", "Truncated": "X-Postern-Scope, X-Postern-Resources"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.guard.edit = func(_ *http.Request, v *guard.Verdict) { c.edit(v) }
			conn := s.dial()
			conn.send("GET / HTTP/1.1\nHost: h\nX-Postern-Truncated: X-Postern-Client\n\n")
			conn.want(200, "ok")
			_, got := fields(s.upstream.text())
			for name, want := range c.want {
				if diff := cmp.Diff([]string{want}, got["X-Postern-"+name]); diff != "" {
					t.Errorf("%s: -want +got\n%s", name, diff)
				}
			}
			if _, there := c.want["Truncated"]; !there && got["X-Postern-Truncated"] != nil {
				t.Errorf("marked: %q", got["X-Postern-Truncated"])
			}
		})
	}
}

// D-71, ARB-12: of the answer's headers some are ours alone; the rest passes.
func TestAnswerHeaders(t *testing.T) {
	s := newScene(t)
	s.upstream.always(`HTTP/1.1 401 Who?
Content-Length: 2
Connection: X-Hop, X-Request-Id
X-Hop: 1
Keep-Alive: timeout=1
X-RateLimit-Limit: 1
X-RateLimit-Remaining: 0
X-RateLimit-Reset: 9
X-RateLimit-Policy: 1
X_RateLimit_Limit: 1
X-Request-Id: theirs
X-Correlation-Id: theirs
X-Postern-Client: c9
x_postern_scope: a
WWW-Authenticate: Basic realm="theirs"
Access-Control-Allow-Origin: *
Set-Cookie: a=1
Set-Cookie: b=2
Retry-After: 7

no`)
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: h\nX-Correlation-Id: mine\n\n")
	res := c.want(401, "no")
	delete(res.Header, "Date")
	want := http.Header{
		"Content-Length": {"2"}, "Www-Authenticate": {`Basic realm="theirs"`}, "Access-Control-Allow-Origin": {"*"}, "Set-Cookie": {"a=1", "b=2"}, "Retry-After": {"7"},
		"X-Ratelimit-Limit": {"600"}, "X-Ratelimit-Remaining": {"599"}, "X-Ratelimit-Reset": {"1795435260"},
		"X-Request-Id": res.Header["X-Request-Id"], "X-Correlation-Id": {"mine"},
	}
	if diff := cmp.Diff(want, res.Header); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if id := res.Header["X-Request-Id"]; len(id) != 1 || id[0] == "theirs" {
		t.Errorf("request id %q", id)
	}
	for _, edit := range []func(*guard.Verdict){
		func(v *guard.Verdict) { v.Limit = guard.Limit{} }, // unlimited
		func(v *guard.Verdict) { api := *v.API; api.RateLimitHeaders = false; v.API = &api },
	} {
		s.guard.edit = func(_ *http.Request, v *guard.Verdict) { edit(v) }
		c.send("GET / HTTP/1.1\nHost: h\n\n")
		if res := c.want(401, "no"); res.Header["X-Ratelimit-Limit"] != nil || res.Header["X-Ratelimit-Remaining"] != nil || res.Header["X-Ratelimit-Reset"] != nil {
			t.Errorf("answered %v", res.Header)
		}
	}
}

// Trailers pass both ways, but what is ours to say, and what would frame or route (D-62).
func TestTrailers(t *testing.T) {
	s := newScene(t)
	s.upstream.always("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: X-Sum, X-Postern-Client\n\n" +
		"2\nok\n0\nX-Sum: 7\nX-Postern-Client: c9\nX-Request-Id: theirs\nX_RateLimit_Limit: 1\nSet-Cookie: a=1\nX-Late: 1\n\n")
	c := s.dial()
	c.send("POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\nTE: trailers\nTrailer: X-Sum, X-Postern-Client, X_Postern_Tenant, Authorization, X-Forwarded-For\n\n" +
		"2\nhi\n0\nX-Sum: 9\nX-Postern-Client: admin\nX_Postern_Tenant: t9\nAuthorization: Bearer x\nX-Forwarded-For: 1.2.3.4\nX-Postern-Scope: all\nX-Undeclared: 1\n\n")
	res := c.want(200, "ok")
	if diff := cmp.Diff(http.Header{"X-Sum": {"7"}, "X-Late": {"1"}}, res.Trailer); diff != "" {
		t.Errorf("answered -want +got\n%s", diff)
	}
	_, body, _ := strings.Cut(s.upstream.text(), "\r\n\r\n")
	if want := crlf("2\nhi\n0\nX-Sum: 9\n\n"); body != want {
		t.Errorf("sent %q, want %q", body, want)
	}
	if _, got := fields(s.upstream.text()); got["Trailer"] == nil || got["Trailer"][0] != "X-Sum" || got["Te"] == nil {
		t.Errorf("announced %v", got)
	}
}
