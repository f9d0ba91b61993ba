package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// The statements that name what was dropped before retention named it.
const (
	lastTold = `SELECT b.id, b.n, b.first, b.last FROM batch b WHERE b.node = (SELECT id FROM interned WHERE value = $1) ORDER BY b.n DESC LIMIT 1`

	selectDropped = `SELECT i.value, b.n, b.entries, b.last FROM batch b JOIN interned i ON i.id = b.node
 WHERE b.dropped IS NOT NULL ORDER BY b.node, b.n`
)

// nameDropped writes, where what retention told last names no batches, an entry that names all
// that it dropped so far: it was an older version that told. What is not as it was written is
// not given names now: verification goes on telling of it.
func (s *Store) nameDropped(ctx context.Context) error {
	if named, err := s.named(ctx, reader{&s.read}); named || err != nil {
		return err
	}
	if _, err := audit.VerifyBatches(ctx, s); err != nil {
		if errors.Is(err, audit.ErrBroken) {
			err = nil
		}
		return err
	}
	return s.again(ctx, func(int) (*tx, error) {
		t, era, err := s.beginAppend(ctx, s.cfg.NoBatches, lastTold, s.texts.rows, s.glossary.lookup, selectDropped)
		if err != nil {
			return t, err
		}
		if named, err := s.named(ctx, t); named || err != nil { // by another node
			return t, err
		}
		d, err := allDropped(ctx, t)
		if err != nil || len(d.Batches) == 0 {
			return t, err
		}
		now, err := s.now(ctx, t)
		if err != nil {
			return t, err
		}
		return t, s.tellDropped(ctx, t, era, now, d)
	})
}

// named reports whether what retention told last names batches, or it never told anything.
func (s *Store) named(ctx context.Context, q querier) (bool, error) {
	b := stored{Batch: audit.Batch{Node: domain.RetentionNode}}
	var first, last []byte
	err := q.row(ctx, lastTold, []any{domain.RetentionNode}, &b.id, &b.N, &first, &last)
	if errors.Is(err, domain.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	copy(b.First[:], first)
	copy(b.Last[:], last)
	entries, err := s.batchEntries(ctx, q, newGlossary(s.cfg.Anonymous), b)
	if err != nil || len(entries) == 0 {
		return false, err
	}
	var d audit.Dropped
	err = json.Unmarshal([]byte(entries[0].Details), &d)
	return err == nil && len(d.Batches) > 0, nil
}

// allDropped are all batches whose entries are gone.
func allDropped(ctx context.Context, t *tx) (audit.Dropped, error) {
	d := audit.Dropped{All: true}
	rows, err := t.query(ctx, selectDropped)
	if err != nil {
		return d, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var node string
		var n, entries int64
		var last []byte
		if err := rows.Scan(&node, &n, &entries, &last); err != nil {
			return d, err
		}
		var id domain.EventID
		copy(id[:], last)
		if after := id.Time().Add(time.Millisecond); after.After(d.Before) {
			d.Before = after
		}
		d.Entries += entries
		d.Batches = audit.AddSpan(d.Batches, audit.Span{Node: node, From: n, To: n})
	}
	return d, rows.Err()
}
