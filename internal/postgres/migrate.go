package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewer says that the database was written by a newer Postern.
var ErrNewer = errors.New("the database was written by a newer postern")

// migrate brings the tables to the state that this binary knows, one node at a
// time. Where they are there already that is one query.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	want, err := newest(files)
	if err != nil {
		return err
	}
	if have, err := version(ctx, db); err != nil || have == want {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // back to the pool
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, lockMigrate); err != nil {
		return fmt.Errorf("wait for another node that migrates: %w", err)
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, lockMigrate) //nolint:errcheck // ends with the connection at the latest
	have, err := version(ctx, db)
	if err != nil || have == want {
		return err
	}
	if have > want {
		return fmt.Errorf("%w: its version is %d, this one knows %d", ErrNewer, have, want)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
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
func version(ctx context.Context, db *sql.DB) (v int64, err error) {
	var there bool
	err = db.QueryRowContext(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&there)
	if err == nil && there {
		err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&v)
	}
	if err != nil {
		return 0, fmt.Errorf("read the version of the tables: %w", err)
	}
	return v, nil
}
