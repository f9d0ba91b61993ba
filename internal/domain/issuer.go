package domain

import (
	"net/url"
	"strings"

	"github.com/postern-dev/postern/oauth"
)

// JWKSPath is where the JWK set (RFC 7517 §5) of every issuer stands, below its prefix.
const JWKSPath = "/.well-known/jwks.json"

// IdentityJWKSPath is where the keys of the identity that upstreams are shown stand, below
// the prefix of every issuer: one purpose, one key, one set.
const IdentityJWKSPath = "/.well-known/postern-identity-jwks.json"

// IdentityType is the `typ` of that identity, a JWT.
const IdentityType = "postern-identity+jwt"

// Issuer is one authorization server. Nothing issued under one is worth
// anything under another.
type Issuer struct {
	Name            string      `json:"name" yaml:"name"`                         // lower case, digits, `-`; never changes
	URL             string      `json:"url" yaml:"url"`                           // `iss`, exactly as written; its path is the prefix of all endpoints
	Hosts           []string    `json:"hosts,omitempty" yaml:"hosts"`             // further hosts (host or host:port) than that of URL
	Environment     string      `json:"environment" yaml:"environment"`           // e.g. stage; left out: prod
	Dialect         string      `json:"dialect" yaml:"dialect"`                   // name of a dialect; left out: rfc
	Algorithm       string      `json:"algorithm" yaml:"algorithm"`               // of access tokens; left out: ES256
	ImportedSecrets bool        `json:"imported_secrets" yaml:"imported_secrets"` // secrets not of our making may be imported
	KeyMaxAge       Seconds     `json:"key_max_age" yaml:"key_max_age"`           // a signing key is replaced at this age; left out: 90 days
	Scopes          oauth.Scope `json:"scopes,omitempty" yaml:"scopes"`           // that exist here; left out: any may be assigned
	Management      bool        `json:"management,omitempty" yaml:"management"`   // its tokens administer Postern, and nothing else takes them; one issuer at most
	Origin          string      `json:"origin,omitempty" yaml:"-"`                // the file it was applied from, if any
	Version         int64       `json:"-" yaml:"-"`
}

// Kind is KindIssuer.
func (Issuer) Kind() Kind { return KindIssuer }

// Key is the name.
func (i Issuer) Key() string { return i.Name }

// Prefix is the path of URL without a slash at its end: "" for an issuer at the root.
func (i Issuer) Prefix() string {
	u, err := url.Parse(i.URL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.EscapedPath(), "/")
}

// AllHosts is the host of URL and the further ones, normalised by Host.
func (i Issuer) AllHosts() []string {
	hosts := make([]string, 0, 1+len(i.Hosts))
	u, err := url.Parse(i.URL)
	if err == nil {
		hosts = append(hosts, Host(u.Host))
	}
	for _, h := range i.Hosts {
		hosts = append(hosts, Host(h))
	}
	return hosts
}

// Host is the form in which hosts are compared: lower case, without the port of
// http or https. Nothing else is forgiven: a trailing dot is another host.
func Host(h string) string {
	h = strings.ToLower(h)
	for _, port := range []string{":80", ":443"} {
		if s, ok := strings.CutSuffix(h, port); ok {
			return s
		}
	}
	return h
}
