package audit_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth/jwt"
)

// trail is chains whose heads a test moves, and a place for checkpoints that may be down.
type trail struct {
	mu   sync.Mutex
	seq  domain.Seq
	down error
	got  []string
}

func (r *trail) Follow(context.Context, domain.Seq, int) ([]domain.Change, error) { return nil, nil }
func (r *trail) Head(context.Context) (domain.Head, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return domain.Head{Incarnation: "ERA", Seq: r.seq, Hash: []byte{byte(r.seq)}}, nil
}

func (r *trail) BatchHeads(context.Context, []audit.Point) ([]audit.Point, error) { return nil, nil }

func (r *trail) String() string { return "test" }

func (r *trail) Send(_ context.Context, text string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down != nil {
		return r.down
	}
	r.got = append(r.got, text)
	return nil
}

// sent is what has come so far.
func (r *trail) sent() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// set changes the trail while somebody else reads it.
func (r *trail) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func checkpointer(t *testing.T, log io.Writer, r *trail, sinks ...audit.Sink) *audit.Checkpointer {
	t.Helper()
	s, _ := signer(t)
	return audit.NewCheckpointer(audit.CheckpointOptions{
		Node: "n", Tokens: audit.Off, Every: 5 * time.Minute, Feed: r, Heads: r, Signer: func(context.Context) (*jwt.Signer, error) { return s, nil },
		Sinks: sinks, Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
}

// lines is a log that is read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// RULES "Audit": checkpoints leave the system where something has happened, a place that is
// down gets them later and keeps no other waiting, and the last one comes at the end.
// D-106: that audit.tokens is off is told in each of them.
func TestCheckpointer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		good, bad := &trail{seq: 1}, &trail{down: errors.New("no route")}
		c := checkpointer(t, &log, good, bad, good)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { c.Run(ctx); close(done) }()
		sleep := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		sleep(5*time.Minute - time.Second)
		want(t, "before the time", len(good.sent()), 0)
		sleep(2 * time.Second)
		want(t, "at the time", len(good.sent()), 1)
		sleep(time.Hour)
		want(t, "nothing has happened", len(good.sent()), 1)
		if !strings.Contains(log.String(), "no route") || !strings.Contains(log.String(), "will try again") {
			t.Errorf("log %q", log.String())
		}
		good.set(func() { good.seq++ })
		sleep(5 * time.Minute)
		want(t, "something has happened", len(good.sent()), 2)
		want(t, "the place that is down", len(bad.sent()), 0)
		bad.set(func() { bad.down = nil })
		sleep(31 * time.Second)
		want(t, "it is back", bad.sent(), good.sent())
		good.set(func() { good.seq++ })
		cancel()
		<-done
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		want(t, "the last one", len(good.sent()), 3)
		_, set := signer(t)
		for i, text := range good.sent() {
			read, err := audit.ReadCheckpoint(text, set)
			if err != nil || read.Changes.Count != int64(i+1) || read.Tokens != audit.Off || read.Node != "n" {
				t.Errorf("checkpoint %d: %+v, %v", i, read, err)
			}
		}
		bad.set(func() { bad.down = errors.New("gone") })
		good.set(func() { good.seq++ })
		if err := c.Close(t.Context()); err == nil {
			t.Error("what was not delivered at the end is not told")
		}
	})
}

// D-111: the file is its owner's; a line that was cut off in the writing spoils no other.
func TestCheckpointFile(t *testing.T) {
	file := audit.File{Path: filepath.Join(t.TempDir(), "c.jws")}
	for _, text := range []string{"one", "two"} {
		if err := file.Send(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(file.Path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("thr"); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	if err := file.Send(t.Context(), "four"); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file.Path)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "file", string(data), "one\ntwo\nthr\nfour\n")
	info, err := os.Stat(file.Path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := (audit.File{Path: filepath.Join(file.Path, "x")}).Send(t.Context(), "one"); err == nil {
		t.Error("below a file")
	}
}

func TestCheckpointWebhook(t *testing.T) {
	var got []string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(body))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	defer server.Close()
	hook := audit.NewWebhook(server.URL + "/secret-path")
	if err := hook.Send(t.Context(), "a.b.c"); err != nil {
		t.Error(err)
	}
	want(t, "request", got, []string{"POST /secret-path application/jose a.b.c"})
	for _, status = range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusInternalServerError} {
		if err := hook.Send(t.Context(), "a.b.c"); err == nil {
			t.Errorf("%d is taken for success", status)
		}
	}
	want(t, "requests", len(got), 4) // no redirect was followed
	server.Close()
	err := hook.Send(t.Context(), "a.b.c")
	if err == nil || strings.Contains(err.Error()+hook.String(), "secret-path") {
		t.Errorf("%v %s", err, hook)
	}
}

func TestCheckpointSyslog(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 5000, time.UTC) }
	form := regexp.MustCompile(`^<109>1 2026-11-23T12:00:00\.000005Z n postern \d+ checkpoint - a\.b\.c$`)
	stream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close() //nolint:errcheck // a test
	lines := make(chan string, 1)
	go func() {
		conn, err := stream.Accept()
		if err != nil {
			lines <- err.Error()
			return
		}
		data, _ := io.ReadAll(conn)
		lines <- string(data)
	}()
	if err := (audit.Syslog{Network: "tcp", Address: stream.Addr().String(), Node: "n", Now: now}).Send(t.Context(), "a.b.c"); err != nil {
		t.Fatal(err)
	}
	length, text, _ := strings.Cut(<-lines, " ")
	if !form.MatchString(text) || length != strconv.Itoa(len(text)) {
		t.Errorf("over TCP %s %q", length, text)
	}
	path := filepath.Join(t.TempDir(), "log")
	socket, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close() //nolint:errcheck // a test
	if err := (audit.Syslog{Network: "unixgram", Address: path, Node: "n", Now: now}).Send(t.Context(), "a.b.c"); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 1000)
	n, _, err := socket.ReadFrom(data)
	if err != nil || !form.Match(data[:n]) {
		t.Errorf("over a datagram %q, %v", data[:n], err)
	}
	if err := (audit.Syslog{Network: "tcp", Address: "127.0.0.1:1", Node: "n", Now: now}).Send(t.Context(), "a.b.c"); err == nil {
		t.Error("nobody is there")
	}
}
