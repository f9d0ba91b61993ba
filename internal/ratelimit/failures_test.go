package ratelimit_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/ratelimit"
)

func TestFailuresPerSource(t *testing.T) {
	clock := newHands()
	f := ratelimit.NewFailures(clock.now)
	for i := range ratelimit.SourceFailures {
		if wait := f.Add(nth(1)); wait != 0 {
			t.Fatalf("failure %d: wait is %v", i, wait)
		}
	}
	clock.move(20 * time.Second)
	if wait := f.Add(nth(1)); wait != 40*time.Second {
		t.Errorf("wait is %v, want 40s", wait)
	}
	if wait := f.Add(nth(2)); wait != 0 {
		t.Errorf("another source waits %v", wait)
	}
	clock.move(-time.Hour) // D-39
	if wait := f.Add(nth(1)); wait == 0 {
		t.Error("a step back reopened the window")
	}
	clock.move(time.Hour + 40*time.Second)
	if wait := f.Add(nth(1)); wait != 0 {
		t.Errorf("wait is %v in the next window", wait)
	}
}

func TestFailuresAreBounded(t *testing.T) { // D-14
	f := ratelimit.NewFailures(newHands().now)
	for range ratelimit.SourceFailures {
		f.Add(nth(1))
	}
	spray := func(from, to int) {
		for i := from; i < to; i++ {
			f.Add(ratelimit.Source(i + 1)) //nolint:gosec // small
		}
	}
	spray(0, 20_000)
	before := heap()
	spray(20_000, 400_000)
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("380,000 more sources took %d bytes", grown)
	}
	if f.Add(nth(1)) == 0 {
		t.Error("spraying washed the limit of another source away")
	}
	runtime.KeepAlive(f)
}
