package gateway_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
)

// An upstream behind TLS, in either version of HTTP: few connections carry many calls, and
// each client gets its own answer.
func TestTLSUpstream(t *testing.T) {
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprint("HTTP/", version), func(t *testing.T) {
			var mu sync.Mutex
			conns := map[string]bool{}
			up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				conns[r.RemoteAddr] = true
				mu.Unlock()
				body, _ := io.ReadAll(r.Body)
				w.Header().Set("Trailer", "X-Sum, X-Postern-Sum")
				_, _ = fmt.Fprintf(w, "%s %s %d %s", r.Header.Get("X-Postern-Client"), r.RequestURI, r.ProtoMajor, body)
				w.Header().Set("X-Sum", r.Trailer.Get("X-In"))
				w.Header().Set("X-Postern-Sum", "evil")
			}))
			up.EnableHTTP2 = version == 2
			up.StartTLS()
			t.Cleanup(up.Close)
			s := newScene(t)
			s.gateway.Roots = up.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			s.change(func(a *domain.API) { a.Upstream = strings.Replace(up.URL, "127.0.0.1", "example.com", 1) + "/base/" })
			s.gateway.Dial = dialTo(up.Listener.Addr().String())
			var clients sync.WaitGroup
			for i := range 8 {
				clients.Go(func() {
					c := s.dial()
					for j := range 20 {
						c.send(fmt.Sprintf("POST /a%%3Ab?q=%d HTTP/1.1\nHost: h\nClient: c%d\nTransfer-Encoding: chunked\nTrailer: X-In\n\n2\nhi\n0\nX-In: %d\n\n", j, i, j))
						res := c.want(200, fmt.Sprintf("c%d /base/a:b?q=%d %d hi", i, j, version))
						if len(res.Trailer) != 1 || res.Trailer.Get("X-Sum") != fmt.Sprint(j) {
							t.Errorf("trailer %v", res.Trailer)
						}
					}
				})
			}
			clients.Wait()
			if n := len(conns); n > 80 {
				t.Errorf("%d connections for 160 calls", n)
			}
		})
	}
}

// An upstream that resets the stream of a call over HTTP/2 is not asked again: the connection is
// sound, and would be asked without end.
func TestResetStream(t *testing.T) {
	var asked atomic.Int32
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if n := asked.Add(1); n > 1 && n < 100 {
			panic(http.ErrAbortHandler)
		}
	}))
	up.EnableHTTP2 = true
	up.StartTLS()
	t.Cleanup(up.Close)
	s := newScene(t)
	s.gateway.Roots = up.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	s.change(func(a *domain.API) { a.Upstream = up.URL })
	c := s.dial()
	c.send("GET /first HTTP/1.1\nHost: h\n\n")
	c.want(200, "")
	c.send("GET /second HTTP/1.1\nHost: h\n\n")
	c.failure(502, "bad_gateway")
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// A certificate that nobody vouches for is no upstream.
func TestUntrustedUpstream(t *testing.T) {
	up := httptest.NewUnstartedServer(http.NotFoundHandler())
	up.Config.ErrorLog = log.New(io.Discard, "", 0)
	up.StartTLS()
	t.Cleanup(up.Close)
	s := newScene(t)
	s.change(func(a *domain.API) { a.Upstream = up.URL })
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: h\n\n")
	c.failure(502, "bad_gateway")
	if line := s.log.wait(1); !strings.Contains(line, `"reason":"upstream_unreachable"`) || !strings.Contains(line, "certificate") {
		t.Errorf("logged %s", line)
	}
}

// A changed upstream serves the next call; one that cannot be called is our failure, and told.
func TestChangedUpstream(t *testing.T) {
	s, other := newScene(t), newRecorder(t)
	c := s.dial()
	for _, upstream := range []string{s.api.Upstream, "http://" + other.Addr().String() + "/other/"} {
		s.change(func(a *domain.API) { a.Upstream = upstream })
		c.send("GET /x HTTP/1.1\nHost: h\n\n")
		c.want(200, "ok")
	}
	if first, got := fields(other.text()); first != "GET /other/x HTTP/1.1" || got["Host"][0] != other.Addr().String() {
		t.Errorf("sent %q %v", first, got)
	}
	s.change(func(a *domain.API) { a.Upstream = "ftp://example.com" })
	c.send("GET /x HTTP/1.1\nHost: h\n\n")
	c.want(500, "")
	if line := s.log.wait(3); !strings.Contains(line, `"reason":"misconfigured"`) {
		t.Errorf("logged %s", line)
	}
}
