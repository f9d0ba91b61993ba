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
		if err := g.Dummy(t.Context()); !errors.Is(err, secret.ErrBusy) {
			t.Errorf("Dummy: %v", err)
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
	if err := g.Dummy(t.Context()); err != nil {
		t.Error(err)
	}
}
