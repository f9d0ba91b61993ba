package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/domain/storetest"
	"github.com/postern-dev/postern/internal/postgres"
	"github.com/postern-dev/postern/internal/postgres/pgtest"
)

func client(id string) domain.Client { return domain.Client{Issuer: "rfc", ID: id, Name: id} }

// create makes clients in one change; between is called after each put.
func create(ctx context.Context, db domain.Store, between func(), ids ...string) (domain.Seq, error) {
	return db.Change(ctx, domain.System, func(tables domain.Tables) (list []domain.Change, err error) {
		for _, id := range ids {
			if _, err := tables.Clients.Put(ctx, client(id), 0); err != nil {
				return nil, err
			}
			if between != nil {
				between()
			}
			list = append(list, domain.Change{Kind: domain.KindClient, Key: client(id).Key(), Action: "client.create"})
		}
		return list, nil
	})
}

func verified(t *testing.T, db storetest.Store) {
	t.Helper()
	if _, err := audit.VerifyChanges(t.Context(), db); err != nil {
		t.Error(err)
	}
	if _, err := audit.VerifyBatches(t.Context(), db); err != nil {
		t.Error(err)
	}
}

// RULES: a change that began earlier and commits later gets the later number,
// and runs again on what the others left.
func TestLateCommit(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	slowNode, fastNode := open(t, url), open(t, url)
	began, release := make(chan struct{}), make(chan struct{})
	var runs atomic.Int32
	late := make(chan domain.Seq)
	go func() {
		seq, err := create(t.Context(), slowNode, func() {
			if runs.Add(1) == 1 {
				close(began)
				<-release
			}
		}, "slow")
		if err != nil {
			t.Error(err)
		}
		late <- seq
	}()
	<-began
	for n := range 3 {
		if seq, err := create(t.Context(), fastNode, nil, fmt.Sprint("fast", n)); err != nil || seq != domain.Seq(n+1) {
			t.Fatalf("change %d, %v: held up by one that is not committed", seq, err)
		}
	}
	passed, err := slowNode.Follow(t.Context(), 0, 10)
	if err != nil || len(passed) != 3 {
		t.Fatalf("%d changes, %v", len(passed), err)
	}
	close(release)
	if seq := <-late; seq != 4 || runs.Load() != 2 {
		t.Errorf("the late change has the number %d after %d runs", seq, runs.Load())
	}
	verified(t, slowNode)
}

// A slow change gets its turn among many fast ones.
func TestSlowChange(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	slowNode, fastNode := open(t, url), open(t, url)
	ctx, stop := context.WithCancel(t.Context())
	var fast sync.WaitGroup
	for w := range 3 {
		fast.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if _, err := create(t.Context(), fastNode, nil, fmt.Sprintf("%d-%d", w, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	runs := 0
	_, err := create(t.Context(), slowNode, func() { runs++; time.Sleep(50 * time.Millisecond) }, "slow")
	stop()
	fast.Wait()
	if err != nil || runs > 4 {
		t.Errorf("%v after %d runs", err, runs)
	}
	verified(t, slowNode)
}

// DESIGN §7: a commit on one node wakes the other; activity wakes nobody.
func TestNotify(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	a, b := open(t, url), open(t, url)
	next := b.Notify()
	if err := a.Append(t.Context(), "a", []domain.Entry{{ID: domain.NewEventID(time.Now()), Action: domain.TokenIssued}}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Change(t.Context(), domain.System, func(domain.Tables) ([]domain.Change, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	select {
	case <-next:
		t.Error("woken by something that is no change")
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := create(t.Context(), a, nil, "x"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-next:
	case <-time.After(5 * time.Second):
		t.Error("not woken")
	}
}

// A session that the server ends comes back, and hears again.
func TestNotifyAfterTheSessionEnded(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	a, b := open(t, url), open(t, url)
	next := b.Notify()
	pgtest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`)
	wait := func() {
		t.Helper()
		select {
		case <-next:
		case <-time.After(10 * time.Second):
			t.Fatal("not woken")
		}
	}
	wait() // it is there again, and may have missed something
	next = b.Notify()
	if _, err := create(t.Context(), a, nil, "x"); err != nil {
		t.Fatal(err)
	}
	wait()
}

// D-39: the time of changes and of the head is the database's.
func TestClock(t *testing.T) {
	db := open(t, pgtest.Start(t).Database(t))
	before := time.Now().Add(-time.Second)
	if _, err := create(t.Context(), db, nil, "x"); err != nil {
		t.Fatal(err)
	}
	list, err := db.Follow(t.Context(), 0, 1)
	head, err2 := db.Head(t.Context())
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if at := list[0].Time; at.Before(before) || head.Now.Before(at) || head.Now.After(time.Now().Add(time.Second)) {
		t.Errorf("change at %s, head at %s", at, head.Now)
	}
}

// RULES: the feed has an incarnation, and a copy of the database has another.
func TestIncarnation(t *testing.T) {
	server := pgtest.Start(t)
	url, other := server.Database(t), server.Database(t)
	db, err := postgres.Open(t.Context(), address(t, url), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := create(t.Context(), db, nil, "x"); err != nil {
		t.Fatal(err)
	}
	was, err := db.Head(t.Context())
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	again, err := open(t, url).Head(t.Context())
	if err != nil || again.Incarnation != was.Incarnation {
		t.Errorf("opened again: %q, then %q, %v", was.Incarnation, again.Incarnation, err)
	}
	copied := open(t, other)
	pgtest.Exec(t, other, `UPDATE feed SET seq = 1, incarnation = '`+was.Incarnation[:26]+`'`)
	head, err := copied.Head(t.Context())
	if err != nil || head.Incarnation == was.Incarnation || head.Incarnation[:26] != was.Incarnation[:26] {
		t.Errorf("restored elsewhere: %q, then %q, %v", was.Incarnation, head.Incarnation, err)
	}
}

// A node that lives through a restore trusts no number of a text from before it.
func TestActivityAfterARestore(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	db := open(t, url)
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	if err := db.Append(t.Context(), "n", storetest.Entries(at, 100)); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, url, `TRUNCATE interned, batch, activity RESTART IDENTITY; UPDATE feed SET incarnation = 'restored'`)
	want := storetest.Entries(at, 50)
	if err := db.Append(t.Context(), "n", want[20:]); err != nil {
		t.Fatal(err)
	}
	got, err := db.Search(t.Context(), domain.Query{Client: want[30].Client})
	if err != nil || len(got) != 1 || got[0] != want[30] {
		t.Errorf("%v, want %v, %v", got, want[30], err)
	}
	verified(t, db)
}
