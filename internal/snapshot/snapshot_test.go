package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth/dialect"
)

var errDisk = errors.New("disk on fire")

func get(t testing.TB, s *snapshot.Snapshot) *snapshot.Client {
	t.Helper()
	c, err := s.Client(t.Context(), "main", "c")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

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
	if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "is kept, but this node has not applied it yet") {
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

// Another node's changes arrive by the feed, however many they are.
func TestPoll(t *testing.T) {
	w := newWorld(t)
	put(t, w.db, clients, client(1), 0)
	s := w.open(w.db)
	if get(t, s).Epoch != 1 {
		t.Fatal("not the first")
	}
	put(t, w.db, clients, client(2), 1)
	_, err := w.db.Change(t.Context(), "local:1", func(tables domain.Tables) ([]domain.Change, error) {
		var changes []domain.Change
		for i := range 1234 { // more than are followed at once
			c := client(1)
			c.ID = fmt.Sprint(i)
			if _, err := tables.Clients.Put(t.Context(), c, 0); err != nil {
				return nil, err
			}
			changes = append(changes, domain.Change{Kind: c.Kind(), Key: c.Key(), Action: "x"})
		}
		return changes, nil
	})
	w.check(err)
	put(t, w.db, clients, client(3), 2)
	if get(t, s).Epoch != 1 {
		t.Error("changed without a poll")
	}
	w.check(s.Poll(t.Context()))
	head, err := w.db.Head(t.Context())
	w.check(err)
	if get(t, s).Epoch != 3 || s.Applied() != head.Seq {
		t.Errorf("epoch %d, applied %d of %d", get(t, s).Epoch, s.Applied(), head.Seq)
	}
}

// Issuers, tenants and keys come as a whole; a view that somebody holds does not change.
func TestViewFollows(t *testing.T) {
	w := newWorld(t)
	i := w.issuer("main", "rfc", "https://auth.example.com", "EdDSA")
	s := w.open(w.db)
	old := s.View()
	oldIssuer, _ := old.Issuer("main")
	signer := oldIssuer.Signer(start)
	w.check(s.Poll(t.Context()))
	if s.View() != old {
		t.Error("another view, and nothing changed")
	}
	put(t, w.db, clients, client(1), 0)
	w.check(s.Poll(t.Context()))
	if s.View() != old {
		t.Error("another view for a client")
	}
	put(t, w.db, tenants, domain.Tenant{ID: tenant1, Label: "One", Hosts: map[string][]string{"main": {"one.example.com"}}}, 0)
	i.Environment = "stage"
	put(t, w.db, issuers, i, 1)
	k, err := keys.Make(&i, w.vault.Ring, start, start.Add(time.Minute))
	w.check(err)
	put(t, w.db, keyRows, k, 0)
	w.check(s.Poll(t.Context()))
	now, _ := s.View().Issuer("main")
	if now.Environment != "stage" || now.Signer(start) != signer || now.Signer(start.Add(time.Minute)).Key().ID != k.ID {
		t.Errorf("got %+v", now)
	}
	if p, found, _ := s.View().Find("one.example.com", "/x"); !found || p.Tenant != tenant1 {
		t.Error("the tenant's host is not found")
	}
	if _, _, known := old.Find("one.example.com", "/x"); known || oldIssuer.Environment != "prod" {
		t.Error("the old view changed")
	}
	// D-58: a key that is deleted signs no more.
	_, err = w.db.Change(t.Context(), "local:1", func(tables domain.Tables) ([]domain.Change, error) {
		return []domain.Change{{Kind: k.Kind(), Key: k.Key(), Action: "x"}}, tables.Keys.Delete(t.Context(), k.Key(), 1)
	})
	w.check(err)
	w.check(s.Poll(t.Context()))
	now, _ = s.View().Issuer("main")
	if now.Signer(start.Add(time.Minute)) != signer {
		t.Error("a deleted key signs")
	}
}

// Another dialect has another typ: the header is prepared anew.
func TestDialectChanges(t *testing.T) {
	w := newWorld(t)
	i := w.issuer("main", "rfc", "https://auth.example.com", "EdDSA")
	s := w.open(w.db)
	before, _ := s.View().Issuer("main")
	i.Dialect = "trialbee"
	put(t, w.db, issuers, i, 1)
	w.check(s.Poll(t.Context()))
	after, _ := s.View().Issuer("main")
	if after.Dialect.Name != "trialbee" || after.Signer(start) == before.Signer(start) {
		t.Error("the signer still writes the typ of the old dialect")
	}
}

// What a node cannot read whole it does not apply in part: it goes on with what it knew, and says so.
func TestBrokenChange(t *testing.T) {
	w := newWorld(t)
	i := w.issuer("main", "rfc", "https://auth.example.com", "EdDSA")
	s := w.open(w.db)
	old, applied := s.View(), s.Applied()
	i.Dialect = "nobody-knows"
	put(t, w.db, issuers, i, 1)
	if err := s.Poll(t.Context()); err == nil || !strings.Contains(err.Error(), `there is no dialect "nobody-knows" on this node`) {
		t.Errorf("got %v", err)
	}
	if s.View() != old || s.Applied() != applied {
		t.Error("applied in part")
	}
	w.local.add(2 * time.Minute)
	if !errors.Is(s.Fresh(), domain.ErrStale) {
		t.Error("a node that cannot apply is fresh")
	}
	if _, err := snapshot.Open(t.Context(), w.config(w.db)); err == nil {
		t.Error("opened")
	}
	i.Dialect = "vibes"
	put(t, w.db, issuers, i, 2)
	w.check(s.Poll(t.Context()))
	if now, _ := s.View().Issuer("main"); now.Dialect.Name != "vibes" {
		t.Errorf("got %s", now.Dialect.Name)
	}
}

// A key sealed for another place does not open, and so does the node not.
func TestBrokenKey(t *testing.T) {
	w := newWorld(t)
	i := w.issuer("main", "rfc", "https://auth.example.com", "EdDSA")
	k, err := keys.Make(&i, w.vault.Ring, start, start)
	w.check(err)
	k.ID = "moved"
	put(t, w.db, keyRows, k, 0)
	if _, err := snapshot.Open(t.Context(), w.config(w.db)); err == nil || !strings.Contains(err.Error(), "open key moved of issuer main") {
		t.Errorf("got %v", err)
	}
}

// RULES: stale is counted from when the last good poll started; a failing one counts for nothing.
func TestStale(t *testing.T) {
	w := newWorld(t)
	f := &faulty{Store: w.db}
	s := w.open(f)
	fresh := func(after time.Duration, want bool) {
		t.Helper()
		w.local.add(after)
		w.database.add(after)
		if err := s.Fresh(); (err == nil) != want || err != nil && !errors.Is(err, domain.ErrStale) {
			t.Errorf("%s after the start: %v", w.local.now().Sub(start), err)
		}
		if err := s.Ready(); (err == nil) != want {
			t.Errorf("%s after the start, ready: %v", w.local.now().Sub(start), err)
		}
	}
	fresh(time.Minute, true)
	fresh(1, false)
	w.check(s.Poll(t.Context()))
	fresh(0, true)
	f.set(func(domain.Head, error) (domain.Head, error) { return domain.Head{}, errDisk })
	if err := s.Poll(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
	fresh(time.Minute, true)
	if err := s.Poll(t.Context()); err == nil {
		t.Error("no error")
	}
	fresh(time.Second, false)
	// A poll that takes 40 seconds proves the state of 40 seconds ago.
	f.set(func(h domain.Head, err error) (domain.Head, error) {
		w.local.add(40 * time.Second)
		w.database.add(40 * time.Second)
		return h, err
	})
	w.check(s.Poll(t.Context()))
	f.set(nil)
	fresh(20*time.Second, true)
	fresh(1, false)
	// The head is read, the changes are not: no good poll.
	put(t, w.db, clients, client(1), 0)
	f.follow = func([]domain.Change, error) ([]domain.Change, error) { return nil, errDisk }
	if err := s.Poll(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
	fresh(0, false)
	// A feed with a gap is no feed.
	f.follow = func([]domain.Change, error) ([]domain.Change, error) { return nil, nil }
	if err := s.Poll(t.Context()); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	fresh(0, false)
	f.follow = nil
	w.check(s.Poll(t.Context()))
	fresh(0, true)
}

// RULES: another incarnation, or a head behind what was applied, is another history: all is read anew.
func TestIncarnation(t *testing.T) {
	for name, change := range map[string]func(*domain.Head, domain.Seq){
		"another incarnation": func(h *domain.Head, applied domain.Seq) { h.Incarnation, h.Seq = "second", applied },
		"a head behind":       func(h *domain.Head, applied domain.Seq) { h.Seq = applied - 1 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			i := w.issuer("main", "rfc", "https://auth.example.com", "EdDSA")
			put(t, w.db, clients, client(1), 0)
			f := &faulty{Store: w.db}
			s := w.open(f)
			if get(t, s).Epoch != 1 {
				t.Fatal("not the first")
			}
			absent := func() error { _, err := s.Client(t.Context(), "main", "d"); return err }
			if err := absent(); !errors.Is(err, domain.ErrNotFound) {
				t.Fatal(err)
			}
			applied := s.Applied()
			// The restored history has other rows under numbers that this node has seen.
			put(t, w.db, clients, client(9), 1)
			d := client(1)
			d.ID = "d"
			put(t, w.db, clients, d, 0)
			i.Environment = "restored"
			put(t, w.db, issuers, i, 1)
			f.follow = func([]domain.Change, error) ([]domain.Change, error) {
				t.Error("the new history was followed from the old one's number")
				return nil, errDisk
			}
			f.set(func(h domain.Head, err error) (domain.Head, error) { change(&h, applied); return h, err })
			w.check(s.Poll(t.Context()))
			now, _ := s.View().Issuer("main")
			if get(t, s).Epoch != 9 || absent() != nil || now.Environment != "restored" {
				t.Errorf("epoch %d, %v, %s", get(t, s).Epoch, absent(), now.Environment)
			}
		})
	}
}

// D-39, RULES: a node's clock that is five minutes off. It issues by the database's clock, says so
// once, and is not ready; ready again, and that said, when the clock is set.
func TestClock(t *testing.T) {
	for _, off := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		t.Run(off.String(), func(t *testing.T) {
			w := newWorld(t)
			w.local.add(off)
			s := w.open(w.db)
			same := func() {
				t.Helper()
				if d := s.Now().Sub(w.database.now()); d.Abs() > 20*time.Millisecond {
					t.Errorf("the node's time is %s off", d)
				}
			}
			same()
			if err := s.Ready(); err == nil || !strings.Contains(err.Error(), "5m0s off") {
				t.Errorf("ready: %v", err)
			}
			if err := s.Fresh(); err != nil {
				t.Errorf("it follows, and yet: %v", err)
			}
			if got := w.log.take(); strings.Count(got, "level=WARN") != 1 || !strings.Contains(got, "too_much=true") {
				t.Errorf("logged %q", got)
			}
			for range 10 {
				w.local.add(time.Second)
				w.database.add(time.Second)
				w.check(s.Poll(t.Context()))
				same()
			}
			if got := w.log.take(); got != "" {
				t.Errorf("said again: %q", got)
			}
			w.local.add(-off) // NTP
			w.check(s.Poll(t.Context()))
			same()
			if err := s.Ready(); err != nil {
				t.Errorf("ready: %v", err)
			}
			if got := w.log.take(); strings.Count(got, "level=") != 1 || !strings.Contains(got, "too_much=false") {
				t.Errorf("logged %q", got)
			}
		})
	}
}

func TestClockLimits(t *testing.T) {
	for _, c := range []struct {
		off          time.Duration
		alarm, ready bool
	}{
		{2 * time.Second, false, true}, {2*time.Second + time.Millisecond, true, true}, {30 * time.Second, true, true}, {30*time.Second + time.Millisecond, true, false},
		{-30 * time.Second, true, true}, {-31 * time.Second, true, false},
	} {
		w := newWorld(t)
		w.local.add(c.off)
		s := w.open(w.db)
		if got := strings.Contains(w.log.take(), "too_much=true"); got != c.alarm {
			t.Errorf("%s: alarm %v", c.off, got)
		}
		if got := s.Ready() == nil; got != c.ready {
			t.Errorf("%s: ready %v", c.off, got)
		}
	}
}

// D-39: an answer that was long on its way tells little about the time: the clock stays.
func TestClockAndSlowStore(t *testing.T) {
	w := newWorld(t)
	f := &faulty{Store: w.db}
	s := w.open(f)
	f.set(func(h domain.Head, err error) (domain.Head, error) { // the database told its time, then nothing came for 70 seconds
		w.local.add(70 * time.Second)
		w.database.add(70 * time.Second)
		return h, err
	})
	w.check(s.Poll(t.Context()))
	if d := s.Now().Sub(w.database.now()); d != 0 {
		t.Errorf("the node's time is %s off", d)
	}
	if got := w.log.take(); got != "" {
		t.Errorf("logged %q", got)
	}
	// But what cannot be explained by the way is believed.
	w.local.add(5 * time.Minute)
	w.check(s.Poll(t.Context()))
	if d := s.Now().Sub(w.database.now()).Abs(); d > 35*time.Second {
		t.Errorf("the node's time is %s off", d)
	}
}

// A run ends with its context, and says once that it cannot follow, and once that it can again.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := &faulty{Store: w.db}
		s := w.open(f)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		f.set(func(domain.Head, error) (domain.Head, error) { return domain.Head{}, errDisk })
		time.Sleep(5*snapshot.PollInterval + 1)
		seq := put(t, w.db, clients, client(1), 0)
		if s.Applied() == seq {
			t.Error("applied what it cannot read")
		}
		f.set(nil)
		time.Sleep(5 * snapshot.PollInterval)
		if s.Applied() != seq { // DESIGN §7: within a second on every node that follows
			t.Errorf("applied %d of %d", s.Applied(), seq)
		}
		f.set(func(domain.Head, error) (domain.Head, error) { cancel(); return domain.Head{}, context.Canceled })
		<-done // the end of the run is no failure to follow
		got := w.log.take()
		if strings.Count(got, "this node cannot follow the store") != 1 || strings.Count(got, "this node follows the store again") != 1 {
			t.Errorf("logged %q", got)
		}
	})
}

// Open fails where nothing can be known.
func TestOpenFails(t *testing.T) {
	w := newWorld(t)
	f := &faulty{Store: w.db}
	f.set(func(domain.Head, error) (domain.Head, error) { return domain.Head{}, errDisk })
	if _, err := snapshot.Open(t.Context(), w.config(f)); !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
	w.issuer("main", "rfc", "https://auth.example.com", "EdDSA")
	c := w.config(w.db)
	c.Dialects = dialect.Set{}
	if _, err := snapshot.Open(t.Context(), c); err == nil {
		t.Error("opened without dialects")
	}
}
