package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/postern-dev/postern/internal/audit"
)

// The statements of checkpoints: where each chain stands, and how many entries came since.
const (
	selectHeads = `WITH RECURSIVE seen (node) AS (SELECT min(node) FROM batch
 UNION ALL SELECT (SELECT min(b.node) FROM batch b WHERE b.node > seen.node) FROM seen WHERE seen.node IS NOT NULL)
 SELECT b.node, i.value, b.n, b.hash FROM seen
 JOIN batch b ON b.node = seen.node AND b.n = (SELECT max(l.n) FROM batch l WHERE l.node = seen.node)
 JOIN interned i ON i.id = b.node ORDER BY i.value`
	sumEntries = `SELECT coalesce(sum(entries), 0) FROM batch WHERE node = $1 AND n > $2 AND n <= $3`
)

// BatchHeads is described at audit.Heads.
func (s *Store) BatchHeads(ctx context.Context, known []audit.Point) ([]audit.Point, error) {
	t, err := s.read.begin(ctx, &sql.TxOptions{ReadOnly: true, Isolation: s.cfg.Snapshot}, selectHeads, sumEntries)
	if err != nil {
		return nil, fmt.Errorf("read the heads of activity: %w", err)
	}
	defer t.Rollback() //nolint:errcheck // nothing was written
	before := make(map[string]audit.Point, len(known))
	for _, p := range known {
		before[p.Node] = p
	}
	list, ids, err := batchHeads(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("read the heads of activity: %w", err)
	}
	for i := range list {
		from := before[list[i].Node]
		if from.Count > list[i].Count { // a tail is gone
			from = audit.Point{}
		}
		if err := t.row(ctx, sumEntries, []any{ids[i], from.Count, list[i].Count}, &list[i].Entries); err != nil {
			return nil, fmt.Errorf("count the activity of node %q: %w", list[i].Node, err)
		}
		list[i].Entries += from.Entries
	}
	return list, nil
}

func batchHeads(ctx context.Context, t *tx) (list []audit.Point, ids []int64, err error) {
	rows, err := t.query(ctx, selectHeads)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var p audit.Point
		var id int64
		var hash []byte
		if err := rows.Scan(&id, &p.Node, &p.Count, &hash); err != nil {
			return nil, nil, err
		}
		p.Hash = hash
		list, ids = append(list, p), append(ids, id)
	}
	return list, ids, rows.Err()
}
