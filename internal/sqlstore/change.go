package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// The statements of the feed. The time of a change is in microseconds of the
// Unix epoch, as its hash covers it.
const (
	selectHead    = `SELECT incarnation, seq, hash FROM feed WHERE one = 1`
	updateHead    = `UPDATE feed SET seq = $1, hash = $2 WHERE one = 1`
	insertChange  = `INSERT INTO change (` + changeColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	changeColumns = `seq, kind, key, action, version, object, actor, at, hash, issuer, client, tenant`
	selectChange  = `SELECT seq, kind, key, action, version, object, actor, at, hash FROM change WHERE seq > $1 ORDER BY seq LIMIT $2`
)

// Attempts at a change or a batch that other transactions get in the way of. From
// exclusiveAfter on a change keeps the others out, so that a slow one gets its turn.
const (
	attempts       = 10
	exclusiveAfter = 2
)

// Change is described at domain.Store. Two puts of one object, or a delete and
// a put, need one change, which tells the outcome, or one for each in order. A
// put with version 0 of what is there already is domain.ErrExists, every other
// version that is not the current one domain.ErrConflict.
func (s *Store) Change(ctx context.Context, by domain.Actor, f func(domain.Tables) ([]domain.Change, error)) (domain.Seq, error) {
	if by == "" {
		return 0, errors.New("a change without an actor")
	}
	var seq domain.Seq
	err := s.again(ctx, func(attempt int) (t *tx, err error) {
		t, seq, err = s.change(ctx, by, f, attempt > exclusiveAfter)
		return t, err
	})
	return seq, err
}

// again runs a transaction until it is through, or fails for a reason that
// stays. f returns the transaction if it began.
func (s *Store) again(ctx context.Context, f func(attempt int) (*tx, error)) error {
	for attempt := 1; ; attempt++ {
		t, err := f(attempt)
		if t != nil {
			_ = t.Rollback() // does nothing after Commit
		}
		again := err != nil && s.cfg.Retry != nil && (s.cfg.Retry(err) || t != nil && s.cfg.Retry(t.first))
		if !again || attempt == attempts || ctx.Err() != nil {
			return err
		}
	}
}

// change is one attempt: what f does, then, last before commit, the head of the
// feed is locked and the changes are numbered and chained.
func (s *Store) change(ctx context.Context, by domain.Actor, f func(domain.Tables) ([]domain.Change, error), exclusive bool) (*tx, domain.Seq, error) {
	lock := selectHead + s.cfg.Lock
	t, err := s.write.begin(ctx, &sql.TxOptions{Isolation: s.cfg.Isolation}, getObject, listObjects, insertObject, updateObject, deleteObject,
		lock, insertChange, updateHead, lastTenant)
	if err != nil {
		return nil, 0, err
	}
	passed := false
	defer func() {
		if !passed { // f panics
			_ = t.Rollback()
		}
	}()
	if exclusive && s.cfg.Exclusive != "" {
		if _, err := t.ExecContext(ctx, s.cfg.Exclusive); err != nil {
			passed = true
			return t, 0, fmt.Errorf("lock the feed: %w", err)
		}
	}
	log := &touched{objects: map[object][]step{}}
	changes, err := f(tables(t, log))
	passed = true
	if err != nil {
		return t, 0, err
	}
	changes = slices.Clone(changes)
	if err = log.complete(changes); err == nil && len(changes) > 0 {
		err = t.leave(ctx)
	}
	if err != nil {
		return t, 0, err
	}
	head, err := scanHead(ctx, t, lock)
	if err != nil || len(changes) == 0 {
		return t, head.Seq, err
	}
	if head, err = s.append(ctx, t, by, head, changes); err != nil {
		return t, 0, err
	}
	if err := t.Commit(); err != nil {
		return t, 0, fmt.Errorf("commit: %w", err)
	}
	s.Wake()
	return t, head.Seq, nil
}

// append numbers and chains the changes and moves the head, last before commit.
func (s *Store) append(ctx context.Context, t *tx, by domain.Actor, head domain.Head, changes []domain.Change) (domain.Head, error) {
	now, err := s.now(ctx, t)
	if err != nil {
		return head, err
	}
	for _, c := range changes {
		head.Seq++
		c.Seq, c.Actor, c.Time = head.Seq, by, now
		head.Hash = audit.HashChange(head.Hash, c)
		var stored any
		if c.Object != nil {
			stored = string(c.Object)
		}
		a, err := about(ctx, c, t.lastTenant)
		if err != nil {
			return head, err
		}
		if _, err := t.exec(ctx, insertChange, int64(c.Seq), string(c.Kind), c.Key, c.Action, c.Version, stored,
			string(c.Actor), c.Time.UnixMicro(), head.Hash, orNull(a.issuer), orNull(a.client), orNull(a.tenant)); err != nil {
			return head, fmt.Errorf("write change %d: %w", c.Seq, err)
		}
	}
	n, err := t.exec(ctx, updateHead, int64(head.Seq), head.Hash)
	if err == nil && n != 1 {
		err = domain.ErrNotFound
	}
	if err == nil && s.cfg.Announce != "" {
		_, err = t.exec(ctx, s.cfg.Announce, strconv.FormatInt(int64(head.Seq), 10))
	}
	if err != nil {
		return head, fmt.Errorf("move the head of the feed: %w", err)
	}
	return head, nil
}

// now is the database's time, to the microsecond.
func (s *Store) now(ctx context.Context, t *tx) (time.Time, error) {
	if s.cfg.Clock == "" {
		return s.cfg.Now().UTC().Truncate(time.Microsecond), nil
	}
	var at int64
	if err := t.row(ctx, `SELECT `+s.cfg.Clock, nil, &at); err != nil {
		return time.Time{}, fmt.Errorf("read the clock: %w", err)
	}
	return time.UnixMicro(at).UTC(), nil
}

// selectHeadNow reads the head of the feed and, where the database tells them,
// its time and its era.
func selectHeadNow(clock, era string) string {
	if clock == "" {
		clock = "0"
	}
	if era != "" {
		era = " || " + era
	}
	return `SELECT incarnation` + era + `, seq, hash, ` + clock + ` FROM feed WHERE one = 1`
}

// Head returns where the feed stands.
func (s *Store) Head(ctx context.Context) (domain.Head, error) {
	var at int64
	head, err := scanHead(ctx, reader{&s.read}, s.head, &at)
	s.glossary.begin(head.Incarnation)
	if s.cfg.Clock == "" {
		head.Now = s.cfg.Now()
	} else {
		head.Now = time.UnixMicro(at).UTC()
	}
	return head, err
}

func scanHead(ctx context.Context, q querier, text string, more ...any) (h domain.Head, err error) {
	if err = q.row(ctx, text, nil, append([]any{&h.Incarnation, &h.Seq, &h.Hash}, more...)...); err != nil {
		return h, fmt.Errorf("head of the feed: %w", err)
	}
	if len(h.Hash) == 0 {
		h.Hash = nil
	}
	return h, nil
}

// Follow returns at most max changes after the one given.
func (s *Store) Follow(ctx context.Context, after domain.Seq, max int) ([]domain.Change, error) {
	rows, err := s.read.query(ctx, selectChange, int64(after), max)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []domain.Change
	for rows.Next() {
		var c domain.Change
		var stored []byte
		var at int64
		if err := rows.Scan(&c.Seq, &c.Kind, &c.Key, &c.Action, &c.Version, &stored, &c.Actor, &at, &c.Hash); err != nil {
			return nil, fmt.Errorf("read changes: %w", err)
		}
		c.Object, c.Time = stored, time.UnixMicro(at).UTC()
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	return list, nil
}
