package declare

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// most is how many objects are read at once.
const most = 500

// gather reads those objects of the table that have one of the keys, in as few reads as
// their places allow: where they lie side by side many at once, where they lie scattered
// one by one. The keys come back in order.
func gather[T object](ctx context.Context, table domain.Table[T], keys []string, found func(T)) error {
	slices.Sort(keys)
	after, limit := "", min(len(keys), 64)
	for len(keys) > 0 {
		if below := keys[0][:max(0, len(keys[0])-1)]; below > after {
			after = below
		}
		list, err := table.List(ctx, domain.Page{After: after, Limit: limit})
		if err != nil {
			return err
		}
		hits := 0
		for _, v := range list {
			after = v.Key()
			i, there := slices.BinarySearch(keys, after)
			keys = keys[i:] // those passed over are not there
			if there {
				found(v)
				hits++
				keys = keys[1:]
			}
		}
		if len(list) < limit {
			return nil
		}
		limit = min(max(2*hits, 1), most)
	}
	return nil
}

// object is what objects of every kind have in common.
type object interface {
	Kind() domain.Kind
	Key() string
}

// memory is a table that reads each object once. In a rehearsal nothing is written to the
// table below: what would be is kept here.
type memory[T object] struct {
	domain.Table[T]
	version   func(*T) *int64
	rehearsal bool
	seen      map[string]*T // nil: it is not there
	written   []string      // keys, in order; in a rehearsal only
}

func remember[T object](table domain.Table[T], rehearsal bool, version func(*T) *int64) *memory[T] {
	return &memory[T]{Table: table, version: version, rehearsal: rehearsal, seen: make(map[string]*T)}
}

// fetch reads those that are there at once, so that Get has them.
func (m *memory[T]) fetch(ctx context.Context, keys []string) error {
	keys = slices.Clone(keys)
	for _, key := range keys {
		m.seen[key] = nil
	}
	return gather(ctx, m.Table, keys, func(v T) { m.seen[v.Key()] = &v })
}

// Get returns what was read or written before, or reads it.
func (m *memory[T]) Get(ctx context.Context, key string) (v T, err error) {
	known, ok := m.seen[key]
	if !ok {
		v, err = m.Table.Get(ctx, key)
		if err == nil {
			m.seen[key] = &v
		}
		return v, err
	}
	if known == nil {
		return v, fmt.Errorf("%s %q: %w", v.Kind(), key, domain.ErrNotFound)
	}
	return *known, nil
}

// List lists the table, in a rehearsal as it would be.
func (m *memory[T]) List(ctx context.Context, page domain.Page) ([]T, error) {
	if len(m.written) == 0 {
		return m.Table.List(ctx, page)
	}
	var list []T
	for {
		below, err := m.Table.List(ctx, page)
		if err != nil {
			return nil, err
		}
		last, end := "", page.Limit == 0 || len(below) < page.Limit
		if !end {
			last = below[len(below)-1].Key()
		}
		list = append(list, m.merge(below, page, last)...)
		if end || len(list) >= page.Limit {
			break
		}
		page.After = last
	}
	if page.Limit > 0 && len(list) > page.Limit {
		list = list[:page.Limit]
	}
	return list, nil
}

// merge puts what was written into what is below, up to the last key; empty: to the end.
func (m *memory[T]) merge(below []T, page domain.Page, last string) []T {
	merged := slices.DeleteFunc(below, func(v T) bool {
		_, written := slices.BinarySearch(m.written, v.Key())
		return written
	})
	for _, key := range m.written {
		if v := m.seen[key]; v != nil && key > page.After && strings.HasPrefix(key, page.Prefix) && (last == "" || key <= last) {
			merged = append(merged, *v)
		}
	}
	slices.SortFunc(merged, func(a, b T) int { return strings.Compare(a.Key(), b.Key()) })
	return merged
}

// Put writes it, or would.
func (m *memory[T]) Put(ctx context.Context, v T, ifVersion int64) (version int64, err error) {
	if !m.rehearsal {
		delete(m.seen, v.Key())
		return m.Table.Put(ctx, v, ifVersion)
	}
	if err := m.same(ctx, v.Key(), ifVersion); err != nil {
		return 0, err
	}
	kept := v
	*m.version(&kept) = ifVersion + 1
	m.set(v.Key(), &kept)
	return ifVersion + 1, nil
}

// Delete deletes it, or would.
func (m *memory[T]) Delete(ctx context.Context, key string, ifVersion int64) (err error) {
	if !m.rehearsal {
		delete(m.seen, key)
		return m.Table.Delete(ctx, key, ifVersion)
	}
	if err = m.same(ctx, key, ifVersion); err == nil {
		m.set(key, nil)
	}
	return err
}

func (m *memory[T]) set(key string, v *T) {
	m.seen[key] = v
	if i, there := slices.BinarySearch(m.written, key); !there {
		m.written = slices.Insert(m.written, i, key)
	}
}

// same is what a store answers to a write with this version.
func (m *memory[T]) same(ctx context.Context, key string, version int64) error {
	old, err := absent(m.Get(ctx, key))
	if have := *m.version(&old); err != nil || have == version {
		return err
	} else if version == 0 {
		return fmt.Errorf("%s %q: %w", old.Kind(), key, domain.ErrExists)
	}
	return fmt.Errorf("%s %q: %w", old.Kind(), key, domain.ErrConflict)
}
