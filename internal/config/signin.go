package config

import (
	"net/url"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// CallbackPath is where an OpenID provider sends the browser back to (OpenID Connect Core
// §3.1.2.5).
const CallbackPath = "/api/admin/oidc/callback"

// check notes what is wrong with how people sign in.
func (s *SignIn) check(r *reader) {
	between(r, "signin.idle_timeout", s.IdleTimeout, 60, 12*60*60)
	between(r, "signin.absolute_timeout", s.AbsoluteTimeout, 10*60, domain.Seconds(24*60*60))
	if s.IdleTimeout > s.AbsoluteTimeout {
		r.add("signin.idle_timeout", "is longer than absolute_timeout (%d), so it would end nothing; write less", s.AbsoluteTimeout)
	}
	o := s.OIDC
	if o == nil {
		return
	}
	if u, ok := secureURL(o.Issuer); !ok || u.RawQuery != "" || u.ForceQuery {
		r.add("signin.oidc.issuer", "%q is no issuer identifier; write https://… without query and fragment, as the provider's discovery document has it (http to this machine only)", o.Issuer)
	}
	if o.ClientID == "" {
		r.add("signin.oidc.client_id", "is missing; register Postern at the provider and write the id that it gives")
	}
	r.exists("signin.oidc.client_secret_file", &o.ClientSecretFile, "the secret that the provider gave")
	if u, ok := secureURL(o.RedirectURI); !ok || u.Path != CallbackPath || u.RawQuery != "" || u.ForceQuery {
		r.add("signin.oidc.redirect_uri", "%q is not where this server answers; write https://HOST%s, with the host by which browsers reach the surface admin (http to this machine only)", o.RedirectURI, CallbackPath)
	}
}

// secureURL reads an absolute URL that nobody on the way can read or change: https, or http
// to this machine.
func secureURL(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || strings.Contains(text, "#") {
		return nil, false
	}
	return u, u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}
