package ratelimit

import (
	"sync/atomic"
	"time"
)

// counter is the calls of one key in the last minute that was opened for it. All that
// happens to it is one atomic step on one word: closed (1 bit), minute since 1970 (31),
// calls (32).
type counter struct {
	state atomic.Uint64
	_     [56]byte // what is only read does not share a cache line with what all callers write
	key   Key
}

const (
	minuteShift = 32
	closed      = uint64(1) << 63
	maxMinute   = uint64(1)<<31 - 1 // of the year 6053
	maxCount    = int64(1) << 31    // more calls than a minute has room for
)

func newCounter(key Key, minute uint64) *counter {
	c := &counter{key: key}
	c.state.Store(minute << minuteShift)
	return c
}

func minuteOf(t time.Time) uint64 {
	return min(uint64(max(0, t.Unix()))/60, maxMinute) //nolint:gosec // not negative
}

// spend counts a call unless the limit is reached. It is not ok where the counter is
// closed: then another must be found.
func (c *counter) spend(limit int64, at uint64) (s Spent, ok bool) {
	limit = min(limit, maxCount)
	for {
		was := c.state.Load()
		if was&closed != 0 {
			return Spent{}, false
		}
		rolls := at > was>>minuteShift
		switch {
		case limit <= 0:
			return refused(max(at, was>>minuteShift)), true
		case rolls && c.state.CompareAndSwap(was, at<<minuteShift|1):
			return judge(at<<minuteShift|1, limit), true
		case rolls: // another was first, with this minute or the closing
		case calls(was) >= limit: // nobody over the limit makes others wait for the word
			return refused(was >> minuteShift), true
		default:
			// Each value of Add is seen once, so exactly limit of a minute are low enough. If the
			// minute ended after Load, the call was counted in the next one, and is judged there.
			now := c.state.Add(1)
			return judge(now, limit), now&closed == 0
		}
	}
}

// judge says what the state that a call made means for it.
func judge(state uint64, limit int64) Spent {
	s := refused(state >> minuteShift)
	s.Allowed, s.Remaining = calls(state) <= limit, max(0, limit-calls(state))
	return s
}

func refused(minute uint64) Spent {
	return Spent{Reset: int64(minute+1) * 60} //nolint:gosec // 32 bits
}

func calls(state uint64) int64 {
	return int64(state & (1<<minuteShift - 1)) //nolint:gosec // 32 bits
}

// closeBefore ends a counter whose minute lies before the given one, and returns its minute.
func (c *counter) closeBefore(minute uint64) (opened uint64, ok bool) {
	was := c.state.Load()
	opened = was >> minuteShift
	return opened, opened < minute && c.state.CompareAndSwap(was, was|closed)
}
