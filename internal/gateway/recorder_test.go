package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// recorder is an upstream that keeps every byte it is sent.
type recorder struct {
	net.Listener
	t     testing.TB
	mu    sync.Mutex
	all   bytes.Buffer
	conns []*heard
	serve func(*heard)
}

// heard is one connection to the upstream.
type heard struct {
	net.Conn
	r    *bufio.Reader
	kept *recorder
	err  error // of the last write, where the test asks
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	h.kept.mu.Lock()
	h.kept.all.Write(p[:n])
	h.kept.mu.Unlock()
	return n, err
}

func (h *heard) say(text string) { _, _ = io.WriteString(h.Conn, crlf(text)) }

// request reads one request with its body, nil at the end of the connection.
func (h *heard) request() (*http.Request, string) {
	r, err := http.ReadRequest(h.r)
	if err != nil {
		return nil, ""
	}
	body, _ := io.ReadAll(r.Body)
	return r, string(body)
}

func newRecorder(t testing.TB) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return recordOn(t, l)
}

func recordOn(t testing.TB, l net.Listener) *recorder {
	u := &recorder{Listener: l, t: t, serve: polite}
	t.Cleanup(func() {
		_ = l.Close()
		u.mu.Lock()
		defer u.mu.Unlock()
		for _, c := range u.conns {
			_ = c.Close()
		}
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			h := &heard{Conn: conn, kept: u}
			h.r = bufio.NewReader(h)
			u.mu.Lock()
			u.conns = append(u.conns, h)
			serve := u.serve
			u.mu.Unlock()
			go serve(h)
		}
	}()
	return u
}

// polite answers every request with "ok".
func polite(h *heard) {
	for {
		r, _ := h.request()
		if r == nil {
			return
		}
		h.say("HTTP/1.1 200 OK\nContent-Length: 2\n\n")
		if r.Method != http.MethodHead {
			h.say("ok")
		}
	}
}

func (u *recorder) answer(serve func(*heard)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.serve = serve
}

// always answers every request with the same bytes.
func (u *recorder) always(text string) {
	u.answer(func(h *heard) {
		for {
			if r, _ := h.request(); r == nil {
				return
			}
			h.say(text)
		}
	})
}

// text is all that came, as it came.
func (u *recorder) text() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.all.String()
}

// pipes is a network in memory, which testing/synctest can see.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// newBubble is a scene without real sockets, for tests in which time passes by itself.
func newBubble(t *testing.T) *scene {
	t.Helper()
	behind := newPipes()
	s := sceneOf(t, recordOn(t, behind))
	s.pipes = newPipes()
	s.gateway.Dial = behind.dial
	server := &http.Server{
		Handler: s.gateway, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 120 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() { _ = server.Serve(s.pipes) }()
	t.Cleanup(func() {
		_ = server.Close()
		time.Sleep(time.Minute) // whoever lingers over an end comes to it
	})
	return s
}

// dialTo connects to this address, whatever is asked for.
func dialTo(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
}
