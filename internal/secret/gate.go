package secret

import (
	"context"

	"golang.org/x/crypto/argon2"
)

// How many slow hashes are computed at once, and how many wait.
const (
	gateWidth = 2
	gateQueue = 16
)

// Gate lets two slow hashes through at once and sixteen wait, so that guessing
// takes neither all processors nor all memory.
type Gate struct {
	tickets chan struct{} // inside or waiting
	slots   chan struct{} // inside
}

// NewGate returns an open gate.
func NewGate() *Gate {
	return &Gate{
		tickets: make(chan struct{}, gateWidth+gateQueue),
		slots:   make(chan struct{}, gateWidth),
	}
}

// Do calls f once there is room, and waits until it has returned. It returns
// ErrBusy where too many wait already, or the error of the context that ended
// while waiting; then f was not called.
func (g *Gate) Do(ctx context.Context, f func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case g.tickets <- struct{}{}:
	default:
		return ErrBusy
	}
	defer func() { <-g.tickets }()
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-g.slots }()
	f()
	return nil
}

// Dummy spends what Verify of a hash by HashImported spends, for nothing: an
// attempt that has nothing to be held against then costs the same time (D-11).
// Errors are those of Do.
func (g *Gate) Dummy(ctx context.Context) error {
	return g.Do(ctx, func() {
		argon2.IDKey([]byte("nobody's secret"), make([]byte, ourSalt), ourPasses, ourMemory, ourLanes, ourHashLen)
	})
}
