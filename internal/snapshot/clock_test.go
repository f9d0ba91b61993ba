package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// D-39, RULES: a node's clock that is five minutes off. It issues by the database's clock, says so
// once, and is not ready; ready again, and that said, when the clock is set.
func TestClock(t *testing.T) {
	for _, off := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		t.Run(off.String(), func(t *testing.T) {
			w := newWorld(t)
			w.local.add(off)
			s := w.open(w.db)
			same := func() {
				t.Helper()
				if d := s.Now().Sub(w.database.now()); d.Abs() > 20*time.Millisecond {
					t.Errorf("the node's time is %s off", d)
				}
			}
			same()
			if err := s.Ready(); err == nil || !strings.Contains(err.Error(), "5m0s off") {
				t.Errorf("ready: %v", err)
			}
			if err := s.Fresh(); err != nil {
				t.Errorf("it follows, and yet: %v", err)
			}
			if got := w.log.take(); strings.Count(got, "level=WARN") != 1 || !strings.Contains(got, "too_much=true") {
				t.Errorf("logged %q", got)
			}
			for range 10 {
				w.local.add(time.Second)
				w.database.add(time.Second)
				w.check(s.Poll(t.Context()))
				same()
			}
			if got := w.log.take(); got != "" {
				t.Errorf("said again: %q", got)
			}
			w.local.add(-off) // NTP
			w.check(s.Poll(t.Context()))
			same()
			if err := s.Ready(); err != nil {
				t.Errorf("ready: %v", err)
			}
			if got := w.log.take(); strings.Count(got, "level=") != 1 || !strings.Contains(got, "too_much=false") {
				t.Errorf("logged %q", got)
			}
		})
	}
}

func TestClockLimits(t *testing.T) {
	for _, c := range []struct {
		off          time.Duration
		alarm, ready bool
	}{
		{2 * time.Second, false, true}, {2*time.Second + time.Millisecond, true, true}, {30 * time.Second, true, true}, {30*time.Second + time.Millisecond, true, false},
		{-30 * time.Second, true, true}, {-31 * time.Second, true, false},
	} {
		w := newWorld(t)
		w.local.add(c.off)
		s := w.open(w.db)
		if got := strings.Contains(w.log.take(), "too_much=true"); got != c.alarm {
			t.Errorf("%s: alarm %v", c.off, got)
		}
		if got := s.Ready() == nil; got != c.ready {
			t.Errorf("%s: ready %v", c.off, got)
		}
	}
}

// D-39: an answer that was long on its way tells little about the time: the clock stays.
func TestClockAndSlowStore(t *testing.T) {
	w := newWorld(t)
	f := &faulty{Store: w.db}
	s := w.open(f)
	f.set(func(h domain.Head, err error) (domain.Head, error) { // the database told its time, then nothing came for 70 seconds
		w.local.add(70 * time.Second)
		w.database.add(70 * time.Second)
		return h, err
	})
	w.check(s.Poll(t.Context()))
	if d := s.Now().Sub(w.database.now()); d != 0 {
		t.Errorf("the node's time is %s off", d)
	}
	if got := w.log.take(); got != "" {
		t.Errorf("logged %q", got)
	}
	// But what cannot be explained by the way is believed.
	w.local.add(5 * time.Minute)
	w.check(s.Poll(t.Context()))
	if d := s.Now().Sub(w.database.now()).Abs(); d > 35*time.Second {
		t.Errorf("the node's time is %s off", d)
	}
}
