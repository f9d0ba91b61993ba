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
	Reader *sql.DB // for reading only
	Writer *sql.DB
	Now    func() time.Time // the clock of the database, where Clock is left out

	// Where the database serves many at once; all left out where one writer
	// holds it.

	// Isolation of changes. Together with Lock it makes them serial: of two that
	// overlap the later one fails, as Retry tells, and runs again.
	Isolation sql.IsolationLevel
	Lock      string // appended to the SELECT that locks the head of the feed, last before commit
	Exclusive string // first in a change that has failed before: keeps other changes from committing meanwhile
	Announce  string // tells other nodes that the feed has moved; $1 is the number, a text
	// Clock is an SQL expression for the database's time in microseconds of the
	// Unix epoch, Era one for a text that is another after a restore.
	Clock, Era string
	// Batches is what a transaction that writes activity begins with, NoBatches what keeps
	// such transactions waiting until another one ends.
	Batches, NoBatches string
	// Retry tells an error after which a transaction may be tried again: nothing
	// of it was kept.
	Retry func(error) bool
	// Sequences are set, by these statements, behind rows that were copied.
	Sequences []string

	// Anonymous: statements with hundreds of parameters are written with `?` in
	// place of `$n`, which SQLite looks up one by one in a list of names.
	Anonymous bool
	// Insert is how rows of activity go in, where not by INSERT. A transaction of which a
	// statement failed is rolled back, so that a statement need not be undone by itself.
	Insert string
	// OneText: what is read of activity comes as one text, as each column costs much to read.
	OneText bool
	// Snapshot is the isolation under which a reading transaction sees one state.
	Snapshot sql.IsolationLevel
	// Duplicate tells an error that a primary key or unique index caused.
	Duplicate func(error) bool
}

// Store is a domain.Store, a domain.Activity and the domain.Trail of both.
type Store struct {
	cfg      Config
	head     string // reads the head of the feed, the time with it
	read     statements
	write    statements
	reads    domain.Tables
	texts    texts
	interner *interner
	glossary *glossary
	era      string // reads the era of numbers of texts
	uses     *uses

	mu     sync.Mutex
	commit chan struct{} // closed at the next commit of a change
}

var (
	_ domain.Store     = (*Store)(nil)
	_ domain.Activity  = (*Store)(nil)
	_ domain.Trail     = (*Store)(nil)
	_ domain.LastUses  = (*Store)(nil)
	_ domain.Retention = (*Store)(nil)
)

// New returns the store. It begins the feed where there is none yet.
func New(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{cfg: cfg, texts: newTexts(cfg), interner: newInterner(), glossary: newGlossary(cfg.Anonymous), era: selectEra(cfg.Era), uses: newUses(), commit: make(chan struct{})}
	s.read.db, s.write.db = cfg.Reader, cfg.Writer
	s.reads = tables(reader{&s.read}, nil)
	s.head = selectHeadNow(cfg.Clock, cfg.Era)
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

// Notify returns a channel that is closed when the next change is committed, or
// Wake is called. Take it before reading, and nothing is missed.
func (s *Store) Notify() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit
}

// Wake closes the channel of Notify: a change was committed, here or elsewhere.
func (s *Store) Wake() {
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
