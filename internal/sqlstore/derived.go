package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// The statements that hold what stands beside the chain of changes against it: the columns
// that changes are searched by, and the objects. By pages: no statement runs long.
const (
	selectFiled = `SELECT seq, kind, key, version, object, coalesce(issuer, ''), coalesce(client, ''), coalesce(tenant, '')
 FROM change WHERE seq > $1 ORDER BY seq LIMIT 500`
	selectObjects = `SELECT kind, key, version, doc FROM object WHERE (kind, key) > ($1, $2) ORDER BY kind, key LIMIT 500`
)

// EachAstray is described at audit.Derived. Of each object it remembers a hash meanwhile.
func (s *Store) EachAstray(ctx context.Context, f func(audit.Problem) error) error {
	t, err := s.read.begin(ctx, &sql.TxOptions{ReadOnly: true, Isolation: s.cfg.Snapshot}, selectFiled, selectObjects)
	if err != nil {
		return fmt.Errorf("read changes: %w", err)
	}
	defer t.Rollback() //nolint:errcheck // nothing was written
	last := map[object]left{}
	if err := eachMisfiled(ctx, t, last, f); err != nil {
		return err
	}
	return eachChanged(ctx, t, last, f)
}

// left is how a change left its object.
type left struct {
	version int64 // 0: deleted
	sum     [sha256.Size]byte
	tenant  string // of it, or of what it was when it was last there
}

// eachMisfiled calls f for each change whose columns to search by are not what it is about,
// and notes how each object was left.
func eachMisfiled(ctx context.Context, t *tx, last map[object]left, f func(audit.Problem) error) error {
	tenant := func(_ context.Context, kind domain.Kind, key string) (string, error) {
		return last[object{kind, key}].tenant, nil
	}
	for seq := domain.Seq(0); ; {
		page, err := filedAfter(ctx, t, seq)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			c := &page[i]
			seq = c.Seq
			a, err := about(ctx, c.Change, tenant)
			if err != nil {
				a = subject{} // no object of ours: the chain does not hold either
			}
			o := object{c.Kind, c.Key}
			if c.Object == nil {
				last[o] = left{tenant: last[o].tenant}
			} else {
				last[o] = left{c.Version, sha256.Sum256(c.Object), a.tenant}
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

// eachChanged calls f for each object that is not as its last change left it.
func eachChanged(ctx context.Context, t *tx, last map[object]left, f func(audit.Problem) error) error {
	tell := func(o object, what string) error {
		return f(audit.Problem{What: fmt.Sprintf("%s %q %s past the audit trail", o.kind, o.key, what)})
	}
	for at := (object{}); ; {
		page, err := objectsAfter(ctx, t, at)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, one := range page {
			at = one.object
			was := last[at]
			delete(last, at)
			if was.version == one.version && was.sum == one.sum {
				continue
			}
			if err := tell(at, "is not as its last change left it: it was written"); err != nil {
				return err
			}
		}
	}
	maps.DeleteFunc(last, func(_ object, l left) bool { return l.version == 0 })
	gone := slices.SortedFunc(maps.Keys(last), func(a, b object) int {
		return strings.Compare(string(a.kind)+"\x00"+a.key, string(b.kind)+"\x00"+b.key)
	})
	for _, o := range gone {
		if err := tell(o, "is gone, and no change says so: it was removed"); err != nil {
			return err
		}
	}
	return nil
}

// filed is a change, without what is not needed here, and what it is searched by.
type filed struct {
	domain.Change
	as subject
}

func filedAfter(ctx context.Context, t *tx, after domain.Seq) (page []filed, err error) {
	rows, err := t.query(ctx, selectFiled, int64(after))
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var c filed
		var stored []byte
		if err := rows.Scan(&c.Seq, &c.Kind, &c.Key, &c.Version, &stored, &c.as.issuer, &c.as.client, &c.as.tenant); err != nil {
			return nil, fmt.Errorf("read changes: %w", err)
		}
		c.Object = stored
		page = append(page, c)
	}
	return page, rows.Err()
}

// kept is an object as it is stored.
type kept struct {
	object
	version int64
	sum     [sha256.Size]byte
}

func objectsAfter(ctx context.Context, t *tx, after object) (page []kept, err error) {
	rows, err := t.query(ctx, selectObjects, string(after.kind), after.key)
	if err != nil {
		return nil, fmt.Errorf("read objects: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var k kept
		var doc sql.RawBytes
		if err := rows.Scan(&k.kind, &k.key, &k.version, &doc); err != nil {
			return nil, fmt.Errorf("read objects: %w", err)
		}
		k.sum = sha256.Sum256(doc)
		page = append(page, k)
	}
	return page, rows.Err()
}
