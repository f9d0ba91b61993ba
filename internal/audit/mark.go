package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// Marks keeps small texts in the store; Meta returns domain.ErrNotFound where
// there is none.
type Marks interface {
	Meta(ctx context.Context, key string) (string, error)
	SetMeta(ctx context.Context, key, value string) error
}

// The values of a node's mark.
const (
	started = "running"
	stopped = "stopped"
)

func (w *Writer) mark() string { return "activity/" + w.opt.Node }

// open marks the node as running. One that is marked so already did not stop
// cleanly: its last batch may be lost (DESIGN §9).
func (w *Writer) open(ctx context.Context) error {
	before, err := w.opt.Marks.Meta(ctx, w.mark())
	switch {
	case errors.Is(err, domain.ErrNotFound):
	case err != nil:
		return fmt.Errorf("read how node %q stopped: %w", w.opt.Node, err)
	case before != stopped:
		w.opt.Log.Warn("this node did not stop cleanly: its last batch of activity may be lost", "node", w.opt.Node)
		now := w.opt.Now()
		w.since = time.Now()
		w.queue = append(w.queue, domain.Entry{ID: domain.NewEventID(now), Action: domain.ActivityGap})
		return nil // the mark stands already
	}
	if err := w.opt.Marks.SetMeta(ctx, w.mark(), started); err != nil {
		return fmt.Errorf("mark node %q as running: %w", w.opt.Node, err)
	}
	return nil
}
