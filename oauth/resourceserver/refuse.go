package resourceserver

import (
	"errors"
	"net/http"
	"strings"
)

// refusal is an answer. A code goes with a challenge and a body; without one a 401
// is the bare challenge, and other statuses are bare.
type refusal struct {
	status      int
	code        string // RFC 6750 §3.1
	description string
	scope       string
	retryAfter  string // seconds
}

// Refuse answers a request that err refuses (RFC 6750 §3). It is the one place
// where errors of this package become bytes; any other error is a 500 without
// detail. Whatever is wrong with a token, the answer is the same (D-72).
func Refuse(w http.ResponseWriter, realm string, err error) {
	a := answer(err)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if a.code != "" || a.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", a.challenge(realm))
	}
	if a.retryAfter != "" {
		h.Set("Retry-After", a.retryAfter)
	}
	if a.code == "" {
		h.Set("Content-Length", "0")
		w.WriteHeader(a.status)
		return
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	// Both are constants of this file that need no escape. What cannot be written, the client no longer waits for.
	_, _ = w.Write([]byte(`{"error":"` + a.code + `","error_description":"` + a.description + `"}` + "\n"))
}

func answer(err error) refusal {
	var scope *ScopeError
	switch {
	case errors.As(err, &scope):
		return refusal{status: http.StatusForbidden, code: "insufficient_scope",
			description: "the access token lacks a scope that is required here", scope: scope.Required.String()}
	case errors.Is(err, errIdentityRequest):
		return refusal{status: http.StatusBadRequest, code: "invalid_request",
			description: "send one identity token, in one " + IdentityHeader + " header"}
	case errors.Is(err, ErrNoToken): // RFC 6750 §3.1: no code, the client may not know that one is needed
		return refusal{status: http.StatusUnauthorized}
	case errors.Is(err, ErrRequest):
		return refusal{status: http.StatusBadRequest, code: "invalid_request",
			description: "send one token, in one Authorization header"}
	case errors.Is(err, ErrTooManyFailures):
		return refusal{status: http.StatusTooManyRequests, retryAfter: "60"}
	case errors.Is(err, ErrUnavailable):
		return refusal{status: http.StatusServiceUnavailable, retryAfter: "5"}
	case errors.Is(err, ErrToken):
		return refusal{status: http.StatusUnauthorized, code: "invalid_token", description: "the access token is not valid here"}
	}
	return refusal{status: http.StatusInternalServerError}
}

// challenge writes WWW-Authenticate (RFC 6750 §3).
func (a refusal) challenge(realm string) string {
	var params []string
	add := func(name, value string) {
		if value != "" {
			params = append(params, name+`="`+value+`"`)
		}
	}
	if quotable(realm) {
		add("realm", realm)
	}
	add("error", a.code)
	add("error_description", a.description)
	add("scope", a.scope)
	return strings.TrimSuffix("Bearer "+strings.Join(params, ", "), " ")
}

// quotable reports whether s can stand between quotes as it is.
func quotable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
