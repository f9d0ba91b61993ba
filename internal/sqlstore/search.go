package sqlstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// entryNumbers are the columns of a row that are numbers: those of texts first.
const entryNumbers = `action, issuer, client, secret, scope, source, reason, resource, tenant, actor, count, other`

// selectEntries reads the rows of activity for which the condition holds, in the order that
// stands in it. Texts come as their numbers: a join for each of them would cost more than the
// rows. oneText, where each column that crosses over costs more than the row, makes a line of
// each row, and one text of all.
func selectEntries(oneText bool, condition string) string {
	if !oneText {
		return `SELECT id, correlation, details, ` + entryNumbers + ` FROM activity WHERE ` + condition
	}
	return `SELECT group_concat(line, x'0a') FROM (SELECT concat(hex(id), ',', ` + strings.ReplaceAll(entryNumbers, ",", ", ',',") +
		`, CASE WHEN correlation IS NOT NULL OR details IS NOT NULL THEN json_array(correlation, details) END) AS line FROM activity WHERE ` + condition + `)`
}

// ofBatch is the condition on entries of a batch.
const ofBatch = `batch = $1 AND id >= $2 AND id <= $3 ORDER BY id`

const (
	defaultLimit = 50
	rowsAtOnce   = 1024 // for which there is room before any is read
)

// Search returns entries newest first: by id, that is by time to the
// millisecond. Their Count is at least 1.
func (s *Store) Search(ctx context.Context, q domain.Query) ([]domain.Entry, error) {
	list, err := s.find(ctx, q, q.Before, limited(q))
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

// find returns the newest entries that q asks for, whose ids are smaller than before.
func (s *Store) find(ctx context.Context, q domain.Query, before domain.EventID, limit int) ([]domain.Entry, error) {
	ways, err := s.activityFilters(ctx, q, before)
	if errors.Is(err, domain.ErrNotFound) {
		return nil, nil // a text that no entry has
	}
	if err != nil {
		return nil, err
	}
	page := make([]row, 0, min(limit, rowsAtOnce))
	for _, f := range ways {
		cond, args := f.text(s.cfg.Anonymous, limit)
		rows, err := s.read.query(ctx, selectEntries(s.cfg.OneText, cond+" ORDER BY id DESC LIMIT "+f.mark(s.cfg.Anonymous, len(args))), args...)
		if err != nil {
			return nil, err
		}
		if page, err = scanRows(rows, page); err != nil {
			return nil, err
		}
	}
	if len(ways) > 1 {
		slices.SortFunc(page, func(a, b row) int { return bytes.Compare(b.id[:], a.id[:]) })
		page = page[:min(limit, len(page))]
	}
	return s.glossary.entries(ctx, reader{&s.read}, page, make([]domain.Entry, 0, len(page)))
}

// manyTenants: so many are not looked for one after the other.
const manyTenants = 8

// activityFilters are ways to find what q asks of activity: each entry passes one of them at
// most, and each way has an index. A text that nothing is known by is domain.ErrNotFound: no
// entry has it.
func (s *Store) activityFilters(ctx context.Context, q domain.Query, before domain.EventID) ([]filter, error) {
	f, err := s.activityFilter(ctx, q)
	if err != nil {
		return nil, err
	}
	if before != (domain.EventID{}) {
		f.add("id < ?", before[:])
	}
	if q.Actor != "" {
		actor, err := s.number(ctx, q.Actor)
		if err != nil {
			return nil, err
		}
		named, client := f.clone(), f.clone()
		named.indexed("actor", actor)
		client.indexed("client", actor)
		client.add("actor IS NULL")
		return []filter{named, client}, nil
	}
	if q.Within == nil || q.Within.AllTenants || f.index || len(q.Within.Tenants) > manyTenants {
		return []filter{f}, s.within(ctx, &f, q.Within)
	}
	return s.eachTenant(ctx, f, *q.Within)
}

// eachTenant looks for each tenant within reach by itself.
func (s *Store) eachTenant(ctx context.Context, f filter, r domain.Reach) (ways []filter, err error) {
	tenants := slices.Clone(r.Tenants)
	slices.Sort(tenants)
	for _, tenant := range slices.Compact(tenants) {
		id, err := s.number(ctx, tenant)
		if errors.Is(err, domain.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		way := f.clone()
		way.indexed("tenant", id)
		if err := s.within(ctx, &way, &domain.Reach{AllTenants: true, AllIssuers: r.AllIssuers, Issuers: r.Issuers}); err != nil {
			return nil, err
		}
		ways = append(ways, way)
	}
	return ways, nil
}

func (s *Store) within(ctx context.Context, f *filter, r *domain.Reach) error {
	if r == nil {
		return nil
	}
	return f.within(*r, "+tenant", func(text string) (any, error) { return s.number(ctx, text) })
}

// activityFilter is what q asks of activity, but for actor and reach.
func (s *Store) activityFilter(ctx context.Context, q domain.Query) (f filter, err error) {
	if !q.From.IsZero() {
		from := bound(q.From)
		f.add("id >= ?", from[:])
	}
	if !q.To.IsZero() {
		to := bound(q.To)
		f.add("id < ?", to[:])
	}
	other, issued := string(q.Action), ""
	if q.Action == domain.TokenIssued {
		other, issued = issued, other
	}
	// What few entries have comes first: the index of that one is used.
	for _, one := range []struct{ column, text string }{
		{"resource", q.Resource}, {"client", q.Client}, {"other", other}, {"tenant", q.Tenant}, {"+issuer", q.Issuer}, {"+action", issued},
	} {
		if one.text == "" {
			continue
		}
		id, err := s.number(ctx, one.text)
		if err != nil {
			return f, err
		}
		if one.column[0] == '+' { // most have it, or a good part
			f.add(one.column+" = ?", id)
		} else {
			f.indexed(one.column, id)
		}
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
	return f, nil
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
	id                   domain.EventID
	numbers              [12]int64 // in the order of entryNumbers; 0 is none
	correlation, details string
}

// nowhere stands for a 0 that is stored: none is NULL, and no text has that number.
const nowhere = -1

// Where texts, and what is none, stand among the numbers.
const (
	textsOfRow = 10
	countOfRow = 10
	otherOfRow = 11 // again the action, where it is not token.issue
)

// filter is conditions that all hold, with their parameters.
type filter struct {
	parts []string // with `?` for parameters
	args  []any
	index bool // one of them has an index
}

func (f *filter) clone() filter {
	return filter{parts: slices.Clone(f.parts), args: slices.Clone(f.args), index: f.index}
}

// indexed adds that a column has a value. The first one's index is used, those of the others
// are not: a database cannot know which is the best.
func (f *filter) indexed(column string, v any) {
	if f.index {
		column = "+" + column
	}
	f.index = true
	f.add(column+" = ?", v)
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
func (f *filter) within(r domain.Reach, tenant string, value func(string) (any, error)) error {
	if !r.AllTenants {
		if err := f.oneOf(tenant+" IN (", r.Tenants, ")", value); err != nil {
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
