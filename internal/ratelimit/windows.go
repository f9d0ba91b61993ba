package ratelimit

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// Key is what calls are counted by: a client at all APIs together, or at the one
// that has a limit of its own. Its texts are kept: let them be those of the client's row,
// no pieces of a token; while they are, comparing keys reads none of them.
type Key struct {
	Client Client
	API    string // by name; empty: all that have no limit of their own
}

// Windows counts calls in calendar minutes, exactly: however many come at once, no
// minute admits more than the limit, and none admits fewer while more are asked for
// (D-67). Two adjacent minutes may admit twice the limit in a burst. It is safe for
// concurrent use, allocates nothing for a key that it knows, and when a new one comes it
// forgets what was silent for a minute, so that it holds no more than what calls (D-68).
type Windows struct {
	seed   maphash.Seed
	shards [windowShards]windowShard
}

const windowShards = 64

type windowShard struct {
	mu       sync.RWMutex
	counters map[Key]*counter
	swept    uint64   // minute of the last sweep
	floor    uint64   // no new counter opens a minute before this one: one that is gone may have spent it
	_        [16]byte // shards do not share a cache line
}

// NewWindows returns windows in which nothing has been counted.
func NewWindows() *Windows {
	w := &Windows{seed: maphash.MakeSeed()}
	for i := range w.shards {
		w.shards[i].counters = make(map[Key]*counter)
	}
	return w
}

// Slot is where a caller keeps the count of a key, beside what it keeps of the client
// anyway, so that a call looks nothing up. The zero value is ready, and a new one
// continues where the last one was: it holds no count of its own.
type Slot struct{ found atomic.Pointer[counter] }

// Spent is what became of a call.
type Spent struct {
	Allowed   bool
	Remaining int64 // calls that the minute still admits
	Reset     int64 // Unix time in seconds at which the next minute begins
}

// RetryAfter is how long whoever was refused should stay away: whole seconds, one at
// least.
func (s Spent) RetryAfter(now time.Time) time.Duration {
	wait := time.Unix(s.Reset, 0).Sub(now)
	return max(time.Second, (wait + time.Second - 1).Truncate(time.Second))
}

// Spend counts a call of the key at now against limit, in one atomic step, unless the
// limit is reached. The minute is that of now, but never one before the last that was
// opened for the key: a clock that is set back opens no window again (D-39). slot may be
// nil; the count is then looked up each time.
func (w *Windows) Spend(slot *Slot, key Key, limit int64, now time.Time) Spent {
	at := minuteOf(now)
	if slot != nil {
		if c := slot.found.Load(); c != nil && c.key == key {
			if s, ok := c.spend(limit, at); ok {
				return s
			}
		}
	}
	for {
		c := w.counter(key, at)
		if s, ok := c.spend(limit, at); ok {
			if slot != nil {
				slot.found.Store(c)
			}
			return s
		}
	}
}

// Share is what one of so many nodes admits of a limit where they share no count: its
// part, but one call at least. All together exceed the limit only if it is smaller than
// their number.
func Share(limit int64, nodes int) int64 { return max(1, limit/int64(max(1, nodes))) }

// counter finds or makes the count of a key.
func (w *Windows) counter(key Key, at uint64) *counter {
	sh := &w.shards[maphash.Comparable(w.seed, key)%windowShards]
	sh.mu.RLock()
	c := sh.counters[key]
	sh.mu.RUnlock()
	if c != nil {
		return c
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if c := sh.counters[key]; c != nil {
		return c
	}
	sh.sweep(at)
	c = newCounter(key, sh.floor)
	sh.counters[key] = c
	return c
}

// sweep closes and forgets what was silent for a whole minute, once a minute. A count
// that still matters is never lost by it: closing and the roll-over to a new minute are
// steps on one word, and whoever holds a closed counter is told so by it.
func (sh *windowShard) sweep(at uint64) {
	if at == sh.swept || at == 0 {
		return
	}
	sh.swept = at
	for key, c := range sh.counters {
		if opened, ok := c.closeBefore(at - 1); ok {
			delete(sh.counters, key)
			sh.floor = max(sh.floor, opened+1)
		}
	}
}
