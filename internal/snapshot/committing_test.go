package snapshot_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
)

// ARB-10, D-38: once a change is answered, it holds on this node: disabled is disabled, deleted is gone, and
// who was unknown is known.
func TestCommitting(t *testing.T) {
	w := newWorld(t)
	s := w.open(w.db)
	store := s.Committing()
	if _, err := s.Client(t.Context(), "main", "c"); !errors.Is(err, domain.ErrNotFound) {
		t.Fatal(err)
	}
	seq := put(t, store, clients, client(1), 0)
	if c := get(t, s); c.Epoch != 1 || c.Version != 1 || s.Applied() != seq {
		t.Errorf("created: %+v, applied %d of %d", c, s.Applied(), seq)
	}
	disabled := client(2)
	disabled.Status = domain.Disabled
	put(t, store, clients, disabled, 1)
	if c := get(t, s); c.Alive(start) || c.Epoch != 2 {
		t.Errorf("disabled: %+v", c)
	}
	_, err := store.Change(t.Context(), "local:1", func(tables domain.Tables) ([]domain.Change, error) {
		dead := domain.Tombstone{Issuer: "main", ID: "c", Epoch: 2}
		if _, err := tables.Tombstones.Put(t.Context(), dead, 0); err != nil {
			return nil, err
		}
		return []domain.Change{{Kind: domain.KindClient, Key: "main/c", Action: "x"}, {Kind: domain.KindTombstone, Key: "main/c", Action: "x"}},
			tables.Clients.Delete(t.Context(), "main/c", 2)
	})
	w.check(err)
	if c, err := s.Client(t.Context(), "main", "c"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("deleted: %+v, %v", c, err)
	}
	put(t, store, clients, client(3), 0) // D-40
	if c := get(t, s); c.Epoch != 3 {
		t.Errorf("made again: %+v", c)
	}
}

// A change that fails is the caller's to hear, as it is.
func TestCommittingFails(t *testing.T) {
	w := newWorld(t)
	s := w.open(w.db)
	before := s.Applied()
	_, err := s.Committing().Change(t.Context(), "local:1", func(domain.Tables) ([]domain.Change, error) { return nil, errDisk })
	if !errors.Is(err, errDisk) || s.Applied() != before {
		t.Errorf("got %v", err)
	}
}

// What is kept, but not applied here, is said to be so; and a request that ends keeps no node from
// applying what it changed.
func TestCommittingCannotFollow(t *testing.T) {
	w := newWorld(t)
	f := &faulty{Store: w.db}
	s := w.open(f)
	ctx, cancel := context.WithCancel(t.Context())
	f.change = cancel
	change := func(c domain.Client, ifVersion int64) error {
		_, err := s.Committing().Change(ctx, "local:1", func(tables domain.Tables) ([]domain.Change, error) {
			_, err := tables.Clients.Put(ctx, c, ifVersion)
			return []domain.Change{{Kind: c.Kind(), Key: c.Key(), Action: "x"}}, err
		})
		return err
	}
	if err := change(client(1), 0); err != nil || get(t, s).Epoch != 1 {
		t.Errorf("the request ended after its change: %v", err)
	}
	ctx = t.Context()
	f.set(func(domain.Head, error) (domain.Head, error) { return domain.Head{}, errDisk })
	err := change(client(2), 1)
	if !errors.Is(err, errDisk) || !errors.Is(err, domain.ErrBehind) {
		t.Errorf("got %v", err)
	}
	// A feed that ends before the change is an error, not a wait without end.
	f.set(func(h domain.Head, err error) (domain.Head, error) { h.Seq = 1; return h, err })
	if err := change(client(3), 2); err == nil {
		t.Error("applied, says a node that follows a feed without it")
	}
}

// ARB-10, D-38: many requests, and an administrator who kills tokens meanwhile. Whoever asks
// after a change was answered gets nothing older.
func TestNothingOldIsServed(t *testing.T) {
	w := newWorld(t)
	s := w.open(w.db)
	store := s.Committing()
	put(t, store, clients, client(1), 0)
	var mu sync.Mutex
	answered := int64(1) // the epoch that the administrator knows of
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				mu.Lock()
				atLeast := answered
				mu.Unlock()
				c, err := s.Client(context.Background(), "main", "c")
				if err != nil || c.Epoch < atLeast {
					t.Errorf("epoch %d is dead, and served: %+v, %v", atLeast, c, err)
					return
				}
			}
		})
	}
	for epoch := int64(2); epoch < 60; epoch++ {
		put(t, store, clients, client(epoch), epoch-1)
		mu.Lock()
		answered = epoch
		mu.Unlock()
	}
	close(done)
	readers.Wait()
}
