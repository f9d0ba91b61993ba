package signin

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
)

// Visit is a request, as far as signing in looks at it.
type Visit struct {
	Request *http.Request
	Source  netip.Addr // who sent it, behind trusted proxies too
}

// The cookies. Where the connection is TLS they have the prefix that binds them to this very
// host (draft-ietf-httpbis-rfc6265bis §4.1.3.2); there the other ones are not looked at.
const (
	hostPrefix    = "__Host-"
	sessionCookie = "postern"
	beginCookie   = "postern-oidc"
)

// maxBearer is the longest credential that is looked at, in bytes (D-52).
const maxBearer = 8 << 10

type tlsKey struct{}

// BehindTLS marks the connections of a listener before which a proxy speaks TLS: for
// http.Server.BaseContext.
func BehindTLS(ctx context.Context) context.Context { return context.WithValue(ctx, tlsKey{}, true) }

// secure reports whether the browser speaks TLS.
func secure(r *http.Request) bool {
	behind, _ := r.Context().Value(tlsKey{}).(bool)
	return r.TLS != nil || behind
}

// cookieName is what the cookie is called on this connection.
func cookieName(r *http.Request, name string) string {
	if secure(r) {
		return hostPrefix + name
	}
	return name
}

// newCookie is one for this host only, that no script reads. Without an age it lives as long
// as the browser.
func newCookie(r *http.Request, name, value string, site http.SameSite, age int) *http.Cookie {
	return &http.Cookie{ // #nosec G124 -- Secure wherever the browser speaks TLS; plain HTTP is this machine's
		Name: cookieName(r, name), Value: value, Path: "/", MaxAge: age, Secure: secure(r), HttpOnly: true, SameSite: site,
	}
}

// cookie reads the one cookie of the name; ErrTwo where there are several.
func cookie(r *http.Request, name string) (value string, ok bool, err error) {
	switch found := r.CookiesNamed(cookieName(r, name)); len(found) {
	case 0:
		return "", false, nil
	case 1:
		return found[0].Value, true, nil
	default:
		return "", false, ErrTwo
	}
}

// bearer reads the Authorization header (RFC 6750 §2.1): the scheme in any case, one space, a
// b64token. ok: there is such a header. Another scheme is no credential, ErrNone (RFC 6750 §3.1),
// and anything else in it ErrCredential.
func bearer(h http.Header) (credential string, ok bool, err error) {
	values := h["Authorization"]
	switch len(values) {
	case 0:
		return "", false, nil
	case 1:
	default:
		return "", true, ErrTwo
	}
	scheme, credential, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", true, ErrNone
	}
	if len(credential) > maxBearer || !b64token(credential) {
		return "", true, ErrCredential
	}
	return credential, true, nil
}

// b64token is the form of RFC 6750 §2.1.
func b64token(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := range len(body) {
		switch c := body[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._~+/", c) >= 0:
		default:
			return false
		}
	}
	return body != ""
}
