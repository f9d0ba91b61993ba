package ratelimit

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// race runs the functions at the same moment, round after round.
func race(rounds int, before func(), after func(round int), f ...func()) {
	var wg sync.WaitGroup
	for round := range rounds {
		var arrived atomic.Int32
		before()
		for _, run := range f {
			wg.Go(func() {
				for arrived.Add(1); int(arrived.Load()) < len(f); {
					runtime.Gosched()
				}
				run()
			})
		}
		wg.Wait()
		after(round)
	}
}

// A counter is closed, or counts on in a new minute, and never both (D-67).
func TestCloseOrRollOver(t *testing.T) {
	var c *counter
	var spent, ended bool
	both := [2]int{}
	race(20_000, func() { c = newCounter(Key{}, 0) }, func(round int) {
		if spent == ended {
			t.Fatalf("round %d: counted is %v and closed is %v", round, spent, ended)
		}
		if ended {
			both[0]++
		} else {
			both[1]++
		}
	}, func() { _, spent = c.spend(1, 5) }, func() { _, ended = c.closeBefore(3) })
	t.Logf("closed first %d times, counted first %d times", both[0], both[1])
}

// The first calls of a minute come at once: all of them count (D-67).
func TestRollOver(t *testing.T) {
	var c *counter
	var admitted atomic.Int64
	call := func() {
		for range 2 {
			if s, ok := c.spend(3, 5); ok && s.Allowed {
				admitted.Add(1)
			}
		}
	}
	race(20_000, func() { c = newCounter(Key{}, 0) }, func(round int) {
		if n := admitted.Swap(0); n != 3 {
			t.Fatalf("round %d: %d admitted, want 3", round, n)
		}
	}, call, call, call)
}
