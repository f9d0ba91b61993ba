package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// mark is what only this client, in this round, may ever see.
func mark(client, round int) string { return fmt.Sprintf("mark-%03d-%04d", client, round) }

// An upstream that breaks the rules never makes one client see another's bytes: clients
// interleave over kept connections, each asks with a mark of its own and looks for others'.
func TestHostileUpstream(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\nContent-Length: %d\n\n%s"
	for name, evil := range map[string]func(h *heard, r *http.Request, mark string) (stay bool){
		"polite": func(h *heard, _ *http.Request, mark string) bool {
			h.say(fmt.Sprintf(ok, len(mark), mark))
			return true
		},
		"two lengths": func(h *heard, _ *http.Request, mark string) bool {
			h.say(fmt.Sprintf("HTTP/1.1 200 OK\nContent-Length: %d\nContent-Length: 5\n\n%s", len(mark), mark))
			return true
		},
		"length and chunks": func(h *heard, _ *http.Request, mark string) bool {
			h.say(fmt.Sprintf("HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked\n\n%x\n%s\n0\n\n", len(mark), mark))
			return true
		},
		"a second answer at once": func(h *heard, _ *http.Request, mark string) bool {
			one := fmt.Sprintf(ok, len(mark), mark)
			h.say(one + one)
			return true
		},
		"surplus bytes": func(h *heard, _ *http.Request, mark string) bool {
			h.say(fmt.Sprintf(ok, 4, mark))
			return true
		},
		"surplus after chunks": func(h *heard, _ *http.Request, mark string) bool {
			h.say(fmt.Sprintf("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n%x\n%s\n0\n\n%s", len(mark), mark, fmt.Sprintf(ok, len(mark), mark)))
			return true
		},
		"an answer to HEAD with a body": func(h *heard, _ *http.Request, mark string) bool {
			h.say(fmt.Sprintf(ok, len(mark), mark+fmt.Sprintf(ok, len(mark), mark)))
			return true
		},
		"204 with a body": func(h *heard, _ *http.Request, mark string) bool {
			h.say(fmt.Sprintf("HTTP/1.1 204 No Content\nContent-Length: %d\n\n%s", len(mark), fmt.Sprintf(ok, len(mark), mark)))
			return true
		},
		"304 with a body": func(h *heard, _ *http.Request, mark string) bool {
			h.say("HTTP/1.1 304 Not Modified\n\n" + fmt.Sprintf(ok, len(mark), mark))
			return true
		},
		"an early answer": func(h *heard, r *http.Request, mark string) bool { // the body is still under way
			h.say(fmt.Sprintf(ok, len(mark), mark))
			return true
		},
		"cut in mid-length": func(h *heard, _ *http.Request, mark string) bool {
			h.say(fmt.Sprintf(ok, 100, mark))
			return false
		},
		"cut in mid-chunk": func(h *heard, _ *http.Request, mark string) bool {
			h.say("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n40\n" + mark)
			return false
		},
		"cut in mid-header": func(h *heard, _ *http.Request, mark string) bool {
			h.say("HTTP/1.1 200 OK\nX-Mark: " + mark)
			return false
		},
		"1xx without end": func(h *heard, _ *http.Request, mark string) bool {
			for range 100 {
				if _, err := h.Write([]byte(crlf("HTTP/1.1 102 Processing\nX-Mark: " + mark + "\n\n"))); err != nil {
					return false
				}
			}
			h.say(fmt.Sprintf(ok, len(mark), mark))
			return true
		},
		"a few 1xx": func(h *heard, _ *http.Request, mark string) bool {
			h.say("HTTP/1.1 103 Early Hints\nX-Postern-Client: " + mark + "\nX-Mark: " + mark + "\n\n" + fmt.Sprintf(ok, len(mark), mark))
			return true
		},
		"a garbage status line": func(h *heard, _ *http.Request, mark string) bool {
			h.say(mark + "\n\n")
			return true
		},
		"status 000": func(h *heard, _ *http.Request, mark string) bool {
			h.say(fmt.Sprintf("HTTP/1.1 000 Nothing\nContent-Length: %d\n\n%s", len(mark), mark))
			return true
		},
		"101 that nobody asked for": func(h *heard, _ *http.Request, mark string) bool {
			h.say("HTTP/1.1 101 Switching Protocols\n\n" + mark)
			return true
		},
		"101 to what nobody asked for": func(h *heard, _ *http.Request, mark string) bool {
			h.say("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: evil\n\n" + mark)
			return true
		},
		"huge headers": func(h *heard, _ *http.Request, mark string) bool {
			h.say("HTTP/1.1 200 OK\nX: " + strings.Repeat(mark, 10<<10) + "\nContent-Length: 0\n\n")
			return true
		},
		"a length that is none": func(h *heard, _ *http.Request, mark string) bool {
			h.say("HTTP/1.1 200 OK\nContent-Length: -5\n\n" + mark)
			return true
		},
		"byte by byte": func(h *heard, _ *http.Request, mark string) bool {
			for _, b := range crlf(fmt.Sprintf(ok, len(mark), mark)) {
				h.say(string(b))
			}
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.upstream.answer(func(h *heard) {
				for {
					r, err := http.ReadRequest(h.r)
					if err != nil {
						return
					}
					if name != "an early answer" {
						drain(r)
					}
					stay := evil(h, r, r.URL.Query().Get("mark"))
					drain(r)
					if !stay {
						_ = h.Close()
						return
					}
				}
			})
			var clients sync.WaitGroup
			for i := range 6 {
				clients.Go(func() { s.victim(i, 24) })
			}
			clients.Wait()
		})
	}
}

func drain(r *http.Request) {
	for b := make([]byte, 4096); ; {
		if _, err := r.Body.Read(b); err != nil {
			return
		}
	}
}

// victim makes so many calls, over one connection while it lasts, and complains of what is
// another's.
func (s *scene) victim(i, rounds int) {
	c := s.dial()
	for round := range rounds {
		mine, method, body := mark(i, round), [...]string{"GET", "HEAD", "POST"}[round%3], ""
		if method == "POST" {
			body = strings.Repeat("x", 20<<10)
		}
		c.send(fmt.Sprintf("%s /?mark=%s HTTP/1.1\nHost: h\nClient: c%d\nContent-Length: %d\n\n%s", method, mine, i, len(body), body))
		all := &strings.Builder{}
		res, got, err := c.answer(method)
		for err == nil && res.StatusCode < 200 {
			all.WriteString(fmt.Sprint(res.Header))
			if res.Header.Get("X-Postern-Client") != "" {
				s.t.Errorf("interim %v", res.Header)
			}
			res, got, err = c.answer(method)
		}
		if res != nil {
			all.WriteString(fmt.Sprint(res.Header) + got)
		}
		if seen := strings.ReplaceAll(all.String(), mine, ""); strings.Contains(seen, "mark-") {
			s.t.Errorf("client %d in round %d saw %q", i, round, seen)
			return
		}
		if err != nil || res.Close {
			_ = c.Close()
			c = s.dial()
		}
	}
}

// What comes while a connection waits for its next call ends the connection, and what came
// is nobody's.
func TestUnaskedAnswer(t *testing.T) {
	s := newScene(t)
	ended := make(chan struct{})
	first := true // the upstream's goroutines follow each other
	s.upstream.answer(func(h *heard) {
		for {
			if r, _ := h.request(); r == nil {
				if first {
					first = false
					close(ended)
				}
				return
			}
			h.say("HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
			if first {
				s.log.wait(1)
				h.say("HTTP/1.1 200 OK\nContent-Length: 4\n\nevil")
			}
		}
	})
	c := s.dial()
	for range 3 {
		c.send("GET / HTTP/1.1\nHost: h\n\n")
		c.want(200, "ok")
		<-ended
	}
}

// To HTTP/1.0 the end of the connection is the end of the answer: half of one ends with an error.
func TestCutForHTTP10(t *testing.T) {
	for says, whole := range map[string]bool{
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n":      false,
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n": true,
	} {
		s := newScene(t)
		s.upstream.answer(func(h *heard) {
			h.request()
			h.say(says)
			_ = h.Close()
		})
		c := s.dial()
		c.send("GET / HTTP/1.0\nHost: h\n\n")
		if text, err := io.ReadAll(c.r); (err == nil) != whole || !strings.HasSuffix(string(text), "ok") && whole {
			t.Errorf("%q: %q, %v", says, text, err)
		}
	}
}

// How each break of the rules is answered where nobody else is there, and that the line of
// the call says it.
func TestBrokenAnswers(t *testing.T) {
	for _, c := range []struct {
		name, says string
		status     int    // 0: the answer is broken, not well-formed and short
		reason     string // empty: all is well
	}{
		{"no answer", "", 502, "upstream_cut"},
		{"cut in the head", "HTTP/1.1 200 OK\nX: a", 502, "upstream_cut"},
		{"garbage", "what?\n\n", 502, "upstream_malformed"},
		{"two lengths", "HTTP/1.1 200 OK\nContent-Length: 2\nContent-Length: 3\n\nokk", 502, "upstream_malformed"},
		{"a status that there is not", "HTTP/1.1 042 What\nContent-Length: 0\n\n", 502, "upstream_malformed"},
		{"101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\n\n", 502, "upstream_malformed"},
		{"headers without end", "HTTP/1.1 200 OK\nX: " + strings.Repeat("a", 70<<10) + "\n\n", 502, "upstream_malformed"},
		{"1xx without end", strings.Repeat("HTTP/1.1 102 Processing\n\n", 17) + "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 502, "upstream_malformed"},
		{"as many 1xx as may be", strings.Repeat("HTTP/1.1 102 Processing\n\n", 16) + "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, ""},
		{"cut in mid-length", "HTTP/1.1 200 OK\nContent-Length: 9\n\nok", 0, "upstream_cut"},
		{"cut in mid-length of much", "HTTP/1.1 200 OK\nContent-Length: 90000\n\n" + strings.Repeat("a", 80000), 0, "upstream_cut"},
		{"cut in mid-chunk", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n9\nok", 0, "upstream_cut"},
		{"cut between chunks", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n", 0, "upstream_cut"},
		{"cut in the trailer", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\nX: a", 0, "upstream_cut"},
		{"chunks that are none", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nxyz\nok\n0\n\n", 0, "upstream_cut"},
		{"204 with a length", "HTTP/1.1 204 No Content\nContent-Length: 2\n\nok", 204, ""},
		{"whole, and then gone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, ""},
		{"until the connection ends", "HTTP/1.0 200 OK\n\nok", 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.upstream.answer(func(h *heard) {
				if r, _ := h.request(); r != nil {
					h.say(c.says)
				}
				_ = h.Close()
			})
			conn := s.dial()
			conn.send("POST / HTTP/1.1\nHost: h\nContent-Length: 2\n\n{}")
			res, body, err := conn.answer("POST")
			for err == nil && res.StatusCode < 200 {
				res, body, err = conn.answer("POST")
			}
			switch {
			case c.status == 0 && err == nil:
				t.Errorf("a well-formed answer: %d %q", res.StatusCode, body)
			case c.status != 0 && (err != nil || res.StatusCode != c.status):
				t.Fatalf("answered %v, %v, want %d", res, err, c.status)
			}
			if c.status == 502 {
				want := `{"error":"bad_gateway","error_description":"the API gave no answer that could be passed on","request_id":"` + res.Header.Get("X-Request-Id") + `"}` + "\n"
				if body != want || res.Header.Get("X-Ratelimit-Limit") != "600" {
					t.Errorf("answered %s %v, want %s", body, res.Header, want)
				}
			}
			line := s.log.wait(1)
			if has := strings.Contains(line, `"reason":"`+c.reason+`"`); has != (c.reason != "") {
				t.Errorf("logged %s", line)
			}
			outcome := c.reason
			if outcome == "" {
				outcome = "allowed"
			}
			if s.counted("reports", outcome, "standard") != 1 {
				t.Errorf("not counted as %s", outcome)
			}
		})
	}
}
