package sqlstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// selectEntries reads rows of activity with their texts; a condition on `a`
// follows.
const selectEntries = `SELECT a.id, coalesce(act.value, ''), coalesce(iss.value, ''), coalesce(cli.value, ''), coalesce(sec.value, ''),
 coalesce(sco.value, ''), coalesce(src.value, ''), coalesce(rea.value, ''), coalesce(a.correlation, ''), coalesce(a.count, 1),
 coalesce(res.value, '')
 FROM activity a
 LEFT JOIN interned act ON act.id = a.action LEFT JOIN interned iss ON iss.id = a.issuer
 LEFT JOIN interned cli ON cli.id = a.client LEFT JOIN interned sec ON sec.id = a.secret
 LEFT JOIN interned sco ON sco.id = a.scope LEFT JOIN interned src ON src.id = a.source
 LEFT JOIN interned rea ON rea.id = a.reason LEFT JOIN interned res ON res.id = a.resource WHERE `

const defaultLimit = 50

// Search returns entries newest first: by id, that is by time to the
// millisecond. Their Count is at least 1.
func (s *Store) Search(ctx context.Context, q domain.Query) ([]domain.Entry, error) {
	cond, args, err := s.condition(ctx, q)
	if errors.Is(err, domain.ErrNotFound) {
		return nil, nil // a text that no entry has
	}
	if err != nil {
		return nil, fmt.Errorf("search activity: %w", err)
	}
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	args = append(args, limit)
	text := selectEntries + cond + fmt.Sprintf(" ORDER BY a.id DESC LIMIT $%d", len(args))
	rows, err := s.read.query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("search activity: %w", err)
	}
	list, err := scanEntries(rows, nil)
	if err != nil {
		return nil, fmt.Errorf("search activity: %w", err)
	}
	return list, nil
}

// condition is a fixed shape per set of fields, so that few statements exist.
func (s *Store) condition(ctx context.Context, q domain.Query) (string, []any, error) {
	parts := []string{"a.id >= $1"}
	from := bound(q.From)
	args := []any{from[:]}
	add := func(what string, v any) {
		args = append(args, v)
		parts = append(parts, fmt.Sprintf("a.%s $%d", what, len(args)))
	}
	if !q.To.IsZero() {
		to := bound(q.To)
		add("id <", to[:])
	}
	if q.Before != (domain.EventID{}) {
		add("id <", q.Before[:])
	}
	for _, f := range []struct{ column, text string }{{"client", q.Client}, {"action", string(q.Action)}, {"issuer", q.Issuer}} {
		if f.text == "" {
			continue
		}
		if !storable(f.text) {
			return "", nil, domain.ErrNotFound
		}
		var id int64
		if err := s.read.row(ctx, selectInterned, []any{f.text}, &id); err != nil {
			return "", nil, err
		}
		add(f.column+" =", id)
	}
	return strings.Join(parts, " AND "), args, nil
}

// bound is the smallest id of an entry that is not before t; of the zero time
// it is the smallest id of all.
func bound(t time.Time) (id domain.EventID) {
	if t.IsZero() || t.Before(time.Unix(0, 0)) {
		return id
	}
	ms := t.UnixMilli()
	if time.UnixMilli(ms).Before(t) {
		ms++
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(ms)) //nolint:gosec // after 1970
	copy(id[:6], b[2:])
	return id
}

// scanEntries reads rows of selectEntries to the end and closes them.
func scanEntries(rows *sql.Rows, list []domain.Entry) ([]domain.Entry, error) {
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var e domain.Entry
		var id sql.RawBytes
		if err := rows.Scan(&id, &e.Action, &e.Issuer, &e.Client, &e.SecretID, &e.Scope, &e.Source, &e.Reason, &e.Correlation, &e.Count, &e.Resource); err != nil {
			return nil, err
		}
		if copy(e.ID[:], id) != len(e.ID) {
			return nil, fmt.Errorf("an event id of %d bytes", len(id))
		}
		list = append(list, e)
	}
	return list, rows.Err()
}
