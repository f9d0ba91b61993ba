package admin

import (
	"net/http"
	"strings"
)

// unmodified answers 304 in the place of what the client says it has (RFC 9110 §13.1.2).
type unmodified struct {
	http.ResponseWriter
	has   string // If-None-Match
	wrote bool
	same  bool
}

// WriteHeader is http.ResponseWriter.
func (u *unmodified) WriteHeader(status int) {
	if u.wrote || status < http.StatusOK {
		u.ResponseWriter.WriteHeader(status)
		return
	}
	u.wrote = true
	if status == http.StatusOK && hasTag(u.has, u.Header().Get("ETag")) {
		u.same, status = true, http.StatusNotModified
		u.Header().Del("Content-Type")
	}
	u.ResponseWriter.WriteHeader(status)
}

// Write is http.ResponseWriter.
func (u *unmodified) Write(b []byte) (int, error) {
	if !u.wrote {
		u.WriteHeader(http.StatusOK)
	}
	if u.same {
		return len(b), nil
	}
	return u.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (u *unmodified) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// hasTag reports whether a list of tags has one of ours, weakly compared (RFC 9110 §8.8.3.2),
// or is `*`, which stands for whatever is there. Ours have no comma in them.
func hasTag(list, tag string) bool {
	if strings.TrimSpace(list) == "*" {
		return true
	}
	for one := range strings.SplitSeq(list, ",") {
		if tag != "" && strings.TrimPrefix(strings.TrimSpace(one), "W/") == tag {
			return true
		}
	}
	return false
}
