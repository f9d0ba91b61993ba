package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/gateway"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/request"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// patience ends a test that would hang; no test waits for it.
const patience = 20 * time.Second

// scene is a gateway behind a real listener with short-request timeouts, and before an
// upstream that keeps every byte it was sent.
type scene struct {
	t        testing.TB
	gateway  *gateway.Gateway
	front    *httptest.Server
	upstream *recorder
	api      *domain.API
	guard    *standIn
	kept     *kept
	writer   *audit.Writer
	log      *lines
	reg      *prometheus.Registry
	pipes    *pipes // where nothing is real (testing/synctest): the gateway's listener
}

// standIn lets everything pass that has one reading, for whoever `X-Client` says.
type standIn struct {
	api    *snapshot.API
	edit   func(*http.Request, *guard.Verdict)
	dead   atomic.Bool
	looked chan struct{} // sent to at every look at a long call, where there is room
}

func (s *standIn) Judge(r *http.Request, _ netip.Addr) guard.Verdict {
	v := guard.Verdict{
		API: s.api, Issuer: &snapshot.Issuer{Issuer: domain.Issuer{Name: "main"}}, Route: &policy.Route{Method: r.Method, Path: "/any", Upgrade: true},
		Client: &snapshot.Client{Client: domain.Client{ID: r.Header.Get("Client"), Tenant: "t1", Tier: "standard"}},
		Scopes: oauth.Scope{"read", "write"}, RawQuery: r.URL.RawQuery,
		Limit: guard.Limit{Known: true, PerMinute: 600, Remaining: 599, Reset: 1795435260},
	}
	path, err := policy.Normalise(r.URL.EscapedPath())
	if v.Path = path; err != nil {
		v.Err = &guard.Refusal{Reason: guard.PathAmbiguous}
	}
	if s.edit != nil {
		s.edit(r, &v)
	}
	return v
}

func (s *standIn) Alive(context.Context, *guard.Verdict) bool {
	select {
	case s.looked <- struct{}{}:
	default:
	}
	return !s.dead.Load()
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := sceneOf(t, newRecorder(t))
	s.listen(s.gateway)
	return s
}

// sceneOf is all but the listener.
func sceneOf(t testing.TB, up *recorder) *scene {
	t.Helper()
	s := &scene{t: t, upstream: up, kept: &kept{}, log: &lines{}, reg: prometheus.NewRegistry()}
	s.api = &domain.API{Name: "reports", Audience: "urn:reports", RateLimitHeaders: true, MaxBody: 1 << 20}
	if up != nil {
		s.api.Upstream = "http://" + up.Addr().String() + "/base"
	}
	s.guard = &standIn{api: &snapshot.API{API: *s.api, Realm: "reports"}, looked: make(chan struct{}, 1)}
	logger := slog.New(slog.NewJSONHandler(s.log, nil))
	var err error
	s.writer, err = audit.Start(t.Context(), audit.Options{Node: "n", Activity: s.kept, Marks: s.kept, Log: logger, Now: func() time.Time { return start }})
	s.check(err)
	s.gateway = gateway.New(gateway.Config{
		Guard: s.guard, Activity: s.writer, Metrics: gateway.NewMetrics(s.reg), Log: logger,
		Trusted: request.NewProxies(netip.MustParsePrefix("127.0.0.0/8")), Now: func() time.Time { return start },
	})
	t.Cleanup(func() { s.gateway.Close(); _ = s.writer.Close(context.Background()) })
	return s
}

// listen serves the handler as package server does.
func (s *scene) listen(h http.Handler) {
	s.front = httptest.NewUnstartedServer(h)
	c := s.front.Config
	c.ReadHeaderTimeout, c.ReadTimeout, c.WriteTimeout, c.IdleTimeout = 5*time.Second, 10*time.Second, 10*time.Second, 120*time.Second
	c.MaxHeaderBytes, c.DisableGeneralOptionsHandler = 16<<10, true
	c.ErrorLog = log.New(io.Discard, "", 0)
	s.front.Start()
	s.t.Cleanup(s.front.Close)
}

// change edits the API.
func (s *scene) change(edit func(*domain.API)) {
	edit(s.api)
	s.guard.api = &snapshot.API{API: *s.api, Realm: "reports"}
}

func (s *scene) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// dial opens a raw connection to the gateway.
func (s *scene) dial() *client {
	s.t.Helper()
	if s.pipes != nil {
		conn, err := s.pipes.dial(s.t.Context(), "", "")
		s.check(err)
		return &client{Conn: conn, t: s.t, r: bufio.NewReader(conn)}
	}
	conn, err := net.Dial("tcp", s.front.Listener.Addr().String())
	s.check(err)
	return newClient(s.t, conn)
}

// client speaks raw bytes.
type client struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func newClient(t testing.TB, conn net.Conn) *client {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = conn.Close() })
	return &client{Conn: conn, t: t, r: bufio.NewReader(conn)}
}

// send writes text in which a bare line feed stands for CRLF.
func (c *client) send(text string) {
	c.t.Helper()
	c.raw(crlf(text))
}

func (c *client) raw(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Errorf("send: %v", err)
	}
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// answer reads one whole answer to a request of this method.
func (c *client) answer(method string) (*http.Response, string, error) {
	res, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

func (c *client) want(status int, body string) *http.Response {
	c.t.Helper()
	res, got, err := c.answer("GET")
	if err != nil {
		c.t.Fatalf("no answer, want %d %q: %v", status, body, err)
	}
	if res.StatusCode != status || (body != "" && got != body) {
		c.t.Fatalf("answered %d %q, want %d %q", res.StatusCode, got, status, body)
	}
	return res
}

// closed reads to the end of the connection.
func (c *client) closed() string {
	c.t.Helper()
	rest, err := io.ReadAll(c.r)
	if ne, ok := err.(net.Error); ok && ne.Timeout() { //nolint:errorlint // as the connection says it
		c.t.Error("the connection stays open")
	}
	return string(rest)
}

// kept is activity and marks in memory.
type kept struct {
	mu      sync.Mutex
	entries []domain.Entry
	stalled chan struct{} // where it is not nil, nothing is written before it is closed
}

func (k *kept) Append(ctx context.Context, _ string, batch []domain.Entry) error {
	if k.stalled != nil {
		select {
		case <-k.stalled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries = append(k.entries, batch...)
	return nil
}

func (*kept) Search(context.Context, domain.Query) ([]domain.Entry, error) { return nil, nil }
func (*kept) Meta(context.Context, string) (string, error)                 { return "", domain.ErrNotFound }
func (*kept) SetMeta(context.Context, string, string) error                { return nil }

// recorded ends the writer and returns what it wrote.
func (s *scene) recorded() []domain.Entry {
	s.t.Helper()
	s.check(s.writer.Close(context.Background()))
	s.kept.mu.Lock()
	defer s.kept.mu.Unlock()
	return s.kept.entries
}

// lines is the log; wait returns when as many lines are there.
type lines struct {
	mu   sync.Mutex
	cond *sync.Cond
	all  []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(p))
	if l.cond != nil {
		l.cond.Broadcast()
	}
	return len(p), nil
}

// wait returns the n-th line, from one.
func (l *lines) wait(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cond == nil {
		l.cond = sync.NewCond(&l.mu)
	}
	for len(l.all) < n {
		l.cond.Wait()
	}
	return l.all[n-1]
}

// counted is the value of postern_calls_total for these labels.
func (s *scene) counted(api, outcome, tier string) float64 {
	s.t.Helper()
	families, err := s.reg.Gather()
	s.check(err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if f.GetName() == "postern_calls_total" && labels["api"] == api && labels["outcome"] == outcome && labels["tier"] == tier {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// tls serves the gateway by TLS, with HTTP/2.
func (s *scene) tls() {
	s.front = httptest.NewUnstartedServer(s.gateway)
	s.front.EnableHTTP2 = true
	s.front.Config.ReadTimeout, s.front.Config.WriteTimeout, s.front.Config.IdleTimeout = 10*time.Second, 10*time.Second, 120*time.Second
	s.front.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.front.StartTLS()
	s.t.Cleanup(s.front.Close)
}

func (s *scene) dialTLS() net.Conn {
	s.t.Helper()
	conn, err := tls.Dial("tcp", s.front.Listener.Addr().String(), &tls.Config{NextProtos: []string{"h2"}, RootCAs: s.front.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"})
	s.check(err)
	return conn
}
