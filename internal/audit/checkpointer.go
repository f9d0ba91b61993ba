package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/postern-dev/postern/oauth/jwt"
)

// How checkpoints are delivered.
const (
	sendTimeout  = 10 * time.Second // for one of them to one place
	retryAfter   = 30 * time.Second // what was not delivered is tried again
	maxUndeliver = 1000             // that wait for one place; then the oldest goes, as later ones tell more
)

// Sink is a place that checkpoints go to.
type Sink interface {
	// Send delivers one; nil means that it arrived.
	Send(ctx context.Context, checkpoint string) error
	// String names the place, for the log.
	String() string
}

// CheckpointOptions are those of a Checkpointer.
type CheckpointOptions struct {
	Node   string
	Tokens Mode
	Every  time.Duration
	Feed   Feed
	Heads  Heads
	Signer func(context.Context) (*jwt.Signer, error) // asked before the first one
	Sinks  []Sink
	Now    func() time.Time
	Log    *slog.Logger
}

// Checkpointer writes checkpoints from time to time, and brings them to every place. A place
// that fails keeps neither the others waiting nor anybody else.
type Checkpointer struct {
	opt     CheckpointOptions
	signer  *jwt.Signer
	last    *Checkpoint // that was written by this process
	waiting [][]string  // by sink: what it has yet to get
}

// NewCheckpointer returns one that Run sets to work.
func NewCheckpointer(opt CheckpointOptions) *Checkpointer {
	return &Checkpointer{opt: opt, waiting: make([][]string, len(opt.Sinks))}
}

// Run writes a checkpoint every now and then, where something has happened since the one
// before, until ctx ends.
func (c *Checkpointer) Run(ctx context.Context) {
	next := time.Now().Add(c.opt.Every)
	timer := time.NewTimer(c.opt.Every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if !time.Now().Before(next) {
			next = time.Now().Add(c.opt.Every)
			c.write(ctx)
		}
		wait := time.Until(next)
		if c.deliver(ctx) {
			wait = min(wait, retryAfter)
		}
		timer.Reset(wait)
	}
}

// Close writes a last checkpoint, where something has happened since the one before, and
// delivers what waits. It is to be called once Run has ended and nothing is written any
// more. The error tells that something was not delivered; the next start writes anew.
func (c *Checkpointer) Close(ctx context.Context) error {
	c.write(ctx)
	if c.deliver(ctx) {
		return errors.New("checkpoints were not delivered everywhere")
	}
	return nil
}

// write makes a checkpoint, if there is anything new.
func (c *Checkpointer) write(ctx context.Context) {
	if err := c.make(ctx); err != nil && ctx.Err() == nil {
		c.opt.Log.Error("no checkpoint of the audit trail could be made, will try again", "error", err)
	}
}

func (c *Checkpointer) make(ctx context.Context) (err error) {
	if c.signer == nil {
		if c.signer, err = c.opt.Signer(ctx); err != nil {
			return fmt.Errorf("the key of checkpoints: %w", err)
		}
	}
	var known []Point
	if c.last != nil {
		known = c.last.Activity
	}
	now, err := Describe(ctx, c.opt.Feed, c.opt.Heads, known)
	if err != nil {
		return err
	}
	now.Time, now.Node, now.Tokens = c.opt.Now().UTC(), c.opt.Node, c.opt.Tokens
	if c.last != nil && now.Same(c.last) {
		return nil
	}
	list, err := now.Signed(c.signer)
	if err != nil {
		return err
	}
	c.last = &now
	for i := range c.waiting {
		c.waiting[i] = append(c.waiting[i], list...)
		if more := len(c.waiting[i]) - maxUndeliver; more > 0 {
			c.waiting[i] = append([]string{}, c.waiting[i][more:]...)
			c.opt.Log.Error("checkpoints that were never delivered are given up; later ones tell of the same entries", "to", c.opt.Sinks[i].String(), "checkpoints", more)
		}
	}
	return nil
}

// deliver brings what waits to its places and reports whether something is left.
func (c *Checkpointer) deliver(ctx context.Context) (left bool) {
	for i, sink := range c.opt.Sinks {
		for len(c.waiting[i]) > 0 {
			if err := c.send(ctx, sink, c.waiting[i][0]); err != nil {
				c.opt.Log.Error("a checkpoint of the audit trail was not delivered, will try again", "to", sink.String(), "waiting", len(c.waiting[i]), "error", err)
				left = true
				break
			}
			c.waiting[i] = c.waiting[i][1:]
		}
	}
	return left
}

func (c *Checkpointer) send(ctx context.Context, to Sink, text string) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return to.Send(ctx, text)
}
