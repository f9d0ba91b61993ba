package clientauth

import (
	"sync"
	"time"

	"github.com/postern-dev/postern/oauth"
)

// maxPassengers bounds how many wait for the verdict on another's guess.
const maxPassengers = 512

// verdict on a guess.
type verdict struct {
	match   match
	failure oauth.Failure // empty: right
	wait    time.Duration // with too_many_attempts
}

// flight is one guess being judged, and all who made the same one meanwhile.
type flight struct {
	done    chan struct{}
	verdict verdict // once done is closed
}

// flights are the guesses being judged now.
type flights struct {
	mu         sync.Mutex
	flying     map[digest]*flight
	passengers int
}

// board returns the flight of the guess. first: the caller must judge it and
// land. Nil: there is no room.
func (f *flights) board(d digest) (fl *flight, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl = f.flying[d]; fl != nil {
		if f.passengers >= maxPassengers {
			return nil, false
		}
		f.passengers++
		return fl, false
	}
	if f.flying == nil {
		f.flying = make(map[digest]*flight)
	}
	// Until it is judged it is wrong: a panic on the way lets nobody in.
	fl = &flight{done: make(chan struct{}), verdict: verdict{failure: oauth.FailureCredentialsWrong}}
	f.flying[d] = fl
	return fl, true
}

// land makes the verdict known.
func (f *flights) land(d digest, fl *flight) {
	f.mu.Lock()
	delete(f.flying, d)
	f.mu.Unlock()
	close(fl.done)
}

// leave is for those who did not land it.
func (f *flights) leave() {
	f.mu.Lock()
	f.passengers--
	f.mu.Unlock()
}
