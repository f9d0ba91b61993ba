package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// memory is a store that can be down, slow, or tell of a commit that it failed.
type memory struct {
	mu      sync.Mutex
	batches [][]domain.Entry
	meta    map[string]string
	ids     map[domain.EventID]bool
	err     error         // of every Append
	lie     error         // of the next Append, which commits
	slow    time.Duration // of every Append
}

func newMemory() *memory {
	return &memory{meta: map[string]string{}, ids: map[domain.EventID]bool{}}
}

func (m *memory) Append(_ context.Context, _ string, batch []domain.Entry) error {
	time.Sleep(m.slow) // fake time
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	for i, e := range batch {
		if m.ids[e.ID] || slices.ContainsFunc(batch[:i], func(f domain.Entry) bool { return f.ID == e.ID }) {
			return fmt.Errorf("append: %w", domain.ErrExists)
		}
	}
	for _, e := range batch {
		m.ids[e.ID] = true
	}
	m.batches = append(m.batches, slices.Clone(batch))
	err := m.lie
	m.lie = nil
	return err
}

func (m *memory) Search(context.Context, domain.Query) ([]domain.Entry, error) { return nil, nil }

func (m *memory) Meta(_ context.Context, key string) (string, error) {
	v, ok := m.meta[key]
	if !ok {
		return "", domain.ErrNotFound
	}
	return v, nil
}

func (m *memory) SetMeta(_ context.Context, key, value string) error {
	m.meta[key] = value
	return nil
}

func (m *memory) down(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// sizes are those of the batches written so far.
func (m *memory) sizes() []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := []int{}
	for _, b := range m.batches {
		list = append(list, len(b))
	}
	return list
}

func (m *memory) all() []domain.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Concat(m.batches...)
}

func start(t testing.TB, m *memory, mode audit.Mode) (*audit.Writer, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	w, err := audit.Start(t.Context(), audit.Options{
		Node: "n", Mode: mode, Activity: m, Marks: m, Log: slog.New(slog.NewTextHandler(log, nil)), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, log
}

func issued() domain.Entry {
	return domain.Entry{ID: domain.NewEventID(time.Now()), Action: domain.TokenIssued, Issuer: "rfc", Client: "c"}
}

func refused(source, reason string) domain.Entry {
	return domain.Entry{ID: domain.NewEventID(time.Now()), Action: domain.TokenRefused, Issuer: "rfc", Source: source, Reason: reason, Correlation: "x"}
}

func record(t testing.TB, w *audit.Writer, n int) {
	t.Helper()
	for range n {
		if err := w.Record(t.Context(), issued()); err != nil {
			t.Fatal(err)
		}
	}
}

func closed(t testing.TB, w *audit.Writer) {
	t.Helper()
	if err := w.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// DESIGN §9: one batch per 250 ms or BatchEntries.
func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		w, _ := start(t, m, audit.Group)
		record(t, w, 3)
		time.Sleep(audit.BatchWait - time.Millisecond)
		synctest.Wait()
		want(t, "before the time", m.sizes(), []int{})
		time.Sleep(time.Millisecond)
		synctest.Wait()
		want(t, "at the time", m.sizes(), []int{3})
		record(t, w, audit.BatchEntries)
		synctest.Wait()
		want(t, "full batches do not wait", m.sizes(), []int{3, audit.BatchEntries})
		record(t, w, 5)
		closed(t, w)
		want(t, "close writes the rest", m.sizes(), []int{3, audit.BatchEntries, 5})
		want(t, "written", w.Stats().Written, int64(8+audit.BatchEntries))
		if err := w.Record(t.Context(), issued()); !errors.Is(err, audit.ErrClosed) {
			t.Errorf("record after close: %v", err)
		}
		want(t, "mark", m.meta["activity/n"], "stopped")
		closed(t, w)
	})
}

func TestSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.slow = 10 * time.Millisecond
		w, _ := start(t, m, audit.Sync)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				e := issued()
				if err := w.Record(t.Context(), e); err != nil {
					t.Error(err)
				}
				m.mu.Lock()
				defer m.mu.Unlock()
				if !m.ids[e.ID] {
					t.Error("answered before its batch was committed")
				}
			})
		}
		begin := time.Now()
		group.Wait()
		if took := time.Since(begin); took > 30*time.Millisecond {
			t.Errorf("20 at once took %v: they are not committed together", took)
		}
		m.down(errors.New("down"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Record(ctx, issued()); !errors.Is(err, audit.ErrPending) {
			t.Errorf("store down: %v", err)
		}
		m.down(nil)
		closed(t, w)
		want(t, "written", len(m.all()), 21)
	})
}

// D-106: off keeps nothing, but says that it was off.
func TestOff(t *testing.T) {
	m := newMemory()
	w, log := start(t, m, audit.Off)
	record(t, w, 3)
	closed(t, w)
	want(t, "batches", m.sizes(), []int{1})
	want(t, "what is kept", m.all()[0].Action, domain.ActivityOff)
	if !strings.Contains(log.String(), "audit.tokens is off") {
		t.Errorf("log: %s", log)
	}
	if _, err := audit.Start(t.Context(), audit.Options{Mode: "of"}); err == nil {
		t.Error("a mode that is none was taken")
	}
}

// DESIGN §9: the queue is bounded; full means the request waits, then 503.
func TestFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.down(errors.New("disk full"))
		w, log := start(t, m, audit.Group)
		record(t, w, audit.QueueEntries)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Record(ctx, issued()); !errors.Is(err, audit.ErrFull) {
			t.Errorf("queue full: %v", err)
		}
		var late error
		var group sync.WaitGroup
		group.Go(func() { late = w.Record(t.Context(), issued()) })
		synctest.Wait()
		m.down(nil)
		group.Wait()
		if late != nil {
			t.Errorf("one that waited: %v", late)
		}
		closed(t, w)
		want(t, "kept through the failure", len(m.all()), audit.QueueEntries+1)
		stats := w.Stats()
		if stats.Full != 1 || stats.Failures == 0 || stats.Queued != 0 || !strings.Contains(log.String(), "disk full") {
			t.Errorf("%+v, log %q", stats, log)
		}
		if slices.Max(m.sizes()) > audit.BatchEntries {
			t.Errorf("batches %v", m.sizes())
		}
	})
}

// DESIGN §9: a request waits for room once, however often others are served before it.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.slow = time.Second // of each batch
		w, err := audit.Start(t.Context(), audit.Options{
			Node: "n", Activity: m, Marks: m, Log: slog.New(slog.DiscardHandler), Now: time.Now, Wait: 1500 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		record(t, w, audit.QueueEntries)
		began := time.Now()
		var group sync.WaitGroup
		var full atomic.Int64
		for range 2 * audit.BatchEntries {
			group.Go(func() {
				if err := w.Record(t.Context(), issued()); errors.Is(err, audit.ErrFull) {
					full.Add(1)
				}
				if waited := time.Since(began); waited > 1500*time.Millisecond {
					t.Errorf("waited %s", waited)
				}
			})
		}
		group.Wait()
		want(t, "turned away", full.Load(), int64(audit.BatchEntries))
		closed(t, w)
	})
}

func TestCloseTellsWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.down(errors.New("down"))
		w, _ := start(t, m, audit.Group)
		record(t, w, 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := w.Close(ctx); !errors.Is(err, audit.ErrLost) || !strings.Contains(err.Error(), "3 entries") {
			t.Errorf("close: %v", err)
		}
		m.down(nil)
		again, log := start(t, m, audit.Group)
		closed(t, again)
		list := m.all()
		if len(list) != 1 || list[0].Action != domain.ActivityGap || !strings.Contains(log.String(), "cleanly") {
			t.Errorf("%v, log %q", list, log)
		}
		third, _ := start(t, m, audit.Group)
		closed(t, third)
		want(t, "no gap after a clean stop", len(m.all()), 1)
	})
}

// A commit that was told to have failed, and an id used twice, stop nothing.
func TestDuplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.lie = errors.New("disk I/O error")
		w, log := start(t, m, audit.Group)
		record(t, w, 3)
		time.Sleep(time.Second)
		twice := issued()
		for _, e := range []domain.Entry{issued(), twice, twice, issued()} {
			if err := w.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		closed(t, w)
		want(t, "entries", len(m.all()), 6)
		want(t, "duplicates", w.Stats().Duplicate, int64(4))
		if !strings.Contains(log.String(), twice.ID.String()) {
			t.Errorf("log %q", log)
		}
	})
}

type nowhere struct{ memory }

func (*nowhere) Append(context.Context, string, []domain.Entry) error { return nil }

func BenchmarkRecord(b *testing.B) {
	m := &nowhere{}
	m.meta = map[string]string{}
	w, err := audit.Start(b.Context(), audit.Options{Node: "n", Activity: m, Marks: m, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	e := issued()
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Record(context.Background(), e); err != nil {
			b.Fatal(err)
		}
	}
	closed(b, w)
}

// D-39: a clock that steps back an hour delays nothing.
func TestClockStepsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var step time.Duration
		w, err := audit.Start(t.Context(), audit.Options{
			Node: "n", Activity: m, Marks: m, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(step) },
		})
		if err != nil {
			t.Fatal(err)
		}
		record(t, w, 1)
		if err := w.Record(t.Context(), refused("192.0.2.1", "credentials_wrong")); err != nil {
			t.Fatal(err)
		}
		step = -time.Hour
		time.Sleep(2 * time.Second)
		synctest.Wait()
		want(t, "written", w.Stats().Written, int64(2))
		closed(t, w)
	})
}
