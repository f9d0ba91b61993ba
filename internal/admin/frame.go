package admin

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

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
	body, err := a.read(w, req, pattern, about.caller.Role)
	if err != nil {
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

// patternOf is how the mux names an operation.
func patternOf(method, path string) string { return method + " " + path }
