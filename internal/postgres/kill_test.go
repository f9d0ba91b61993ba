package postgres_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/domain/storetest"
	"github.com/postern-dev/postern/internal/postgres/pgtest"
)

// die has the connection that writes to the table end there, between this
// statement and the next, or at the commit.
const die = `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER die AFTER %s %s FOR EACH ROW EXECUTE FUNCTION die();`

// DESIGN §9: a crash between two statements, or at the commit, leaves nothing of
// a change and nothing of a batch, breaks no chain, and the next one passes.
func TestCrashBetweenStatements(t *testing.T) {
	server := pgtest.Start(t)
	for _, at := range []string{"INSERT ON object", "INSERT ON change", "UPDATE ON feed", "INSERT ON interned", "INSERT ON batch", "INSERT ON activity"} {
		for _, when := range []string{"NOT DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"} {
			t.Run(at+" "+when, func(t *testing.T) {
				url := server.Database(t)
				db := open(t, url)
				list := storetest.Entries(time.Now(), 300)
				if _, err := create(t.Context(), db, nil, "before"); err != nil {
					t.Fatal(err)
				}
				if err := db.Append(t.Context(), "n", list[:100]); err != nil {
					t.Fatal(err)
				}
				pgtest.Exec(t, url, fmt.Sprintf(die, at, when))
				_, errC := create(t.Context(), db, nil, "a", "b")
				errA := db.Append(t.Context(), "n", list[100:200])
				if (errC == nil) == (errA == nil) {
					t.Fatalf("nothing crashed, or both: %v, %v", errC, errA)
				}
				pgtest.Exec(t, url, `DROP FUNCTION die CASCADE`)
				after(t, db, errC, errA, list)
			})
		}
	}
}

func after(t *testing.T, db storetest.Store, errC, errA error, list []domain.Entry) {
	t.Helper()
	if errC != nil {
		for _, id := range []string{"a", "b"} {
			if _, err := db.Read().Clients.Get(t.Context(), client(id).Key()); !errors.Is(err, domain.ErrNotFound) {
				t.Errorf("half a change: %q, %v", id, err)
			}
		}
		if seq, err := create(t.Context(), db, nil, "a", "b"); err != nil || seq != 3 {
			t.Errorf("again: change %d, %v", seq, err)
		}
	}
	if errA != nil {
		if err := db.Append(t.Context(), "n", list[100:200]); err != nil {
			t.Errorf("again: %v", err)
		}
	}
	if err := db.Append(t.Context(), "n", list[200:]); err != nil {
		t.Error(err)
	}
	got, err := db.Search(t.Context(), domain.Query{Limit: 1000})
	if err != nil || len(got) != 300 {
		t.Errorf("%d entries, %v", len(got), err)
	}
	verified(t, db)
}

// The server ends every connection of a node: what runs fails, what follows passes.
func TestAllConnectionsEnd(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	db := open(t, url)
	_, err := create(t.Context(), db, func() {
		pgtest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	}, "a")
	if err == nil {
		t.Error("a change was kept without its connection")
	}
	// A pool may hold broken connections that it has not used since.
	passes := func(f func() error) {
		t.Helper()
		var err error
		for range 10 {
			if err = f(); err == nil {
				return
			}
		}
		t.Error(err)
	}
	passes(func() error { _, err := create(t.Context(), db, nil, "b"); return err })
	passes(func() error {
		list, err := db.Read().Clients.List(t.Context(), domain.Page{})
		if err == nil && len(list) != 1 {
			t.Errorf("%d clients", len(list))
		}
		return err
	})
	verified(t, db)
}
