package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// The statements of the feed. The time of a change is in microseconds of the
// Unix epoch, as its hash covers it.
const (
	selectHead   = `SELECT incarnation, seq, hash FROM feed WHERE one = 1`
	updateHead   = `UPDATE feed SET seq = $1, hash = $2 WHERE one = 1`
	insertChange = `INSERT INTO change (seq, kind, key, action, version, object, actor, at, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	selectChange = `SELECT seq, kind, key, action, version, object, actor, at, hash FROM change WHERE seq > $1 ORDER BY seq LIMIT $2`
)

// Change is described at domain.Store. Two puts of one object, or a delete and
// a put, need one change, which tells the outcome, or one for each in order. A
// put with version 0 of what is there already is domain.ErrExists, every other
// version that is not the current one domain.ErrConflict.
func (s *Store) Change(ctx context.Context, by domain.Actor, f func(domain.Tables) ([]domain.Change, error)) (domain.Seq, error) {
	if by == "" {
		return 0, errors.New("a change without an actor")
	}
	lock := selectHead + s.cfg.Lock
	t, err := s.write.begin(ctx, nil, getObject, listObjects, insertObject, updateObject, deleteObject, lock, insertChange, updateHead)
	if err != nil {
		return 0, err
	}
	defer t.Rollback() //nolint:errcheck // does nothing after Commit
	log := &touched{objects: map[object][]step{}}
	changes, err := f(tables(t, log))
	if err != nil {
		return 0, err
	}
	changes = slices.Clone(changes)
	if err := log.complete(changes); err != nil {
		return 0, err
	}
	head, err := scanHead(ctx, t, lock)
	if err != nil || len(changes) == 0 {
		return head.Seq, err
	}
	if head, err = s.append(ctx, t, by, head, changes); err != nil {
		return 0, err
	}
	if err := t.Commit(); err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	s.notify()
	return head.Seq, nil
}

// append numbers and chains the changes and moves the head, last before commit.
func (s *Store) append(ctx context.Context, t *tx, by domain.Actor, head domain.Head, changes []domain.Change) (domain.Head, error) {
	now := s.cfg.Now().UTC().Truncate(time.Microsecond)
	for _, c := range changes {
		head.Seq++
		c.Seq, c.Actor, c.Time = head.Seq, by, now
		head.Hash = audit.HashChange(head.Hash, c)
		var stored any
		if c.Object != nil {
			stored = string(c.Object)
		}
		if _, err := t.exec(ctx, insertChange, int64(c.Seq), string(c.Kind), c.Key, c.Action, c.Version, stored,
			string(c.Actor), c.Time.UnixMicro(), head.Hash); err != nil {
			return head, fmt.Errorf("write change %d: %w", c.Seq, err)
		}
	}
	n, err := t.exec(ctx, updateHead, int64(head.Seq), head.Hash)
	if err == nil && n != 1 {
		err = domain.ErrNotFound
	}
	if err != nil {
		return head, fmt.Errorf("move the head of the feed: %w", err)
	}
	return head, nil
}

// Head returns where the feed stands.
func (s *Store) Head(ctx context.Context) (domain.Head, error) {
	head, err := scanHead(ctx, reader{&s.read}, selectHead)
	head.Now = s.cfg.Now()
	return head, err
}

func scanHead(ctx context.Context, q querier, text string) (h domain.Head, err error) {
	if err = q.row(ctx, text, nil, &h.Incarnation, &h.Seq, &h.Hash); err != nil {
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
