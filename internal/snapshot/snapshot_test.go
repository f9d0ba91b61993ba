package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
