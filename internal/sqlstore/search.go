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

// selectEntries reads rows of activity; a condition follows. Texts come as their numbers:
// a join for each of them would cost more than the rows.
const selectEntries = `SELECT id, action, issuer, client, secret, scope, source, reason, resource, tenant, actor, count, correlation, details
 FROM activity WHERE `

const defaultLimit = 50

// Search returns entries newest first: by id, that is by time to the
// millisecond. Their Count is at least 1.
func (s *Store) Search(ctx context.Context, q domain.Query) ([]domain.Entry, error) {
	f, err := s.activityFilter(ctx, q)
	if errors.Is(err, domain.ErrNotFound) {
		return nil, nil // a text that no entry has
	}
	if err != nil {
		return nil, fmt.Errorf("search activity: %w", err)
	}
	if q.Before != (domain.EventID{}) {
		f.add("id < ?", q.Before[:])
	}
	list, err := s.entries(ctx, f, limited(q))
	if err != nil {
		return nil, fmt.Errorf("search activity: %w", err)
	}
	return list, nil
}

func limited(q domain.Query) int {
	if q.Limit <= 0 {
		return defaultLimit
	}
	return q.Limit
}

// entries returns the newest that pass the filter.
func (s *Store) entries(ctx context.Context, f filter, limit int) ([]domain.Entry, error) {
	cond, args := f.text(s.cfg.Anonymous, limit)
	rows, err := s.read.query(ctx, selectEntries+cond+" ORDER BY id DESC LIMIT "+f.mark(s.cfg.Anonymous, len(args)), args...)
	if err != nil {
		return nil, err
	}
	page, err := scanRows(rows, make([]row, 0, min(limit, 512)))
	if err != nil {
		return nil, err
	}
	return s.glossary.entries(ctx, reader{&s.read}, page, make([]domain.Entry, 0, len(page)))
}

// activityFilter is what q asks of activity. A text that nothing is known by is
// domain.ErrNotFound: no entry has it.
func (s *Store) activityFilter(ctx context.Context, q domain.Query) (f filter, err error) {
	if !q.From.IsZero() {
		from := bound(q.From)
		f.add("id >= ?", from[:])
	}
	if !q.To.IsZero() {
		to := bound(q.To)
		f.add("id < ?", to[:])
	}
	for _, one := range []struct{ cond, text string }{
		{"client = ?", q.Client}, {"action = ?", string(q.Action)}, {"issuer = ?", q.Issuer}, {"tenant = ?", q.Tenant}, {"resource = ?", q.Resource},
		{"(actor = ? OR actor IS NULL AND client = ?)", q.Actor},
	} {
		if one.text == "" {
			continue
		}
		id, err := s.number(ctx, one.text)
		if err != nil {
			return f, err
		}
		f.add(one.cond, id)
	}
	switch q.Outcome {
	case "":
	case domain.Refused:
		f.add("reason IS NOT NULL")
	case domain.Success:
		f.add("reason IS NULL")
	default:
		return f, domain.ErrNotFound
	}
	if q.Within != nil {
		err = f.within(*q.Within, func(text string) (any, error) { return s.number(ctx, text) })
	}
	return f, err
}

// number is that of an interned text, or domain.ErrNotFound.
func (s *Store) number(ctx context.Context, text string) (id int64, err error) {
	if !storable(text) {
		return 0, domain.ErrNotFound
	}
	return id, s.read.row(ctx, selectInterned, []any{text}, &id)
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

// row is an entry as its table keeps it: with numbers in place of texts.
type row struct {
	entry   domain.Entry
	numbers [10]int64 // in the order of selectEntries; 0 is no text
}

// scanRows appends rows of selectEntries and closes them.
func scanRows(rows *sql.Rows, list []row) ([]row, error) {
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var id sql.RawBytes
	var values [13]any
	into := []any{&id}
	for i := range values {
		into = append(into, &values[i])
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		list = append(list, row{})
		r := &list[len(list)-1]
		if copy(r.entry.ID[:], id) != len(r.entry.ID) || len(id) != len(r.entry.ID) {
			return nil, fmt.Errorf("an event id of %d bytes", len(id))
		}
		for i := range r.numbers {
			r.numbers[i], _ = values[i].(int64) // NULL is no text
		}
		count, _ := values[10].(int64)
		r.entry.Count = uint32(max(count, 1)) //nolint:gosec // it was one when it was written
		r.entry.Correlation, _ = values[11].(string)
		r.entry.Details, _ = values[12].(string)
	}
	return list, rows.Err()
}

// filter is conditions that all hold, with their parameters.
type filter struct {
	parts []string // with `?` for parameters
	args  []any
}

// add adds a condition; every `?` in it stands for v.
func (f *filter) add(part string, v ...any) {
	f.parts = append(f.parts, part)
	for range strings.Count(part, "?") {
		f.args = append(f.args, v...)
	}
}

// within adds the condition that domain.Reach.Seen tells. value is what stands for a name in
// the table; domain.ErrNotFound says that nothing there has it.
func (f *filter) within(r domain.Reach, value func(string) (any, error)) error {
	if !r.AllTenants {
		if err := f.oneOf("tenant IN (", r.Tenants, ")", value); err != nil {
			return err
		}
	}
	if !r.AllIssuers {
		return f.oneOf("(issuer IS NULL AND tenant IS NOT NULL OR issuer IN (", r.Issuers, "))", value)
	}
	return nil
}

// oneOf adds a list of values. Its length is a power of two, so that few statements exist.
func (f *filter) oneOf(before string, names []string, after string, value func(string) (any, error)) error {
	var found []any
	for _, name := range names {
		v, err := value(name)
		if errors.Is(err, domain.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		found = append(found, v)
	}
	if len(found) == 0 {
		found = append(found, nil) // equal to nothing
	}
	n := 1
	for n < len(found) {
		n *= 2
	}
	for len(found) < n {
		found = append(found, found[0])
	}
	f.parts = append(f.parts, before+strings.TrimSuffix(strings.Repeat("?, ", n), ", ")+after)
	f.args = append(f.args, found...)
	return nil
}

// text is the condition as the database reads it, and its parameters, the limit last.
func (f *filter) text(anonymous bool, limit int) (string, []any) {
	args := append(f.args[:len(f.args):len(f.args)], limit)
	cond := "1 = 1"
	if len(f.parts) > 0 {
		cond = strings.Join(f.parts, " AND ")
	}
	if anonymous {
		return cond, args
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, more := strings.Cut(cond, "?")
		b.WriteString(before)
		if !more {
			return b.String(), args
		}
		b.WriteString(f.mark(false, n))
		cond = after
	}
}

// mark is how the n-th parameter is written.
func (f *filter) mark(anonymous bool, n int) string { return placeholders(n, 1, anonymous) }
