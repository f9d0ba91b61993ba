package authserver

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/clientauth"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/request"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
)

// Server answers for every issuer of the installation.
type Server struct {
	Snapshot *snapshot.Snapshot
	Clients  *clientauth.Authenticator
	Activity *audit.Writer
	Trusted  *request.Proxies // proxies whose X-Forwarded-For is believed
	Log      *slog.Logger
	Metrics  *Metrics
	// JWKSMaxAge is how long others may cache a JWK set or metadata. It is no
	// longer than keys.Lead, so that a key is known everywhere before it signs.
	JWKSMaxAge time.Duration
}

// ServeHTTP finds the issuer by host and prefix, then the endpoint.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	ex := request.Begin(w, r, s.Snapshot.Now(), s.Trusted)
	place, found, known := s.Snapshot.View().Find(r.Host, r.URL.EscapedPath())
	if found {
		ex.Issuer = place.Issuer.Name
	}
	switch serve := s.endpoint(place); {
	case !known:
		notFound(ex, http.StatusMisdirectedRequest, "no issuer is served at this host; check the host of the URL")
	case serve != nil:
		serve(ex, r, place)
	default:
		notFound(ex, http.StatusNotFound, "nothing is served at this path; check the path of the URL")
	}
	ex.Log(s.Log, r, time.Since(began))
}

// Serves reports whether the request is for an endpoint of an issuer. These go before any
// API at the same host.
func (s *Server) Serves(r *http.Request) bool {
	place, found, _ := s.Snapshot.View().Find(r.Host, r.URL.EscapedPath())
	return found && s.endpoint(place) != nil
}

// endpoint is what answers at a place, nil where nothing does.
func (s *Server) endpoint(place snapshot.Place) func(*request.Exchange, *http.Request, snapshot.Place) {
	switch {
	case place.Issuer == nil:
		return nil
	case place.Rest == place.Issuer.Dialect.Wire.Path:
		return s.token
	case place.Rest == domain.JWKSPath:
		return s.jwks
	case place.Rest == domain.IdentityJWKSPath:
		return s.identityJWKS
	case place.Rest == oauth.MetadataPath:
		return s.metadata
	}
	return nil
}

// notFound answers where no dialect is known to answer in.
func notFound(ex *request.Exchange, status int, description string) {
	answer(ex, status, []byte(`{"error":"invalid_request","error_description":"`+description+`"}`))
}

func answer(ex *request.Exchange, status int, body []byte) {
	h := ex.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	ex.WriteHeader(status)
	_, _ = ex.Write(body) // a client that is gone needs no answer
}

// public answers GET and HEAD with a document that may be cached.
func (s *Server) public(ex *request.Exchange, r *http.Request, body []byte) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		ex.Header().Set("Allow", "GET, HEAD")
		notFound(ex, http.StatusMethodNotAllowed, "this document is read with GET")
		return
	}
	ex.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(int(s.JWKSMaxAge/time.Second)))
	answer(ex, http.StatusOK, body)
}

// jwks publishes the keys that verify the issuer's tokens (RFC 7517 §5).
func (s *Server) jwks(ex *request.Exchange, r *http.Request, place snapshot.Place) {
	s.public(ex, r, place.Issuer.JWKS(s.Snapshot.Now()))
}

// identityJWKS publishes the keys that verify the identities that upstreams are shown: a
// set of its own, so that neither token is ever taken for the other (D-47).
func (s *Server) identityJWKS(ex *request.Exchange, r *http.Request, place snapshot.Place) {
	s.public(ex, r, place.Issuer.IdentityJWKS(s.Snapshot.Now()))
}
