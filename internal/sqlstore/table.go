package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/internal/domain"
)

// ErrReadOnly is what a put or delete outside Store.Change returns.
var ErrReadOnly = errors.New("these tables are for reading: write inside Change")

// The statements of the object table.
const (
	getObject    = `SELECT version, doc, private FROM object WHERE kind = $1 AND key = $2`
	listObjects  = `SELECT key, version, doc, private FROM object WHERE kind = $1 AND key > $2 AND key >= $3 AND key < $4 ORDER BY key LIMIT $5`
	insertObject = `INSERT INTO object (kind, key, version, doc, private) VALUES ($1, $2, 1, $3, $4) ON CONFLICT DO NOTHING`
	updateObject = `UPDATE object SET version = version + 1, doc = $1, private = $2 WHERE kind = $3 AND key = $4 AND version = $5`
	deleteObject = `DELETE FROM object WHERE kind = $1 AND key = $2 AND version = $3`
)

// lastRune sorts behind all text: prefix+lastRune ends the keys with a prefix.
const lastRune = "\U0010FFFF"

// querier is a pool or a transaction.
type querier interface {
	query(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	row(ctx context.Context, text string, args []any, dest ...any) error
	exec(ctx context.Context, text string, args ...any) (int64, error)
}

// reader is a querier that writes nothing.
type reader struct{ *statements }

func (reader) exec(context.Context, string, ...any) (int64, error) { return 0, ErrReadOnly }

// table is a domain.Table over rows of the one table of objects.
type table[T any] struct {
	q   querier
	log *touched
	codec[T]
}

func (t table[T]) Get(ctx context.Context, key string) (T, error) {
	var version int64
	var doc, private sql.RawBytes
	var v T
	if !storable(key) {
		return v, t.fail(key, domain.ErrNotFound)
	}
	rows, err := t.q.query(ctx, getObject, string(t.kind), key)
	if err != nil {
		return v, t.fail(key, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return v, t.fail(key, err)
		}
		return v, t.fail(key, domain.ErrNotFound)
	}
	if err := rows.Scan(&version, &doc, &private); err != nil {
		return v, t.fail(key, err)
	}
	return t.decode(key, version, doc, private)
}

// storable reports whether a database has room for the text: PostgreSQL takes
// no other, so what others send as an id may name nothing there.
func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

func (t table[T]) List(ctx context.Context, page domain.Page) ([]T, error) {
	limit := int64(page.Limit)
	if limit <= 0 {
		limit = math.MaxInt64
	}
	if !storable(page.Prefix) || !storable(page.After) { // no key begins so, and no page did
		return nil, nil
	}
	rows, err := t.q.query(ctx, listObjects, string(t.kind), page.After, page.Prefix, page.Prefix+lastRune, limit)
	if err != nil {
		return nil, t.fail(page.Prefix, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []T
	for rows.Next() {
		var key string
		var version int64
		var doc, private sql.RawBytes
		if err := rows.Scan(&key, &version, &doc, &private); err != nil {
			return nil, t.fail(page.Prefix, err)
		}
		v, err := t.decode(key, version, doc, private)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		return nil, t.fail(page.Prefix, err)
	}
	return list, nil
}

func (t table[T]) Put(ctx context.Context, v T, ifVersion int64) (int64, error) {
	key := t.key(v)
	doc, private, err := t.encode(v)
	if err != nil {
		return 0, err
	}
	var n int64
	missed := domain.ErrConflict
	if ifVersion == 0 {
		n, err = t.q.exec(ctx, insertObject, string(t.kind), key, doc, private)
		missed = domain.ErrExists
	} else {
		n, err = t.q.exec(ctx, updateObject, doc, private, string(t.kind), key, ifVersion)
	}
	if err == nil && n == 0 {
		err = missed
	}
	if err != nil {
		return 0, t.fail(key, err)
	}
	t.log.add(t.kind, key, step{version: ifVersion + 1, doc: doc})
	return ifVersion + 1, nil
}

func (t table[T]) Delete(ctx context.Context, key string, ifVersion int64) error {
	n, err := t.q.exec(ctx, deleteObject, string(t.kind), key, ifVersion)
	if err == nil && n == 0 {
		err = domain.ErrConflict
	}
	if err != nil {
		return t.fail(key, err)
	}
	t.log.add(t.kind, key, step{})
	return nil
}

func (t table[T]) fail(key string, err error) error {
	return fmt.Errorf("%s %q: %w", t.kind, key, err)
}
