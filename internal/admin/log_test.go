package admin_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines is where a log goes.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// What an answer keeps to itself, and says the log tells, the log tells: in the one line
// that each request has, under the id that the answer carries.
func TestTheLogSaysWhy(t *testing.T) {
	reg, socket := start(t)
	socket += "2"
	var out lines
	serveWith(t, socket, reg, &http.Server{ReadHeaderTimeout: time.Second}, slog.New(slog.NewTextHandler(&out, nil)))
	if err := reg.Store.Close(); err != nil {
		t.Fatal(err)
	}
	status, header, body := raw(t, socket, http.MethodGet, "/issuers", "")
	if status != http.StatusInternalServerError || !strings.Contains(body, "the server's log says why") {
		t.Fatalf("%d %s", status, body)
	}
	id := header.Get("X-Request-Id")
	for deadline := time.Now().Add(5 * time.Second); out.String() == "" && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond) // the line is written after the answer
	}
	for _, want := range []string{"request_id=" + id, "status=500", "method=GET", "/api/admin/issuers", "database is closed"} {
		if id == "" || !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the log: %s", want, out.String())
		}
	}
	if strings.Contains(body, "closed") || strings.Contains(out.String(), "invalid IP") {
		t.Errorf("%s\n%s", body, out.String())
	}
}
