package authserver

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/request"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
	"github.com/postern-dev/postern/oauth/jwt"
)

// metadata answers RFC 8414 §3.2 where that RFC can describe the issuer: at the
// host of its identifier (§3.3: both must be the same), and with a contract that its
// words reach. Else 404: no metadata is better than metadata that is not true.
func (s *Server) metadata(ex *request.Exchange, r *http.Request, place snapshot.Place) {
	methods := authMethods(place.Issuer.Dialect)
	u, err := url.Parse(place.Issuer.URL)
	if len(methods) == 0 || err != nil || domain.Host(u.Host) != domain.Host(r.Host) {
		notFound(ex, http.StatusNotFound, "RFC 8414 metadata cannot describe this issuer; its documentation does")
		return
	}
	m := oauth.Metadata{
		Issuer:                            place.Issuer.URL,
		TokenEndpoint:                     place.Issuer.URL + place.Issuer.Dialect.Wire.Path,
		ScopesSupported:                   place.Issuer.Scopes,
		ResponseTypesSupported:            []string{},
		GrantTypesSupported:               []string{oauth.ClientCredentials},
		TokenEndpointAuthMethodsSupported: methods,
	}
	if !jwt.Algorithm(place.Issuer.Algorithm).Symmetric() {
		m.JWKSURI = place.Issuer.URL + domain.JWKSPath
	}
	body, err := json.Marshal(m)
	if err != nil {
		ex.Err = err
		notFound(ex, http.StatusInternalServerError, "the metadata cannot be written")
		return
	}
	s.public(ex, r, body)
}

// authMethods are the registered names of the ways to authenticate (RFC 7591
// §2); none where the contract is one that they do not describe.
func authMethods(d *dialect.Dialect) []string {
	if !slices.Contains(d.Wire.Encodings, dialect.Form) {
		return nil
	}
	switch d.Wire.Placement {
	case dialect.Basic:
		return []string{"client_secret_basic"}
	case dialect.Body:
		return []string{"client_secret_post"}
	case dialect.BasicOrBody, dialect.BasicOverBody:
		return []string{"client_secret_basic", "client_secret_post"}
	}
	return nil
}
