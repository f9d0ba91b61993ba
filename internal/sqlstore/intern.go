package sqlstore

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	"github.com/postern-dev/postern/internal/domain"
)

const (
	internGeneration = 1 << 18 // texts of one generation of the cache; there are two
	internChunk      = 32      // texts looked up by one statement
	insertInterned   = `INSERT INTO interned (value) VALUES ($1) ON CONFLICT DO NOTHING`
	selectInterned   = `SELECT id FROM interned WHERE value = $1`
)

// interner knows the numbers of texts that were used lately. It holds committed
// ones only. A text is known by 128 bits of keyed hashes, so that 100,000
// clients cost a few megabytes and the garbage collector nothing.
type interner struct {
	seeds [2]maphash.Seed

	mu          sync.Mutex
	era         string // of the numbers
	young, aged map[textHash]int64
}

type textHash [2]uint64

func newInterner() *interner {
	return &interner{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, young: map[textHash]int64{}}
}

func (in *interner) hash(text string) textHash {
	return textHash{maphash.String(in.seeds[0], text), maphash.String(in.seeds[1], text)}
}

func (in *interner) get(text string) (int64, bool) {
	h := in.hash(text)
	in.mu.Lock()
	defer in.mu.Unlock()
	id, ok := in.young[h]
	if !ok {
		if id, ok = in.aged[h]; ok {
			in.put(h, id)
		}
	}
	return id, ok
}

// put is called with the lock held.
func (in *interner) put(h textHash, id int64) {
	if len(in.young) >= internGeneration {
		in.aged, in.young = in.young, map[textHash]int64{}
	}
	in.young[h] = id
}

// begin forgets all numbers of another era.
func (in *interner) begin(era string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.era != era {
		in.era, in.young, in.aged = era, map[textHash]int64{}, nil
	}
}

func (in *interner) add(era string, ids map[string]int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.era != era {
		return
	}
	for text, id := range ids {
		in.put(in.hash(text), id)
	}
}

// interning is the use of the interner in one transaction: what it looks up
// there becomes known to all after the commit.
type interning struct {
	in    *interner
	known map[string]int64 // of this batch
	fresh map[string]int64 // of known: not from the cache
}

// resolve finds or makes the numbers of all texts of a batch.
func (in *interner) resolve(ctx context.Context, t *tx, lookup, era, node string, batch []domain.Entry) (*interning, error) {
	in.begin(era)
	g := &interning{in: in, known: make(map[string]int64, 64), fresh: map[string]int64{}}
	var missing []any
	want := func(text string) {
		if text == "" {
			return
		}
		if _, ok := g.known[text]; ok {
			return
		}
		id, ok := in.get(text)
		g.known[text] = id
		if !ok {
			missing = append(missing, text)
		}
	}
	want(node)
	for i := range batch {
		e := &batch[i]
		for _, text := range [...]string{string(e.Action), e.Issuer, e.Client, e.SecretID, e.Scope, e.Source, e.Reason, e.Resource, e.Tenant, e.Actor} {
			want(text)
		}
	}
	// In one order everywhere: two nodes that intern the same do not wait for each other.
	slices.SortFunc(missing, func(a, b any) int { return strings.Compare(a.(string), b.(string)) }) //nolint:forcetypeassert // all are
	for len(missing) > 0 {
		n := min(len(missing), internChunk)
		if err := g.lookup(ctx, t, lookup, missing[:n]); err != nil {
			return nil, err
		}
		missing = missing[n:]
	}
	return g, nil
}

func (g *interning) lookup(ctx context.Context, t *tx, text string, missing []any) error {
	args := make([]any, internChunk)
	for i := range args {
		args[i] = missing[min(i, len(missing)-1)] // repeats fill the list up
	}
	rows, err := t.query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var value string
		var id int64
		if err := rows.Scan(&value, &id); err != nil {
			return err
		}
		g.set(value, id)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, m := range missing {
		value := m.(string) //nolint:forcetypeassert // all are
		if g.known[value] != 0 {
			continue
		}
		var id int64
		if _, err := t.exec(ctx, insertInterned, value); err != nil {
			return err
		}
		if err := t.row(ctx, selectInterned, []any{value}, &id); err != nil {
			return err
		}
		g.set(value, id)
	}
	return nil
}

func (g *interning) set(value string, id int64) {
	g.known[value], g.fresh[value] = id, id
}

// arg is the number of a text, or NULL where it is empty.
func (g *interning) arg(text string) any {
	if text == "" {
		return nil
	}
	return g.known[text]
}
