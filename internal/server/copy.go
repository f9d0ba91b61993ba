package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/postern-dev/postern/internal/postgres"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/internal/sqlstore"
)

// ErrNoStore is returned where a path names no store to copy from.
var ErrNoStore = errors.New("there is no store")

// ErrNotEmpty is returned where there is something in the store that is copied to.
var ErrNotEmpty = sqlstore.ErrNotEmpty

// ErrBusy is returned where a node runs on one of the stores.
var ErrBusy = errors.New("a server is running on it")

// Copy copies an installation into an empty store and proves it (sqlstore.Copy).
// Each of from and to is a data directory, or a file that holds the URL of a
// PostgreSQL database; a directory that is copied to is made where there is none.
// The error wraps ErrBusy where a node runs on either.
func Copy(ctx context.Context, from, to string) (rows []sqlstore.Rows, err error) {
	same, err := sameFile(from, to)
	if err == nil && same {
		err = errors.New("what is copied from and to is the same")
	}
	if err != nil {
		return nil, err
	}
	source, closeSource, err := openAlone(ctx, from, false)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", from, err)
	}
	defer func() { err = errors.Join(err, closeSource.Close()) }()
	target, closeTarget, err := openAlone(ctx, to, true)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", to, err)
	}
	defer func() { err = errors.Join(err, closeTarget.Close()) }()
	return sqlstore.Copy(ctx, source, target)
}

func sameFile(a, b string) (bool, error) {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	switch {
	case errX != nil:
		return false, fmt.Errorf("%w at %s: %w", ErrNoStore, a, errX)
	case errors.Is(errY, fs.ErrNotExist):
		return false, nil
	}
	return os.SameFile(x, y), errY
}

// openAlone opens a store that nobody else may use meanwhile.
func openAlone(ctx context.Context, path string, make bool) (*sqlstore.Store, io.Closer, error) {
	info, err := os.Stat(path)
	if err == nil && info.Mode().IsRegular() {
		address, err := postgres.ReadAddress(path)
		if err != nil {
			return nil, nil, err
		}
		db, err := postgres.Open(ctx, address, postgres.Options{Alone: true})
		if err != nil {
			return nil, nil, busy(err, postgres.ErrInUse)
		}
		return db.Store, db, nil
	}
	if !make && !isDatabase(path) {
		return nil, nil, fmt.Errorf("%w: it is neither a data directory with %s nor a file that holds the URL of PostgreSQL", ErrNoStore, sqlite.File)
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return nil, nil, busy(err, sqlite.ErrLocked)
	}
	return db.Store, db, nil
}

func busy(err, taken error) error {
	if errors.Is(err, taken) {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}
