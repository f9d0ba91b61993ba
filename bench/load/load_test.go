package main

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/bench/fixture"
)

// good answers as a token endpoint does; the header says alg ES256.
const good = `{"access_token": "eyJhbGciOiJFUzI1NiJ9.e30.c2ln","token_type":"Bearer"}`

var three = []fixture.Client{{ID: "a", Secret: "s&1", Scope: "read"}, {ID: "b", Secret: "s2"}, {ID: "c", Secret: "s3"}}

func noWait() error { return nil }

// runAsking asks for tokens of the three.
func runAsking(o options, ready func() error) (fixture.Report, error) {
	scripts, err := asking(o, three)
	if err != nil {
		return fixture.Report{}, err
	}
	return run(context.Background(), o, scripts, ready)
}

// start runs a server that notes who asked.
func start(t *testing.T, secure bool, answer func(w http.ResponseWriter, r *http.Request)) (url string, seen func() map[string]int) {
	t.Helper()
	var mu sync.Mutex
	ids := map[string]int{}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		mu.Lock()
		ids[r.PostForm.Get("client_id")+" "+r.PostForm.Get("client_secret")+" "+r.PostForm.Get("scope")]++
		mu.Unlock()
		answer(w, r)
	})
	server := httptest.NewUnstartedServer(handler)
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server.URL + "/token", func() map[string]int { mu.Lock(); defer mu.Unlock(); return ids }
}

func TestEachClientIsAskedFor(t *testing.T) {
	url, seen := start(t, false, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(good)) })
	o := options{URL: url, Connections: 2, Requests: 30, Duration: 10 * time.Second, Pick: "each"}
	report, err := runAsking(o, noWait)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"a s&1 read": 10, "b s2 ": 10, "c s3 ": 10}, seen()); diff != "" {
		t.Error(diff)
	}
	if report.Answers != 30 || report.Statuses["200"] != 30 || report.Algorithm != "ES256" || report.TokenBytes != 29 {
		t.Errorf("%+v", report)
	}
	if report.P50 <= 0 || report.P99 < report.P50 || report.Connections != 0 {
		t.Errorf("%+v: connections are opened before the measured part", report)
	}
}

func TestConnections(t *testing.T) {
	for name, c := range map[string]struct {
		secure, fresh, closing bool
		want                   int
	}{
		"kept":              {want: 0},
		"kept with TLS":     {secure: true, want: 0},
		"new each":          {fresh: true, want: 12},
		"new each with TLS": {fresh: true, secure: true, want: 12},
		"server closes":     {closing: true, want: 11}, // the first was open
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := start(t, c.secure, func(w http.ResponseWriter, _ *http.Request) {
				if c.closing {
					w.Header().Set("Connection", "close")
				}
				_, _ = w.Write([]byte(good))
			})
			o := options{URL: url, Connections: 1, Requests: 12, Duration: 10 * time.Second, Pick: "zipf", NewConnection: c.fresh}
			report, err := runAsking(o, noWait)
			if err != nil || report.Answers != 12 || report.Connections != c.want {
				t.Errorf("%+v, %v; want %d connections", report, err, c.want)
			}
		})
	}
}

// The harness reads the CPU time between warm-up and measured part: nothing of
// the warm-up may be counted, nothing measured may come before ready.
func TestWarmupIsNotCounted(t *testing.T) {
	var asked atomic.Int64
	url, _ := start(t, false, func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); _, _ = w.Write([]byte(good)) })
	o := options{URL: url, Connections: 2, Requests: 5, Warmup: 7, Duration: 10 * time.Second, Pick: "uniform"}
	var before int64
	report, err := runAsking(o, func() error { before = asked.Load(); return nil })
	if err != nil || before != 7 || asked.Load() != 12 || report.Answers != 5 || report.Statuses["200"] != 5 {
		t.Errorf("%+v, %v: %d before ready, %d in all", report, err, before, asked.Load())
	}
}

func TestUnexpectedAnswerEndsTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		guess  bool
	}{
		"refused":          {401, `{"error":"invalid_client"}`, false},
		"no token":         {200, `{"token_type":"Bearer"}`, false},
		"opaque token":     {200, `{"access_token":"abc"}`, false},
		"guess that works": {200, good, true},
		"guess and 500":    {500, `{}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := start(t, false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status); _, _ = w.Write([]byte(c.body)) })
			o := options{URL: url, Connections: 2, Requests: 100, Duration: 10 * time.Second, Pick: "uniform", Guess: c.guess}
			if report, err := runAsking(o, noWait); err == nil {
				t.Errorf("no error: %+v", report)
			}
		})
	}
}

func TestGuessesAreWrong(t *testing.T) {
	url, seen := start(t, false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401); _, _ = w.Write([]byte(`{}`)) })
	o := options{URL: url, Connections: 2, Requests: 40, Duration: 10 * time.Second, Pick: "uniform", Guess: true}
	report, err := runAsking(o, noWait)
	if err != nil || report.Statuses["401"] != 40 {
		t.Fatalf("%+v, %v", report, err)
	}
	unknown := 0
	for key := range seen() {
		if strings.Contains(key, "s&1") || strings.Contains(key, "s2") || strings.Contains(key, "s3") {
			t.Errorf("a right secret was sent: %q", key)
		}
		if strings.HasPrefix(key, "unknown-") {
			unknown++
		}
	}
	if len(seen()) != 40 || unknown != 10 {
		t.Errorf("%d different guesses, %d of unknown clients", len(seen()), unknown)
	}
}

func TestTimeEndsTheRun(t *testing.T) {
	url, _ := start(t, false, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(good)) })
	o := options{URL: url, Connections: 1, Requests: 1 << 30, Duration: 50 * time.Millisecond, Pick: "uniform"}
	report, err := runAsking(o, noWait)
	if err != nil || report.Answers == 0 || report.Answers == o.Requests {
		t.Errorf("%+v, %v", report, err)
	}
}

// Whatever a server sends, reading ends without a panic; what is read as an answer
// reads the same with net/http.
func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\ncontent-length:0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readAnswer(bufio.NewReaderSize(bytes.NewReader(data), maxAnswer))
		if err != nil {
			return
		}
		_, _ = accessToken(a.body)
		want, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), nil)
		if err != nil {
			return // this reader is laxer: it trusts its own server
		}
		_ = want.Body.Close()
		if want.StatusCode != a.status {
			t.Errorf("status %d, net/http reads %d", a.status, want.StatusCode)
		}
	})
}
