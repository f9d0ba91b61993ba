package resourceserver

import (
	"hash/maphash"
	"net/http"
	"net/netip"
	"sync/atomic"
)

// DefaultFailures is how many tokens a minute of one source may fail to verify.
const DefaultFailures = 120

// slots bounds the memory of the budget. Two sources that fall on one slot share
// it; who falls where is drawn anew in every process.
const slots = 4096

// Budget counts failed verifications by source and minute, so that nobody can
// have us compute signatures without end. Several verifiers may share one.
type Budget struct {
	limit uint64
	seed  maphash.Seed
	slots [slots]atomic.Uint64 // minute << 32 | count
}

// NewBudget lets each source fail so many times a minute; zero or less is DefaultFailures.
func NewBudget(limit int) *Budget {
	if limit <= 0 {
		limit = DefaultFailures
	}
	return &Budget{limit: uint64(limit), seed: maphash.MakeSeed()}
}

func (b *Budget) slot(source string) *atomic.Uint64 {
	return &b.slots[maphash.String(b.seed, source)%slots]
}

// Left reports whether the source may still fail in this minute, for whoever verifies other
// tokens beside those of a Verifier.
func (b *Budget) Left(source string, unix int64) bool {
	minute, count := split(b.slot(source).Load())
	return minute != minuteOf(unix) || count < b.limit
}

// Spend counts a failure.
func (b *Budget) Spend(source string, unix int64) {
	for s, now := b.slot(source), minuteOf(unix); ; {
		old := s.Load()
		minute, count := split(old)
		if minute != now {
			count = 0
		}
		if s.CompareAndSwap(old, now<<32|(count+1)) {
			return
		}
	}
}

func split(v uint64) (minute, count uint64) { return v >> 32, v & (1<<32 - 1) }

func minuteOf(unix int64) uint64 { return uint64(unix/60) & (1<<32 - 1) }

// Peer is the address that a request came from: an IPv6 one by its /64, since that
// is what one host can choose from at will.
func Peer(r *http.Request) string {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	a := ap.Addr().Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return p.String()
}
