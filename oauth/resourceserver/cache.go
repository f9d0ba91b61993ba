package resourceserver

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"
)

// DefaultCacheSize is how many verified tokens are remembered unless said otherwise.
const DefaultCacheSize = 1 << 15

// ways is how many places a token may stand in.
const ways = 8

type digest = [32]byte

// Cache remembers which tokens verified, by the SHA-256 of the whole token, and
// nothing else: no refusal, and no judgement that time or configuration could
// change. Several verifiers may share one. It never holds more than it was made
// for; where a place is wanted, the token used longest ago gives way.
type Cache struct {
	mu   sync.Mutex // writers
	sets []set
}

// set is the places that one group of digests shares. The tags lie together, so
// that a look-up reads one cache line and then the entry that it finds.
type set struct {
	tags    [ways]atomic.Uint64
	entries [ways]atomic.Pointer[entry]
}

type entry struct {
	digest digest
	used   atomic.Int64 // Unix seconds
	proof  proof
}

// NewCache makes a cache of at most size tokens, rounded up to a power of two;
// zero or less is DefaultCacheSize. Made for twice the tokens in use it hardly
// ever drops one of them. A token takes about one and a half kilobytes.
func NewCache(size int) *Cache {
	if size <= 0 {
		size = DefaultCacheSize
	}
	n := (size + ways - 1) / ways
	return &Cache{sets: make([]set, 1<<bits.Len(uint(n-1)))}
}

func (c *Cache) place(d *digest) (*set, uint64) {
	return &c.sets[binary.LittleEndian.Uint64(d[:8])&uint64(len(c.sets)-1)], binary.LittleEndian.Uint64(d[8:16])
}

// find returns the proof for this digest, or nil.
func (c *Cache) find(d *digest, unix int64) *proof {
	s, tag := c.place(d)
	for i := range s.tags {
		if s.tags[i].Load() != tag {
			continue
		}
		if e := s.entries[i].Load(); e != nil && e.digest == *d {
			if e.used.Load() != unix {
				e.used.Store(unix)
			}
			return &e.proof
		}
	}
	return nil
}

// add remembers a proof, in a free place, that of an expired token, or that of the
// one used longest ago.
func (c *Cache) add(d digest, p proof, unix int64) *proof {
	e := &entry{digest: d, proof: p}
	e.used.Store(unix)
	s, tag := c.place(&d)
	c.mu.Lock()
	defer c.mu.Unlock()
	into, oldest := 0, int64(0)
	for i := range s.entries {
		old := s.entries[i].Load()
		if old == nil || old.digest == d || old.proof.claims.Expires.Unix() <= unix {
			into = i
			break
		}
		if used := old.used.Load(); i == 0 || used < oldest {
			into, oldest = i, used
		}
	}
	s.entries[into].Store(e)
	s.tags[into].Store(tag)
	return &e.proof
}

// Len counts the tokens remembered, expired ones among them.
func (c *Cache) Len() int {
	n := 0
	for i := range c.sets {
		for j := range c.sets[i].entries {
			if c.sets[i].entries[j].Load() != nil {
				n++
			}
		}
	}
	return n
}
