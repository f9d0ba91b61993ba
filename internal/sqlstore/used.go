package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// How exactly the last use of a secret is kept, and how many of them are remembered at most so
// that nothing is written for them; the statement sees to the others.
const (
	usedEvery      = 5 * time.Minute
	usedGeneration = 1 << 16 // of two
	usedChunk      = 32      // written by one statement
)

const selectUsed = `SELECT secret, at FROM used WHERE issuer = $1 AND client = $2`

// writeUsed writes n uses, where they are not there already, to five minutes.
func writeUsed(n int, anonymous bool) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO used (issuer, client, secret, at) VALUES `)
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(" + placeholders(1+4*i, 4, anonymous) + ")")
	}
	b.WriteString(` ON CONFLICT (issuer, client, secret) DO UPDATE SET at = excluded.at WHERE used.at <= excluded.at - 300000000`)
	return b.String()
}

type secretOf struct{ issuer, client, secret string }

// use is the last use of a secret in a batch, in microseconds.
type use struct {
	secretOf
	at int64
}

// uses knows which last uses were written lately.
type uses struct {
	seed maphash.Seed

	mu          sync.Mutex
	young, aged map[uint64]int64 // hash of a secret's name → what was written, in microseconds
}

func newUses() *uses { return &uses{seed: maphash.MakeSeed(), young: map[uint64]int64{}} }

// due are the uses in a batch that have to be written, in one order everywhere, so that two
// nodes do not wait for each other.
func (u *uses) due(batch []domain.Entry) []use {
	last := map[secretOf]int64{}
	for i := range batch {
		if e := &batch[i]; e.SecretID != "" && e.Client != "" {
			s := secretOf{e.Issuer, e.Client, e.SecretID}
			last[s] = max(last[s], e.ID.Time().UnixMicro())
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	var list []use
	for s, at := range last {
		h := maphash.Comparable(u.seed, s)
		written, ok := u.young[h]
		if !ok {
			written = u.aged[h]
		}
		if at >= written+usedEvery.Microseconds() {
			list = append(list, use{s, at})
		}
	}
	slices.SortFunc(list, func(a, b use) int {
		return cmp.Or(strings.Compare(a.issuer, b.issuer), strings.Compare(a.client, b.client), strings.Compare(a.secret, b.secret))
	})
	return list
}

// wrote remembers what was committed.
func (u *uses) wrote(list []use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, one := range list {
		if len(u.young) >= usedGeneration {
			u.aged, u.young = u.young, map[uint64]int64{}
		}
		u.young[maphash.Comparable(u.seed, one.secretOf)] = one.at
	}
}

// writeUses writes uses in the transaction of their batch.
func (x *texts) writeUses(ctx context.Context, t *tx, list []use) error {
	args := make([]any, 0, 4*usedChunk)
	for len(list) > 0 {
		n, text := 1, x.oneUse
		if len(list) >= usedChunk {
			n, text = usedChunk, x.manyUses
		}
		args = args[:0]
		for _, one := range list[:n] {
			args = append(args, one.issuer, one.client, one.secret, one.at)
		}
		if _, err := t.exec(ctx, text, args...); err != nil {
			return fmt.Errorf("last use of secrets: %w", err)
		}
		list = list[n:]
	}
	return nil
}

// LastUses is described at domain.LastUses.
func (s *Store) LastUses(ctx context.Context, issuer, client string) (map[string]time.Time, error) {
	if !storable(issuer) || !storable(client) {
		return map[string]time.Time{}, nil
	}
	rows, err := s.read.query(ctx, selectUsed, issuer, client)
	if err != nil {
		return nil, fmt.Errorf("last use of secrets: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	list := map[string]time.Time{}
	for rows.Next() {
		var secret string
		var at int64
		if err := rows.Scan(&secret, &at); err != nil {
			return nil, fmt.Errorf("last use of secrets: %w", err)
		}
		list[secret] = time.UnixMicro(at).UTC()
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("last use of secrets: %w", err)
	}
	return list, nil
}
