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

// b64token is the grammar of RFC 6750 §2.1: neither space nor comma, nor anything
// else that two readers could cut differently.
func b64token(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := range len(body) {
		switch c := body[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c == '~', c == '+', c == '/':
		default:
			return false
		}
	}
	return body != ""
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
