package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// The statements of a batch. Rows go in by statements of rowChunk rows, and the
// rest one by one.
const (
	rowChunk    = 64
	rowColumns  = 16
	lastBatch   = `SELECT n, hash FROM batch WHERE node = $1 ORDER BY n DESC LIMIT 1`
	insertBatch = `INSERT INTO batch (node, n, first, last, entries, hash) VALUES ($1, $2, $3, $4, $5, $6)`
	selectBatch = `SELECT id FROM batch WHERE node = $1 AND n = $2`
)

// Append writes a batch, chained to the one before of the node. Where an id is
// there already nothing is written and the error wraps domain.ErrExists.
func (s *Store) Append(ctx context.Context, node string, batch []domain.Entry) error {
	if len(batch) == 0 {
		return nil
	}
	if node == "" {
		return errors.New("append activity: a batch without a node")
	}
	rows := slices.Clone(batch)
	slices.SortFunc(rows, func(a, b domain.Entry) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	err := s.again(ctx, func(int) (*tx, error) { return s.appendRows(ctx, node, rows) })
	if err != nil && s.cfg.Duplicate(err) {
		err = fmt.Errorf("%w: %w", domain.ErrExists, err)
	}
	if err != nil {
		return fmt.Errorf("append activity: %w", err)
	}
	return nil
}

func (s *Store) appendRows(ctx context.Context, node string, rows []domain.Entry) (*tx, error) {
	t, era, err := s.beginAppend(ctx, s.cfg.Batches)
	if err != nil {
		return t, err
	}
	return t, s.appendIn(ctx, t, era, node, rows)
}

// beginAppend begins a transaction that writes activity, with a statement that locks texts
// where there is one. The numbers of texts that were remembered in an era stay what they are
// until the transaction ends.
func (s *Store) beginAppend(ctx context.Context, lock string, more ...string) (t *tx, era string, err error) {
	x := &s.texts
	t, err = s.write.begin(ctx, nil, append(more, s.era, x.lookup, insertInterned, selectInterned, lastBatch, insertBatch, selectBatch,
		x.one, x.many, x.plain, x.oneUse, x.manyUses)...)
	if err != nil {
		return nil, "", err
	}
	if lock != "" {
		if _, err := t.ExecContext(ctx, lock); err != nil {
			return t, "", t.noted(fmt.Errorf("wait until texts are swept: %w", err))
		}
	}
	if err := t.row(ctx, s.era, nil, &era); err != nil {
		return t, "", fmt.Errorf("incarnation of the feed: %w", err)
	}
	return t, era, nil
}

// selectEra reads the incarnation of what a transaction writes to, and the age of its texts:
// numbers of texts that are remembered from another are worth nothing.
func selectEra(era string) string {
	if era != "" {
		era = " || " + era
	}
	return `SELECT incarnation || '/' || coalesce((SELECT value FROM meta WHERE key = '` + textsAge + `'), '')` + era + ` FROM feed WHERE one = 1`
}

// appendIn writes a batch in the order of its ids, and commits.
func (s *Store) appendIn(ctx context.Context, t *tx, era, node string, rows []domain.Entry) error {
	x := &s.texts
	g, err := s.interner.resolve(ctx, t, x.lookup, era, node, rows)
	if err != nil {
		return fmt.Errorf("intern: %w", err)
	}
	id, err := chain(ctx, t, g.known[node], node, rows)
	if err != nil {
		return err
	}
	if err := g.insert(ctx, t, x, id, rows); err != nil {
		return err
	}
	due := s.uses.due(rows)
	if err := x.writeUses(ctx, t, due); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return err
	}
	s.interner.add(era, g.fresh)
	s.uses.wrote(due)
	return nil
}

// insert writes the rows of a batch.
func (g *interning) insert(ctx context.Context, t *tx, x *texts, batch int64, rows []domain.Entry) error {
	args := make([]any, 0, rowChunk*rowColumns)
	for len(rows) > 0 {
		n, text := 1, x.one
		if len(rows) >= rowChunk {
			n, text = rowChunk, x.many
		}
		plain := n == rowChunk && !slices.ContainsFunc(rows[:n], notPlain)
		if plain {
			text = x.plain
		}
		args = args[:0]
		for i := range rows[:n] {
			args = g.plain(args, batch, &rows[i])
			if !plain {
				args = g.others(args, &rows[i])
			}
		}
		if _, err := t.exec(ctx, text, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// notPlain tells an entry that has more than plainColumns.
func notPlain(e domain.Entry) bool {
	return e.Action != domain.TokenIssued || e.Count > 1 || cmp.Or(e.Reason, e.Correlation, e.Resource, e.Actor, e.Details) != ""
}

// plain appends plainColumns of one row.
func (g *interning) plain(args []any, batch int64, e *domain.Entry) []any {
	return append(args, e.ID[:], batch, g.arg(string(e.Action)), g.arg(e.Issuer), g.arg(e.Client), g.arg(e.SecretID),
		g.arg(e.Scope), g.arg(e.Source), g.arg(e.Tenant))
}

// others appends the columns behind them.
func (g *interning) others(args []any, e *domain.Entry) []any {
	var count, other any
	if e.Count > 1 {
		count = int64(e.Count)
	}
	if e.Action != domain.TokenIssued {
		other = g.arg(string(e.Action))
	}
	return append(args, g.arg(e.Reason), orNull(e.Correlation), count, g.arg(e.Resource), g.arg(e.Actor), orNull(e.Details), other)
}

// orNull is the text, or NULL where it is empty.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// chain inserts the batch row and returns its number.
func chain(ctx context.Context, t *tx, nodeID int64, node string, rows []domain.Entry) (id int64, err error) {
	var n int64
	var prev []byte
	if err := t.row(ctx, lastBatch, []any{nodeID}, &n, &prev); err != nil && !errors.Is(err, domain.ErrNotFound) {
		return 0, fmt.Errorf("last batch: %w", err)
	}
	n++
	first, last := rows[0].ID, rows[len(rows)-1].ID
	hash := audit.HashBatch(prev, node, n, rows)
	if _, err := t.exec(ctx, insertBatch, nodeID, n, first[:], last[:], len(rows), hash); err != nil {
		return 0, fmt.Errorf("batch %d: %w", n, err)
	}
	if err := t.row(ctx, selectBatch, []any{nodeID, n}, &id); err != nil {
		return 0, fmt.Errorf("batch %d: %w", n, err)
	}
	return id, nil
}
