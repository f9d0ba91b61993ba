// Package sample holds the APIs behind the sample issuers of `postern dev`: small, in
// memory, and with enough in them that a wrong answer would be seen.
//
// They are plain HTTP handlers that know nothing of Postern but the header in which the
// gateway says whose client calls, and import nothing of this module. What a client may
// do is not their business: they answer whatever reaches them. Only `postern dev` hangs
// on them.
package sample

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// API is one sample API.
type API struct {
	Name    string // of the issuer whose clients call it
	Handler http.Handler
}

// APIs returns all samples, each with a state of its own.
func APIs() []API {
	return []API{
		{"rfc", Reports()},
		{"trialbee", Studies()},
		{"omnilab", Bookings()},
		{"vibes", Agents()},
		{"bipsync", Teams()},
		{"arbitex", Chat()},
	}
}

// Bounds of what callers can make a sample keep.
const (
	maxBody = 16 << 10
	maxMade = 1000 // objects made since the start
	maxText = 1000 // bytes of a text that is kept
)

// failure is an answer that is not the one asked for.
type failure struct {
	status  int
	code    string
	message string
}

func notFound(what, id string) *failure {
	return &failure{http.StatusNotFound, "not_found", "there is no " + what + " " + id}
}

func invalid(message string) *failure {
	return &failure{http.StatusBadRequest, "invalid", message}
}

func full() *failure {
	return &failure{http.StatusInsufficientStorage, "full", "this sample keeps no more: start it again"}
}

// endpoint is one operation: a status with what is answered as JSON, or a failure. No answer
// at all is 204.
type endpoint func(r *http.Request) (status int, answer any, f *failure)

func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	status, answer, f := e(r)
	if f != nil {
		writeFailure(w, f)
		return
	}
	if answer == nil {
		w.WriteHeader(status)
		return
	}
	writeJSON(w, status, answer)
}

// routes serves operations by the patterns of http.ServeMux, and says in JSON that there is
// nothing elsewhere.
func routes(by map[string]http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, h := range by {
		mux.Handle(pattern, h)
	}
	mux.Handle("/", endpoint(func(r *http.Request) (int, any, *failure) {
		return 0, nil, &failure{http.StatusNotFound, "not_found", "nothing is at " + r.Method + " " + r.URL.Path}
	}))
	return mux
}

func writeFailure(w http.ResponseWriter, f *failure) {
	writeJSON(w, f.status, map[string]any{"error": map[string]string{"code": f.code, "message": f.message}})
}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	data, _ := json.Marshal(answer) // of strings and numbers: cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data) // whoever went away needs no answer
}

// read takes the body as one JSON object.
func read(r *http.Request, into any) *failure {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return &failure{http.StatusUnsupportedMediaType, "media_type", "the body must be application/json"}
	}
	data, err := io.ReadAll(r.Body)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return &failure{http.StatusRequestEntityTooLarge, "too_large", "the body is larger than 16 KiB"}
	}
	var members map[string]json.RawMessage
	if err != nil || json.Unmarshal(data, &members) != nil || json.Unmarshal(data, into) != nil {
		return invalid("the body is not the JSON object that is expected here")
	}
	for name := range members { // encoding/json would take Team for team, and the gateway judged team
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return invalid("names of members are written in lower case")
		}
	}
	return nil
}

// text checks what is to be kept.
func text(name, value string) *failure {
	if value == "" || len(value) > maxText {
		return invalid(name + " must have 1 to 1000 bytes")
	}
	return nil
}

// tenantHeader is how the gateway says which organisation calls. It is always there, and
// empty for a client of the platform itself; whoever calls without it came around the gateway.
const tenantHeader = "X-Postern-Tenant"

// caller is the tenant that calls; everything is the platform's.
func caller(r *http.Request) (tenant string, everything bool, f *failure) {
	values := r.Header.Values(tenantHeader)
	if len(values) != 1 {
		return "", false, &failure{http.StatusForbidden, "no_gateway", "this API is called through its gateway"}
	}
	return values[0], values[0] == "", nil
}
