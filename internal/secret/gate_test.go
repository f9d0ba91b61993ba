package secret_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/internal/secret"
)

// D-13: two at once, sixteen wait, the rest is told.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := secret.NewGate()
		release := make(chan struct{})
		var inside, done, busy atomic.Int32
		for range 20 {
			go func() {
				switch err := g.Do(t.Context(), func() { inside.Add(1); <-release; inside.Add(-1) }); {
				case err == nil:
					done.Add(1)
				case errors.Is(err, secret.ErrBusy):
					busy.Add(1)
				default:
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		if inside.Load() != 2 || busy.Load() != 2 {
			t.Errorf("%d inside, %d told; want 2 and 2", inside.Load(), busy.Load())
		}
		if err := g.DoAlone(t.Context(), func() {}); !errors.Is(err, secret.ErrBusy) {
			t.Errorf("DoAlone: %v", err)
		}
		release <- struct{}{}
		synctest.Wait()
		if inside.Load() != 2 || done.Load() != 1 {
			t.Errorf("%d inside, %d done; want 2 and 1", inside.Load(), done.Load())
		}
		close(release)
		synctest.Wait()
		if done.Load() != 18 || inside.Load() != 0 {
			t.Errorf("%d done, %d inside; want 18 and 0", done.Load(), inside.Load())
		}
		if err := g.Do(t.Context(), func() {}); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestGateContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := secret.NewGate()
		release := make(chan struct{})
		for range 2 {
			go func() { _ = g.Do(t.Context(), func() { <-release }) }()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		called := false
		if err := g.Do(ctx, func() { called = true }); !errors.Is(err, context.DeadlineExceeded) || called {
			t.Errorf("%v, called %v", err, called)
		}
		if err := g.Do(ctx, func() { called = true }); !errors.Is(err, context.DeadlineExceeded) || called {
			t.Errorf("ended before: %v, called %v", err, called)
		}
		close(release)
		synctest.Wait()
		// The place of the one that gave up is free again: all eighteen are.
		for range 18 {
			if err := g.Do(t.Context(), func() {}); err != nil {
				t.Error(err)
			}
		}
	})
}

// A panic inside leaves the gate open.
func TestGatePanic(t *testing.T) {
	g := secret.NewGate()
	for range 20 {
		func() {
			defer func() { _ = recover() }()
			_ = g.Do(t.Context(), func() { panic("x") })
		}()
	}
	if err := g.DoAlone(t.Context(), func() {}); err != nil {
		t.Error(err)
	}
}

// What goes alone waits for the others, and the others for it; two of them do not wait
// for each other for ever.
func TestGateAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := secret.NewGate()
		var inside, most, passed atomic.Int32
		work := func(n int32) func() {
			return func() {
				now := inside.Add(n)
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
				time.Sleep(time.Second)
				inside.Add(-n)
				passed.Add(1)
			}
		}
		for i := range 16 {
			go func() {
				pass, n := g.Do, int32(1)
				if i%3 == 0 {
					pass, n = g.DoAlone, 2
				}
				if err := pass(t.Context(), work(n)); err != nil {
					t.Error(err)
				}
			}()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if most.Load() != 2 || passed.Load() != 16 {
			t.Errorf("%d at most, %d passed; want 2 and 16", most.Load(), passed.Load())
		}
	})
}
