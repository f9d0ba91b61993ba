package gateway_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
)

// checking is a town whose API has answers looked into.
func checking(t testing.TB) *graphTown {
	return newGraphTown(t, func(a *domain.API) { a.GraphQL.Responses, a.GraphQL.Batching = domain.CheckResponses, 2 })
}

const all = `{ studies { name } }`

// D-87: what nothing pins is refused where answers are not looked into, and asked for with
// the key of every object where they are.
func TestGraphQLAnswerUnchecked(t *testing.T) {
	n := newGraphTown(t, nil)
	res, body := n.ask(all)
	if got := refused(t, res, body); got.Extensions.Code != "FORBIDDEN" || n.upstream.text() != "" {
		t.Errorf("answered %s", body)
	}
	n.holdsAll()
	n.graph(func(body string) string { return ok(study(body, "s7"), "Content-Encoding: x", "ETag: y") })
	res, body = n.ask(all)
	if body != `{"data":{"studies":[{"name":"ns7"}]}}` || res.Header.Get("Etag") != "y" {
		t.Errorf("answered %s", body)
	}
}

// D-88: the client reads what was looked into, and of the upstream's headers nothing; the
// upstream is asked for an answer that can be read.
func TestGraphQLAnswerChecked(t *testing.T) {
	n := checking(t)
	var may atomic.Bool
	n.graph(func(body string) string {
		if may.Load() {
			return ok(study(body, "s7"), "ETag: x")
		}
		answer := study(body, "s1", "s1")
		return "HTTP/1.1 103 Early Hints\r\nX-Total: 7\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nETag: x\r\nX-Total: 7\r\nTrailer: X-Total\r\n" +
			"Set-Cookie: a=b\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\nX-Total: 7\r\n\r\n", len(answer), answer)
	})
	c := n.dial()
	body := query(all)
	c.send("POST /v2/graphql/v1 HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer " + n.bearer + fmt.Sprintf(`
Content-Type: application/json
Content-Length: %d
Accept: text/html
Accept-Encoding: gzip
Accept_Encoding: br
If-None-Match: "x"
Range: bytes=0-1
TE: trailers
User-Agent: mine

`, len(body)) + body)
	res := c.want(200, `{"data":{"studies":[{"name":"ns1"},{"name":"ns1"}]}}`)
	for _, ours := range []string{"Date", "X-Request-Id", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"} {
		if res.Header.Get(ours) == "" {
			t.Errorf("no %s", ours)
		}
		res.Header.Del(ours)
	}
	if diff := cmp.Diff(http.Header{"Content-Type": {"application/json"}, "Content-Length": {"52"}, "Cache-Control": {"no-store"}}, res.Header); diff != "" || res.Trailer != nil {
		t.Errorf("answered %s %v", diff, res.Trailer)
	}
	head, sent, _ := strings.Cut(n.upstream.text(), "\r\n\r\n")
	_, got := fields(head)
	if strings.Count(sent, ":id") != 1 || got["Accept"][0] != "application/json" || got["Accept-Encoding"][0] != "identity" || got["User-Agent"] == nil {
		t.Errorf("sent %s", n.upstream.text())
	}
	for _, name := range []string{"If-None-Match", "Range", "Accept_Encoding", "Te"} {
		if got[name] != nil {
			t.Errorf("sent %s", name)
		}
	}
	n.holdsAll() // nothing could lie outside
	may.Store(true)
	if res, body := n.ask(all); body != `{"data":{"studies":[{"name":"ns7"}]}}` || res.Header.Get("Etag") != "x" {
		t.Errorf("answered %s", body)
	}
}

// D-88: one object outside, or an answer that is not plainly one, and nothing of it is told.
func TestGraphQLAnswerRefused(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(`{"data":{"studies":[]}}`))
	_ = z.Close()
	as := func(status, headers, body string) func(string) string {
		return func(string) string {
			return "HTTP/1.1 " + status + "\r\n" + headers + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
		}
	}
	const plain, empty = "Content-Type: application/json\r\n", `{"data":{"studies":[]}}`
	for _, c := range []struct {
		name   string
		answer func(string) string
		code   string // "" where it passes
		reason string
	}{
		{"nothing outside", func(b string) string { return ok(study(b, "s1")) }, "", ""},
		{"none", as("200 OK", plain, empty), "", ""},
		{"identity", as("200 OK", plain+"Content-Encoding: identity\r\n", empty), "", ""},
		{"one outside", func(b string) string { return ok(study(b, "s1", "s2")) }, "FORBIDDEN", "graphql_outside"},
		{"no keys", func(string) string { return ok(study("", "s1")) }, "BAD_ANSWER", "graphql_bad_answer"},
		{"no JSON", as("200 OK", plain, `{"data":{"studies":[`), "BAD_ANSWER", "graphql_bad_answer"},
		{"nothing", as("200 OK", plain, ""), "BAD_ANSWER", "graphql_bad_answer"},
		{"data twice", as("200 OK", plain, `{"data":{"studies":[]},"data":null}`), "BAD_ANSWER", "graphql_bad_answer"},
		{"a batch", as("200 OK", plain, "["+empty+"]"), "BAD_ANSWER", "graphql_bad_answer"},
		{"500", as("500 Internal Server Error", plain, empty), "BAD_ANSWER", "graphql_bad_answer"},
		{"206", as("206 Partial Content", plain, empty), "BAD_ANSWER", "graphql_bad_answer"},
		{"304", func(string) string {
			return "HTTP/1.1 304 Not Modified\r\nContent-Type: application/json\r\nETag: x\r\n\r\n"
		}, "BAD_ANSWER", "graphql_bad_answer"},
		{"302", as("302 Found", plain+"Location: http://127.0.0.1:1/\r\n", empty), "BAD_ANSWER", "graphql_bad_answer"},
		{"HTML", as("200 OK", "Content-Type: text/html\r\n", empty), "BAD_ANSWER", "graphql_bad_answer"},
		{"no type", as("200 OK", "", empty), "BAD_ANSWER", "graphql_bad_answer"},
		{"two types", as("200 OK", plain+"Content-Type: application/json\r\n", empty), "BAD_ANSWER", "graphql_bad_answer"},
		{"in parts", as("200 OK", "Content-Type: multipart/mixed; boundary=-\r\n", empty), "BAD_ANSWER", "graphql_bad_answer"},
		{"UTF-16", as("200 OK", "Content-Type: application/json; charset=utf-16\r\n", empty), "BAD_ANSWER", "graphql_bad_answer"},
		{"packed", as("200 OK", plain+"Content-Encoding: gzip\r\n", packed.String()), "BAD_ANSWER", "graphql_bad_answer"},
		{"packed, twice said", as("200 OK", plain+"Content-Encoding: identity\r\nContent-Encoding: gzip\r\n", empty), "BAD_ANSWER", "graphql_bad_answer"},
		{"too long, and says so", func(string) string { return "HTTP/1.1 200 OK\r\n" + plain + "Content-Length: 8388609\r\n\r\n" }, "BAD_ANSWER", "graphql_bad_answer"},
		{"too long", func(string) string {
			return "HTTP/1.1 200 OK\r\n" + plain + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n800017\r\n" + empty + strings.Repeat(" ", 8<<20) + "\r\n0\r\n\r\n"
		}, "BAD_ANSWER", "graphql_bad_answer"},
		{"its own errors", as("200 OK", plain, `{"errors":[{"message":"study s9 is secret"}],"extensions":{"s9":1}}`), "-", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := checking(t)
			n.graph(c.answer)
			res, body := n.ask(all)
			if c.code == "-" {
				if res.StatusCode != 200 || body != `{"errors":[{"message":"the upstream reported an error"}]}` {
					t.Errorf("answered %s", body)
				}
				return
			}
			if c.code == "" {
				if !strings.HasPrefix(body, `{"data":{"studies":[`) || strings.Contains(body, `"s1"`) {
					t.Errorf("answered %s", body)
				}
				return
			}
			if got := refused(t, res, body); res.StatusCode != 200 || got.Extensions.Code != c.code || strings.Contains(body, "s2") || res.Header.Get("Location")+res.Header.Get("Etag") != "" {
				t.Errorf("answered %d %s", res.StatusCode, body)
			}
			if e := n.recorded(); len(e) != 1 || e[0].Reason != c.reason || e[0].Client != "c1" || e[0].Resource != "graph POST /graphql/v1" {
				t.Errorf("recorded %+v", e)
			}
			if n.counted("graph", c.reason, "standard") != 1 || n.counted("graph", "allowed", "standard") != 0 {
				t.Error("not counted")
			}
		})
	}
}

// D-81, D-88: in a batch every answer is looked into.
func TestGraphQLAnswersOfABatch(t *testing.T) {
	n := checking(t)
	var outside atomic.Bool
	n.graph(func(body string) string {
		second := "s1"
		if outside.Load() {
			second = "s2"
		}
		return ok("[" + study(body, "s1") + "," + study(body, second) + "]")
	})
	batch := "[" + query(all) + "," + query(all) + "]"
	if _, body := n.call("POST", "", batch); body != `[{"data":{"studies":[{"name":"ns1"}]}},{"data":{"studies":[{"name":"ns1"}]}}]` {
		t.Errorf("answered %s", body)
	}
	outside.Store(true)
	res, body := n.call("POST", "", batch)
	if got := refused(t, res, body); got.Extensions.Code != "FORBIDDEN" || !strings.HasPrefix(got.Message, "request 2 of the batch: ") {
		t.Errorf("answered %s", body)
	}
}

// An upstream that fails in the midst of an answer that is held back: nothing of it is told,
// and who is to blame is.
func TestGraphQLAnswerCut(t *testing.T) {
	n := checking(t)
	n.upstream.answer(func(h *heard) {
		h.request()
		h.say("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 100\n\n{\"data\"")
		_ = h.Close()
	})
	res, body := n.ask(all)
	if res.StatusCode != 502 || !strings.Contains(body, `"error":"bad_gateway"`) || n.counted("graph", "upstream_cut", "standard") != 1 {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
}

// The time limits and the end of a client hold while an answer is held back.
func TestGraphQLAnswerInTime(t *testing.T) {
	begin := func(s *scene) *client {
		s.change(func(a *domain.API) { a.GraphQL = &domain.GraphQL{Path: "/graphql"} })
		s.guard.edit = func(_ *http.Request, v *guard.Verdict) {
			v.Route, v.GraphQL = nil, &guard.GraphQLCall{Method: "POST", Body: []byte(`{}`), Check: true}
		}
		s.upstream.answer(func(h *heard) {
			h.request()
			h.say("HTTP/1.1 200 OK\nContent-Type: application/json\n\n{")
			_, _ = io.Copy(io.Discard, h.r)
		})
		c := s.dial()
		c.send("POST /graphql HTTP/1.1\nHost: h\nClient: c1\nContent-Length: 2\n\n{}")
		return c
	}
	t.Run("idle", func(t *testing.T) {
		inTime(t, func(_ *testing.T, s *scene) {
			since := time.Now()
			begin(s).failure(504, "gateway_timeout")
			s.took(since, 7*time.Second, "idle_timeout")
		})
	})
	t.Run("dead", func(t *testing.T) {
		inTime(t, func(t *testing.T, s *scene) {
			c := begin(s)
			s.guard.dead.Store(true)
			c.want(503, "")
			synctest.Wait()
			if e := s.recorded(); len(e) != 1 || e[0].Reason != "revoked" || e[0].Resource != "reports POST /graphql" {
				t.Errorf("recorded %+v", e)
			}
		})
	})
}
