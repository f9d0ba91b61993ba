package secret

import "context"

// How many slow hashes are computed at once, and how many wait.
const (
	gateWidth = 2
	gateQueue = 16
)

// Gate lets two slow hashes through at once and sixteen wait, so that guessing
// takes neither all processors nor all memory. One that takes much memory goes
// through alone.
type Gate struct {
	tickets chan struct{} // inside or waiting
	alone   chan struct{} // inside, or next, and wanting all slots
	slots   chan struct{} // inside
}

// NewGate returns an open gate.
func NewGate() *Gate {
	return &Gate{
		tickets: make(chan struct{}, gateWidth+gateQueue),
		alone:   make(chan struct{}, 1),
		slots:   make(chan struct{}, gateWidth),
	}
}

// Do calls f once there is room, and waits until it has returned. It returns
// ErrBusy where too many wait already, or the error of the context that ended
// while waiting; then f was not called.
func (g *Gate) Do(ctx context.Context, f func()) error { return g.pass(ctx, 1, f) }

// DoAlone is Do for what takes so much memory that nothing else may be inside
// (Verifier.Heavy).
func (g *Gate) DoAlone(ctx context.Context, f func()) error {
	return g.pass(ctx, gateWidth, f)
}

func (g *Gate) pass(ctx context.Context, slots int, f func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case g.tickets <- struct{}{}:
	default:
		return ErrBusy
	}
	defer func() { <-g.tickets }()
	if slots > 1 { // two that want all slots never hold one each
		if err := take(ctx, g.alone); err != nil {
			return err
		}
		defer func() { <-g.alone }()
	}
	for range slots {
		if err := take(ctx, g.slots); err != nil {
			return err
		}
		defer func() { <-g.slots }()
	}
	f()
	return nil
}

func take(ctx context.Context, seat chan struct{}) error {
	select {
	case seat <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
