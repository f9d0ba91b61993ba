package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/domain/storetest"
	"github.com/postern-dev/postern/internal/sqlite"
)

// RULES "Snapshot and feed": one process holds the data directory.
func TestOpenTakesTheDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%41") // nothing in a name is read as part of a URI
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(t.Context(), dir, sqlite.Options{})
	if !errors.Is(err, sqlite.ErrLocked) || !strings.Contains(err.Error(), "admin.sock") {
		t.Errorf("a second open: %v", err)
	}
	fill(t, db, 1)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 || !strings.HasPrefix(e.Name(), "postern.") {
			t.Errorf("%s has the mode %v", e.Name(), info.Mode())
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data directory: %v, %v", info.Mode(), err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if head, err := again.Head(t.Context()); err != nil || head.Seq != 1 {
		t.Errorf("opened again: %+v, %v", head, err)
	}
}

func TestOpenRefusesANewerDatabase(t *testing.T) {
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	const newer = `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`
	if _, err := beside(t, dir).ExecContext(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), dir, sqlite.Options{}); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("opened: %v", err)
	}
}

// What the first version wrote is kept, verifies, is found, and is written on.
func TestOpenMigratesTheFirstVersion(t *testing.T) {
	dir := t.TempDir()
	raw := beside(t, dir)
	p, err := goose.NewProvider(goose.DialectSQLite3, raw, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	statements, old := storetest.First(func(b []byte) string { return fmt.Sprintf("X'%x'", b) })
	for _, text := range statements {
		if _, err := raw.ExecContext(t.Context(), text); err != nil {
			t.Fatal(text, err)
		}
	}
	storetest.Upgraded(t, open(t, dir), old)
}

func TestNotifyTellsTheNextCommit(t *testing.T) {
	db := open(t, t.TempDir())
	next := db.Notify()
	_, err := db.Change(t.Context(), domain.System, func(domain.Tables) ([]domain.Change, error) { return nil, errors.New("no") })
	if err == nil {
		t.Fatal("no error")
	}
	select {
	case <-next:
		t.Error("told of a change that was not committed")
	default:
	}
	fill(t, db, 1)
	select {
	case <-next:
	default:
		t.Error("not told of a change")
	}
}

// The clock of changes and of the head is the one given.
func TestNow(t *testing.T) {
	at := time.Date(2031, 1, 2, 3, 4, 5, 6000, time.UTC)
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // read only
	fill(t, db, 1)
	list, err := db.Follow(t.Context(), 0, 1)
	head, err2 := db.Head(t.Context())
	if err != nil || err2 != nil || !list[0].Time.Equal(at) || !head.Now.Equal(at) {
		t.Errorf("%v, %v, %v, %v", list, head, err, err2)
	}
}
