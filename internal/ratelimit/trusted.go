package ratelimit

import (
	"hash/maphash"
	"sync"
	"time"
)

// TrustedFor is how long a source that succeeded for a client is exempt from
// what other sources do to that client.
const TrustedFor = 30 * 24 * time.Hour

const (
	trustedShards   = 64
	maxTrustedShard = 2048 // 131,072 pairs in all: about 4 MB
)

// trusted remembers the last day on which a source succeeded for a client. Keys
// are 64-bit hashes under a seed of this process: nobody outside can aim at one.
type trusted struct {
	now    func() time.Time
	seed   maphash.Seed
	shards [trustedShards]trustedShard
}

type trustedShard struct {
	mu   sync.RWMutex
	days map[uint64]int32 // day since 1970, UTC
	_    [32]byte         // shards do not share a cache line
}

type pair struct {
	client Client
	source Source
}

func newTrusted(now func() time.Time) *trusted {
	t := &trusted{now: now, seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].days = make(map[uint64]int32)
	}
	return t
}

func (t *trusted) find(c Client, s Source) (*trustedShard, uint64) {
	h := maphash.Comparable(t.seed, pair{client: c, source: s})
	return &t.shards[h%trustedShards], h
}

func (sh *trustedShard) day(h uint64) (int32, bool) {
	sh.mu.RLock()
	d, ok := sh.days[h]
	sh.mu.RUnlock()
	return d, ok
}

func (t *trusted) has(c Client, s Source) bool {
	sh, h := t.find(c, s)
	d, ok := sh.day(h)
	return ok && dayOf(t.now())-d <= int32(TrustedFor/(24*time.Hour))
}

// mark notes a success and reports whether it is the first of that day.
func (t *trusted) mark(c Client, s Source, at time.Time) bool {
	sh, h := t.find(c, s)
	day := dayOf(at)
	if d, ok := sh.day(h); ok && d >= day {
		return false
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	d, ok := sh.days[h]
	if ok && d >= day {
		return false
	}
	if !ok {
		makeRoom(sh.days, maxTrustedShard, func(d int32) int { return int(d) }) // the one longest ago
	}
	sh.days[h] = day
	return true
}

func dayOf(at time.Time) int32 { return int32(at.Unix() / 86400) } //nolint:gosec // five million years

// Trusted reports whether the source succeeded for the client within TrustedFor.
func (g *Guesses) Trusted(c Client, s Source) bool { return g.trusted.has(c, s) }

// Succeeded notes that the source authenticated as the client, and reports
// whether it is the first time on this day (UTC): then the caller writes it to
// activity, so that it is known after a restart. On any further call of that
// day it neither writes nor allocates.
func (g *Guesses) Succeeded(c Client, s Source) (first bool) {
	return g.trusted.mark(c, s, g.trusted.now())
}

// Preload is Succeeded for what activity holds from before the start.
func (g *Guesses) Preload(c Client, s Source, at time.Time) {
	if now := g.trusted.now(); now.Sub(at) <= TrustedFor && !at.After(now) {
		g.trusted.mark(c, s, at)
	}
}
