package audit

import (
	"context"
	"errors"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// How long a batch that failed waits for its next attempt.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// run writes what is due until the Writer is closed and empty, or ctx ends. It
// sleeps without a ticker while there is nothing.
func (w *Writer) run(ctx context.Context) {
	defer close(w.done)
	var spare []domain.Entry
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait, something, closed := w.due()
		if !something && closed {
			return
		}
		if something && wait <= 0 {
			batch, round := w.take(spare)
			if !w.write(ctx, batch) {
				return
			}
			close(round)
			clear(batch) // lets go of the strings
			spare = batch[:0]
			continue
		}
		if !something {
			wait = time.Hour
		}
		timer.Reset(wait)
		select {
		case <-w.wake:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// due tells in what time something has to be written.
func (w *Writer) due() (wait time.Duration, something, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, refused := len(w.queue), w.refused.len()
	if n == 0 && refused == 0 {
		return 0, false, w.closed
	}
	if w.closed || n >= BatchEntries || n > 0 && w.opt.Mode == Sync {
		return 0, true, w.closed
	}
	now := time.Now()
	wait = time.Hour
	if n > 0 {
		wait = w.since.Add(BatchWait).Sub(now)
	}
	if refused > 0 {
		wait = min(wait, w.refused.since.Add(refusedWindow).Sub(now))
	}
	return wait, true, false
}

// take empties the queue and gives it the spare one; the channel is to be
// closed when what was taken is committed.
func (w *Writer) take(spare []domain.Entry) ([]domain.Entry, chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch, round := w.queue, w.round
	if cap(spare) == 0 {
		spare = make([]domain.Entry, 0, BatchEntries)
	}
	w.queue, w.round = spare, make(chan struct{})
	if w.closed || !time.Now().Before(w.refused.since.Add(refusedWindow)) {
		batch = w.refused.drain(batch, QueueEntries)
	}
	w.taken = len(batch)
	return batch, round
}

// write appends the entries in batches and reports whether all are written.
func (w *Writer) write(ctx context.Context, entries []domain.Entry) bool {
	for len(entries) > 0 {
		n := min(len(entries), BatchEntries)
		if !w.commit(ctx, entries[:n]) {
			return false
		}
		entries = entries[n:]
		w.mu.Lock()
		w.taken -= n
		w.release()
		w.mu.Unlock()
	}
	return true
}

// commit appends one batch, again and again until it is there or ctx ends.
func (w *Writer) commit(ctx context.Context, batch []domain.Entry) bool {
	for wait := firstBackoff; ; wait = min(2*wait, lastBackoff) {
		err := w.opt.Activity.Append(ctx, w.opt.Node, batch)
		switch {
		case err == nil:
			w.written.Add(int64(len(batch)))
			return true
		case errors.Is(err, domain.ErrExists) && len(batch) == 1:
			w.duplicate.Add(1)
			w.opt.Log.Error("activity has an entry with this id already", "id", batch[0].ID.String(), "action", string(batch[0].Action))
			return true
		case errors.Is(err, domain.ErrExists):
			return w.commitEach(ctx, batch)
		}
		w.failures.Add(1)
		w.opt.Log.Error("activity is not written, will try again", "entries", len(batch), "after", wait.String(), "err", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return false
		}
	}
}

// commitEach appends one by one the entries of a batch with an id that is there
// already: an attempt that was told to have failed did commit, or one id was
// used twice. One bad entry stops no other.
func (w *Writer) commitEach(ctx context.Context, batch []domain.Entry) bool {
	for i := range batch {
		if !w.commit(ctx, batch[i:i+1]) {
			return false
		}
	}
	return true
}
