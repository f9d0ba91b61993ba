package request_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/request"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func begin(r *http.Request, trusted ...netip.Prefix) (*request.Exchange, *httptest.ResponseRecorder) {
	w := httptest.NewRecorder()
	return request.Begin(w, r, start, request.NewProxies(trusted...)), w
}

// OMN-08: our id on every answer, the caller's own beside it. D-35: what the caller sends is
// harmless, or not there.
func TestCorrelation(t *testing.T) {
	for _, c := range []struct {
		name   string
		header http.Header
		want   string
	}{
		{"none", http.Header{}, ""},
		{"correlation id", http.Header{"X-Correlation-Id": {"a-1_b.c:d/e+f=g@h~i"}}, "a-1_b.c:d/e+f=g@h~i"},
		{"request id", http.Header{"X-Request-Id": {"r1"}}, "r1"},
		{"both", http.Header{"X-Correlation-Id": {"c1"}, "X-Request-Id": {"r1"}}, "c1"},
		{"the first is odd", http.Header{"X-Correlation-Id": {"c 1"}, "X-Request-Id": {"r1"}}, "r1"},
		{"D-35 a line end", http.Header{"X-Request-Id": {"a\r\nSet-Cookie: b"}}, ""},
		{"D-35 10 KB", http.Header{"X-Request-Id": {strings.Repeat("a", 10<<10)}}, ""},
		{"as long as it may be", http.Header{"X-Request-Id": {strings.Repeat("a", 128)}}, strings.Repeat("a", 128)},
		{"one more", http.Header{"X-Request-Id": {strings.Repeat("a", 129)}}, ""},
		{"two of them", http.Header{"X-Request-Id": {"a", "b"}}, ""},
		{"empty", http.Header{"X-Request-Id": {""}}, ""},
		{"a quote", http.Header{"X-Request-Id": {`a"b`}}, ""},
		{"markup", http.Header{"X-Request-Id": {"<b>"}}, ""},
		{"beyond ASCII", http.Header{"X-Request-Id": {"ä"}}, ""},
		{"D-103 a formula may stand in a log", http.Header{"X-Request-Id": {"=1+1"}}, "=1+1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/token", nil)
			r.Header = c.header
			ex, w := begin(r)
			ex.WriteHeader(http.StatusOK)
			if ex.Correlation != c.want {
				t.Errorf("got %q, want %q", ex.Correlation, c.want)
			}
			if got := strings.Join(w.Result().Header["X-Correlation-Id"], ","); got != c.want {
				t.Errorf("answered %q, want %q", got, c.want)
			}
			id, err := domain.ParseEventID(w.Result().Header.Get("X-Request-Id"))
			if err != nil || id != ex.Event || !id.Time().Equal(start) {
				t.Errorf("our own id: %s, %v", id, err)
			}
		})
	}
}

// D-20: forwarded headers are believed from trusted proxies only, and the right-most address
// that is not one of theirs is who it was.
func TestSource(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "192.0.2.1:1234", nil, "192.0.2.1"},
		{"a liar", "192.0.2.1:1234", []string{"198.51.100.9"}, "192.0.2.1"},
		{"a proxy that says nothing", "10.0.0.1:1234", nil, "10.0.0.1"},
		{"a proxy", "10.0.0.1:1234", []string{"198.51.100.9"}, "198.51.100.9"},
		{"what the client put before", "10.0.0.1:1234", []string{"203.0.113.5, 198.51.100.9"}, "198.51.100.9"},
		{"what the client put before, in a header of its own", "10.0.0.1:1234", []string{"203.0.113.5", "198.51.100.9"}, "198.51.100.9"},
		{"two proxies", "10.0.0.1:1234", []string{"198.51.100.9, 10.0.0.2"}, "198.51.100.9"},
		{"a client that claims to be a proxy", "10.0.0.1:1234", []string{"10.9.9.9, 198.51.100.9"}, "198.51.100.9"},
		{"proxies only", "10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"nobody vouches beyond what is no address", "10.0.0.1:1234", []string{"198.51.100.9, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"what is no address", "10.0.0.1:1234", []string{"unknown"}, "10.0.0.1"},
		{"empty", "10.0.0.1:1234", []string{""}, "10.0.0.1"},
		{"with a port", "10.0.0.1:1234", []string{"198.51.100.9:5555"}, "198.51.100.9"},
		{"spaces", "10.0.0.1:1234", []string{"  198.51.100.9  ,10.0.0.2"}, "198.51.100.9"},
		{"IPv6", "[fd00::1]:1234", []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv6 with a port", "[fd00::1]:1234", []string{"[2001:db8::1]:5555"}, "2001:db8::1"},
		{"IPv4 in IPv6 is IPv4", "[::ffff:10.0.0.1]:1234", []string{"::ffff:198.51.100.9"}, "198.51.100.9"},
		{"a zone is no part of an address", "[fe80::1%eth0]:1234", nil, "fe80::1"},
		{"no address at all", "@", []string{"198.51.100.9"}, "invalid IP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/token", nil)
			r.RemoteAddr = c.peer
			if c.forwarded != nil {
				r.Header["X-Forwarded-For"] = c.forwarded
			}
			r.Header.Set("Forwarded", "for=203.0.113.77")
			r.Header.Set("X-Real-Ip", "203.0.113.77")
			if ex, _ := begin(r, trusted...); ex.Source.String() != c.want {
				t.Errorf("got %s, want %s", ex.Source, c.want)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter)
		want   int
	}{
		{"written", func(w http.ResponseWriter) { w.WriteHeader(http.StatusTeapot) }, http.StatusTeapot},
		{"left out", func(w http.ResponseWriter) { _, _ = w.Write(nil) }, http.StatusOK},
		{"after an early hint", func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNoContent)
		}, http.StatusNoContent},
		{"only the first counts", func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusUnauthorized)
			w.WriteHeader(http.StatusOK)
		}, http.StatusUnauthorized},
		{"not one after the body", func(w http.ResponseWriter) {
			_, _ = w.Write([]byte("x"))
			w.WriteHeader(http.StatusInternalServerError)
		}, http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			noted := 0
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ex := request.Begin(w, r, start, nil)
				c.answer(ex)
				noted = ex.Status
			}))
			s.Config.ErrorLog = log.New(io.Discard, "", 0) // of second statuses
			s.Start()
			answer, err := http.Get(s.URL)
			s.Close()
			if err != nil || answer.Body.Close() != nil {
				t.Fatal(err)
			}
			if noted != c.want || answer.StatusCode != c.want {
				t.Errorf("noted %d, answered %d, want %d", noted, answer.StatusCode, c.want)
			}
		})
	}
	ex, w := begin(httptest.NewRequest(http.MethodGet, "/", nil))
	if err := http.NewResponseController(ex).Flush(); err != nil || !w.Flushed {
		t.Errorf("http.ResponseController does not reach through: %v", err)
	}
}

func logged(t *testing.T, handler func(*bytes.Buffer) slog.Handler, r *http.Request, fill func(*request.Exchange)) string {
	t.Helper()
	var b bytes.Buffer
	ex, _ := begin(r)
	ex.WriteHeader(http.StatusOK)
	if fill != nil {
		fill(ex)
	}
	ex.Log(slog.New(handler(&b)), r, 1500*time.Microsecond)
	return b.String()
}

func jsonHandler(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) }
func textHandler(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) }

// OMN-08, D-37, D-04: one line, with what is known, and of the request neither query nor header
// nor body.
func TestLog(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/oauth2/token?client_secret=canary", strings.NewReader("client_secret=canary"))
	r.Host = "auth.example.com"
	r.Header.Set("Authorization", "Basic canary")
	r.Header.Set("User-Agent", "canary")
	r.Header.Set("Cookie", "canary")
	r.Header.Set("X-Correlation-Id", "c1")
	var event string
	line := logged(t, jsonHandler, r, func(ex *request.Exchange) {
		ex.Issuer, ex.Client, ex.Reason, ex.Err, ex.Status = "main", "c", "scope_invalid", errors.New("why"), 400
		event = ex.Event.String()
	})
	if strings.Contains(line, "canary") {
		t.Errorf("logged: %s", line)
	}
	if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
		t.Errorf("not one line: %q", line)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"request_id": event, "method": "POST", "host": "auth.example.com", "path": "/oauth2/token", "status": 400.0, "us": 1500.0, "source": "192.0.2.1",
		"issuer": "main", "client": "c", "reason": "scope_invalid", "correlation_id": "c1", "error": "why", "level": "INFO", "msg": "request",
	} {
		if got[name] != want {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
		delete(got, name)
	}
	delete(got, "time")
	if len(got) > 0 {
		t.Errorf("logged too: %v", got)
	}
	plain := logged(t, jsonHandler, httptest.NewRequest(http.MethodGet, "/", nil), nil)
	for _, name := range []string{"issuer", "client", "reason", "correlation_id", "error"} {
		if strings.Contains(plain, `"`+name+`"`) {
			t.Errorf("%s is not known, and logged: %s", name, plain)
		}
	}
	if broken := logged(t, jsonHandler, r, func(ex *request.Exchange) { ex.Status = 503 }); !strings.Contains(broken, `"level":"ERROR"`) {
		t.Errorf("a failure of ours is not an error: %s", broken)
	}
}

func TestLogOff(t *testing.T) {
	errorsOnly := func(b *bytes.Buffer) slog.Handler {
		return slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelError})
	}
	if line := logged(t, errorsOnly, httptest.NewRequest(http.MethodGet, "/", nil), nil); line != "" {
		t.Errorf("logged: %s", line)
	}
}

// D-108: what comes in makes no lines of its own.
func TestLogForging(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/a%0Alevel=ERROR%0D%1b%5b31m%22", nil)
	r.Host = "x\nlevel=ERROR"
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{"json": jsonHandler, "text": textHandler} {
		line := logged(t, handler, r, nil)
		if strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\r\x1b") || strings.Contains(line, " level=ERROR") {
			t.Errorf("%s: %q", name, line)
		}
		if !strings.Contains(line, `/a\nlevel=ERROR\r`) {
			t.Errorf("%s: the path is not escaped: %q", name, line)
		}
	}
}

// Whoever sends long lines does not fill the disk with them.
func TestLogBounded(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/"+strings.Repeat("ä", 10_000), nil)
	r.Host, r.Method = strings.Repeat("h", 10_000), strings.Repeat("M", 10_000)
	line := logged(t, jsonHandler, r, nil)
	if len(line) > 1500 {
		t.Errorf("a line of %d bytes", len(line))
	}
	var got struct{ Path, Host, Method string }
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.Path, "/ää") || strings.ContainsRune(got.Path, '\ufffd') || !strings.HasPrefix(got.Host, "hh") || !strings.HasPrefix(got.Method, "MM") {
		t.Errorf("got %+v", got)
	}
}
