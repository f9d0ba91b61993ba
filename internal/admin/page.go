package admin

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
)

const maxCursor = 1024 // characters

// PageQuery chooses a page of a list. (Exported as ClientPath is.)
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many at most."`
	Cursor string `query:"cursor" maxLength:"1024" doc:"next of the page before, as it came; with the same other parameters."`

	after string // where the page begins
	path  string // of the request
	of    []byte // what the cursor belongs to
	other url.Values
}

// Resolve reads the cursor. One that is not of this list with these parameters is refused.
func (q *PageQuery) Resolve(ctx huma.Context) []error {
	at := ctx.URL()
	q.path, q.other = at.EscapedPath(), at.Query()
	q.other.Del("cursor")
	q.other.Del("limit")
	sum := sha256.Sum256([]byte(q.path + "?" + q.other.Encode()))
	q.of = sum[:8]
	if q.Cursor == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	after, ours := bytes.CutPrefix(raw, q.of)
	if err != nil || len(q.Cursor) > maxCursor || !ours || len(after) == 0 || !utf8.Valid(after) || bytes.IndexByte(after, 0) >= 0 {
		return []error{badCursor{place("query.cursor", "is not one that this list gave with these parameters; begin again without it")}}
	}
	q.after = string(after)
	return nil
}

// badCursor is a 400, whatever else is wrong.
type badCursor struct{ *huma.ErrorDetail }

// GetStatus is 400.
func (badCursor) GetStatus() int { return http.StatusBadRequest }

// table is the page of a table, with one object more, which tells whether there is another
// page.
func (q *PageQuery) table() domain.Page { return domain.Page{After: q.after, Limit: q.Limit + 1} }

// cursor is where the page after this key begins.
func (q *PageQuery) cursor(key string) string {
	return base64.RawURLEncoding.EncodeToString(append(bytes.Clone(q.of), key...))
}

// link is the page at a cursor (RFC 8288).
func (q *PageQuery) link(cursor string) string {
	q.other.Set("cursor", cursor)
	q.other.Set("limit", strconv.Itoa(q.Limit))
	return "<" + q.path + "?" + q.other.Encode() + `>; rel="next"`
}

type page[S any] struct {
	Link string `header:"Link" doc:"The next page, with rel=next (RFC 8288); absent on the last."`
	Body struct {
		Items []S    `json:"items" nullable:"false"`
		Next  string `json:"next,omitempty" doc:"Cursor of the next page; absent on the last."`
	}
}

// paged shows the first of a list that table chose.
func paged[T interface{ Key() string }, S any](q *PageQuery, list []T, show func(T) (S, int64)) *page[S] {
	var p page[S]
	if len(list) > q.Limit {
		list = list[:q.Limit]
		p.Body.Next = q.cursor(list[len(list)-1].Key())
		p.Link = q.link(p.Body.Next)
	}
	p.Body.Items = all(list, show)
	return &p
}

// rest is what of a list in memory, which is in the order of its keys, belongs to the page and
// what follows it.
func rest[T interface{ Key() string }](q *PageQuery, list []T) []T {
	from := slices.IndexFunc(list, func(v T) bool { return v.Key() > q.after })
	if from < 0 {
		return nil
	}
	return list[from:]
}

func all[T, S any](list []T, show func(T) (S, int64)) []S {
	items := make([]S, 0, len(list))
	for _, v := range list {
		shown, _ := show(v)
		items = append(items, shown)
	}
	return items
}
