package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// inTime runs a test in which time passes as soon as nothing else happens.
func inTime(t *testing.T, f func(t *testing.T, s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newBubble(t)
		s.change(func(a *domain.API) { a.Timeouts = domain.Timeouts{Connect: 3, Answer: 20, Idle: 7} })
		f(t, s)
	})
}

// failure reads a 502 or 504 and checks that it names the request.
func (c *client) failure(status int, code string) {
	c.t.Helper()
	res, body, err := c.answer("GET")
	if err != nil || res.StatusCode != status {
		c.t.Fatalf("answered %v, %v, want %d", res, err, status)
	}
	if !strings.Contains(body, `"error":"`+code+`"`) || !strings.Contains(body, `"request_id":"`+res.Header.Get("X-Request-Id")+`"`) {
		c.t.Errorf("answered %s", body)
	}
}

func (s *scene) took(since time.Time, want time.Duration, reason string) {
	s.t.Helper()
	if got := time.Since(since); got < want || got > want+time.Second {
		s.t.Errorf("after %v, want %v", got, want)
	}
	synctest.Wait()
	if line := s.log.wait(1); !strings.Contains(line, `"reason":"`+reason+`"`) {
		s.t.Errorf("logged %s, want %s", line, reason)
	}
	if s.counted("reports", reason, "standard") != 1 {
		s.t.Errorf("not counted as %s", reason)
	}
}

// Each time limit has its name, its status, and ends the call when it says.
func TestTimeouts(t *testing.T) {
	const get = "GET / HTTP/1.1\nHost: h\n\n"
	t.Run("no connection", func(t *testing.T) {
		inTime(t, func(_ *testing.T, s *scene) {
			s.gateway.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			c, since := s.dial(), time.Now()
			c.send(get)
			c.failure(504, "gateway_timeout")
			s.took(since, 3*time.Second, "connect_timeout")
		})
	})
	t.Run("connection refused", func(t *testing.T) {
		inTime(t, func(_ *testing.T, s *scene) {
			s.gateway.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrClosedPipe }
			c, since := s.dial(), time.Now()
			c.send(get)
			c.failure(502, "bad_gateway")
			s.took(since, 0, "upstream_unreachable")
		})
	})
	t.Run("no answer", func(t *testing.T) {
		inTime(t, func(_ *testing.T, s *scene) {
			s.upstream.always("")
			c, since := s.dial(), time.Now()
			c.send(get)
			c.failure(504, "gateway_timeout")
			s.took(since, 20*time.Second, "answer_timeout")
		})
	})
	t.Run("no answer to a body", func(t *testing.T) {
		inTime(t, func(_ *testing.T, s *scene) {
			s.upstream.always("")
			c, since := s.dial(), time.Now()
			c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 2\n\n{}")
			c.failure(504, "gateway_timeout")
			s.took(since, 20*time.Second, "answer_timeout")
		})
	})
	t.Run("the answer stops", func(t *testing.T) {
		inTime(t, func(t *testing.T, s *scene) {
			s.upstream.always("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n")
			c, since := s.dial(), time.Now()
			c.send(get)
			if res, body, err := c.answer("GET"); err == nil || res.StatusCode != 200 || body != "ok" {
				t.Errorf("answered %v %q %v", res, body, err)
			}
			s.took(since, 7*time.Second, "idle_timeout")
		})
	})
	t.Run("the upstream stops taking", func(t *testing.T) {
		inTime(t, func(_ *testing.T, s *scene) {
			s.upstream.answer(func(h *heard) { _, _ = http.ReadRequest(h.r) })
			c, since := s.dial(), time.Now()
			go func() {
				_, _ = io.WriteString(c.Conn, crlf("POST / HTTP/1.1\nHost: h\nContent-Length: 900000\n\n"+strings.Repeat("x", 900000)))
			}()
			c.failure(504, "gateway_timeout")
			s.took(since, 7*time.Second, "idle_timeout")
		})
	})
	t.Run("the client stops sending", func(t *testing.T) {
		inTime(t, func(_ *testing.T, s *scene) {
			c, since := s.dial(), time.Now()
			c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 9\n\n{}")
			c.want(408, "")
			s.took(since, 7*time.Second, "client_timeout")
		})
	})
	t.Run("the client stops reading", func(t *testing.T) {
		inTime(t, func(t *testing.T, s *scene) {
			s.upstream.always("HTTP/1.1 200 OK\nContent-Length: 900000\n\n" + strings.Repeat("x", 900000))
			c, since := s.dial(), time.Now()
			c.send(get)
			s.log.wait(1)
			s.took(since, 9*time.Second, "client_timeout") // two seconds for what may still be said
			if _, _, err := c.answer("GET"); err == nil {
				t.Error("a well-formed answer")
			}
		})
	})
}

// The listener's timeouts are for short requests: neither an answer nor a body that moves
// is cut by them, nor one that waits as long as the API allows.
func TestLongCalls(t *testing.T) {
	t.Run("answer", func(t *testing.T) {
		inTime(t, func(t *testing.T, s *scene) {
			s.upstream.answer(func(h *heard) {
				h.request()
				h.say("HTTP/1.1 200 OK\nContent-Type: text/event-stream\n\n")
				for i := range 20 {
					time.Sleep(6 * time.Second)
					h.say(fmt.Sprintf("data: %d\n", i))
				}
				_ = h.Close()
			})
			c := s.dial()
			c.send("GET / HTTP/1.1\nHost: h\n\n")
			if _, body, err := c.answer("GET"); err != nil || strings.Count(body, "data: ") != 20 {
				t.Errorf("%q %v", body, err)
			}
		})
	})
	t.Run("waiting", func(t *testing.T) {
		inTime(t, func(_ *testing.T, s *scene) {
			s.upstream.answer(func(h *heard) {
				h.request()
				time.Sleep(19 * time.Second)
				h.say("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
			})
			c := s.dial()
			c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 2\n\n{}")
			c.want(200, "ok")
		})
	})
	t.Run("body", func(t *testing.T) {
		inTime(t, func(_ *testing.T, s *scene) {
			c := s.dial()
			c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 20\n\n")
			for range 20 {
				time.Sleep(6 * time.Second)
				c.send("x")
			}
			c.want(200, "ok")
			c.send("GET / HTTP/1.1\nHost: h\n\n") // the connection is as good as before
			c.want(200, "ok")
		})
	})
	t.Run("tunnel", func(t *testing.T) {
		inTime(t, func(t *testing.T, s *scene) {
			s.upstream.answer(echo)
			c := s.dial()
			c.send(upgrade)
			if res, err := http.ReadResponse(c.r, nil); err != nil || res.StatusCode != 101 {
				t.Fatalf("answered %v, %v", res, err)
			}
			for range 20 {
				time.Sleep(6 * time.Second)
				c.says("ping")
			}
			since := time.Now()
			if rest := c.closed(); rest != "" {
				t.Errorf("%q", rest)
			}
			s.took(since, 7*time.Second, "idle_timeout")
		})
	})
}

const upgrade = "GET /live HTTP/1.1\nHost: h\nConnection: Upgrade, X-Postern-Client\nUpgrade: websocket\nSec-WebSocket-Key: k\n\n"

// echo agrees to whatever protocol and sends back what comes.
func echo(h *heard) {
	r, _ := h.request()
	if r == nil {
		return
	}
	h.say("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: " + r.Header.Get("Upgrade") + "\nX-Request-Id: theirs\nX-RateLimit-Limit: 1\n\n")
	_, _ = io.Copy(h.Conn, h.r)
	_ = h.Close()
}

// says sends text and wants the same back.
func (c *client) says(text string) {
	c.t.Helper()
	c.raw(text)
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c.r, got); err != nil || string(got) != text {
		c.t.Fatalf("got %q, %v, want %q", got, err, text)
	}
}

// D-70: what belongs to a client that died ends, whatever it is doing.
func TestDeadClients(t *testing.T) {
	soon := 600 * time.Millisecond
	ended := func(t *testing.T, s *scene, since time.Time) {
		t.Helper()
		if d := time.Since(since); d > soon {
			t.Errorf("ended after %v", d)
		}
		synctest.Wait()
		if line := s.log.wait(1); !strings.Contains(line, `"reason":"revoked"`) {
			t.Errorf("logged %s", line)
		}
		if e := s.recorded(); len(e) != 1 || e[0].Reason != "revoked" || e[0].Client != "c1" || e[0].Action != domain.CallRefused {
			t.Errorf("recorded %+v", e)
		}
	}
	t.Run("stream", func(t *testing.T) {
		inTime(t, func(t *testing.T, s *scene) {
			s.upstream.answer(func(h *heard) {
				h.request()
				h.say("HTTP/1.1 200 OK\nContent-Type: text/event-stream\n\n")
				for h.err == nil {
					time.Sleep(100 * time.Millisecond)
					_, h.err = io.WriteString(h.Conn, "data: 1\n\n")
				}
			})
			c := s.dial()
			c.send("GET / HTTP/1.1\nHost: h\nClient: c1\n\n")
			time.AfterFunc(30*time.Second, func() { s.guard.dead.Store(true) })
			since := time.Now().Add(30 * time.Second)
			if _, body, err := c.answer("GET"); err == nil || strings.Count(body, "data") < 299 {
				t.Errorf("%q %v", body, err)
			}
			ended(t, s, since)
		})
	})
	t.Run("tunnel", func(t *testing.T) {
		inTime(t, func(t *testing.T, s *scene) {
			s.upstream.answer(echo)
			c := s.dial()
			c.send(strings.Replace(upgrade, "Host", "Client: c1\nHost", 1))
			if res, err := http.ReadResponse(c.r, nil); err != nil || res.StatusCode != 101 || res.Header["X-Request-Id"][0] == "theirs" || res.Header["X-Ratelimit-Limit"][0] != "600" {
				t.Fatalf("answered %v, %v", res, err)
			}
			c.says("ping")
			since := time.Now()
			s.guard.dead.Store(true)
			if rest := c.closed(); rest != "" {
				t.Errorf("%q", rest)
			}
			ended(t, s, since)
		})
	})
	t.Run("upload", func(t *testing.T) {
		inTime(t, func(t *testing.T, s *scene) {
			c := s.dial()
			c.send("POST / HTTP/1.1\nHost: h\nClient: c1\nContent-Length: 9\n\n{}")
			since := time.Now()
			s.guard.dead.Store(true)
			if res := c.want(503, ""); res.Header.Get("Retry-After") == "" { // RULES: never 401 where the node may only be stale
				t.Errorf("answered %v", res.Header)
			}
			ended(t, s, since)
		})
	})
	t.Run("short calls are not looked at", func(t *testing.T) {
		inTime(t, func(t *testing.T, s *scene) {
			s.guard.dead.Store(true)
			c := s.dial()
			c.send("GET / HTTP/1.1\nHost: h\n\n")
			c.want(200, "ok")
			time.Sleep(time.Minute)
			select {
			case <-s.guard.looked:
				t.Error("looked at after its end")
			default:
			}
		})
	})
}
