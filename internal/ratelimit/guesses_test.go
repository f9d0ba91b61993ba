package ratelimit_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/ratelimit"
)

// hands is a clock moved by hand; it has no monotonic reading, so that a step
// back is seen as one.
type hands struct{ t time.Time }

func newHands() *hands                    { return &hands{time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)} }
func (h *hands) now() time.Time           { return h.t }
func (h *hands) move(d time.Duration)     { h.t = h.t.Add(d) }
func source(text string) ratelimit.Source { return ratelimit.SourceOf(netip.MustParseAddr(text)) }
func nth(i int) ratelimit.Source          { return source(fmt.Sprintf("198.51.%d.%d", i/250, i%250)) }

var vibes = ratelimit.Client{Issuer: "vibes", ID: "VibesUser"}

func begin(t *testing.T, g *ratelimit.Guesses, c ratelimit.Client, s ratelimit.Source, want bool) (ratelimit.Guess, time.Duration) {
	t.Helper()
	guess, wait, ok := g.Begin(c, true, s)
	if ok != want {
		t.Fatalf("guess of %v from %v: admitted is %v, want %v", c, s, ok, want)
	}
	if ok == (wait > 0) {
		t.Fatalf("admitted is %v and wait is %v", ok, wait)
	}
	return guess, wait
}

func TestTenPerSourceInFifteenMinutes(t *testing.T) { // D-13
	clock := newHands()
	g := ratelimit.NewGuesses(clock.now)
	a, b := source("192.0.2.1"), source("192.0.2.2")
	for range 10 {
		begin(t, g, vibes, a, true)
		clock.move(time.Minute)
	}
	_, wait := begin(t, g, vibes, a, false)
	if wait != 5*time.Minute { // the first was ten minutes ago
		t.Errorf("wait is %v, want 5m", wait)
	}
	begin(t, g, vibes, b, true)
	begin(t, g, ratelimit.Client{Issuer: "other", ID: vibes.ID}, a, true)

	clock.move(5*time.Minute - time.Second)
	begin(t, g, vibes, a, false)
	clock.move(time.Second)
	begin(t, g, vibes, a, true)  // one left the window
	begin(t, g, vibes, a, false) // one only: the window slides, it does not reopen
}

func TestNoMoreThanTenInAnyWindow(t *testing.T) { // D-13: no burst around the edge of a window
	clock := newHands()
	g := ratelimit.NewGuesses(clock.now)
	var admitted []time.Time
	for range 3 * 60 * 60 / 7 {
		if _, _, ok := g.Begin(vibes, true, nth(1)); ok {
			admitted = append(admitted, clock.now())
		}
		clock.move(7 * time.Second)
	}
	for i := 10; i < len(admitted); i++ {
		if gap := admitted[i].Sub(admitted[i-10]); gap < 15*time.Minute {
			t.Fatalf("eleven guesses in %v", gap)
		}
	}
	if len(admitted) < 100 {
		t.Errorf("%d admitted in three hours; the limit should allow about 120", len(admitted))
	}
}

func TestHundredOfAllSources(t *testing.T) { // D-13
	clock := newHands()
	g := ratelimit.NewGuesses(clock.now)
	victim := source("203.0.113.9")
	if !g.Succeeded(vibes, victim) {
		t.Fatal("the first success of the day is not reported")
	}
	if g.Succeeded(vibes, victim) {
		t.Error("the second success of the day is reported too")
	}
	for i := range 100 {
		begin(t, g, vibes, nth(i), true)
	}
	_, wait := begin(t, g, vibes, nth(500), false)
	if wait != time.Hour {
		t.Errorf("wait is %v, want 1h", wait)
	}
	begin(t, g, vibes, victim, true)
	begin(t, g, ratelimit.Client{Issuer: "vibes", ID: "other"}, nth(500), true)

	for range 9 { // the limit of its own source holds for the victim too
		begin(t, g, vibes, victim, true)
	}
	begin(t, g, vibes, victim, false)
	clock.move(time.Hour)
	begin(t, g, vibes, nth(500), true)
}

func TestTrustLastsThirtyDays(t *testing.T) {
	clock := newHands()
	g := ratelimit.NewGuesses(clock.now)
	a, b, c, d := nth(1), nth(2), nth(3), nth(4)
	g.Succeeded(vibes, a)
	g.Preload(vibes, b, clock.now().Add(-29*24*time.Hour))
	g.Preload(vibes, c, clock.now().Add(-31*24*time.Hour))
	g.Preload(vibes, d, clock.now().Add(365*24*time.Hour)) // of a clock that ran ahead
	for s, want := range map[ratelimit.Source]bool{a: true, b: true, c: false, d: false} {
		if got := g.Trusted(vibes, s); got != want {
			t.Errorf("trusted(%v) is %v, want %v", s, got, want)
		}
	}
	if g.Trusted(ratelimit.Client{Issuer: "rfc", ID: vibes.ID}, a) {
		t.Error("trust crosses issuers")
	}
	clock.move(24 * time.Hour)
	if !g.Succeeded(vibes, a) {
		t.Error("the first success of the next day is not reported")
	}
	clock.move(31 * 24 * time.Hour)
	if g.Trusted(vibes, a) {
		t.Error("trusted after 31 days")
	}
}

func TestWithdrawnDoesNotCount(t *testing.T) {
	g := ratelimit.NewGuesses(newHands().now)
	for range 1000 {
		guess, _ := begin(t, g, vibes, nth(1), true)
		guess.Withdraw()
	}
	ratelimit.Guess{}.Withdraw() // of a guess that was not admitted: nothing
}

func TestManyAtOnce(t *testing.T) { // one atomic step: no more than ten slip through
	g := ratelimit.NewGuesses(newHands().now)
	var admitted sync.Map
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			if _, _, ok := g.Begin(vibes, true, nth(1)); ok {
				admitted.Store(i, true)
			}
		})
	}
	wg.Wait()
	n := 0
	admitted.Range(func(any, any) bool { n++; return true })
	if n != 10 {
		t.Errorf("%d admitted, want 10", n)
	}
}

func TestClockStepBack(t *testing.T) { // D-39
	clock := newHands()
	g := ratelimit.NewGuesses(clock.now)
	clock.move(time.Hour)
	for range 10 {
		begin(t, g, vibes, nth(1), true)
	}
	for _, step := range []time.Duration{-time.Hour, -24 * time.Hour, time.Hour, 24 * time.Hour} {
		clock.move(step) // ends where it began
		begin(t, g, vibes, nth(1), false)
	}
}

func TestSprayingIsBoundedAndWashesNothingAway(t *testing.T) { // D-14
	g := ratelimit.NewGuesses(newHands().now)
	caught := ratelimit.Client{Issuer: "vibes", ID: "no-such-client"}
	for range 10 {
		g.Begin(caught, false, nth(1))
		begin(t, g, vibes, nth(1), true)
	}
	spray := func(from, to int) {
		for i := from; i < to; i++ {
			g.Begin(ratelimit.Client{Issuer: "vibes", ID: fmt.Sprintf("%0200d", i)}, false, nth(i%5000))
		}
	}
	spray(0, 10_000)
	before := heap()
	spray(10_000, 200_000)
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("190,000 more invented ids took %d bytes", grown)
	}
	begin(t, g, vibes, nth(1), false)
	if _, _, ok := g.Begin(caught, false, nth(1)); ok {
		t.Error("spraying reopened the window of an id that does not exist, so it tells which exist")
	}
	runtime.KeepAlive(g)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // small
}

func TestTrustedIsBounded(t *testing.T) { // D-14
	g := ratelimit.NewGuesses(newHands().now)
	fill := func(from, to int) {
		for i := from; i < to; i++ {
			g.Succeeded(vibes, ratelimit.Source(i+1)) //nolint:gosec // small
		}
	}
	fill(0, 400_000)
	before := heap()
	fill(400_000, 800_000)
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("400,000 more sources took %d bytes", grown)
	}
	runtime.KeepAlive(g)
}

func TestSuccessCostsNoAllocation(t *testing.T) {
	g := ratelimit.NewGuesses(time.Now)
	g.Succeeded(vibes, nth(1))
	n := testing.AllocsPerRun(100, func() {
		if !g.Trusted(vibes, nth0) || g.Succeeded(vibes, nth0) {
			t.Fatal("not remembered")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var nth0 = nth(1)

func BenchmarkSuccess(b *testing.B) {
	g := ratelimit.NewGuesses(time.Now)
	g.Succeeded(vibes, nth0)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if !g.Trusted(vibes, nth0) {
				b.Error("not trusted")
			}
			g.Succeeded(vibes, nth0)
		}
	})
}
