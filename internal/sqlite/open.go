package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/postern-dev/postern/internal/sqlstore"
)

// File is the name of the database in the data directory.
const File = "postern.db"

// Options of Open. The zero value is right for production.
type Options struct {
	Now     func() time.Time // left out: time.Now
	Readers int              // connections for reading; left out: 3
}

// DB is the store of a data directory that this process holds.
type DB struct {
	*sqlstore.Store
	lock *os.File
}

// Open takes the data directory, which it makes (mode 0700) where it is not
// there, and opens the database in it (mode 0600), migrated. The error wraps
// ErrLocked where another process has it, ErrNewer where it is too new.
func Open(ctx context.Context, dir string, opt Options) (*DB, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Readers <= 0 {
		opt.Readers = 3
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	held, err := Lock(dir)
	if errors.Is(err, ErrLocked) { // which says what it is about
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	store, err := open(ctx, filepath.Join(dir, File), opt)
	if err != nil {
		_ = held.Close() //nolint:errcheck // the error above matters
		return nil, fmt.Errorf("open %s: %w", filepath.Join(dir, File), err)
	}
	return &DB{store, held}, nil
}

// Close closes the database and gives the data directory up.
func (db *DB) Close() error {
	return errors.Join(db.Store.Close(), db.lock.Close())
}

func open(ctx context.Context, path string, opt Options) (*sqlstore.Store, error) {
	if err := private(path); err != nil {
		return nil, err
	}
	writer, err := pool(path, 1, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(5000)", "journal_mode(wal)", "synchronous(full)", "cache_size(-1024)", "journal_size_limit(8388608)", "trusted_schema(off)",
	}})
	if err != nil {
		return nil, err
	}
	reader, err := pool(path, opt.Readers, url.Values{"_pragma": {
		"busy_timeout(5000)", "query_only(on)", "cache_size(-512)", "mmap_size(2147418112)", "trusted_schema(off)",
	}})
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	err = migrate(ctx, writer)
	var store *sqlstore.Store
	if err == nil {
		store, err = sqlstore.New(ctx, sqlstore.Config{
			Reader: reader, Writer: writer, Now: opt.Now, Duplicate: duplicate, Anonymous: true, OneText: true,
			Insert: "INSERT OR FAIL", // SQLite copies no page that it might have to put back
		})
	}
	if err != nil {
		return nil, errors.Join(err, reader.Close(), writer.Close())
	}
	return store, nil
}

// private makes the database file, or its mode, such that only we read it. The
// files that SQLite puts beside it get the same mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// pool is n connections with the settings given.
func pool(path string, n int, settings url.Values) (*sql.DB, error) {
	name := url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// duplicate tells the errors of a primary key and of a unique index.
func duplicate(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code() == codes.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == codes.SQLITE_CONSTRAINT_UNIQUE)
}
