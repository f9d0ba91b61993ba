package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// The statements of retention.
const (
	retainBatches = 64   // looked at together
	retainEntries = 8192 // dropped in one transaction at most, save of a single batch with more: nobody waits long for it

	selectOld = `SELECT b.id, b.node, i.value, b.n, b.first, b.last, b.entries, b.hash, coalesce(p.hash, $1)
 FROM batch b JOIN interned i ON i.id = b.node LEFT JOIN batch p ON p.node = b.node AND p.n = b.n - 1
 WHERE b.dropped IS NULL AND b.last < $2 AND b.id > $3 AND i.value <> $4 ORDER BY b.id LIMIT $5`
	dropEntries = `DELETE FROM activity WHERE batch = $1 AND id >= $2 AND id <= $3`
	markDropped = `UPDATE batch SET dropped = $1 WHERE id = $2 AND dropped IS NULL`
)

// Retain is described at domain.Retention. What it dropped it tells in a chain of its own
// (domain.RetentionNode), which stays: a batch without entries that it does not name was
// tampered with.
// A batch that is not as it was written stays, and the error wraps audit.ErrBroken. Texts that
// nothing refers to any more go too.
func (s *Store) Retain(ctx context.Context, before time.Time) (dropped int64, err error) {
	if err := s.nameDropped(ctx); err != nil {
		return 0, fmt.Errorf("name what was dropped: %w", err)
	}
	end := bound(before)
	var broken error
	for after := int64(0); ; {
		page, err := s.oldBatches(ctx, end, after)
		if err != nil {
			return dropped, fmt.Errorf("drop old activity: %w", err)
		}
		if len(page) == 0 {
			break
		}
		whole := page[:0:0]
		for _, b := range fitting(page) {
			after = b.id
			switch err := s.asWritten(ctx, b); {
			case errors.Is(err, audit.ErrBroken):
				broken = errors.Join(broken, err)
			case err != nil:
				return dropped, fmt.Errorf("drop old activity: %w", err)
			default:
				whole = append(whole, b)
			}
		}
		n, err := s.drop(ctx, before, whole)
		dropped += n
		if err != nil {
			return dropped, fmt.Errorf("drop old activity: %w", err)
		}
	}
	if dropped > 0 {
		if err := s.sweepTexts(ctx); err != nil {
			return dropped, fmt.Errorf("drop texts of old activity: %w", err)
		}
	}
	return dropped, broken
}

// old is a batch with the hash of the one before.
type old struct {
	stored
	prev []byte
}

func (s *Store) oldBatches(ctx context.Context, end domain.EventID, after int64) (page []old, err error) {
	rows, err := s.read.query(ctx, selectOld, []byte{}, end[:], after, domain.RetentionNode, retainBatches)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var b old
		var first, last []byte
		if err := rows.Scan(&b.id, &b.node, &b.Node, &b.N, &first, &last, &b.Entries, &b.Hash, &b.prev); err != nil {
			return nil, err
		}
		copy(b.First[:], first)
		copy(b.Last[:], last)
		if len(b.prev) == 0 {
			b.prev = nil
		}
		page = append(page, b)
	}
	return page, rows.Err()
}

// fitting are the first batches, as many as go in one transaction.
func fitting(page []old) []old {
	sum := 0
	for i := range page {
		if sum += page[i].Entries; i > 0 && sum > retainEntries {
			return page[:i]
		}
	}
	return page
}

// asWritten returns an error that wraps audit.ErrBroken where the entries of a batch are not
// those that its hash covers: what was tampered with must not be dropped as if it had not.
func (s *Store) asWritten(ctx context.Context, b old) error {
	entries, err := s.batchEntries(ctx, reader{&s.read}, newGlossary(s.cfg.Anonymous), b.stored)
	if err != nil {
		return err
	}
	if !bytes.Equal(audit.HashBatch(b.prev, b.Node, b.N, entries), b.Hash) {
		return fmt.Errorf("%w: node %q, batch %d is not as it was written; it is kept", audit.ErrBroken, b.Node, b.N)
	}
	return nil
}

// drop removes the entries of batches, and tells so, in one transaction.
func (s *Store) drop(ctx context.Context, before time.Time, batches []old) (n int64, err error) {
	if len(batches) == 0 {
		return 0, nil
	}
	slices.SortFunc(batches, func(a, b old) int { return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.N, b.N)) })
	err = s.again(ctx, func(int) (*tx, error) {
		d := audit.Dropped{Before: before.UTC()}
		t, era, err := s.beginAppend(ctx, s.cfg.Batches, dropEntries, markDropped)
		if err != nil {
			return t, err
		}
		now, err := s.now(ctx, t)
		if err != nil {
			return t, err
		}
		for _, b := range batches {
			marked, err := t.exec(ctx, markDropped, now.UnixMicro(), b.id)
			if err != nil {
				return t, err
			}
			if marked == 0 {
				continue // by another node
			}
			gone, err := t.exec(ctx, dropEntries, b.id, b.First[:], b.Last[:])
			if err != nil {
				return t, err
			}
			d.Entries += gone
			d.Batches = audit.AddSpan(d.Batches, audit.Span{Node: b.Node, From: b.N, To: b.N})
		}
		if n = d.Entries; n == 0 {
			return t, nil
		}
		return t, s.tellDropped(ctx, t, era, now, d)
	})
	return n, err
}

// tellDropped writes what was dropped in the chain of retention, and commits.
func (s *Store) tellDropped(ctx context.Context, t *tx, era string, now time.Time, d audit.Dropped) error {
	details, err := json.Marshal(d)
	if err != nil {
		return err
	}
	told := domain.Entry{ID: domain.NewEventID(now), Action: domain.ActivityDropped, Actor: string(domain.System), Details: string(details), Count: 1}
	return s.appendIn(ctx, t, era, domain.RetentionNode, []domain.Entry{told})
}
