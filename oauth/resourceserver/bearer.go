package resourceserver

import (
	"net/http"
	"net/url"
	"strings"
)

// Bearer reads the token from the Authorization header (RFC 6750 §2.1), and from
// nowhere else. Without one, or with another scheme, the error is ErrNoToken; with
// two, a malformed one, or one in the query string (§2.3, D-63) it is ErrRequest.
// A token in a form body (§2.2) is not looked for: the body is the API's.
func Bearer(r *http.Request) (string, error) {
	if queryHasToken(r.URL.RawQuery) {
		return "", ErrRequest
	}
	values := r.Header["Authorization"]
	if len(values) == 0 {
		return "", ErrNoToken
	}
	if len(values) > 1 {
		return "", ErrRequest
	}
	scheme, token, found := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") { // D-64
		return "", ErrNoToken
	}
	if !found || !b64token(token) {
		return "", ErrRequest
	}
	return token, nil
}

// The characters of a b64token, a bit for each: those below 64 and those above.
const (
	tokenLow  = 1<<'+' | 1<<'-' | 1<<'.' | 1<<'/' | (1<<10-1)<<'0'
	tokenHigh = (1<<26-1)<<('A'-64) | (1<<26-1)<<('a'-64) | 1<<('_'-64) | 1<<('~'-64)
)

// b64token is the grammar of RFC 6750 §2.1: neither space nor comma, nor anything
// else that two readers could cut differently. It looks nothing up by branches, which no
// processor could foresee.
func b64token(s string) bool {
	body := strings.TrimRight(s, "=")
	in, others := [2]uint64{tokenLow, tokenHigh}, uint64(0)
	for i := range len(body) {
		c := body[i]
		others |= uint64(c>>7) | ^in[c>>6&1]>>(c&63)&1
	}
	return body != "" && others == 0
}

// queryHasToken looks for the parameter however it is spelt.
func queryHasToken(query string) bool {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, _, _ := strings.Cut(pair, "=")
		if strings.ContainsAny(name, "%+") {
			if plain, err := url.QueryUnescape(name); err == nil {
				name = plain
			}
		}
		if name == "access_token" {
			return true
		}
	}
	return false
}
