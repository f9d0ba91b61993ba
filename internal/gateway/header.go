package gateway

import (
	"net/http"
	"strings"

	"github.com/postern-dev/postern/internal/request"
)

// fold writes a header name as servers that turn names into variables read it: small
// letters, and `-` for all that is neither letter nor digit. X_Postern-Client and
// x-postern.client are one name there (D-62).
func fold(name string) string {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return foldSlowly(name)
		}
	}
	return name
}

func foldSlowly(name string) string {
	b := make([]byte, len(name))
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'A' && c <= 'Z':
			b[i] = c | 0x20
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b[i] = c
		default:
			b[i] = '-'
		}
	}
	return string(b)
}

// beginsFolded reports whether the name begins with prefix, which is folded.
func beginsFolded(name, prefix string) bool {
	if len(name) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := name[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case (c < 'a' || c > 'z') && (c < '0' || c > '9'):
			c = '-'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}

func isFolded(name, folded string) bool {
	return len(name) == len(folded) && beginsFolded(name, folded)
}

// ours reports whether a request header or trailer is one that only the gateway says to
// an upstream: who calls, where from, and what is called. The method and the URL that
// were judged are the ones that count, hence no header that some servers let override
// them (D-61), nor one that some would read as framing the body anew, or typing it (D-59).
func ours(name string) bool {
	if name == "" {
		return false
	}
	switch name[0] | 0x20 {
	case 'c':
		return name != "Content-Type" && isFolded(name, "content-type") || name != "Content-Length" && isFolded(name, "content-length") ||
			name != "Content-Encoding" && isFolded(name, "content-encoding")
	case 'f':
		return isFolded(name, "forwarded")
	case 't':
		return isFolded(name, "true-client-ip") || name != "Transfer-Encoding" && isFolded(name, "transfer-encoding")
	case 'x':
	default:
		return false
	}
	for _, prefix := range [...]string{"x-postern-", "x-forwarded-", "x-original-", "x-rewrite-"} {
		if beginsFolded(name, prefix) {
			return true
		}
	}
	for _, whole := range [...]string{"x-postern", "x-forwarded", "x-real-ip", "x-client-ip", "x-request-id", "x-correlation-id",
		"x-http-method-override", "x-http-method", "x-method-override"} {
		if isFolded(name, whole) {
			return true
		}
	}
	return false
}

// oursToTell reports whether a header or trailer of an answer is one that only the
// gateway says to a client (D-71).
func oursToTell(name string) bool {
	if name == "" || name[0]|0x20 != 'x' {
		return false
	}
	return beginsFolded(name, "x-postern-") || beginsFolded(name, "x-ratelimit-") ||
		isFolded(name, "x-request-id") || isFolded(name, "x-correlation-id")
}

// strip removes what the predicate names.
func strip(h http.Header, is func(string) bool) {
	for name := range h {
		if is(name) {
			delete(h, name)
		}
	}
}

// credential reports whether the name says who the client is to us, however it is spelt.
func credential(name string) bool { return isFolded(name, "authorization") }

// trailing reports whether a field may stand in a trailer: neither one of ours nor one
// that frames, routes or authenticates a message (RFC 9110 §6.5.1).
func trailing(name string, is func(string) bool) bool {
	if is(name) || credential(name) {
		return false
	}
	switch fold(name) {
	case "transfer-encoding", "content-length", "trailer", "host", "connection", "keep-alive", "te", "upgrade", "proxy-connection",
		"proxy-authorization", "proxy-authenticate", "content-type", "content-encoding", "content-range", "expect",
		"cookie", "set-cookie", "www-authenticate", "cache-control", "max-forwards":
		return false
	}
	return true
}

// clean removes from a trailer what may not stand there.
func clean(trailer http.Header, is func(string) bool) {
	for name := range trailer {
		if !trailing(name, is) {
			delete(trailer, name)
		}
	}
}

// one sets single values; the slices share one array.
type one struct{ space []string }

func (o *one) set(h http.Header, name, value string) {
	n := len(o.space)
	o.space = append(o.space, value)
	h[name] = o.space[n : n+1 : n+1]
}

// Names as http.CanonicalHeaderKey writes them.
const (
	limitHeader     = "X-Ratelimit-Limit"
	remainingHeader = "X-Ratelimit-Remaining"
	resetHeader     = "X-Ratelimit-Reset"
	eventHeader     = request.EventHeader
	correlation     = request.CorrelationHeader
)

// scheme is how the client came.
func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// upgrades is the one protocol that a client asks to change to, empty where it asks for
// none or several.
func upgrades(r *http.Request) string {
	to := r.Header["Upgrade"]
	if len(to) != 1 || r.ProtoMajor != 1 || strings.ContainsAny(to[0], ", ") || strings.EqualFold(to[0], "h2c") {
		return ""
	}
	for _, list := range r.Header["Connection"] {
		for option := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(option), "upgrade") {
				return to[0]
			}
		}
	}
	return ""
}
