package clientauth

import (
	"sync/atomic"
	"time"
)

// maxFailing bounds the time of a failure, however slow hashes are.
const maxFailing = 4 * time.Second

// failing is the time that failures take. A hash that takes longer doubles it,
// for every attempt from then on, whatever its cause: so a client with a slow hash is told
// apart from one that does not exist once, and not again.
type failing struct{ nanos atomic.Int64 }

func (f *failing) time() time.Duration { return time.Duration(f.nanos.Load()) }

// raise makes it the first doubling that is not below the time taken.
func (f *failing) raise(took time.Duration) {
	for {
		now := f.nanos.Load()
		next := time.Duration(now)
		if next == 0 {
			next = took
		}
		for next < took && next < maxFailing {
			next *= 2
		}
		if int64(next) == now || f.nanos.CompareAndSwap(now, int64(next)) {
			return
		}
	}
}
