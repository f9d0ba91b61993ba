package request

import (
	"net/http"
	"net/netip"
	"strings"
)

const maxCorrelation = 128 // bytes

// correlation returns the caller's own request id where it sent one that is
// harmless in a header and a log (D-35).
func correlation(h http.Header) string {
	for _, name := range []string{CorrelationHeader, EventHeader} {
		if v := h[name]; len(v) == 1 && wellFormed(v[0]) {
			return v[0]
		}
	}
	return ""
}

func wellFormed(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("-_.:/+=@~", c) >= 0:
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxCorrelation
}

// source is the peer, or behind trusted proxies the right-most address of
// X-Forwarded-For that is not one of theirs.
func source(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer := address(r.RemoteAddr)
	if !within(trusted, peer) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop := address(strings.TrimSpace(hops[i]))
		if !hop.IsValid() {
			break // whatever stands left of it, nobody vouches for
		}
		peer = hop
		if !within(trusted, hop) {
			break
		}
	}
	return peer
}

// address reads an address with or without a port.
func address(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func within(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
