package clientauth

import (
	"sync"

	"github.com/postern-dev/postern/internal/ratelimit"
)

const (
	maxSeats       = 64 // guesses being judged at once
	seatsPerSource = 16 // that one source may hold
	seatsForOld    = 16 // kept for sources that succeeded for the client before

	// How many of each kind are let through to the gate: together as many as
	// it has room for, so that those before the door are not turned away there.
	strangersAtGate = 12
	trustedAtGate   = 6
)

// seats bounds how many guesses wait for their turn or their answer, so that a
// flood costs neither memory nor the place of those who were here before.
type seats struct {
	mu       sync.Mutex
	taken    int
	bySource map[ratelimit.Source]int
}

// take reports whether there was a seat. trusted sources find one longer.
func (s *seats) take(from ratelimit.Source, trusted bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= maxSeats || !trusted && (s.taken >= maxSeats-seatsForOld || s.bySource[from] >= seatsPerSource) {
		return false
	}
	if s.bySource == nil {
		s.bySource = make(map[ratelimit.Source]int)
	}
	s.taken++
	s.bySource[from]++
	return true
}

func (s *seats) leave(from ratelimit.Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.bySource[from]--; s.bySource[from] == 0 {
		delete(s.bySource, from)
	}
}

// doors stand before the gate, one for strangers and one for sources that
// succeeded before, so that the latter do not queue behind a flood.
type doors struct{ strangers, trusted chan struct{} }

func newDoors() doors {
	return doors{strangers: make(chan struct{}, strangersAtGate), trusted: make(chan struct{}, trustedAtGate)}
}

// enter waits, first come first served, and returns how to leave.
func (d *doors) enter(trusted bool) (leave func()) {
	door := d.strangers
	if trusted {
		door = d.trusted
	}
	door <- struct{}{}
	return func() { <-door }
}
