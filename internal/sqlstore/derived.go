package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// The statements that hold what stands beside the chain of changes against it: the objects, and
// the columns that changes are searched by.
const (
	lastChange = `(SELECT max(l.seq) FROM change l WHERE l.kind = o.kind AND l.key = o.key)`

	selectAstray = `SELECT o.kind, o.key FROM object o LEFT JOIN change c ON c.seq = ` + lastChange + `
 WHERE c.object IS NULL OR c.object <> o.doc OR c.version <> o.version ORDER BY o.kind, o.key LIMIT 1000`
	selectLost = `SELECT o.kind, o.key FROM change o WHERE o.object IS NOT NULL AND o.seq = ` + lastChange + `
 AND NOT EXISTS (SELECT 1 FROM object x WHERE x.kind = o.kind AND x.key = o.key) ORDER BY o.kind, o.key LIMIT 1000`

	selectSubjects = `SELECT seq, kind, key, CASE WHEN kind IN ('client', 'resource') THEN object END,
 coalesce(issuer, ''), coalesce(client, ''), coalesce(tenant, '') FROM change WHERE seq > $1 ORDER BY seq LIMIT 1000`
)

// EachAstray is described at audit.Derived.
func (s *Store) EachAstray(ctx context.Context, f func(audit.Problem) error) error {
	t, err := s.read.begin(ctx, &sql.TxOptions{ReadOnly: true, Isolation: s.cfg.Snapshot}, selectAstray, selectLost, selectSubjects)
	if err != nil {
		return fmt.Errorf("read objects: %w", err)
	}
	defer t.Rollback() //nolint:errcheck // nothing was written
	for _, one := range []struct{ text, what string }{
		{selectAstray, "is not as its last change left it: it was written past the audit trail"},
		{selectLost, "is gone, and no change says so: it was removed past the audit trail"},
	} {
		list, err := objectsIn(ctx, t, one.text)
		if err != nil {
			return fmt.Errorf("read objects: %w", err)
		}
		for _, o := range list {
			if err := f(audit.Problem{What: fmt.Sprintf("%s %q %s", o.kind, o.key, one.what)}); err != nil {
				return err
			}
		}
	}
	return eachMisfiled(ctx, t, f)
}

func objectsIn(ctx context.Context, t *tx, text string) (list []object, err error) {
	rows, err := t.query(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.kind, &o.key); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, rows.Err()
}

// eachMisfiled calls f for each change whose columns to search by are not what it is about.
func eachMisfiled(ctx context.Context, t *tx, f func(audit.Problem) error) error {
	known := map[object]string{}
	last := func(_ context.Context, kind domain.Kind, key string) (string, error) {
		return known[object{kind, key}], nil
	}
	for seq := domain.Seq(0); ; {
		page, err := filedAfter(ctx, t, seq)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			c := &page[i]
			seq = c.Seq
			a, err := about(ctx, c.Change, last)
			if err != nil {
				a = subject{} // no object of ours: the chain does not hold either
			}
			if c.Object != nil {
				known[object{c.Kind, c.Key}] = a.tenant
			}
			if a == c.as {
				continue
			}
			if err := f(audit.Problem{At: int64(seq), What: "is filed under another issuer, client or tenant than it is about: searches miss it"}); err != nil {
				return err
			}
		}
	}
}

// filed is a change, without what is not needed here, and what it is searched by.
type filed struct {
	domain.Change
	as subject
}

func filedAfter(ctx context.Context, t *tx, after domain.Seq) (page []filed, err error) {
	rows, err := t.query(ctx, selectSubjects, int64(after))
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var c filed
		var stored []byte
		if err := rows.Scan(&c.Seq, &c.Kind, &c.Key, &stored, &c.as.issuer, &c.as.client, &c.as.tenant); err != nil {
			return nil, fmt.Errorf("read changes: %w", err)
		}
		c.Object = stored
		page = append(page, c)
	}
	return page, rows.Err()
}
