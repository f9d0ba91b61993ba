package audit

import (
	"net/netip"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

const (
	refusedWindow = time.Second
	refusedKinds  = 1024 // that are told apart within a window; beyond, sources are not
)

// refusals counts refusals of unknown clients: what anybody can cause at will
// must not cost a row each. The first of a kind gives the entry its id; where
// it stays alone it is kept whole.
type refusals struct {
	since time.Time // when the first of this window came
	kinds map[refusal]*domain.Entry
}

type refusal struct {
	issuer, reason string
	source         netip.Prefix // zero: no address, or one too many
}

func newRefusals() refusals { return refusals{kinds: map[refusal]*domain.Entry{}} }

func (r *refusals) len() int { return len(r.kinds) }

// add counts e and reports whether it is the first of its window.
func (r *refusals) add(e *domain.Entry) bool {
	key := refusal{issuer: e.Issuer, reason: e.Reason, source: sourcePrefix(e.Source)}
	count := max(e.Count, 1)
	same := r.kinds[key]
	if same == nil && len(r.kinds) >= refusedKinds {
		key.source = netip.Prefix{}
		same = r.kinds[key]
	}
	if same != nil {
		same.Count += min(count, ^uint32(0)-same.Count)
		same.Correlation, same.Source = "", key.text()
		return false
	}
	entry := *e
	entry.Count = count
	r.kinds[key] = &entry
	if len(r.kinds) == 1 {
		r.since = time.Now()
		return true
	}
	return false
}

// drain moves entries to dst until it holds limit; the others go on counting.
func (r *refusals) drain(dst []domain.Entry, limit int) []domain.Entry {
	for key, e := range r.kinds {
		if len(dst) >= limit {
			return dst
		}
		dst = append(dst, *e)
		delete(r.kinds, key)
	}
	return dst
}

// text is the source of several refusals: an IPv4 address, or an IPv6 prefix.
func (r refusal) text() string {
	switch {
	case !r.source.IsValid():
		return ""
	case r.source.IsSingleIP():
		return r.source.Addr().String()
	default:
		return r.source.String()
	}
}

// sourcePrefix is the /32 of an IPv4 address, the /64 of an IPv6 address
// (RULES), and the zero prefix of anything else.
func sourcePrefix(source string) netip.Prefix {
	addr, err := netip.ParseAddr(source)
	if err != nil {
		return netip.Prefix{}
	}
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
