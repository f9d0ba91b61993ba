package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/bench/fixture"
)

var someCalls = &fixture.Calls{
	Known: []fixture.Call{{Token: "known-0", Path: "/v1/a"}, {Token: "known-1", Path: "/v1/b"}},
	Fresh: []fixture.Call{{Token: "fresh-0", Path: "/v1/a"}, {Token: "fresh-1", Path: "/v1/b"}, {Token: "fresh-2", Path: "/v1/a"}},
}

func runCalling(o options) (fixture.Report, error) {
	scripts, err := calling(o, someCalls)
	if err != nil {
		return fixture.Report{}, err
	}
	return run(context.Background(), o, scripts, noWait)
}

// api answers as bench/upstream does and counts tokens, and methods with the size of their bodies.
func api(t *testing.T) (url string, tokens, bodies func() map[string]int) {
	t.Helper()
	var mu sync.Mutex
	seen, sizes := map[string]int{}, map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		seen[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]++
		sizes[r.Method] += len(body)
		sizes["calls by "+r.Method]++
		mu.Unlock()
		_, _ = w.Write(fixture.AppendAnswer(nil, r.Method, r.URL.Path, len(body)))
	}))
	t.Cleanup(server.Close)
	copied := func(m map[string]int) func() map[string]int {
		return func() map[string]int { mu.Lock(); defer mu.Unlock(); return m }
	}
	return server.URL, copied(seen), copied(sizes)
}

func TestCallsAreOfTheKindsWanted(t *testing.T) {
	url, tokens, bodies := api(t)
	o := options{URL: url, Connections: 2, Requests: 40, Duration: 10 * time.Second, Pick: "each", FreshEvery: 20, FreshFrom: 1}
	report, err := runCalling(o)
	if err != nil || report.Answers != 40 || report.Fresh != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	// The two that are fresh fall on ticket 0, which is even, and 21, which is odd.
	if diff := cmp.Diff(map[string]int{"known-0": 19, "known-1": 19, "fresh-1": 1, "fresh-2": 1}, tokens()); diff != "" {
		t.Error(diff)
	}
	want := map[string]int{"GET": 0, "POST": 20 * bodySize, "calls by GET": 20, "calls by POST": 20}
	if diff := cmp.Diff(want, bodies()); diff != "" {
		t.Error(diff)
	}
}

// What was sent is not fresh: the run ends rather than send it again.
func TestFreshCallsRunOut(t *testing.T) {
	url, tokens, _ := api(t)
	o := options{URL: url, Connections: 1, Requests: 100, Duration: 10 * time.Second, Pick: "each", FreshEvery: 10}
	if report, err := runCalling(o); err == nil {
		t.Errorf("%+v", report)
	}
	if tokens()["fresh-2"] != 1 {
		t.Error(tokens())
	}
}

func TestUnexpectedAnswerToACall(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"refused":          {403, `{"method":"GET","path":"/v1/a","received":0}`},
		"another's answer": {200, `{"method":"GET","path":"/v1/b","received":0}`},
		"cut off":          {200, `{"method":"GET","path":"/v1/a","received":0`},
	} {
		t.Run(name, func(t *testing.T) {
			s := &call{expect: fixture.AppendAnswer(nil, "GET", "/v1/a", 0)}
			if err := s.check(answer{status: c.status, body: []byte(c.body)}); err == nil {
				t.Error("passes")
			}
		})
	}
}

// What is written by hand is what net/http reads.
func TestCallIsARequest(t *testing.T) {
	raw := appendCall(nil, "api.example:80", http.MethodPost, fixture.Call{Token: "t.o.k", Path: "/v1/a"}, postBody())
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) != 1024 || r.Host != "api.example:80" || r.Header.Get("Authorization") != "Bearer t.o.k" || r.URL.Path != "/v1/a" {
		t.Errorf("%+v, %d bytes, %v", r, len(body), err)
	}
}

// With questions every call is a POST of the one it names, and its own answer is wanted.
func TestCallsAskQuestions(t *testing.T) {
	list := &fixture.Calls{
		Known:     []fixture.Call{{Token: "t", Path: "/g"}, {Token: "t", Path: "/g", Question: 1}},
		Questions: []fixture.Question{{Body: "{first}", Answer: "1"}, {Body: "{second}", Answer: "2"}},
	}
	scripts, err := calling(options{URL: "http://api.example:80", Connections: 1, Requests: 2, Duration: time.Second, Pick: "each"}, list)
	if err != nil {
		t.Fatal(err)
	}
	for ticket, want := range list.Questions {
		message, err := scripts[0].message(int64(ticket))
		if err != nil || !bytes.HasPrefix(message, []byte("POST /g ")) || !bytes.HasSuffix(message, []byte("\r\n\r\n"+want.Body)) {
			t.Errorf("%v: %s", err, message)
		}
		other := list.Questions[1-ticket].Answer
		if scripts[0].check(answer{status: 200, body: []byte(want.Answer)}) != nil || scripts[0].check(answer{status: 200, body: []byte(other)}) == nil {
			t.Errorf("question %d takes another's answer", ticket)
		}
	}
}
