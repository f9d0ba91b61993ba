package postgres

import (
	"context"
	"database/sql"
	"embed"
	"fmt"

	"github.com/pressly/goose/v3"

	"github.com/postern-dev/postern/internal/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewer says that the database was written by a newer Postern.
var ErrNewer = sqlstore.ErrNewer

// migrate brings the tables to the state that this binary knows, one node at a time.
func migrate(ctx context.Context, db *sql.DB) error {
	return sqlstore.Migrations{
		Files: migrations, Dialect: goose.DialectPostgres,
		Exists: `SELECT to_regclass('goose_db_version') IS NOT NULL`,
		Alone:  func(ctx context.Context) (func(), error) { return migrateAlone(ctx, db) },
	}.Up(ctx, db)
}

func migrateAlone(ctx context.Context, db *sql.DB) (done func(), err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, lockMigrate); err != nil {
		_ = conn.Close() // back to the pool
		return nil, fmt.Errorf("wait for another node that migrates: %w", err)
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, lockMigrate) // ends with the connection at the latest
		_ = conn.Close()
	}, nil
}
