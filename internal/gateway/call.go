package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/request"
)

// call is one exchange on its way through. To the proxy it is the http.ResponseWriter.
type call struct {
	gateway  *Gateway
	r        *http.Request // as it came
	ex       *request.Exchange
	began    time.Time
	verdict  guard.Verdict
	upstream *upstream
	identity string // token for the upstream, empty where the API asks for none
	upgrade  bool   // it may change to another protocol, and wants to
	whole    bool   // it was served to the end
	hijacked bool
	interim  int // 1xx answers so far
	upload   upload
	download download
	fault    atomic.Pointer[fault]

	phase   atomic.Int32
	moved   atomic.Int64 // bytes of both bodies, in any direction
	reading atomic.Bool  // waits for the client's next byte
	writing atomic.Bool  // waits for the client to take one
	watch   watch
}

// fault is why a call that was let through did not end well. The first is the cause.
type fault struct {
	reason guard.Reason
	err    error
}

func (c *call) fail(reason guard.Reason, err error) { c.fault.CompareAndSwap(nil, &fault{reason, err}) }

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// know takes from the verdict what the log wants to know: of a good token whose client may
// not call at all, the client too.
func (c *call) know() {
	if c.verdict.Issuer != nil {
		c.ex.Issuer = c.verdict.Issuer.Name
	}
	if a := c.verdict.Actor; a != nil {
		c.ex.Actor = a.String()
		if list := c.verdict.API.Issuers; len(list) == 1 { // whose audit log tells of it
			c.ex.Issuer = list[0].Name
		}
	}
	if c.ex.Client = c.client(); c.ex.Client == "" {
		c.ex.Client = c.verdict.Claims.ClientID
	}
}

// tenant is that of the one who calls, by id; empty where none is known, or it is of all.
func (c *call) tenant() string {
	if c.verdict.Tenant == nil {
		return ""
	}
	return c.verdict.Tenant.ID
}

// client is the id of the one who calls, empty where none is known. What a dead client does
// without end is counted as of nobody, or it would cost a row each (package audit).
func (c *call) client() string {
	if c.verdict.Client == nil {
		return ""
	}
	return c.verdict.Client.ID
}

// about is the API and the route, or the place in a GraphQL document, as far as they are
// known.
func (c *call) about(why error) string {
	v := &c.verdict
	switch {
	case v.API == nil:
		return ""
	case v.Route != nil:
		return v.API.Name + " " + v.Route.Method + " " + v.Route.Path
	case v.GraphQL == nil:
		return v.API.Name
	}
	text := v.API.Name + " " + v.GraphQL.Method + " " + v.API.GraphQL.Path
	if r, ok := errors.AsType[*guard.Refusal](why); ok && r.Coordinate != "" {
		text += " " + clip(r.Coordinate)
	}
	return text
}

// stamp sets the headers of ours on the answer: nobody else's stand there (D-71).
func (c *call) stamp() {
	h := c.ex.Header()
	strip(h, oursToTell)
	o := one{make([]string, 0, 5)}
	o.set(h, request.EventHeader, c.ex.ID)
	if c.ex.Correlation != "" {
		o.set(h, request.CorrelationHeader, c.ex.Correlation)
	}
	if l := &c.verdict.Limit; l.Known && c.verdict.API != nil && c.verdict.API.RateLimitHeaders { // ARB-12
		o.set(h, limitHeader, strconv.FormatInt(l.PerMinute, 10))
		o.set(h, remainingHeader, strconv.FormatInt(l.Remaining, 10))
		o.set(h, resetHeader, strconv.FormatInt(l.Reset, 10))
	}
}

// Header is the answer's.
func (c *call) Header() http.Header { return c.ex.Header() }

// Unwrap serves http.ResponseController.
func (c *call) Unwrap() http.ResponseWriter { return c.ex }

// WriteHeader lets so many interim answers through (RFC 9110 §15.2) and no more, and none
// to HTTP/1.0, which knows none.
func (c *call) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		c.ex.WriteHeader(status)
		return
	}
	if c.interim++; c.interim > maxInterim {
		c.fail(UpstreamMalformed, errInterim)
		c.watch.cancel(errInterim)
		return
	}
	if c.r.ProtoAtLeast(1, 1) && (c.verdict.GraphQL == nil || !c.verdict.GraphQL.Check) {
		c.stamp()
		c.ex.WriteHeader(status)
	}
}

func (c *call) Write(b []byte) (int, error) {
	c.writing.Store(true)
	n, err := c.ex.Write(b)
	c.writing.Store(false)
	c.moved.Add(int64(n))
	if err != nil {
		c.fail(ClientGone, err)
	}
	return n, err
}

// end counts the call and logs it, also where it is cut off by a panic with
// http.ErrAbortHandler.
func (c *call) end() {
	c.settle()
	if c.hijacked {
		defer c.gateway.tunnels.remove(c)
	}
	f := c.fault.Load()
	if f == nil && !c.whole {
		f = &fault{Aborted, nil}
	}
	if f != nil && c.ex.Reason == "" {
		c.ex.Reason, c.ex.Err = string(f.reason), f.err
		if f.reason == Revoked { // in the midst of an answer: only activity can still be told
			why := &guard.Refusal{Reason: Revoked}
			if err := c.gateway.record(c, why); !errors.Is(err, why) {
				c.ex.Err = err
			}
		}
	}
	if !c.whole && !c.hijacked && !c.r.ProtoAtLeast(1, 1) {
		c.reset()
	}
	c.gateway.Metrics.call(c)
	c.ex.Log(c.gateway.Log, c.r, time.Since(c.began))
}

// reset ends the connection of an HTTP/1.0 client with an error: there the end of the
// connection is the end of the answer, and half of one would look whole.
func (c *call) reset() {
	conn, _, err := http.NewResponseController(c.ex).Hijack()
	if err != nil {
		return // it is closed by net/http
	}
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = t.NetConn()
	}
	if l, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0)
	}
	_ = conn.Close()
}

// tier is that of the one who calls.
func (c *call) tier() string {
	switch {
	case c.verdict.Actor != nil:
		return c.verdict.Actor.Tier
	case c.verdict.Client == nil:
		return ""
	case c.verdict.Client.Tier == "":
		return domain.DefaultTier
	}
	return c.verdict.Client.Tier
}

// buffers are what answers are copied through.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return p[:]
	}
	return new([bufferSize]byte)[:]
}

func (b *buffers) Put(p []byte) { b.pool.Put((*[bufferSize]byte)(p)) }
