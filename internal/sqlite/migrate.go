package sqlite

import (
	"context"
	"database/sql"
	"embed"

	"github.com/pressly/goose/v3"

	"github.com/postern-dev/postern/internal/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewer says that the database was written by a newer Postern.
var ErrNewer = sqlstore.ErrNewer

func migrate(ctx context.Context, db *sql.DB) error {
	return sqlstore.Migrations{
		Files: migrations, Dialect: goose.DialectSQLite3,
		Exists: `SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'`,
	}.Up(ctx, db)
}
