package sqlstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strings"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// ErrNotEmpty says that a store holds something already.
var ErrNotEmpty = errors.New("the store that is copied to is not empty")

// ErrCopy says that what was written is not what was read.
var ErrCopy = errors.New("the copy is not equal to what was copied")

// Rows is how many rows of a table were copied.
type Rows struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

// relation is a table that is copied as it is, its columns and what orders it.
type relation struct{ name, columns, order string }

func relations() []relation {
	return []relation{
		{"object", "kind, key, version, doc, private", "kind, key"},
		{"change", changeColumns, "seq"},
		{"interned", "id, value", "id"},
		{"batch", "id, node, n, first, last, entries, hash, dropped", "id"},
		{"activity", activityColumns, "id"},
		{"used", "issuer, client, secret, at", "issuer, client, secret"},
		{"meta", "key, value", "key"},
	}
}

// Copy writes all that is in one store into another, which must be empty, in
// one transaction, and proves it: the chains of the source hold, every table of
// the target has the rows of the source, byte for byte, the head of the feed is
// the same, and the chains hold there too. Nobody else may use either meanwhile.
// The target begins an incarnation of its own.
func Copy(ctx context.Context, from, to *Store) ([]Rows, error) {
	if err := verify(ctx, from); err != nil {
		return nil, fmt.Errorf("verify the source: %w", err)
	}
	source, err := from.read.begin(ctx, &sql.TxOptions{ReadOnly: true, Isolation: from.cfg.Snapshot})
	if err != nil {
		return nil, err
	}
	defer source.Rollback() //nolint:errcheck // nothing was written
	target, err := to.write.begin(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer target.Rollback() //nolint:errcheck // does nothing after Commit
	if err := empty(ctx, target); err != nil {
		return nil, err
	}
	copied, err := to.copyAll(ctx, source, target)
	if err != nil {
		return nil, err
	}
	if err := target.Commit(); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	if err := verify(ctx, to); err != nil {
		return nil, fmt.Errorf("verify the copy: %w", err)
	}
	return copied, nil
}

func verify(ctx context.Context, s *Store) error {
	_, errC := audit.VerifyChanges(ctx, s)
	_, errA := audit.VerifyBatches(ctx, s)
	return errors.Join(errC, errA)
}

func empty(ctx context.Context, t *tx) error {
	for _, r := range relations() {
		var n int64
		if err := t.row(ctx, `SELECT count(*) FROM `+r.name, nil, &n); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("%w: it has %d rows of %s", ErrNotEmpty, n, r.name)
		}
	}
	head, err := scanHead(ctx, t, selectHead)
	if err == nil && head.Seq != 0 {
		err = fmt.Errorf("%w: its feed is at %d", ErrNotEmpty, head.Seq)
	}
	return err
}

func (s *Store) copyAll(ctx context.Context, source, target *tx) (list []Rows, err error) {
	for _, r := range relations() {
		was, n, err := r.copy(ctx, source, target, s.cfg.Anonymous)
		if err != nil {
			return nil, fmt.Errorf("copy %s: %w", r.name, err)
		}
		is, m, err := r.digest(ctx, target)
		if err != nil {
			return nil, fmt.Errorf("read the copy of %s: %w", r.name, err)
		}
		if n != m || !bytes.Equal(was, is) {
			return nil, fmt.Errorf("%w: %s, %d rows of %d", ErrCopy, r.name, m, n)
		}
		list = append(list, Rows{r.name, n})
	}
	head, err := scanHead(ctx, source, selectHead)
	if err != nil {
		return nil, err
	}
	if head.Hash == nil {
		head.Hash = []byte{}
	}
	if n, err := target.exec(ctx, updateHead, int64(head.Seq), head.Hash); err != nil || n != 1 {
		return nil, fmt.Errorf("move the head of the feed: %d rows, %w", n, err)
	}
	for _, text := range s.cfg.Sequences {
		if _, err := target.ExecContext(ctx, text); err != nil {
			return nil, err
		}
	}
	copied, err := scanHead(ctx, target, selectHead)
	if err == nil && (copied.Seq != head.Seq || !bytes.Equal(copied.Hash, head.Hash)) {
		err = fmt.Errorf("%w: the head of the feed", ErrCopy)
	}
	return list, err
}

// each calls f with every row of a table, in its order.
func (r relation) each(ctx context.Context, t *tx, f func([]any) error) error {
	rows, err := t.QueryContext(ctx, `SELECT `+r.columns+` FROM `+r.name+` ORDER BY `+r.order) // #nosec G202 -- names of our own
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	width := strings.Count(r.columns, ",") + 1
	for rows.Next() {
		values, into := make([]any, width), make([]any, width)
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := f(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// copy writes the rows of the source and returns their digest and number.
func (r relation) copy(ctx context.Context, source, target *tx, anonymous bool) ([]byte, int64, error) {
	d, n := sha256.New(), int64(0)
	var pending []any
	flush := func(rows int) error {
		if rows == 0 {
			return nil
		}
		_, err := target.ExecContext(ctx, r.insert(rows, len(pending)/rows, anonymous), pending...)
		pending = pending[:0]
		return err
	}
	err := r.each(ctx, source, func(row []any) error {
		n++
		pending = append(pending, row...)
		if err := add(d, row); err != nil || n%rowChunk != 0 {
			return err
		}
		return flush(rowChunk)
	})
	if err == nil {
		err = flush(int(n % rowChunk))
	}
	return d.Sum(nil), n, err
}

func (r relation) digest(ctx context.Context, t *tx) ([]byte, int64, error) {
	d, n := sha256.New(), int64(0)
	err := r.each(ctx, t, func(row []any) error { n++; return add(d, row) })
	return d.Sum(nil), n, err
}

func (r relation) insert(rows, width int, anonymous bool) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO ` + r.name + ` (` + r.columns + `) VALUES `)
	for i := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(" + placeholders(1+i*width, width, anonymous) + ")")
	}
	return b.String()
}

// add adds a row to a digest: of each value its kind, its length and itself.
func add(d hash.Hash, row []any) error {
	for _, v := range row {
		var kind byte
		var data []byte
		switch v := v.(type) {
		case nil:
			kind = 'n'
		case int64:
			kind, data = 'i', binary.BigEndian.AppendUint64(nil, uint64(v))
		case string:
			kind, data = 's', []byte(v)
		case []byte:
			kind, data = 'b', v
		default:
			return fmt.Errorf("a value of type %T: %w", v, domain.ErrConflict)
		}
		d.Write(binary.BigEndian.AppendUint64([]byte{kind}, uint64(len(data))))
		d.Write(data)
	}
	return nil
}
