package audit

import (
	"net/netip"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// RateLimited is the Reason of a call refused because its client is over its limit.
const RateLimited = "rate_limited"

const (
	refusedWindow = time.Second
	refusedKinds  = 1024 // of unknown clients that are told apart within a window; beyond, sources and resources are not
	knownKinds    = 4096 // of known clients within a window; beyond, each refusal is an entry
)

// refusals counts what anybody, or a client without end, can cause at will: it must not
// cost a row each. The first of a kind gives the entry its id; where it stays alone it is
// kept whole. Issuers and reasons are few, so that both tables are bounded.
type refusals struct {
	since time.Time // when the first of this window came
	kinds map[refusal]*domain.Entry
	known map[known]*domain.Entry
}

// refusal is what refusals of an unknown client have in common.
type refusal struct {
	action                   domain.Action
	issuer, reason, resource string
	tenant, actor            string       // of users and API keys, which are no clients and known all the same
	source                   netip.Prefix // zero: no address, or one too many
}

// known is what refusals of a known client have in common: at the token endpoint, or of calls
// over its limit.
type known struct {
	action                           domain.Action
	issuer, client, reason, resource string
}

func newRefusals() refusals {
	return refusals{kinds: map[refusal]*domain.Entry{}, known: map[known]*domain.Entry{}}
}

func (r *refusals) len() int { return len(r.kinds) + len(r.known) }

// add counts e where it is one of those that are counted, and reports whether it is and
// whether it is the first of its window.
func (r *refusals) add(e *domain.Entry) (counted, first bool) {
	before := r.len()
	switch {
	case e.Client == "" && (e.Action == domain.TokenRefused || e.Action == domain.CallRefused):
		r.unknown(e)
	case e.Client != "" && (e.Action == domain.TokenRefused || e.Action == domain.CallRefused && e.Reason == RateLimited):
		if !r.ofKnown(e) {
			return false, false
		}
	default:
		return false, false
	}
	if before > 0 {
		return true, false
	}
	r.since = time.Now()
	return true, true
}

// unknown counts a refusal of a client that is not known.
func (r *refusals) unknown(e *domain.Entry) {
	key := refusal{
		action: e.Action, issuer: e.Issuer, reason: e.Reason, resource: e.Resource, tenant: e.Tenant, actor: e.Actor, source: sourcePrefix(e.Source),
	}
	same := r.kinds[key]
	if same == nil && len(r.kinds) >= refusedKinds {
		key.source, key.resource = netip.Prefix{}, ""
		same = r.kinds[key]
	}
	if same == nil {
		r.kinds[key] = firstOf(e)
		return
	}
	more(same, e)
	same.Source, same.Resource = key.text(), key.resource
}

// ofKnown counts a refusal of a client that is known, where there is room.
func (r *refusals) ofKnown(e *domain.Entry) bool {
	key := known{e.Action, e.Issuer, e.Client, e.Reason, e.Resource}
	same := r.known[key]
	if same == nil {
		if len(r.known) >= knownKinds {
			return false
		}
		r.known[key] = firstOf(e)
		return true
	}
	more(same, e)
	for _, part := range []struct {
		of    *string
		other string
	}{{&same.Source, e.Source}, {&same.SecretID, e.SecretID}, {&same.Actor, e.Actor}} {
		if *part.of != part.other {
			*part.of = "" // of several
		}
	}
	return true
}

// drain moves entries to dst until it holds limit; the others go on counting.
func (r *refusals) drain(dst []domain.Entry, limit int) []domain.Entry {
	return drain(drain(dst, limit, r.kinds), limit, r.known)
}

func drain[K comparable](dst []domain.Entry, limit int, from map[K]*domain.Entry) []domain.Entry {
	for key, e := range from {
		if len(dst) >= limit {
			break
		}
		dst = append(dst, *e)
		delete(from, key)
	}
	return dst
}

// firstOf is the entry that stands for e and for those like it that follow.
func firstOf(e *domain.Entry) *domain.Entry {
	entry := *e
	entry.Count = max(e.Count, 1)
	return &entry
}

// more counts e in the entry that stands for it too.
func more(same, e *domain.Entry) {
	same.Count += min(max(e.Count, 1), ^uint32(0)-same.Count)
	same.Correlation = ""
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
