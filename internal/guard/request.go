package guard

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/postern-dev/postern/internal/policy"
)

// overridesMethod names a header that asks the upstream to take the method for another
// (D-61), whatever is written for `-` in it: servers that turn names into variables read all
// that is neither letter nor digit alike.
func overridesMethod(h http.Header) string {
	for name := range h {
		if name == "" || name[0] != 'X' && name[0] != 'x' {
			continue
		}
		switch len(name) {
		case len("x-http-method"), len("x-method-override"), len("x-http-method-override"):
		default:
			continue
		}
		switch strings.Map(fold, name) {
		case "x-http-method", "x-method-override", "x-http-method-override":
			return name
		}
	}
	return ""
}

func fold(r rune) rune {
	switch {
	case r >= 'A' && r <= 'Z':
		return r | 0x20
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		return r
	}
	return '-'
}

// methodParameter is how some upstreams let a form, JSON or a query override the method.
const methodParameter = "_method"

// overriding refuses a parameter that some reader takes for methodParameter (D-61).
func overriding(values url.Values) error {
	for name := range values {
		if len(name) >= len(methodParameter) && policy.ReadsAs(name, methodParameter) {
			return &Refusal{Reason: MethodOverride, Missing: methodParameter}
		}
	}
	return nil
}

// hidesSlash reports whether package url, where it writes the path anew for bytes that may
// not stand there, makes `/` of an escape (D-60).
func hidesSlash(u *url.URL) bool {
	return strings.Contains(strings.ToUpper(u.RawPath), "%2F") && u.EscapedPath() != u.RawPath
}

// readQuery refuses a query that Go's parser does, or that holds bytes which RFC 3986 §3.4
// does not allow and readers take differently: many take `#` for the end of it.
func readQuery(raw string) (url.Values, error) {
	if raw == "" {
		return nil, nil
	}
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] >= 0x7f || raw[i] == '#' {
			return nil, &Refusal{Reason: QueryAmbiguous}
		}
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &Refusal{Reason: QueryAmbiguous, Err: err}
	}
	return values, overriding(values)
}

// upgrades names the header by which the request asks for another protocol (RFC 9110
// §7.8), unless it may. HTTP/2 without TLS is never one: behind it there would be
// requests that nobody judged.
func upgrades(h http.Header, may bool) string {
	if _, ok := h["Http2-Settings"]; ok {
		return "HTTP2-Settings"
	}
	if has(h["Upgrade"], "h2c") {
		return "Upgrade"
	}
	if !may && (len(h["Upgrade"]) > 0 || has(h["Connection"], "upgrade")) {
		return "Upgrade"
	}
	return ""
}

// has looks for a token in a list of header values (RFC 9110 §5.6.1); a protocol's
// version is no part of it.
func has(values []string, token string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			name, _, _ := strings.Cut(part, "/")
			if strings.EqualFold(strings.TrimSpace(name), token) {
				return true
			}
		}
	}
	return false
}
