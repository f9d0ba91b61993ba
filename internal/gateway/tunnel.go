package gateway

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"sync"
)

var errStopped = errors.New("this node stops")

// tunnels are the calls that changed to another protocol. http.Server.Shutdown neither waits
// for them nor ends them.
type tunnels struct {
	mu      sync.Mutex
	open    map[*call]struct{}
	closed  bool
	running sync.WaitGroup
}

func (t *tunnels) add(c *call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed { // too late to be waited for
		c.stop()
		return
	}
	if t.open == nil {
		t.open = make(map[*call]struct{})
	}
	t.open[c] = struct{}{}
	t.running.Add(1)
}

func (t *tunnels) remove(c *call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, waited := t.open[c]; waited {
		delete(t.open, c)
		t.running.Done()
	}
}

// close ends them all and returns once they are told of.
func (t *tunnels) close() {
	t.mu.Lock()
	t.closed = true
	for c := range t.open {
		c.stop()
	}
	t.mu.Unlock()
	t.running.Wait()
}

func (c *call) stop() {
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	c.cut(Aborted, errStopped)
}

// Hijack hands over the connection of a client that changes protocols.
func (c *call) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(c.ex).Hijack()
	if err != nil {
		return nil, nil, err
	}
	c.watch.mu.Lock()
	c.hijacked = true
	c.watch.mu.Unlock()
	c.gateway.tunnels.add(c)
	return &tunnel{Conn: conn, early: buffered.Reader, call: c}, buffered, nil
}

// tunnel is the client's side of an upgraded connection.
type tunnel struct {
	net.Conn
	early *bufio.Reader // what came before the upgrade was agreed on
	call  *call
}

func (t *tunnel) Read(p []byte) (n int, err error) {
	if ready := t.early.Buffered(); ready > 0 {
		n, err = t.early.Read(p[:min(len(p), ready)])
	} else {
		n, err = t.Conn.Read(p)
	}
	t.call.moved.Add(int64(n))
	return n, err
}

func (t *tunnel) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	t.call.moved.Add(int64(n))
	return n, err
}

// CloseWrite tells the client that nothing follows.
func (t *tunnel) CloseWrite() error {
	if c, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return t.Close()
}
