package gateway_test

import (
	"fmt"
	"strings"
	"testing"
)

// D-60: what has two readings is refused; what has one is matched and forwarded as the
// same bytes; the upstream sees nothing else. The target is written as raw bytes.
func TestPaths(t *testing.T) {
	n := newTown(t)
	bearer := n.token("c1")
	for _, c := range []struct {
		name, target string
		status       int
		forwarded    string
	}{
		{"plain", "/v1/me", 200, "/base/me"},
		{"trailing slash is another path", "/v1/me/", 404, ""},
		{"escaped letters", "/v1/%6De", 200, "/base/me"},
		{"escaped letters of the API's own path", "/%76%31/me", 200, "/base/me"},
		{"case", "/v1/Me", 404, ""},
		{"case of the API's own path", "/V1/me", 404, ""},
		{"a resource held", "/v1/studies/s1", 200, "/base/studies/s1"},
		{"a resource not held", "/v1/studies/s2", 403, ""},
		{"a resource held, escaped", "/v1/studies/%73%31", 200, "/base/studies/s1"},
		{"a resource not held, escaped", "/v1/studies/s%32", 403, ""},
		{"an escaped colon is a colon", "/v1/studies/s1%3Aread", 404, ""},
		{"unicode", "/v1/studies/%C3%A9", 403, ""},
		{"unicode unescaped is judged as if escaped", "/v1/studies/é", 403, ""},
		{"another form of the same letter", "/v1/studies/e%CC%81", 403, ""},
		{"not UTF-8", "/v1/studies/%ff", 400, ""},
		{"overlong dots", "/v1/studies/%c0%ae%c0%ae/admin", 400, ""},
		{"dot segments", "/v1/me/../admin", 400, ""},
		{"one dot", "/v1/./admin", 400, ""},
		{"dot segments over the API's path", "/v1/../v1/me", 400, ""},
		{"encoded dots", "/v1/me/%2e%2e/admin", 400, ""},
		{"half encoded dots", "/v1/me/.%2E/admin", 400, ""},
		{"encoded slash", "/v1/me%2fadmin", 400, ""},
		{"encoded slash, upper case", "/v1/studies/s1%2F..%2Fs2", 400, ""},
		{"twice encoded slash", "/v1/me%252fadmin", 400, ""},
		{"path parameter", "/v1/me;a=b", 400, ""},
		{"encoded semicolon", "/v1/me%3bv=1", 400, ""},
		{"empty segment", "/v1//me", 400, ""},
		{"empty segment before the API's path", "//v1/me", 404, ""},
		{"backslash", `/v1/me\..\admin`, 400, ""},
		{"encoded backslash", "/v1/me%5c..%5cadmin", 400, ""},
		{"null", "/v1/me%00", 400, ""},
		{"encoded line end", "/v1/me%0d%0aX-Postern-Client:%20admin", 400, ""},
		{"half an escape", "/v1/me%2", 400, ""},
		{"absolute form", "http://api.example.com/v1/me", 200, "/base/me"},
		{"absolute form of another host", "http://evil.example.com/v1/me", 421, ""},
		{"authority form", "api.example.com:80", 404, ""},
		{"asterisk form", "*", 404, ""},
		{"a query as it came", "/v1/me?b=%41+c&&a=1&a=%2f..", 200, "/base/me?b=%41+c&&a=1&a=%2f.."},
		{"a query with a semicolon", "/v1/me?a=1;b=2", 400, ""},
		{"a query with half an escape", "/v1/me?a=%4", 400, ""},
		{"a token in the query (D-63)", "/v1/me?access_token=x", 400, ""},
		{"a fragment", "/v1/me#/../admin", 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(n.upstream.text())
			conn := n.dial()
			conn.t = t
			conn.send("GET " + c.target + " HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer " + bearer + "\n\n")
			res, _, err := conn.answer("GET")
			if err != nil || res.StatusCode != c.status {
				t.Fatalf("answered %v, %v, want %d", res, err, c.status)
			}
			sent := n.upstream.text()[before:]
			line, _, _ := strings.Cut(sent, "\r\n")
			if c.forwarded == "" && sent != "" {
				t.Errorf("sent %q", sent)
			}
			if want := "GET " + c.forwarded + " HTTP/1.1"; c.forwarded != "" && line != want {
				t.Errorf("sent %q, want %q", line, want)
			}
		})
	}
}

// D-66: however the host is written, the call goes to the upstream of the API, or nowhere.
func TestHosts(t *testing.T) {
	n := newTown(t)
	head := "Authorization: Bearer " + n.token("c1") + "\n"
	for _, c := range []struct {
		name, target, hosts string
		status              int
	}{
		{"as configured", "/v1/me", "Host: api.example.com\n", 200},
		{"upper case", "/v1/me", "Host: API.Example.Com\n", 200},
		{"another", "/v1/me", "Host: internal.example.com\n", 421},
		{"an address", "/v1/me", "Host: 169.254.169.254\n", 421},
		{"none", "/v1/me", "", 400},
		{"two", "/v1/me", "Host: api.example.com\nHost: internal.example.com\n", 400},
		{"the same twice", "/v1/me", "Host: api.example.com\nHost: api.example.com\n", 400},
		{"of the target, not of the header", "http://api.example.com/v1/me", "Host: internal.example.com\n", 200},
		{"with credentials", "http://u:p@api.example.com/v1/me", "Host: api.example.com\n", 200},
		{"a header that some take for the host", "/v1/me", "Host: api.example.com\nX-Forwarded-Host: internal.example.com\nX-Host: internal.example.com\n", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(n.upstream.text())
			conn := n.dial()
			conn.t = t
			conn.send(fmt.Sprintf("GET %s HTTP/1.1\n%s%s\n", c.target, c.hosts, head))
			if res, _, err := conn.answer("GET"); err != nil || res.StatusCode != c.status {
				t.Fatalf("answered %v, %v, want %d", res, err, c.status)
			}
			sent := n.upstream.text()[before:]
			if (sent != "") != (c.status == 200) || strings.Contains(sent, "u:p") || strings.Contains(sent, "dTpw") {
				t.Errorf("sent %q", sent)
			}
			if first, got := fields(sent); sent != "" && (first != "GET /base/me HTTP/1.1" || len(got["Host"]) != 1 || got["Host"][0] != n.upstream.Addr().String() ||
				got["X-Forwarded-Host"][0] == "internal.example.com") {
				t.Errorf("sent %q", sent)
			}
		})
	}
}

// D-61: the method is the one of the request line.
func TestMethods(t *testing.T) {
	n := newTown(t)
	head := " HTTP/1.1\nHost: api.example.com\nContent-Length: 0\nAuthorization: Bearer " + n.token("c1") + "\n"
	for _, c := range []struct {
		name, method, more string
		status             int
	}{
		{"as the route says", "GET", "", 200},
		{"HEAD is judged as GET and stays HEAD", "HEAD", "", 200},
		{"another", "DELETE", "", 404},
		{"small letters", "get", "", 404},
		{"TRACE", "TRACE", "", 404},
		{"OPTIONS", "OPTIONS", "", 404},
		{"CONNECT", "CONNECT", "", 404},
		{"unheard of", "PROPFIND", "", 404},
		{"overridden", "GET", "X-HTTP-Method-Override: DELETE\n", 400},
		{"overridden by a name that some read the same", "GET", "X_Http_Method_Override: DELETE\n", 400},
		{"overridden in the old way", "GET", "X-HTTP-Method: DELETE\n", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(n.upstream.text())
			conn := n.dial()
			conn.t = t
			conn.send(c.method + " /v1/me" + head + c.more + "\n")
			res, _, err := conn.answer(c.method)
			if err != nil || res.StatusCode != c.status {
				t.Fatalf("answered %v, %v, want %d", res, err, c.status)
			}
			sent := n.upstream.text()[before:]
			if (sent != "") != (c.status == 200) || (sent != "" && !strings.HasPrefix(sent, c.method+" /base/me HTTP/1.1\r\n")) {
				t.Errorf("sent %q", sent)
			}
		})
	}
}
