package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/request"
	"github.com/postern-dev/postern/internal/signin"
)

// asked is what is known of a request beside its bytes.
type asked struct {
	exchange *request.Exchange
	request  *http.Request
	caller   domain.Caller
	local    bool            // it came over the socket
	session  *signin.Session // nil: it came with another credential
	ifMatch  bool            // it goes only for the version that it names
}

type askedKey struct{}

func askedOf(ctx context.Context) *asked {
	if a, ok := ctx.Value(askedKey{}).(*asked); ok {
		return a
	}
	return &asked{exchange: &request.Exchange{}}
}

// caller is who makes the request, and what it may do.
func caller(ctx context.Context) domain.Caller { return askedOf(ctx).caller }

// actor is who makes the request.
func actor(ctx context.Context) domain.Actor { return caller(ctx).Actor }

// ServeHTTP answers one request: find the operation, know the caller, read the request, act.
func (a *api) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	began := time.Now()
	ex := request.Begin(w, req, a.registry.Now(), a.Trusted)
	defer func() { ex.Log(a.Log, req, time.Since(began)) }()
	for name, value := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	} {
		ex.Header().Set(name, value)
	}
	about := &asked{exchange: ex, ifMatch: len(req.Header.Values("If-Match")) > 0}
	req = req.WithContext(context.WithValue(req.Context(), askedKey{}, about))
	about.request = req
	if err := a.answer(ex, req, about); err != nil {
		writeProblem(req.Context(), ex, problem(req.Context(), err))
	}
}

// answer is ServeHTTP without what all answers have in common. Where it returns an error
// nothing was written.
func (a *api) answer(w http.ResponseWriter, req *http.Request, about *asked) error {
	pattern, err := a.find(req)
	if err != nil {
		return err
	}
	if err := a.know(req, about, a.open[pattern]); err != nil {
		return err
	}
	if about.caller.Actor != "" { // an apply cut off in its midst would lose the secrets of what it made
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a server in a test may have none
	}
	most := maxRoleBody
	switch {
	case a.open[pattern]:
		most = maxOpenBody
	case about.caller.Role == domain.PlatformAdmin:
		most = maxBody
	}
	body, err := read(w, req, most)
	if err != nil {
		return err
	}
	if len(body) > 0 && a.bare[pattern] {
		return fail(http.StatusBadRequest, malformed, "this operation takes no content; send none")
	}
	if err := a.noNull(pattern, body); err != nil {
		return err
	}
	// RFC 9110 §12.5.1: there is nothing to choose from. The framework would take its own name of
	// a format for a media type.
	req.Header.Set("Accept", "application/json")
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if key := req.Header.Values("Idempotency-Key"); len(key) > 0 {
		if c, ok := a.creating[pattern]; ok {
			return a.once(w, req, c, key, body)
		}
	}
	if has := req.Header.Values("If-None-Match"); len(has) > 0 {
		w = &unmodified{ResponseWriter: w, has: strings.Join(has, ",")}
	}
	a.mux.ServeHTTP(w, req)
	return nil
}

// find is the pattern of the operation. Nothing is redirected.
func (a *api) find(req *http.Request) (string, error) {
	if _, err := req.URL.Parse(req.URL.EscapedPath()); err != nil || path.Clean(req.URL.EscapedPath()) != req.URL.EscapedPath() {
		return "", notFoundHere()
	}
	_, pattern := a.mux.Handler(req)
	if pattern == "" {
		return "", a.noOperation(req)
	}
	query, err := url.ParseQuery(req.URL.RawQuery) // D-107: what it would pass over is refused
	if err != nil {
		return "", fail(http.StatusBadRequest, malformed, "the query string is not well-formed; escape what is no letter or digit")
	}
	for name, values := range query {
		switch {
		case len(values) > 1:
			return "", fail(http.StatusBadRequest, malformed, "a query parameter stands there twice", place("query."+name, "once at most"))
		case values[0] == "" && !a.open[pattern]: // nobody means everything by it
			return "", fail(http.StatusUnprocessableEntity, invalid, "a query parameter is empty", place("query."+name, "is empty; leave it out, or give it a value"))
		}
	}
	return pattern, nil
}

// noOperation tells a path that there is not from a method that it does not have (RFC 9110
// §15.5.6: with those that it has).
func (a *api) noOperation(req *http.Request) error {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := &http.Request{Method: method, URL: req.URL, Host: req.Host}
		if _, pattern := a.mux.Handler(other); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return notFoundHere()
	}
	list := strings.Join(allowed, ", ")
	return withHeader(fail(http.StatusMethodNotAllowed, methodNotAllowed, "here one can "+list), "Allow", list)
}

func notFoundHere() error {
	return fail(http.StatusNotFound, notFound, "nothing is served at this path; "+prefix+"/docs lists what there is")
}

// know finds out who the caller is: whom the kernel names on the other side of the socket, or
// whose credential the request carries. open: the operation asks for none.
func (a *api) know(req *http.Request, about *asked, open bool) error {
	if p, ok := req.Context().Value(peerKey{}).(peerOf); ok {
		if p.err != nil || p.uid != 0 && p.uid != os.Geteuid() {
			return fail(http.StatusForbidden, forbidden, "the admin socket answers the user that postern runs as, and root")
		}
		about.local, about.caller = true, domain.Local(domain.Actor("local:"+strconv.Itoa(p.uid)))
		return nil
	}
	if a.SignIn == nil {
		return signin.ErrNone
	}
	if !about.exchange.Source.IsLoopback() || forwarded(req.Header) { // D-99
		switch none, err := a.SignIn.NoAdminYet(req.Context()); {
		case err != nil:
			return err
		case none:
			return fail(http.StatusForbidden, noAdministrator, "there is no administrator yet, and until then only this machine is answered, and no proxy; the first one is made by the link that the server wrote when it started")
		}
	}
	if open {
		return nil
	}
	var err error
	about.caller, about.session, err = a.SignIn.Caller(req, about.exchange.Source)
	return err
}

// forwarded tells what a proxy sends on: behind one on this machine whose X-Forwarded-For is
// not believed, everybody seems to be on this machine.
func forwarded(h http.Header) bool {
	return slices.ContainsFunc([]string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}, func(name string) bool {
		return len(h[name]) > 0
	})
}

// read takes the body of a request, which is JSON (D-95).
func read(w http.ResponseWriter, req *http.Request, most int) ([]byte, error) {
	if err := conditions(req); err != nil {
		return nil, err
	}
	if req.ContentLength == 0 {
		return nil, nil
	}
	if reads(req) || req.Method == http.MethodDelete {
		return nil, fail(http.StatusBadRequest, malformed, req.Method+" takes no content; send none")
	}
	if err := jsonOnly(req); err != nil {
		return nil, err
	}
	if most == maxBody { // what may be that long takes longer
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout)) // a server in a test may have none
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, int64(most)+1))
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, fail(http.StatusRequestTimeout, malformed, "the request did not come to its end in time")
	case err != nil:
		return nil, fail(http.StatusBadRequest, malformed, "the request broke off")
	case len(body) > most:
		return nil, fail(http.StatusRequestEntityTooLarge, tooLarge, "a request has at most "+strconv.Itoa(most)+" bytes")
	}
	return body, nil
}

// reads reports whether the request changes nothing.
func reads(req *http.Request) bool {
	return req.Method == http.MethodGet || req.Method == http.MethodHead
}

// conditions refuses conditions that would not be heeded: what is to be done only under them
// is not done without.
func conditions(req *http.Request) error {
	for _, name := range []string{"If-None-Match", "If-Unmodified-Since", "If-Modified-Since", "If-Range"} {
		if !reads(req) && len(req.Header.Values(name)) > 0 {
			return fail(http.StatusBadRequest, malformed, name+" is not known here; send If-Match with the ETag of what you have seen")
		}
	}
	tags := req.Header.Values("If-Match")
	switch {
	case len(tags) == 0:
		return nil
	case reads(req) || req.Method == http.MethodPost:
		return fail(http.StatusBadRequest, malformed, "If-Match goes with PUT, PATCH and DELETE")
	case len(tags) > 1 || tags[0] == "":
		return fail(http.StatusBadRequest, malformed, "If-Match is one ETag, as it came with the object, or *")
	}
	return nil
}

// jsonOnly refuses content that is not JSON as it is, and says what is taken (RFC 9110 §12.5.1,
// §12.5.3; RFC 5789 §3.1).
func jsonOnly(req *http.Request) error {
	header := req.Header
	if coding := strings.Join(header.Values("Content-Encoding"), ","); coding != "" && !strings.EqualFold(coding, "identity") {
		return withHeader(fail(http.StatusUnsupportedMediaType, unsupportedMediaType, "send the content as it is, without Content-Encoding"), "Accept-Encoding", "identity")
	}
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	charset, other := params["charset"]
	if err == nil && media == "application/json" && len(header.Values("Content-Type")) == 1 && (!other || strings.EqualFold(charset, "utf-8")) {
		return nil
	}
	accept := "Accept"
	if req.Method == http.MethodPatch {
		accept = "Accept-Patch"
	}
	return withHeader(fail(http.StatusUnsupportedMediaType, unsupportedMediaType, "send application/json"), accept, "application/json")
}

// patternOf is how the mux names an operation.
func patternOf(method, path string) string { return method + " " + path }

// noNull refuses null where it would be taken for a member that was left out: it means
// something in a PATCH, and in what a client might send an API. A body that is no JSON is
// told so later.
func (a *api) noNull(pattern string, body []byte) error {
	if len(body) == 0 || strings.HasPrefix(pattern, http.MethodPatch) || pattern == patternOf(http.MethodPost, prefix+"/explain") {
		return nil
	}
	var v any
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	var places []*huma.ErrorDetail
	nulls(v, "body", func(at string) { places = append(places, place(at, "is null; leave it out instead")) })
	if len(places) == 0 {
		return nil
	}
	const most = 100
	return fail(http.StatusUnprocessableEntity, invalid, "the request holds null", places[:min(len(places), most)]...)
}

// nulls calls f with the place of each null.
func nulls(v any, at string, f func(string)) {
	switch v := v.(type) {
	case nil:
		f(at)
	case []any:
		for i, one := range v {
			nulls(one, fmt.Sprintf("%s[%d]", at, i), f)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			nulls(v[name], at+"."+name[:min(len(name), 64)], f)
		}
	}
}
