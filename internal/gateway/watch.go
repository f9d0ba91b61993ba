package gateway

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/guard"
)

// When a call counts as long, and how often a long one is looked at.
const (
	watchAfter = 300 * time.Millisecond
	watchEvery = 250 * time.Millisecond
)

// farewell is how long a client may take to read the last of an answer, and to end its
// request, once the handler is done.
const farewell = 10 * time.Second

// The phases of a call.
const (
	waiting   int32 = iota // for the upstream
	sending                // the client's body
	answering              // the upstream's
)

var (
	errRevoked = errors.New("what let the call pass ceased to hold")
	errQuiet   = errors.New("no byte moved in time")
)

// watch looks at calls that last: is the client still alive (D-70), does anything move?
// It takes the place of the listener's deadlines, which are meant for short requests.
type watch struct {
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	timer  *time.Timer // nil: not begun
	ended  bool
	lifted bool      // the listener's deadlines
	seen   int64     // of call.moved and call.phase
	quiet  time.Time // since when nothing moved
}

// observe begins to watch. A short call costs a timer that is stopped.
func (c *call) observe(ctx context.Context, cancel context.CancelCauseFunc) {
	w := &c.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancel, w.quiet = cancel, c.began
	w.timer = time.AfterFunc(watchAfter, func() { c.look(ctx) })
}

func (c *call) look(ctx context.Context) {
	alive := c.gateway.Guard.Alive(ctx, &c.verdict)
	w := &c.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	now := time.Now()
	if seen := c.moved.Load()<<2 | int64(c.phase.Load()); seen != w.seen {
		w.seen, w.quiet = seen, now
	}
	if !w.lifted {
		w.lifted = true
		c.deadlines(time.Time{}, time.Time{})
	}
	if !alive {
		c.cut(Revoked, errRevoked)
		return
	}
	if reason := c.tooLong(now.Sub(w.quiet)); reason != "" {
		c.cut(reason, errQuiet)
		return
	}
	w.timer.Reset(watchEvery)
}

// tooLong names whom nothing moved for, for too long.
func (c *call) tooLong(quiet time.Duration) guard.Reason {
	phase, u := c.phase.Load(), c.upstream
	switch {
	case phase == waiting && quiet > 2*u.connect+continueWait+u.answer+u.idle: // the transport counts all but a request that is never taken
		return AnswerTimeout
	case phase == waiting || quiet < u.idle:
		return ""
	case phase == sending && c.reading.Load(), phase == answering && c.writing.Load():
		return ClientTimeout
	}
	return IdleTimeout
}

// cut ends the call from outside; the watch is locked. Who waits for the client stops
// waiting, and there is a moment left to answer.
func (c *call) cut(reason guard.Reason, why error) {
	c.fail(reason, why)
	c.watch.cancel(why)
	c.deadlines(time.Unix(1, 0), time.Now().Add(2*time.Second))
	c.watch.lifted = false
}

func (c *call) deadlines(read, write time.Time) {
	control := http.NewResponseController(c.ex)
	_ = control.SetReadDeadline(read) // a writer without deadlines has none to lift
	_ = control.SetWriteDeadline(write)
}

// settle ends the watch.
func (c *call) settle() {
	w := &c.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.timer == nil {
		return
	}
	w.timer.Stop()
	w.cancel(nil)
	if w.lifted && !c.hijacked {
		soon := time.Now().Add(farewell)
		c.deadlines(soon, soon)
	}
}
