package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/postgres"
	"github.com/postern-dev/postern/internal/sqlite"
)

// storage is what a node keeps everything in that must last: SQLite in the data
// directory, or PostgreSQL.
type storage interface {
	domain.Store
	domain.Activity
	audit.Marks
	audit.Batches
	audit.Derived
	audit.Heads
	domain.Trail
	domain.Records
	domain.LastUses
	domain.Retention
	// Notify returns a channel that is closed at the next commit of a change.
	Notify() <-chan struct{}
}

func openStorage(ctx context.Context, o Options) (storage, error) {
	if o.Config.Store.PostgresFile == "" {
		db, err := sqlite.Open(ctx, o.Config.Data, sqlite.Options{Now: o.Now})
		if err != nil {
			return nil, err
		}
		return db, nil
	}
	address, err := postgres.ReadAddress(o.Config.Store.PostgresFile)
	if err != nil {
		return nil, err
	}
	held, err := sqlite.Lock(o.Config.Data) // admin.sock is one process's
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	db, err := postgres.Open(ctx, address, postgres.Options{Node: o.Config.Node})
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	return &shared{db, held}, nil
}

// shared is a database that other nodes use too, with the data directory that is
// this node's alone.
type shared struct {
	*postgres.DB
	held *os.File
}

// Close closes the database and gives the data directory up.
func (s *shared) Close() error { return errors.Join(s.DB.Close(), s.held.Close()) }

// CheckStore reads what the configuration names of its store, and connects to
// nothing.
func CheckStore(c config.Store) error {
	if c.PostgresFile == "" {
		return nil
	}
	_, err := postgres.ReadAddress(c.PostgresFile)
	return err
}

// isDatabase reports whether a path is a data directory with a store.
func isDatabase(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, sqlite.File))
	return err == nil && info.Mode().IsRegular()
}
