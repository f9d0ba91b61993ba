package declare

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/domain"
)

// plainTable is a table in memory, as a store has it.
type plainTable struct {
	rows  map[string]domain.Tier
	lists int
}

func (p *plainTable) Get(_ context.Context, key string) (domain.Tier, error) {
	v, ok := p.rows[key]
	if !ok {
		return v, fmt.Errorf("tier %q: %w", key, domain.ErrNotFound)
	}
	return v, nil
}

func (p *plainTable) List(_ context.Context, page domain.Page) (list []domain.Tier, err error) {
	p.lists++
	for _, key := range slices.Sorted(maps.Keys(p.rows)) {
		if key > page.After && strings.HasPrefix(key, page.Prefix) && (page.Limit == 0 || len(list) < page.Limit) {
			list = append(list, p.rows[key])
		}
	}
	return list, nil
}

func (p *plainTable) Put(_ context.Context, v domain.Tier, ifVersion int64) (int64, error) {
	have := p.rows[v.Name].Version
	switch {
	case have != ifVersion && ifVersion == 0:
		return 0, domain.ErrExists
	case have != ifVersion:
		return 0, domain.ErrConflict
	}
	v.Version = ifVersion + 1
	p.rows[v.Name] = v
	return v.Version, nil
}

func (p *plainTable) Delete(_ context.Context, key string, ifVersion int64) error {
	if p.rows[key].Version != ifVersion || ifVersion == 0 {
		return domain.ErrConflict
	}
	delete(p.rows, key)
	return nil
}

func version(v *domain.Tier) *int64 { return &v.Version }

// A memory answers as the table would, whether it writes there or only rehearses; a
// rehearsal leaves the table as it was.
func TestMemoryIsLikeItsTable(t *testing.T) {
	names := rapid.SampledFrom([]string{"a", "aa", "ab", "b", "ba", "c", "d", "e"})
	rapid.Check(t, func(r *rapid.T) {
		truth, through, below := &plainTable{rows: map[string]domain.Tier{}}, &plainTable{rows: map[string]domain.Tier{}}, &plainTable{rows: map[string]domain.Tier{}}
		for range rapid.IntRange(0, 6).Draw(r, "rows") {
			v := domain.Tier{Name: names.Draw(r, "row"), PerMinute: 1, Version: rapid.Int64Range(1, 2).Draw(r, "version")}
			truth.rows[v.Name], through.rows[v.Name], below.rows[v.Name] = v, v, v
		}
		before := maps.Clone(below.rows)
		written, rehearsed := remember(domain.Table[domain.Tier](through), false, version), remember(domain.Table[domain.Tier](below), true, version)
		for range rapid.IntRange(1, 20).Draw(r, "steps") {
			key, at := names.Draw(r, "key"), rapid.Int64Range(0, 3).Draw(r, "at")
			page := domain.Page{After: rapid.SampledFrom([]string{"", "a", "ab", "c"}).Draw(r, "after"), Prefix: rapid.SampledFrom([]string{"", "a", "b"}).Draw(r, "prefix"), Limit: rapid.IntRange(0, 3).Draw(r, "limit")}
			what := rapid.IntRange(0, 4).Draw(r, "what")
			amount := rapid.Int64Range(1, 9).Draw(r, "amount")
			do := func(table domain.Table[domain.Tier]) string {
				var v any
				var err error
				switch what {
				case 0:
					v, err = table.Get(t.Context(), key)
				case 1:
					v, err = table.List(t.Context(), page)
					v = fmt.Sprint(v) // none may be nil
				case 2:
					v, err = table.Put(t.Context(), domain.Tier{Name: key, PerMinute: amount}, at)
				case 3:
					err = table.Delete(t.Context(), key, max(at, 1))
				case 4:
					if m, ok := table.(*memory[domain.Tier]); ok && len(m.written) == 0 {
						err = m.fetch(t.Context(), []string{key, "zz"})
					}
				}
				for _, known := range []error{domain.ErrNotFound, domain.ErrConflict, domain.ErrExists} {
					if errors.Is(err, known) {
						return known.Error()
					}
				}
				return fmt.Sprint(v, err)
			}
			want := do(truth)
			if a, b := do(written), do(rehearsed); what < 4 && (a != want || b != want) {
				r.Fatalf("%d %s %+v %d: want %s; written %s; rehearsed %s", what, key, page, at, want, a, b)
			}
		}
		if diff := cmp.Diff(before, below.rows); diff != "" {
			r.Fatalf("a rehearsal wrote: %s", diff)
		}
		if diff := cmp.Diff(truth.rows, through.rows); diff != "" {
			r.Fatal(diff)
		}
	})
}

// Gather finds what is there of the keys, and nothing else, in few reads.
func TestGather(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.StringMatching(`[ab/]{1,5}`)
		table := &plainTable{rows: map[string]domain.Tier{}}
		for _, n := range rapid.SliceOf(name).Draw(r, "rows") {
			table.rows[n] = domain.Tier{Name: n, Version: 1}
		}
		keys := rapid.SliceOfDistinct(name, rapid.ID).Draw(r, "keys")
		var got, want []string
		for _, k := range slices.Sorted(slices.Values(keys)) {
			if _, ok := table.rows[k]; ok {
				want = append(want, k)
			}
		}
		if err := gather(t.Context(), domain.Table[domain.Tier](table), slices.Clone(keys), func(v domain.Tier) { got = append(got, v.Name) }); err != nil || !slices.Equal(got, want) {
			r.Fatalf("%v: %q, want %q", err, got, want)
		}
	})
	dense := &plainTable{rows: map[string]domain.Tier{}}
	var keys []string
	for i := range 10_000 {
		name := fmt.Sprintf("%05d", i)
		dense.rows[name], keys = domain.Tier{Name: name, Version: 1}, append(keys, name)
	}
	found := 0
	if err := gather(t.Context(), domain.Table[domain.Tier](dense), keys, func(domain.Tier) { found++ }); err != nil || found != 10_000 || dense.lists > 30 {
		t.Errorf("%d found in %d reads, %v", found, dense.lists, err)
	}
}
