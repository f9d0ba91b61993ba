package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// ResourceKindIssuer is the kind of resource by which a management client says at which
// issuers its role holds: resource_scope: {issuer: [stage]}.
const ResourceKindIssuer = "issuer"

// Caller is who makes the request. The session is nil where it came with another credential.
func (s *SignIn) Caller(r *http.Request, source netip.Addr) (domain.Caller, *Session, error) {
	credential, has, err := bearer(r.Header)
	if err != nil {
		return domain.Caller{}, nil, err
	}
	token, signedIn, err := cookie(r, sessionCookie)
	switch {
	case err != nil:
		return domain.Caller{}, nil, err
	case has && signedIn:
		return domain.Caller{}, nil, ErrTwo
	case has && strings.HasPrefix(credential, secret.APIKeyPrefix):
		c, err := s.apiKey(r.Context(), oauth.Secret(credential), source)
		return c, nil, err
	case has:
		c, err := s.token(r, source)
		return c, nil, err
	case signedIn:
		return s.session(r, token)
	}
	return domain.Caller{}, nil, ErrNone
}

// session is the caller of a session, who changes something from a page of this server only
// (D-95). A browser says so, in one header or the other; what sends neither is no browser, and
// has no business with a session.
func (s *SignIn) session(r *http.Request, token string) (domain.Caller, *Session, error) {
	if err := fromPage(r); err != nil {
		return domain.Caller{}, nil, err
	}
	session, err := s.find(r.Context(), token)
	if err != nil {
		return domain.Caller{}, nil, err
	}
	return s.callerOf(session), session, nil
}

// callerOf is the caller of a session, now.
func (s *SignIn) callerOf(session *Session) domain.Caller {
	p := &session.Person
	return domain.Caller{
		Actor: Actor(p), Role: p.Role, Reach: p.Reach,
		Platform: p.Role == domain.PlatformAdmin && s.Now().Before(session.FreshUntil()),
	}
}

// sameOrigin refuses what a page of somebody else's sends to change something (D-95). A page
// that came without TLS is somebody else's where we speak TLS; http.CrossOriginProtection looks
// at the host only, and at the first header of several.
func sameOrigin(r *http.Request) error {
	origin, site := r.Header.Values("Origin"), r.Header.Values("Sec-Fetch-Site")
	plain := secure(r) && len(origin) > 0 && strings.HasPrefix(origin[0], "http:")
	if !reads(r) && (len(origin) > 1 || len(site) > 1 || plain) {
		return ErrOrigin
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return ErrOrigin
	}
	return nil
}

// fromPage is sameOrigin for what only a browser may send.
func fromPage(r *http.Request) error {
	if !reads(r) && r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == "" {
		return ErrOrigin
	}
	return sameOrigin(r)
}

func reads(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
}

// apiKey is the caller of an API key of administration. It never is one with Platform: a key
// cannot sign in anew. A key that there is not costs as much as a wrong one.
func (s *SignIn) apiKey(ctx context.Context, text oauth.Secret, source netip.Addr) (domain.Caller, error) {
	id, plain, ok := secret.ParseAPIKey(text)
	if !ok {
		return domain.Caller{}, ErrCredential
	}
	key, err := s.Store.Read().APIKeys.Get(ctx, id)
	if err != nil && !errors.Is(err, domain.ErrNotFound) {
		return domain.Caller{}, fmt.Errorf("read API key: %w", err)
	}
	hash := key.Hash
	if err != nil {
		hash = s.Peppers.HashAPIKey(id, secret.Generate())
	}
	verifier, parseErr := secret.Parse(hash)
	right := parseErr == nil && verifier.VerifyAPIKey(s.Peppers, id, plain)
	known := slices.Contains(domain.Roles(), key.Role)
	live := key.Expires == nil || s.Now().Before(*key.Expires)
	if err != nil || !right || !known || !live || key.Audience != domain.AdminAudience {
		if wait := s.keys.Add(ratelimit.SourceOf(source)); wait > 0 {
			return domain.Caller{}, tooMany(wait)
		}
		return domain.Caller{}, ErrCredential
	}
	return domain.Caller{Actor: domain.Actor("apikey:" + key.ID), Role: key.Role, Reach: key.Reach}, nil
}

// token is the caller of a management issuer's token: its widest scope that the client still
// holds is its role (COM-12). It gives at most what the client holds (D-101).
func (s *SignIn) token(r *http.Request, source netip.Addr) (domain.Caller, error) {
	if s.Tokens == nil {
		return domain.Caller{}, ErrCredential
	}
	issuer, client, scope, err := s.Tokens(r, source)
	switch {
	case errors.Is(err, domain.ErrStale):
		return domain.Caller{}, err
	case err != nil:
		return domain.Caller{}, fmt.Errorf("%w: %v", ErrCredential, err) //nolint:errorlint // whatever it is, it is this
	case client.Issuer != issuer || issuer == "" || !slices.Contains(client.Audiences, domain.AdminAudience):
		return domain.Caller{}, ErrCredential // D-54: not an administrator's, whatever it says
	}
	role := widest(scope, client.Scopes)
	if role == "" {
		return domain.Caller{}, ErrScope
	}
	return domain.Caller{
		Actor: domain.Actor("client:" + client.Key()), Role: role, Reach: reachOf(&client),
		Platform: role == domain.PlatformAdmin, Holds: &client,
	}, nil
}

// widest is the role of the widest scope that is in the token and that the client holds.
func widest(token, held oauth.Scope) domain.Role {
	roles := domain.Roles()
	best := len(roles)
	for _, scope := range token {
		if role, ok := domain.ScopeRole(scope); ok && held.Contains(scope) {
			best = min(best, slices.Index(roles, role))
		}
	}
	if best == len(roles) {
		return ""
	}
	return roles[best]
}

// reachOf is where the role of a management client holds: for its tenant, or for all where it
// is platform-wide; at the issuers that its resource scope names.
func reachOf(c *domain.Client) domain.Reach {
	var reach domain.Reach
	if c.PlatformWide {
		reach.AllTenants = true
	} else {
		reach.Tenants = []string{c.Tenant}
	}
	issuers := c.ResourceScope[ResourceKindIssuer]
	reach.AllIssuers, reach.Issuers = issuers.All, slices.Clone(issuers.IDs)
	return reach
}
