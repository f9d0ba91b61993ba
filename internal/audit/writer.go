package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// Mode says when Record returns (`audit.tokens` in the configuration).
type Mode string

// The modes.
const (
	Group Mode = "group" // once the entry is queued; a kill loses at most the last batch
	Sync  Mode = "sync"  // after the batch of the entry is committed
	Off   Mode = "off"   // at once: nothing is kept, but for an entry that says so
)

// How much is gathered, and how long.
const (
	BatchEntries = 2048                   // entries of a batch at most
	BatchWait    = 250 * time.Millisecond // from the first entry of a batch in mode group
	QueueEntries = 8192                   // entries that wait for their batch, and are being written, at most
)

// What Record and Close answer. After an error of Record the request must be
// refused (503): it is, or may be, unaudited.
var (
	ErrFull    = errors.New("the activity queue is full")
	ErrPending = errors.New("activity is not committed yet") // mode sync: the entry is queued and will be written
	ErrClosed  = errors.New("the activity queue is closed")
	ErrLost    = errors.New("activity was not written") // Close
)

// Options of a Writer.
type Options struct {
	Node     string // name of this node: its chain
	Mode     Mode   // left out: Group
	Activity domain.Activity
	Marks    Marks
	Log      *slog.Logger
	Now      func() time.Time // dates the entries that the writer makes itself
	// Wait is how long Record waits for room, or in mode sync for its batch,
	// at most; zero: until its context ends.
	Wait time.Duration
}

// Stats counts what a Writer did since its start.
type Stats struct {
	Queued    int   // entries that wait for their batch now
	Written   int64 // entries committed
	Failures  int64 // failed attempts to commit a batch
	Full      int64 // entries refused because the queue was full
	Duplicate int64 // entries not written because one with their id was there
}

// Writer gathers entries into batches and appends them. Make one with Start.
type Writer struct {
	opt  Options
	wake chan struct{} // one slot: look again at what is due
	done chan struct{} // closed when run has ended
	stop context.CancelFunc

	mu      sync.Mutex
	queue   []domain.Entry // in order of arrival
	since   time.Time      // when the first of queue came, by the local monotonic clock: waits are no matter of the time of day
	taken   int            // taken from queue, not yet committed
	refused refusals
	room    chan struct{} // closed at the next commit, where somebody waits
	round   chan struct{} // mode sync: closed when what is queued now is committed
	closed  bool

	written, failures, turnedAway, duplicate atomic.Int64
}

// Start begins to write. Where the node did not stop cleanly before, it logs
// that and queues an entry with the action activity.gap; in mode off it writes one
// with the action activity.off.
func Start(ctx context.Context, opt Options) (*Writer, error) {
	if opt.Mode == "" {
		opt.Mode = Group
	}
	if opt.Mode != Group && opt.Mode != Sync && opt.Mode != Off {
		return nil, fmt.Errorf("audit.tokens: %q is none of group, sync, off", opt.Mode)
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	w := &Writer{
		opt: opt, stop: stop, wake: make(chan struct{}, 1), done: make(chan struct{}),
		queue: make([]domain.Entry, 0, BatchEntries), refused: newRefusals(), round: make(chan struct{}),
	}
	if opt.Mode == Off {
		close(w.done)
		return w, w.tellOff(ctx)
	}
	if err := w.open(ctx); err != nil {
		stop()
		return nil, err
	}
	go w.run(running)
	return w, nil
}

// tellOff leaves a trace that nothing is kept from now on: nobody switches the trail off
// in silence (D-106).
func (w *Writer) tellOff(ctx context.Context) error {
	w.opt.Log.Warn("audit.tokens is off: no token issued or refused and no call refused is kept", "node", w.opt.Node)
	off := domain.Entry{ID: domain.NewEventID(w.opt.Now()), Action: domain.ActivityOff}
	if err := w.opt.Activity.Append(ctx, w.opt.Node, []domain.Entry{off}); err != nil {
		return fmt.Errorf("record that audit.tokens is off: %w", err)
	}
	return nil
}

// Record takes one entry. Where the queue is full it waits until ctx ends, or for
// Options.Wait, and returns an error that wraps ErrFull. Refusals are counted together by
// second, and never waited for: those of clients that are not known by action, source
// prefix, issuer, reason and resource; of a known client refused tokens and calls over its
// limit (RateLimited) by issuer, client, reason and resource, save where too many clients are
// refused at once.
func (w *Writer) Record(ctx context.Context, e domain.Entry) error {
	if w.opt.Mode == Off {
		return nil
	}
	w.mu.Lock()
	if !w.closed {
		if counted, first := w.refused.add(&e); counted {
			w.mu.Unlock()
			if first {
				w.signal()
			}
			return nil
		}
	}
	if w.full() {
		if err := w.waitRoom(ctx); err != nil {
			return err
		}
	}
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	if len(w.queue) == 0 {
		w.since = time.Now()
	}
	w.queue = append(w.queue, e)
	n, round := len(w.queue), w.round
	w.mu.Unlock()
	if n == 1 || n == BatchEntries {
		w.signal()
	}
	if w.opt.Mode == Sync {
		return w.await(ctx, round)
	}
	return nil
}

// full reports whether an entry has to wait for room; the lock is held.
func (w *Writer) full() bool { return !w.closed && len(w.queue)+w.taken >= QueueEntries }

// waitRoom gives up the lock until batches are committed and there is room. Where
// ctx ends first the lock stays given up.
func (w *Writer) waitRoom(ctx context.Context) error {
	ctx, cancel := w.patience(ctx)
	defer cancel()
	for w.full() {
		if w.room == nil {
			w.room = make(chan struct{})
		}
		room := w.room
		w.mu.Unlock()
		select {
		case <-room:
			w.mu.Lock()
		case <-ctx.Done():
			w.turnedAway.Add(1)
			return fmt.Errorf("%w: %w", ErrFull, ctx.Err())
		}
	}
	return nil
}

// patience is the context with an end to the waiting: made only where there is something to
// wait for.
func (w *Writer) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	if w.opt.Wait == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, w.opt.Wait)
}

func (w *Writer) await(ctx context.Context, round <-chan struct{}) error {
	ctx, cancel := w.patience(ctx)
	defer cancel()
	select {
	case <-round:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrPending, ctx.Err())
	}
}

func (w *Writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Stats returns the counts.
func (w *Writer) Stats() Stats {
	w.mu.Lock()
	queued := len(w.queue) + w.taken
	w.mu.Unlock()
	return Stats{
		Queued: queued, Written: w.written.Load(), Failures: w.failures.Load(),
		Full: w.turnedAway.Load(), Duplicate: w.duplicate.Load(),
	}
}

// Close takes nothing more, writes what is queued and marks the stop as clean.
// Where ctx ends before that, the error wraps ErrLost and the next start tells
// the gap.
func (w *Writer) Close(ctx context.Context) error {
	w.mu.Lock()
	again := w.closed
	w.closed = true
	w.release()
	w.mu.Unlock()
	w.signal()
	select {
	case <-w.done:
	case <-ctx.Done():
		w.stop()
		<-w.done
	}
	w.stop()
	if w.opt.Mode == Off || again {
		return nil
	}
	if lost := w.Stats().Queued + w.refused.len(); lost > 0 {
		return fmt.Errorf("%w: %d entries", ErrLost, lost)
	}
	return w.opt.Marks.SetMeta(ctx, w.mark(), stopped)
}

// release wakes those who wait for room; the lock is held.
func (w *Writer) release() {
	if w.room != nil {
		close(w.room)
		w.room = nil
	}
}
