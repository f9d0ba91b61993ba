package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// behind is a pool before an upstream that serves each connection by one function.
func behind(t *testing.T, serve func(net.Conn)) (p *pool, dials func() int) {
	t.Helper()
	n := 0
	u, err := newUpstream(&domain.API{Name: "a", Upstream: "http://up.example.com"}, &Config{Dial: func(context.Context, string, string) (net.Conn, error) {
		n++
		here, there := net.Pipe()
		go serve(there)
		return here, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.pool.close(); time.Sleep(time.Hour) })
	return u.pool, func() int { return n }
}

func get(t *testing.T, p *pool, method string) (int, error) {
	t.Helper()
	var body io.Reader
	if method == "PUT" {
		body = strings.NewReader("x")
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://up.example.com/", body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	synctest.Wait()
	return res.StatusCode, err
}

// answers serves requests until one is not answered, which ends the connection.
func answers(list ...string) func(net.Conn) {
	return func(c net.Conn) {
		defer func() { _ = c.Close() }()
		r := bufio.NewReader(c)
		for _, text := range list {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
		_, _ = r.ReadByte()
	}
}

const (
	fine  = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	empty = "HTTP/1.1 204 No Content\r\n\r\n"
)

// A connection serves one call after the other, after it rested; longer where its answer had
// no body.
func TestPoolKeepsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, dials := behind(t, answers(fine, fine, empty, fine, fine, fine))
		for i, step := range []struct {
			pause time.Duration
			want  int
		}{
			{0, 1}, {rest, 1}, {rest, 1}, // the third is the one without a body
			{rest, 2}, {rest, 2}, {restLong, 2}, {0, 2}, {0, 3}, // the last but one finds the first connection rested
		} {
			time.Sleep(step.pause)
			if _, err := get(t, p, "GET"); err != nil || dials() != step.want {
				t.Fatalf("call %d: %d connections, want %d: %v", i+1, dials(), step.want, err)
			}
		}
	})
}

// Nobody uses a connection for long: it is closed. The pool closed: all are.
func TestPoolSweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		p, dials := behind(t, func(c net.Conn) { answers(fine, fine)(c); ended++ })
		if _, err := get(t, p, "GET"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(idleKept + time.Second)
		if synctest.Wait(); ended != 1 || len(p.idle) != 0 {
			t.Errorf("%d ended, %d kept", ended, len(p.idle))
		}
		if _, err := get(t, p, "GET"); err != nil || dials() != 2 {
			t.Errorf("%d connections: %v", dials(), err)
		}
		p.close()
		if synctest.Wait(); ended != 2 {
			t.Errorf("%d ended", ended)
		}
	})
}

// An upstream that ended a kept connection is asked again on a new one, if nothing can have
// happened; and whatever it says unasked ends the connection.
func TestPoolDeadConnections(t *testing.T) {
	for _, c := range []struct {
		name, method string
		first        func(net.Conn)
		dials        int
		fails        bool
	}{
		{"ended while idle", "PUT", func(c net.Conn) {
			r := bufio.NewReader(c)
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, fine)
			_ = c.Close()
		}, 2, false},
		{"ended when asked", "GET", func(c net.Conn) {
			r := bufio.NewReader(c)
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, fine)
			_, _ = http.ReadRequest(r)
			_ = c.Close()
		}, 2, false},
		{"ended when asked to change something", "POST", func(c net.Conn) {
			r := bufio.NewReader(c)
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, fine)
			_, _ = http.ReadRequest(r)
			_ = c.Close()
		}, 1, true},
		{"ended in mid-answer", "GET", func(c net.Conn) {
			r := bufio.NewReader(c)
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, fine)
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, "HTTP/1.1 200 ")
			_ = c.Close()
		}, 1, true},
		{"silent when asked", "GET", func(c net.Conn) { // whoever waited as long as the API allows is told so, and waits no second time
			r := bufio.NewReader(c)
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, fine)
			_, _ = http.ReadRequest(r)
			_, _ = r.ReadByte()
		}, 1, true},
		{"spoke unasked", "POST", func(c net.Conn) {
			r := bufio.NewReader(c)
			_, _ = http.ReadRequest(r)
			_, _ = io.WriteString(c, fine)
			_, _ = io.WriteString(c, fine)
			_, _ = r.ReadByte()
		}, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := true
				p, dials := behind(t, func(conn net.Conn) {
					if first {
						first = false
						c.first(conn)
						return
					}
					answers(fine)(conn)
				})
				if _, err := get(t, p, "GET"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(rest)
				_, err := get(t, p, c.method)
				if (err != nil) != c.fails || dials() != c.dials {
					t.Errorf("%d connections, want %d: %v", dials(), c.dials, err)
				}
			})
		})
	}
}

// An upstream that says everything twice at once, asked by many: each gets its own answer.
// With http.Transport alone about three in a thousand get another's.
func TestPoolNeverCrosses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			req, err := http.ReadRequest(r)
			if err != nil {
				_ = c.Close()
				return
			}
			one := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(req.RequestURI), req.RequestURI)
			_, _ = io.WriteString(c, one+one)
		}
	}
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			go server(c)
		}
	}()
	u, err := newUpstream(&domain.API{Name: "a", Upstream: "http://" + l.Addr().String()}, &Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.pool.close(); _ = l.Close() })
	log.SetOutput(io.Discard) // net/http tells of every surplus there
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	var callers sync.WaitGroup
	for i := range 16 {
		callers.Go(func() {
			for j := range 250 {
				own := fmt.Sprintf("/%d/%d", i, j)
				r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+l.Addr().String()+own, nil)
				res, err := u.pool.RoundTrip(r)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err != nil || string(got) != own {
					t.Errorf("%s got %s, %v", own, got, err)
				}
			}
		})
	}
	callers.Wait()
}

// A call that dials after its pool was closed, since the upstream of the API was changed, leaves
// no connection behind, of HTTP/2 neither.
func TestClosedPoolKeepsNothing(t *testing.T) {
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	ended := make(chan struct{}, 1)
	up.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			ended <- struct{}{}
		}
	}
	up.EnableHTTP2 = true
	up.StartTLS()
	t.Cleanup(up.Close)
	u, err := newUpstream(&domain.API{Name: "a", Upstream: up.URL}, &Config{Roots: up.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs})
	if err != nil {
		t.Fatal(err)
	}
	u.pool.close()
	r, _ := http.NewRequestWithContext(t.Context(), "GET", up.URL, nil)
	res, err := u.pool.RoundTrip(r)
	if err != nil || res.ProtoMajor != 2 {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	for len(u.pool.shared) > 0 && u.pool.shared[0].InFlight() > 0 {
		runtime.Gosched()
	}
	u.pool.sweep()
	select {
	case <-ended:
	case <-time.After(20 * time.Second): // ends a test that would hang
		t.Error("the connection stays open")
	}
}
