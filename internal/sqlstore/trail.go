package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// selectTrail reads changes without objects of more than domain.MaxDetails; a condition follows.
const selectTrail = `SELECT seq, kind, key, action, version, CASE WHEN octet_length(object) <= 4096 THEN object END,
 coalesce(octet_length(object), 0), actor, at, coalesce(issuer, ''), coalesce(client, ''), coalesce(tenant, '') FROM change WHERE `

// Events is described at domain.Trail. Each of the two has its own place in the cursor.
func (s *Store) Events(ctx context.Context, q domain.Query) (page []domain.Event, next string, err error) {
	at, err := parsePlace(q.Cursor)
	if err != nil {
		return nil, "", err
	}
	limit := limited(q)
	changes, err := s.changeEvents(ctx, q, at, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("search changes: %w", err)
	}
	entries, err := s.find(ctx, q, at.id, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("search activity: %w", err)
	}
	for len(page) < limit && len(changes)+len(entries) > 0 {
		if len(entries) == 0 || len(changes) > 0 && !changes[0].Time.Before(entries[0].ID.Time()) {
			page = append(page, changes[0])
			at.time, at.seq = changes[0].Time.UnixMicro(), changes[0].Seq
			changes = changes[1:]
			continue
		}
		page = append(page, entries[0].Event())
		at.id = entries[0].ID
		entries = entries[1:]
	}
	if len(changes)+len(entries) > 0 {
		next = at.String()
	}
	return page, next, nil
}

// place is how far both have been read: the last change and the last entry.
type place struct {
	time int64 // of the change, in microseconds
	seq  domain.Seq
	id   domain.EventID
}

func (p place) String() string { return fmt.Sprintf("%d.%d.%s", p.time, p.seq, p.id) }

func parsePlace(text string) (p place, err error) {
	if text == "" {
		return p, nil
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return p, domain.ErrCursor
	}
	var seq int64
	p.time, err = strconv.ParseInt(parts[0], 10, 64)
	if err == nil {
		seq, err = strconv.ParseInt(parts[1], 10, 64)
	}
	if err == nil {
		p.id, err = domain.ParseEventID(parts[2])
	}
	p.seq = domain.Seq(seq)
	if err != nil || p.String() != text {
		return place{}, domain.ErrCursor
	}
	return p, nil
}

// changeEvents returns changes from the place on.
func (s *Store) changeEvents(ctx context.Context, q domain.Query, at place, limit int) ([]domain.Event, error) {
	f, ok := changeFilter(q)
	if !ok {
		return nil, nil
	}
	if at.seq > 0 {
		f.add("at <= ?", at.time)
		f.parts = append(f.parts, "(at < ? OR seq < ?)")
		f.args = append(f.args, at.time, int64(at.seq))
	}
	cond, args := f.text(s.cfg.Anonymous, limit)
	rows, err := s.read.query(ctx, selectTrail+cond+" ORDER BY at DESC, seq DESC LIMIT "+f.mark(s.cfg.Anonymous, len(args)), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []domain.Event
	for rows.Next() {
		v, err := scanChange(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// changeFilter is what q asks of changes; not ok: none can have it.
func changeFilter(q domain.Query) (f filter, ok bool) {
	if q.Outcome != "" && q.Outcome != domain.Success {
		return f, false
	}
	if !q.From.IsZero() {
		f.add("at >= ?", micros(q.From))
	}
	if !q.To.IsZero() {
		f.add("at < ?", micros(q.To))
	}
	kind, key, whole := strings.Cut(q.Resource, "/")
	if !whole {
		key = ""
	}
	for _, one := range []struct{ cond, text string }{
		{"kind = ?", kind}, {"key = ?", key}, {"client = ?", q.Client}, {"action = ?", string(q.Action)}, {"issuer = ?", q.Issuer},
		{"tenant = ?", q.Tenant}, {"actor = ?", q.Actor},
	} {
		if one.text == "" {
			continue
		}
		if !storable(one.text) {
			return f, false
		}
		f.add(one.cond, one.text)
	}
	if q.Within != nil {
		_ = f.within(*q.Within, "tenant", func(text string) (any, error) { //nolint:errcheck // what is not found is left out
			if !storable(text) {
				return nil, domain.ErrNotFound
			}
			return text, nil
		})
	}
	return f, true
}

// micros is the first microsecond that is not before t.
func micros(t time.Time) int64 { return t.Add(time.Microsecond - 1).UnixMicro() }

// scanChange reads a row of selectTrail.
func scanChange(rows *sql.Rows) (v domain.Event, err error) {
	var kind, key string
	var object []byte
	var version, size, at int64
	if err = rows.Scan(&v.Seq, &kind, &key, &v.Action, &version, &object, &size, &v.Actor, &at, &v.Issuer, &v.Client, &v.Tenant); err != nil {
		return v, err
	}
	d := domain.ChangeDetails{Version: version, Object: object}
	if object == nil {
		d.Bytes = size
	}
	v.ID, v.Resource, v.Outcome, v.Count = "change-"+strconv.FormatInt(int64(v.Seq), 10), kind+"/"+key, domain.Success, 1
	v.Time = time.UnixMicro(at).UTC()
	v.Details, err = json.Marshal(d)
	return v, err
}
