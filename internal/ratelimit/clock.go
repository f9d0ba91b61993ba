package ratelimit

import (
	"math"
	"sync/atomic"
	"time"
)

// clock turns time.Time into whole seconds since it was made, which only grow.
// With time.Now it follows the monotonic reading; with any other source a step
// back stands still until the old time is reached again.
type clock struct {
	now  func() time.Time
	base time.Time
	last atomic.Int64 // nanoseconds since base
}

func newClock(now func() time.Time) *clock { return &clock{now: now, base: now()} }

func (c *clock) elapsed() time.Duration {
	d := int64(c.now().Sub(c.base))
	for {
		last := c.last.Load()
		if d <= last {
			return time.Duration(last)
		}
		if c.last.CompareAndSwap(last, d) {
			return time.Duration(d)
		}
	}
}

// stamp is the second in which something happens, rounded up: nothing is
// forgotten before its window is over.
func stamp(elapsed time.Duration) uint32 {
	return uint32(min((elapsed+time.Second-1)/time.Second, math.MaxUint32)) //nolint:gosec // 136 years
}

// since is how long ago the stamp was; it is zero for stamps of the running second.
func since(at uint32, elapsed time.Duration) time.Duration {
	return max(0, elapsed-time.Duration(at)*time.Second)
}
