package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// The statements of verification. Batches come by pages in the order of node
// and number: rows of two statements are never open at once.
const (
	selectBatches = `SELECT b.id, b.node, i.value, b.n, b.first, b.last, b.entries, b.hash, b.dropped IS NOT NULL FROM batch b JOIN interned i ON i.id = b.node
 WHERE b.node > $1 OR (b.node = $1 AND b.n > $2) ORDER BY b.node, b.n LIMIT 200`
	countRows = `SELECT (SELECT count(*) FROM activity), (SELECT count(*) FROM batch)`
)

// stored is a batch with its number and that of its node.
type stored struct {
	audit.Batch
	id, node int64
}

// EachBatch is described at audit.Batches.
func (s *Store) EachBatch(ctx context.Context, f func(audit.Batch, []domain.Entry) error) error {
	t, err := s.read.begin(ctx, &sql.TxOptions{ReadOnly: true, Isolation: s.cfg.Snapshot}, selectBatches, s.texts.rows, countRows, s.glossary.lookup)
	if err != nil {
		return fmt.Errorf("read activity: %w", err)
	}
	defer t.Rollback()                    //nolint:errcheck // nothing was written
	texts := newGlossary(s.cfg.Anonymous) // what is remembered proves nothing
	var last stored
	var seen, batches int64
	for {
		page, err := batchPage(ctx, t, last)
		if err != nil {
			return fmt.Errorf("read batches: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for _, b := range page {
			entries, err := s.batchEntries(ctx, t, texts, b)
			if err != nil {
				return err
			}
			if err := f(b.Batch, entries); err != nil {
				return err
			}
			seen += int64(len(entries))
			last = b
		}
		batches += int64(len(page))
	}
	var all, allBatches int64
	if err := t.row(ctx, countRows, nil, &all, &allBatches); err != nil {
		return fmt.Errorf("count activity: %w", err)
	}
	if all != seen || allBatches != batches {
		return fmt.Errorf("%w: %d entries of activity in no batch, %d batches of no node", audit.ErrBroken, all-seen, allBatches-batches)
	}
	return nil
}

// batchEntries reads the entries of a batch in the order of their ids.
func (s *Store) batchEntries(ctx context.Context, q querier, texts *glossary, b stored) ([]domain.Entry, error) {
	open, err := q.query(ctx, s.texts.rows, b.id, b.First[:], b.Last[:])
	if err != nil {
		return nil, fmt.Errorf("read batch %d of node %q: %w", b.N, b.Node, err)
	}
	rows, err := scanRows(open, nil)
	if err != nil {
		return nil, fmt.Errorf("read batch %d of node %q: %w", b.N, b.Node, err)
	}
	entries, err := texts.entries(ctx, q, rows, make([]domain.Entry, 0, len(rows)))
	if err != nil {
		return nil, fmt.Errorf("read batch %d of node %q: %w", b.N, b.Node, err)
	}
	unhidden(rows, entries)
	return entries, nil
}

// unhidden makes an entry that a search would miss one that was never written: one that the
// index of other actions does not hold, or holds as something else, and one that has the number
// of no text where it has none.
func unhidden(rows []row, entries []domain.Entry) {
	for i := range rows {
		want, e := rows[i].numbers[0], &entries[i]
		if e.Action == domain.TokenIssued {
			want = 0
		}
		if rows[i].numbers[otherOfRow] != want {
			e.Action += " (not in its index)"
		}
		for column, text := range [textsOfRow]string{string(e.Action), e.Issuer, e.Client, e.SecretID, e.Scope, e.Source, e.Reason, e.Resource, e.Tenant, e.Actor} {
			if text == "" && rows[i].numbers[column] != 0 {
				e.Action += " (with the number of no text)"
			}
		}
	}
}

func batchPage(ctx context.Context, t *tx, after stored) ([]stored, error) {
	rows, err := t.query(ctx, selectBatches, after.node, after.N)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var page []stored
	for rows.Next() {
		var b stored
		var first, last sql.RawBytes
		if err := rows.Scan(&b.id, &b.node, &b.Node, &b.N, &first, &last, &b.Entries, &b.Hash, &b.Dropped); err != nil {
			return nil, err
		}
		copy(b.First[:], first)
		copy(b.Last[:], last)
		page = append(page, b)
	}
	return page, rows.Err()
}
