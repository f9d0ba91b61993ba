package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Bounds of a pool.
const (
	maxIdle  = 256              // connections that wait for a call
	idleKept = 60 * time.Second // longest that one waits; swept at half of it
)

// How long a connection rests before the next call. What an upstream sends beyond an answer
// shows while it rests, if it does not come with the answer; what comes once the next call
// is written cannot be told from the answer to that. A body where HTTP allows none is the
// common mistake.
const (
	rest     = 2 * time.Millisecond
	restLong = 100 * time.Millisecond // after an answer that has no body by rule (RFC 9112 §6.3)
)

// pool is an http.RoundTripper over the connections to one upstream. The protocol is
// http.Transport's; which connection a call gets is decided here (see wire).
type pool struct {
	transport       *http.Transport
	scheme, address string

	mu       sync.Mutex
	idle     []*wire            // HTTP/1.1; the one used last is last
	shared   []*http.ClientConn // HTTP/2
	sweeping bool
	closed   bool
}

// dialError is why there is no connection.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// RoundTrip sends the request, once more where the connection turns out to be dead and
// the upstream cannot have acted on it.
func (p *pool) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		conn, w, kept, err := p.take(r.Context())
		if err != nil {
			return nil, &dialError{err}
		}
		answer, err := conn.RoundTrip(r)
		if err == nil && w != nil && (r.Method == http.MethodHead || answer.StatusCode == http.StatusNoContent || answer.StatusCode == http.StatusNotModified) {
			p.suspect(w)
		}
		if err == nil || !kept || late(err) || !again(r, conn, w) {
			return answer, err
		}
	}
}

// again: nothing was written, or nothing came back for what may be asked twice
// (RFC 9110 §9.2.2). A body cannot be read twice. Where an HTTP/2 connection goes on, it was
// only this call that was refused on it, and would be again.
func again(r *http.Request, conn *http.ClientConn, w *wire) bool {
	if r.Context().Err() != nil || (r.Body != nil && r.Body != http.NoBody) {
		return false
	}
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	if w == nil {
		return safe && conn.Available() == 0
	}
	return !w.sent.Load() || (safe && !w.got.Load())
}

// late reports whether the time ran out: whoever was waited for is there.
func late(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// take finds a connection, or makes one.
func (p *pool) take(ctx context.Context) (conn *http.ClientConn, w *wire, kept bool, err error) {
	p.mu.Lock()
	if w := p.rested(); w != nil {
		p.mu.Unlock()
		return w.conn.Load(), w, true, nil
	}
	p.shared = slices.DeleteFunc(p.shared, func(c *http.ClientConn) bool { return c.Err() != nil })
	for _, c := range p.shared {
		if c.Reserve() == nil {
			p.mu.Unlock()
			return c, nil, true, nil
		}
	}
	p.mu.Unlock()
	return p.dial(ctx)
}

// rested takes the connection used last of those that may be used; the lock is held.
func (p *pool) rested() *wire {
	if len(p.idle) == 0 {
		return nil
	}
	now := time.Now()
	for i := len(p.idle) - 1; i >= 0; i-- {
		w := p.idle[i]
		if w.state.Load() == idle && now.Before(w.ready) {
			continue
		}
		p.idle = slices.Delete(p.idle, i, i+1)
		if w.state.CompareAndSwap(idle, taken) {
			return w
		}
	}
	return nil
}

// suspect lets a connection rest for longer, now or once it is back.
func (p *pool) suspect(w *wire) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.state.Load() == idle {
		w.ready = w.since.Add(restLong)
	} else {
		w.suspect = true
	}
}

// dialed is how the connection under a new http.ClientConn comes out of its Transport.
type dialed struct{}

func (p *pool) dial(ctx context.Context) (*http.ClientConn, *wire, bool, error) {
	w := &wire{pool: p}
	conn, err := p.transport.NewClientConn(context.WithValue(ctx, dialed{}, w), p.scheme, p.address)
	if err != nil {
		return nil, nil, false, err
	}
	if conn.Available() > 1 { // HTTP/2, whose frames say themselves whom they are for
		p.mu.Lock()
		defer p.mu.Unlock()
		p.shared = append(p.shared, conn) // of a closed pool too: it is swept once it is done
		p.sweepLater()
		return conn, nil, false, nil
	}
	w.sent.Store(false) // a TLS handshake is no request
	w.got.Store(false)
	w.conn.Store(conn)
	return conn, w, false, nil
}

// connect is the DialContext of the Transport.
func connect(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w := ctx.Value(dialed{}).(*wire)
		w.Conn = c
		return w, nil
	}
}

// put takes back a connection that is clean.
func (p *pool) put(w *wire) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) >= maxIdle {
		p.idle = slices.DeleteFunc(p.idle, func(w *wire) bool { return w.state.Load() != idle })
	}
	if p.closed || len(p.idle) >= maxIdle {
		_ = w.Conn.Close() // its reader notices
		return
	}
	w.since = time.Now()
	w.ready = w.since.Add(rest)
	if w.suspect {
		w.suspect, w.ready = false, w.since.Add(restLong)
	}
	w.state.Store(idle)
	p.idle = append(p.idle, w)
	p.sweepLater()
}

// sweepLater looks again while there is anything to look at; the lock is held.
func (p *pool) sweepLater() {
	if !p.sweeping {
		p.sweeping = true
		time.AfterFunc(idleKept/2, p.sweep)
	}
}

// sweep closes what nobody used for long.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweeping = false
	p.idle = slices.DeleteFunc(p.idle, func(w *wire) bool {
		if w.state.Load() == idle && (p.closed || time.Since(w.since) >= idleKept/2) && w.state.CompareAndSwap(idle, gone) {
			_ = w.Conn.Close()
		}
		return w.state.Load() != idle
	})
	p.shared = slices.DeleteFunc(p.shared, func(c *http.ClientConn) bool {
		if c.InFlight() == 0 && c.Err() == nil && (p.closed || len(p.shared) > 1) {
			_ = c.Close()
		}
		return c.Err() != nil
	})
	if len(p.idle) > 0 || len(p.shared) > 0 {
		p.sweepLater()
	}
}

// close lets calls under way end, and keeps no connection.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.sweep()
}
