package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// Config is what a driver's package supplies. The tables are there already.
type Config struct {
	Reader *sql.DB          // for reading only
	Writer *sql.DB          // its transactions are serial, or fail
	Lock   string           // appended to the SELECT that locks the head of the feed, where a transaction does not lock it anyway
	Now    func() time.Time // the clock of the database
	// Anonymous: statements with hundreds of parameters are written with `?` in
	// place of `$n`, which SQLite looks up one by one in a list of names.
	Anonymous bool
	// Snapshot is the isolation under which a reading transaction sees one state.
	Snapshot sql.IsolationLevel
	// Duplicate tells an error that a primary key or unique index caused.
	Duplicate func(error) bool
}

// Store is a domain.Store and a domain.Activity.
type Store struct {
	cfg      Config
	read     statements
	write    statements
	reads    domain.Tables
	texts    texts
	interner *interner

	mu     sync.Mutex
	commit chan struct{} // closed at the next commit of a change
}

var (
	_ domain.Store    = (*Store)(nil)
	_ domain.Activity = (*Store)(nil)
)

// New returns the store. It begins the feed where there is none yet.
func New(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{cfg: cfg, texts: newTexts(cfg.Anonymous), interner: newInterner(), commit: make(chan struct{})}
	s.read.db, s.write.db = cfg.Reader, cfg.Writer
	s.reads = tables(reader{&s.read}, nil)
	_, err := s.Head(ctx)
	if errors.Is(err, domain.ErrNotFound) {
		const begin = `INSERT INTO feed (one, incarnation, seq, hash) VALUES (1, $1, 0, $2) ON CONFLICT DO NOTHING`
		_, err = cfg.Writer.ExecContext(ctx, begin, rand.Text(), []byte{})
	}
	if err != nil {
		return nil, fmt.Errorf("begin the feed: %w", err)
	}
	return s, nil
}

// Read returns the tables for reading.
func (s *Store) Read() domain.Tables { return s.reads }

// Notify returns a channel that is closed when the next change is committed
// here. Take it before reading, and nothing is missed.
func (s *Store) Notify() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit
}

func (s *Store) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.commit)
	s.commit = make(chan struct{})
}

// Close closes both pools.
func (s *Store) Close() error {
	return errors.Join(s.cfg.Reader.Close(), s.cfg.Writer.Close())
}

// Meta returns the text kept under a key, or domain.ErrNotFound. It is for what
// is neither a change nor activity: what kind of data this is, how a node
// stopped.
func (s *Store) Meta(ctx context.Context, key string) (string, error) {
	var value string
	err := s.read.row(ctx, `SELECT value FROM meta WHERE key = $1`, []any{key}, &value)
	if err != nil {
		return "", fmt.Errorf("meta %q: %w", key, err)
	}
	return value, nil
}

// SetMeta keeps a text under a key.
func (s *Store) SetMeta(ctx context.Context, key, value string) error {
	const set = `INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`
	if _, err := s.cfg.Writer.ExecContext(ctx, set, key, value); err != nil {
		return fmt.Errorf("set meta %q: %w", key, err)
	}
	return nil
}
