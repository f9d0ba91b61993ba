package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// Dropped are the Details of an entry with the action activity.drop.
type Dropped struct {
	Before  time.Time `json:"before"`            // batches that ended before this were dropped
	Entries int64     `json:"entries"`           // so many
	Batches []Span    `json:"batches,omitempty"` // which; absent where it was told before they were named
	All     bool      `json:"all,omitempty"`     // these are all that had been dropped until then: what was told before counts no more
}

// Span is batches of a node that follow each other.
type Span struct {
	Node string `json:"node"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
}

// AddSpan appends batches, to the last span where they follow it.
func AddSpan(list []Span, s Span) []Span {
	if n := len(list) - 1; n >= 0 && list[n].Node == s.Node && list[n].To+1 == s.From {
		list[n].To = s.To
		return list
	}
	return append(list, s)
}

// spans are batches by node.
type spans map[string][]Span

func (m spans) add(s Span) { m[s.Node] = AddSpan(m[s.Node], s) }

// joined are the spans of a node in order, with gaps between them.
func (m spans) joined(node string) (list []Span) {
	slices.SortFunc(m[node], func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	for _, s := range m[node] {
		if n := len(list) - 1; n >= 0 && s.From <= list[n].To+1 {
			list[n].To = max(list[n].To, s.To)
			continue
		}
		list = append(list, s)
	}
	return list
}

// retention is what a chain says of entries that were dropped, and what is gone.
type retention struct {
	before time.Time // up to when entries were dropped, as the chain tells
	told   int64     // entries that it tells of
	named  bool      // it names the batches
	silent bool      // what it told last is gone
	says   spans

	last    time.Time // of all that are gone
	entries int64
	gone    spans
}

func newRetention() retention { return retention{says: spans{}, gone: spans{}} }

// entry takes what one entry tells.
func (r *retention) entry(node string, e *domain.Entry) {
	var d Dropped
	r.silent = r.silent && node != domain.RetentionNode
	if node != domain.RetentionNode || e.Action != domain.ActivityDropped || json.Unmarshal([]byte(e.Details), &d) != nil {
		return
	}
	if d.Before.After(r.before) {
		r.before = d.Before
	}
	if d.All {
		r.told, r.says = 0, spans{}
	}
	r.told += d.Entries
	r.named = len(d.Batches) > 0
	for _, s := range d.Batches {
		r.says.add(s)
	}
}

// batch takes a batch without its entries.
func (r *retention) batch(b *Batch) {
	r.gone.add(Span{b.Node, b.N, b.N})
	r.entries += int64(b.Entries)
	r.silent = r.silent || b.Node == domain.RetentionNode
	if at := b.Last.Time(); at.After(r.last) {
		r.last = at
	}
}

// problems tells of entries that are gone and that nothing in the chain says were dropped,
// and of batches that are there though it does.
func (r *retention) problems(f func(node string, n int64, what string)) {
	if len(r.gone) > 0 && !r.last.Before(r.before) {
		f("", 0, fmt.Sprintf("entries of up to %s are gone, and retention says it dropped those before %s",
			r.last.Format(time.RFC3339Nano), r.before.Format(time.RFC3339Nano)))
	}
	if r.silent {
		f(domain.RetentionNode, 0, "is without what it told last, which is never dropped")
	}
	if r.named {
		r.compare(f)
	}
	// Before batches were named, what retention told was dropped as everything else.
	if whole := r.named || len(r.gone[domain.RetentionNode]) == 0; whole && r.told != r.entries {
		f("", 0, fmt.Sprintf("%d entries are gone, and retention says it dropped %d", r.entries, r.told))
	}
}

// compare tells of each node the first batch in which what is gone and what is said differ.
func (r *retention) compare(f func(node string, n int64, what string)) {
	nodes := map[string]bool{}
	for _, m := range []spans{r.says, r.gone} {
		for node := range m {
			nodes[node] = true
		}
	}
	for _, node := range sortedKeys(nodes) {
		n, gone := differ(r.says.joined(node), r.gone.joined(node))
		switch {
		case n == 0:
		case gone:
			f(node, n, "is without its entries, and retention does not say that it dropped them")
		default:
			f(node, n, "is not among those that were dropped, and retention says that it is")
		}
	}
}

// differ is the smallest number that is in one of two lists only, 0 if there is none, and
// whether it is in b.
func differ(a, b []Span) (n int64, inB bool) {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return b[i].From, true
		case i >= len(b):
			return a[i].From, false
		case a[i].From != b[i].From:
			return min(a[i].From, b[i].From), b[i].From < a[i].From
		case a[i].To != b[i].To:
			return min(a[i].To, b[i].To) + 1, b[i].To > a[i].To
		}
	}
	return 0, false
}
