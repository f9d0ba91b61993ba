package ratelimit

import (
	"sync"
	"time"
)

// The limit on failures of a source where secrets cannot be guessed. It is about
// work and log lines only.
const (
	SourceFailures = 300 // per source ...
	FailureWindow  = time.Minute
	maxSources     = 8192 // about 1 MB
)

// Failures counts the failures of each source, in windows that begin with the
// first one. It is safe for concurrent use, and for failing attempts only: what
// succeeds never asks it.
type Failures struct {
	clock *clock

	mu      sync.Mutex
	sources map[Source]window
}

type window struct {
	start uint32 // stamp
	count int32
}

// NewFailures returns an empty count. now is the clock: time.Now, but in tests.
func NewFailures(now func() time.Time) *Failures {
	return &Failures{clock: newClock(now), sources: make(map[Source]window)}
}

// Add counts a failure, and returns how long the source should stay away; zero:
// it is within its limit.
func (f *Failures) Add(s Source) (wait time.Duration) {
	now := f.clock.elapsed()
	f.mu.Lock()
	defer f.mu.Unlock()
	w, ok := f.sources[s]
	if !ok {
		makeRoom(f.sources, maxSources, func(w window) int {
			if since(w.start, now) >= FailureWindow {
				return 0
			}
			return int(w.count)
		})
	}
	if !ok || since(w.start, now) >= FailureWindow {
		w = window{start: stamp(now)}
	}
	if w.count >= SourceFailures {
		return FailureWindow - since(w.start, now)
	}
	w.count++
	f.sources[s] = w
	return 0
}
