package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// ErrNewer says that the database was written by a newer Postern.
var ErrNewer = errors.New("the database was written by a newer postern")

// Migrations bring the tables to the state that this binary knows.
type Migrations struct {
	Files   fs.FS // migrations/<number>_<name>.sql
	Dialect goose.Dialect
	Exists  string // query: is there a table goose_db_version
	// Alone, if set, keeps other nodes from migrating until done is called.
	Alone func(ctx context.Context) (done func(), err error)
}

// Up migrates. Where the tables are as they should be already that is one query.
func (m Migrations) Up(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(m.Files, "migrations")
	if err != nil {
		return err
	}
	want, err := newest(files)
	if err != nil {
		return err
	}
	have, err := m.version(ctx, db)
	if err != nil || have == want {
		return err
	}
	if m.Alone != nil {
		done, err := m.Alone(ctx)
		if err != nil {
			return err
		}
		defer done()
		if have, err = m.version(ctx, db); err != nil || have == want {
			return err
		}
	}
	if have > want {
		return fmt.Errorf("%w: its version is %d, this one knows %d", ErrNewer, have, want)
	}
	p, err := goose.NewProvider(m.Dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate from version %d to %d: %w", have, want, err)
	}
	return nil
}

// newest is the greatest number of a migration.
func newest(files fs.FS) (int64, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, err
	}
	var n int64
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", name, err)
		}
		n = max(n, v)
	}
	return n, nil
}

// version is that of the tables, 0 where there are none.
func (m Migrations) version(ctx context.Context, db *sql.DB) (v int64, err error) {
	var there bool
	err = db.QueryRowContext(ctx, m.Exists).Scan(&there)
	if err == nil && there {
		err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&v)
	}
	if err != nil {
		return 0, fmt.Errorf("read the version of the tables: %w", err)
	}
	return v, nil
}
