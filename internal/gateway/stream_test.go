package gateway_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
)

// Nothing waits for the end of a body: each side hears what the other says as it says it.
func TestStreaming(t *testing.T) {
	s := newScene(t)
	next := make(chan string)
	s.upstream.answer(func(h *heard) {
		for {
			r, err := http.ReadRequest(h.r)
			if err != nil {
				return
			}
			h.say("HTTP/1.1 200 OK\nContent-Type: text/event-stream\nTransfer-Encoding: chunked\n\n")
			for b := make([]byte, 64); err == nil; {
				var n int
				if n, err = r.Body.Read(b); n > 0 {
					next <- string(b[:n])
					h.say("3\n" + <-next + "\n")
				}
			}
			h.say("0\n\n")
		}
	})
	for _, client := range []func() (io.Writer, func() io.Reader, func()){s.http1, s.http2Stream} {
		out, in, end := client()
		var from *bufio.Reader
		for _, word := range []string{"one", "two", "six"} {
			if _, err := io.WriteString(out, word); err != nil {
				t.Fatal(err)
			}
			if got := <-next; got != word {
				t.Fatalf("the upstream heard %q, want %q", got, word)
			}
			next <- strings.ToUpper(word)
			if from == nil {
				from = bufio.NewReader(in())
			}
			got := make([]byte, 3)
			if _, err := io.ReadFull(from, got); err != nil || string(got) != strings.ToUpper(word) {
				t.Fatalf("the client heard %q, %v", got, err)
			}
		}
		end()
		if rest, err := io.ReadAll(from); err != nil || len(rest) > 0 {
			t.Errorf("in the end %q, %v", rest, err)
		}
	}
}

// chunks writes each piece as one chunk.
type chunks struct{ c *client }

func (w chunks) Write(p []byte) (int, error) {
	w.c.raw(string("0123456789abcdef"[len(p)]) + "\r\n" + string(p) + "\r\n")
	return len(p), nil
}

func (s *scene) http1() (io.Writer, func() io.Reader, func()) {
	c := s.dial()
	c.send("POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n")
	return chunks{c}, func() io.Reader {
		res, err := http.ReadResponse(c.r, nil)
		s.check(err)
		return res.Body
	}, func() { c.send("0\n\n") }
}

func (s *scene) http2Stream() (io.Writer, func() io.Reader, func()) {
	s.front.Close()
	s.tls()
	r, w := io.Pipe()
	answers := make(chan *http.Response, 1)
	go func() {
		req, err := http.NewRequest(http.MethodPost, s.front.URL, r)
		s.check(err)
		res, err := s.front.Client().Do(req)
		s.check(err)
		answers <- res
	}()
	return w, func() io.Reader {
		res := <-answers
		if res.ProtoMajor != 2 {
			s.t.Errorf("spoke %s", res.Proto)
		}
		s.t.Cleanup(func() { _ = res.Body.Close() })
		return res.Body
	}, func() { _ = w.Close() }
}

// Expect: 100-continue is the upstream's to answer (RFC 9110 §10.1.1).
func TestExpect(t *testing.T) { inTime(t, testExpect) }

func testExpect(t *testing.T, s *scene) {
	s.upstream.answer(func(h *heard) {
		r, err := http.ReadRequest(h.r)
		if err != nil || r.Header.Get("Expect") != "100-continue" {
			h.say("HTTP/1.1 500 What\nContent-Length: 0\n\n")
			return
		}
		if r.URL.Path == "/base/no" {
			h.say("HTTP/1.1 417 No\nContent-Length: 0\nConnection: close\n\n")
			return
		}
		h.say("HTTP/1.1 100 Continue\n\n")
		body, _ := io.ReadAll(r.Body)
		h.say("HTTP/1.1 200 OK\nContent-Length: 2\n\n" + string(body))
	})
	c := s.dial()
	c.send("POST / HTTP/1.1\nHost: h\nContent-Length: 2\nExpect: 100-continue\n\n")
	c.want(100, "")
	c.send("ok")
	c.want(200, "ok")
	before := len(s.upstream.text())
	c.send("POST /no HTTP/1.1\nHost: h\nContent-Length: 2\nExpect: 100-continue\n\n")
	c.want(417, "")
	if sent := s.upstream.text()[before:]; !strings.HasSuffix(sent, "\r\n\r\n") {
		t.Errorf("sent a body: %q", sent)
	}
}

// HTTP/1.0 knows no interim answers.
func TestInterimAnswers(t *testing.T) {
	s := newScene(t)
	s.upstream.always("HTTP/1.1 103 Early Hints\nLink: </a>\nX-Request-Id: theirs\n\nHTTP/1.1 200 OK\nContent-Length: 2\n\nok")
	c := s.dial()
	c.send("GET / HTTP/1.0\nHost: h\nConnection: keep-alive\n\n")
	c.want(200, "ok")
	c.send("GET / HTTP/1.1\nHost: h\n\n")
	hints := c.want(103, "")
	if id := hints.Header["X-Request-Id"]; hints.Header.Get("Link") != "</a>" || len(id) != 1 || id[0] == "theirs" {
		t.Errorf("hinted %v", hints.Header)
	}
	res := c.want(200, "ok")
	if res.Header.Get("X-Request-Id") != hints.Header.Get("X-Request-Id") || res.Header.Get("X-Ratelimit-Limit") != "600" || res.Header.Get("Link") != "" {
		t.Errorf("answered %v", res.Header)
	}
}

// A route that upgrades: what the client sends early is not lost, and what both say passes.
// One that does not: the upstream is not even asked.
func TestUpgrade(t *testing.T) {
	s := newScene(t)
	s.upstream.answer(echo)
	c := s.dial()
	c.send(upgrade + "early")
	if res, err := http.ReadResponse(c.r, nil); err != nil || res.StatusCode != 101 || res.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("answered %v, %v", res, err)
	}
	c.says("")
	early := make([]byte, 5)
	if _, err := io.ReadFull(c.r, early); err != nil || string(early) != "early" {
		t.Errorf("%q, %v", early, err)
	}
	c.says(strings.Repeat("ping", 20_000))
	_ = c.Close()
	if line := s.log.wait(1); !strings.Contains(line, `"status":101`) || strings.Contains(line, `"reason"`) {
		t.Errorf("logged %s", line)
	}
	if _, got := fields(s.upstream.text()); got["X-Postern-Client"] == nil || got["Upgrade"][0] != "websocket" {
		t.Errorf("sent %v", got)
	}
	s.upstream.answer(polite)
	before := len(s.upstream.text())
	for _, plain := range []string{upgrade, strings.Replace(upgrade, "websocket", "h2c", 1), strings.Replace(upgrade, "websocket", "websocket, h2c", 1)} {
		if plain == upgrade {
			s.guard.edit = func(_ *http.Request, v *guard.Verdict) { r := *v.Route; r.Upgrade = false; v.Route = &r }
		} else {
			s.guard.edit = nil
		}
		c = s.dial()
		c.send(plain)
		c.want(200, "ok")
	}
	if sent := s.upstream.text()[before:]; strings.Contains(sent, "Upgrade") || strings.Contains(sent, "Connection") {
		t.Errorf("sent %q", sent)
	}
}

// A client that goes takes its call with it.
func TestClientGone(t *testing.T) {
	for _, c := range []struct{ name, before string }{
		{"while the upstream thinks", ""},
		{"in mid-answer", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			asked, ended := make(chan struct{}), make(chan struct{})
			s.upstream.answer(func(h *heard) {
				if r, _ := h.request(); r == nil {
					return
				}
				h.say(c.before)
				close(asked)
				_, _ = io.Copy(io.Discard, h.r)
				close(ended)
			})
			conn := s.dial()
			conn.send("GET / HTTP/1.1\nHost: h\n\n")
			<-asked
			if c.before != "" {
				if _, err := http.ReadResponse(conn.r, nil); err != nil {
					t.Fatal(err)
				}
			}
			_ = conn.Close()
			<-ended
			if line := s.log.wait(1); !strings.Contains(line, `"reason":"client_gone"`) {
				t.Errorf("logged %s", line)
			}
		})
	}
}

// D-70 with the real guard: disabling the client ends its stream.
func TestDisabledInMidStream(t *testing.T) {
	n := newTown(t)
	n.upstream.answer(func(h *heard) {
		if r, _ := h.request(); r != nil {
			h.say("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n")
			_, _ = io.Copy(io.Discard, h.r)
		}
	})
	c := n.dial()
	c.send("GET /v1/me HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer " + n.token("c1") + "\n\n")
	res, err := http.ReadResponse(c.r, nil)
	n.check(err)
	if _, err := io.ReadFull(res.Body, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	n.update("c1", func(c *domain.Client) { c.Status, c.Epoch = domain.Disabled, c.Epoch+1 })
	if rest, err := io.ReadAll(res.Body); err == nil || len(rest) > 0 {
		t.Errorf("%q %v", rest, err)
	}
	if line := n.log.wait(1); !strings.Contains(line, `"reason":"revoked"`) || !strings.Contains(line, `"client":"c1"`) {
		t.Errorf("logged %s", line)
	}
}

// A server that stops ends what http.Server.Shutdown leaves alone, and tells of it.
func TestCloseEndsUpgraded(t *testing.T) {
	s := newScene(t)
	s.upstream.answer(echo)
	c := s.dial()
	c.send(upgrade)
	if res, err := http.ReadResponse(c.r, nil); err != nil || res.StatusCode != 101 {
		t.Fatal(res, err)
	}
	s.gateway.Close()
	if rest := c.closed(); rest != "" {
		t.Errorf("then %q", rest)
	}
	if line := s.log.wait(1); !strings.Contains(line, `"reason":"aborted"`) || !strings.Contains(line, "this node stops") {
		t.Errorf("logged %s", line)
	}
}
