package gateway

import (
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// errUnasked ends a connection on which an upstream sent bytes that nobody asked for.
var errUnasked = errors.New("the upstream sent bytes before it was asked for any")

// The states of a wire.
const (
	taken int32 = iota // by one call
	idle               // in the pool
	gone               // something came while it was idle, or its end did
)

// wire is one connection to an upstream. http.Transport gives a connection to the next
// request while bytes beyond the last answer may still lie in its buffer, and would take
// them for the next answer. A wire is free only once its reader has used up all it had
// and waits for more; and what comes before the next request is written ends it.
type wire struct {
	net.Conn
	pool  *pool
	conn  atomic.Pointer[http.ClientConn]
	state atomic.Int32
	sent  atomic.Bool // anything since it was taken
	got   atomic.Bool // anything since it was taken

	since, ready time.Time // when it became idle, and when it may be taken; guarded by the pool
	suspect      bool      // it is to rest for long; guarded by the pool
}

// Read is called by the one reader of the connection, which comes back for more only
// when its buffer is empty.
func (w *wire) Read(p []byte) (int, error) {
	if c := w.conn.Load(); c != nil && w.state.Load() == taken && w.sent.Load() && c.Available() > 0 {
		w.release()
	}
	n, err := w.Conn.Read(p)
	if w.state.CompareAndSwap(idle, gone) || (n > 0 && w.conn.Load() != nil && !w.sent.Load()) {
		if err == nil {
			err = errUnasked
		}
		return 0, err
	}
	if n > 0 && !w.got.Load() {
		w.got.Store(true)
	}
	return n, err
}

func (w *wire) release() {
	w.sent.Store(false)
	w.got.Store(false)
	w.pool.put(w)
}

func (w *wire) Write(p []byte) (int, error) {
	if !w.sent.Load() {
		w.sent.Store(true)
	}
	return w.Conn.Write(p)
}

// CloseWrite tells the upstream of an upgraded connection that nothing follows.
func (w *wire) CloseWrite() error {
	if c, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return w.Close()
}
