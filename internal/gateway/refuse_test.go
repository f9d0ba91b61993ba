package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// Every reason has its answer (RFC 6750 §3), its word in log, metric and activity, and the
// upstream hears nothing.
func TestRefusals(t *testing.T) {
	bad := func(why string) error { return fmt.Errorf("%w: %w", resourceserver.ErrToken, errors.New(why)) }
	const token = `Bearer realm="reports", error="invalid_token", error_description="the access token is not valid here"`
	const scope = `Bearer realm="reports", error="insufficient_scope"`
	for _, c := range []struct {
		reason    guard.Reason
		err       error
		status    int
		body      string // "" where there is none
		challenge string
		retry     string
	}{
		{guard.TokenMissing, resourceserver.ErrNoToken, 401, "", `Bearer realm="reports"`, ""},
		{guard.TokenMalformed, resourceserver.ErrRequest, 400, "invalid_request: send one token", `Bearer realm="reports", error="invalid_request", error_description="send one token, in one Authorization header"`, ""},
		{guard.TokenInvalid, bad("forged"), 401, "invalid_token: the access token is not valid here", token, ""},
		{guard.TokenInvalid, bad("expired"), 401, "invalid_token: the access token is not valid here", token, ""}, // D-72
		{guard.TooManyFailures, resourceserver.ErrTooManyFailures, 429, "", "", "60"},
		{guard.Unavailable, resourceserver.ErrUnavailable, 503, "", "", "5"},
		{guard.WrongHost, &guard.Refusal{Reason: guard.WrongHost}, 421, "invalid_request: no API is served at this host", "", ""},
		{guard.NoAPI, &guard.Refusal{Reason: guard.NoAPI}, 404, "invalid_request: nothing is served at this path", "", ""},
		{guard.NoRoute, &guard.Refusal{Reason: guard.NoRoute}, 404, "not_found: the API has no such endpoint", "", ""},
		{guard.Stale, &guard.Refusal{Reason: guard.Stale, RetryAfter: 5 * time.Second}, 503, "temporarily_unavailable: the call cannot be judged now", "", "5"},
		{guard.Unavailable, &guard.Refusal{Reason: guard.Unavailable}, 503, "temporarily_unavailable: the call cannot be judged now", "", "1"},
		{guard.RateLimited, &guard.Refusal{Reason: guard.RateLimited, RetryAfter: 41*time.Second + 1}, 429, "rate_limited: too many calls in this minute", "", "42"}, // ARB-13
		{guard.RateLimited, &guard.Refusal{Reason: guard.RateLimited}, 429, "rate_limited: too many calls in this minute", "", "1"},
		{guard.PathAmbiguous, &guard.Refusal{Reason: guard.PathAmbiguous}, 400, "invalid_request: the path can be read in more than one way", "", ""},
		{guard.QueryAmbiguous, &guard.Refusal{Reason: guard.QueryAmbiguous}, 400, "invalid_request: the query can be read in more than one way", "", ""},
		{guard.MethodOverride, &guard.Refusal{Reason: guard.MethodOverride}, 400, "invalid_request: the method is that of the request line", "", ""},
		{guard.UpgradeRefused, &guard.Refusal{Reason: guard.UpgradeRefused}, 400, "invalid_request: this endpoint does not change to another protocol", "", ""},
		{guard.BodyType, &guard.Refusal{Reason: guard.BodyType}, 415, "invalid_request: send the body as application/json", "", ""},
		{guard.BodyTooLarge, &guard.Refusal{Reason: guard.BodyTooLarge}, 413, "invalid_request: the body is larger than this API takes", "", ""},
		{guard.BodyMalformed, &guard.Refusal{Reason: guard.BodyMalformed}, 400, "invalid_request: the body cannot be read", "", ""},
		{guard.Parameter, &guard.Refusal{Reason: guard.Parameter, Missing: "study"}, 400, "invalid_request: the parameter study decides who may call", "", ""},
		{guard.EndpointDisabled, &guard.Refusal{Reason: guard.EndpointDisabled, Missing: "lookup"}, 403, "insufficient_scope: the endpoint lookup is not enabled", scope, ""}, // OMN-06
		{guard.ScopeMissing, &guard.Refusal{Reason: guard.ScopeMissing, Missing: "b", Scopes: oauth.Scope{"a", "b"}}, 403, "insufficient_scope: the call needs the scope b", scope + `, scope="a b"`, ""},
		{guard.ActionMissing, &guard.Refusal{Reason: guard.ActionMissing, Missing: "x:y"}, 403, "insufficient_scope: the call needs the action x:y", scope, ""},
		{guard.ResourceOutside, &guard.Refusal{Reason: guard.ResourceOutside, Resource: policy.Resource{Kind: "study", ID: "s\"<2"}}, 403, "insufficient_scope: this client may not act on study s\"<2", scope, ""},
		{guard.ResourceOutside, &guard.Refusal{Reason: guard.ResourceOutside, Resource: policy.Resource{Kind: "study", All: true}}, 403, "insufficient_scope: the call needs a client that may act on every study", scope, ""},
		{"unheard_of", &guard.Refusal{Reason: "unheard_of"}, 500, "server_error: the call cannot be answered", "", ""},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			s := newScene(t)
			s.guard.edit = func(_ *http.Request, v *guard.Verdict) {
				v.Err = c.err
				if c.status == 401 || c.status == 421 {
					v.Client, v.Issuer, v.Limit = nil, nil, guard.Limit{}
				}
			}
			conn := s.dial()
			conn.send("GET /x?secret=1 HTTP/1.1\nHost: h\nClient: c1\nX-Correlation-Id: mine\n\n")
			res, body, err := conn.answer("GET")
			s.check(err)
			if res.StatusCode != c.status || res.Header.Get("WWW-Authenticate") != c.challenge || res.Header.Get("Retry-After") != c.retry || res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("answered %d %v", res.StatusCode, res.Header)
			}
			if code, description, ok := strings.Cut(c.body, ": "); ok && !strings.HasPrefix(body, `{"error":"`+code+`","error_description":`+strings.TrimSuffix(quoted(description), `"`)) || ok != strings.HasSuffix(body, "}\n") || !ok && body != "" {
				t.Errorf("answered %s, want %s", body, c.body)
			}
			client, issuer, tier := "c1", "main", "standard"
			if c.status == 401 || c.status == 421 {
				client, issuer, tier = "", "", ""
			}
			if known := res.Header.Get("X-Ratelimit-Limit") == "600"; known != (client != "") { // ARB-12: errors too; a 401 has none
				t.Errorf("answered %v", res.Header)
			}
			id, err := domain.ParseEventID(res.Header.Get("X-Request-Id"))
			s.check(err)
			want := domain.Entry{ID: id, Action: domain.CallRefused, Issuer: issuer, Client: client, Reason: string(c.reason),
				Resource: "reports GET /any", Source: "127.0.0.1", Correlation: "mine"}
			got := s.recorded()
			for i := range got {
				got[i].Count = 0
			}
			if diff := cmp.Diff([]domain.Entry{want}, got); diff != "" {
				t.Errorf("recorded -want +got\n%s", diff)
			}
			if line := s.log.wait(1); !strings.Contains(line, `"reason":"`+string(c.reason)+`"`) || strings.Contains(line, "secret") {
				t.Errorf("logged %s", line)
			}
			if s.counted("reports", string(c.reason), tier) != 1 || s.upstream.text() != "" {
				t.Errorf("not counted, or sent %q", s.upstream.text())
			}
		})
	}
}

// quoted is s as encoding/json writes it.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, "<", `\u003c`).Replace(s) + `"`
}

// What a client said is told back in part only, and whole where it is short.
func TestLongWords(t *testing.T) {
	s := newScene(t)
	s.guard.edit = func(_ *http.Request, v *guard.Verdict) {
		v.Err = &guard.Refusal{Reason: guard.ResourceOutside, Resource: policy.Resource{Kind: "study", ID: strings.Repeat("é", 5000)}}
	}
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: h\n\n")
	if _, body, err := c.answer("GET"); err != nil || len(body) > 400 || !strings.HasSuffix(body, `é…"}`+"\n") {
		t.Errorf("%d bytes %q %v", len(body), body, err)
	}
}

// Nothing goes unaudited in silence: a refusal that activity cannot take in time is a 503.
func TestActivityFull(t *testing.T) {
	s := newScene(t)
	s.kept.stalled = make(chan struct{})
	t.Cleanup(func() { close(s.kept.stalled) })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for s.writer.Record(ctx, domain.Entry{ID: domain.NewEventID(start), Action: domain.TokenIssued, Client: "c"}) == nil { // until it is full
	}
	s.guard.edit = func(r *http.Request, v *guard.Verdict) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel() // its time is over
		*r = *r.WithContext(ctx)
		v.Err = &guard.Refusal{Reason: guard.NoRoute}
	}
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: h\nClient: c1\n\n")
	if res := c.want(503, ""); res.Header.Get("Retry-After") != "5" {
		t.Errorf("answered %v", res.Header)
	}
	if line := s.log.wait(1); !strings.Contains(line, `"reason":"unavailable"`) || !strings.Contains(line, "queue is full") {
		t.Errorf("logged %s", line)
	}
}

// ARB-12, ARB-13 with the real guard: what is left is told, and then what to wait for.
func TestLimits(t *testing.T) {
	n := newTown(t)
	n.update("c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"reports": 2} })
	head := " HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer " + n.token("c1") + "\n\n"
	c := n.dial()
	for i, path := range []string{"/v1/me", "/v1/none", "/v1/me"} {
		c.send("GET " + path + head)
		status, left := []int{200, 404, 429}[i], []string{"1", "0", "0"}[i]
		res := c.want(status, "")
		h := res.Header
		if h.Get("X-RateLimit-Limit") != "2" || h.Get("X-RateLimit-Remaining") != left || h.Get("X-RateLimit-Reset") != fmt.Sprint(start.Add(time.Minute).Unix()) {
			t.Errorf("%s: %v", path, h)
		}
		if wait := h.Get("Retry-After"); (wait == "60") != (status == 429) {
			t.Errorf("%s: wait %q", path, wait)
		}
	}
	c.send("GET /v1/me HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer " + n.token("c2") + "\n\n") // D-68
	c.want(200, "ok")
}

// D-72: the log tells whose good token it was that is worth nothing now, and why; the answer does
// not, and activity counts it among those of nobody.
func TestDeadClientIsNamedInTheLog(t *testing.T) {
	n := newTown(t)
	bearer := n.token("c1")
	n.update("c1", func(c *domain.Client) { c.Status = domain.Disabled })
	for i, token := range []string{bearer, bearer[:len(bearer)-8] + "AAAAAAAA"} {
		c := n.dial()
		c.send("GET /v1/me HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer " + token + "\n\n")
		c.want(401, `{"error":"invalid_token","error_description":"the access token is not valid here"}`+"\n")
		line := n.log.wait(i + 1)
		if strings.Contains(line, `"client":"c1"`) != (i == 0) || strings.Contains(line, "the client is disabled") != (i == 0) || !strings.Contains(line, `"error":"access token is not valid here`) {
			t.Errorf("logged %s", line)
		}
	}
	n.check(n.writer.Close(context.Background()))
	for _, e := range n.kept.entries {
		if e.Client != "" || e.Reason != "token_invalid" {
			t.Errorf("%+v", e)
		}
	}
}
