package domain

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/oauth/jwt"
)

// eventName is what a product's own events are called. No action of ours is (each has a
// dot), so neither can be taken for the other.
var eventName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// ValidEventName reports whether a product's own event may be called so.
func ValidEventName(name string) bool { return eventName.MatchString(name) }

// credentials checks whom the API takes beside clients, and what they may do.
func (p *problems) credentials(a *API, exists Exists) {
	if a.Users != nil {
		p.users(a.Users)
	}
	others := a.Users != nil || a.APIKeys
	switch {
	case others && len(a.Roles) == 0:
		p.add("roles", "is missing; say what users and API keys may do, by role, or nobody of them passes")
	case !others && len(a.Roles) > 0:
		p.add("roles", "is for users and API keys, and the API takes neither; add users or api_keys, or leave it out")
	}
	if others && a.IdentityToken {
		p.add("identity_token", "tells of clients only, and the API takes users or API keys too; leave one of them out")
	}
	for _, name := range slices.Sorted(maps.Keys(a.Roles)) {
		p.role("roles."+name, name, a.Roles[name], exists)
	}
	for i, r := range a.Routes {
		if others && len(r.Scopes) > 0 && len(r.Actions) == 0 {
			p.add(fmt.Sprintf("routes[%d].actions", i), "is missing: the scopes of users and API keys are not looked at, so %s %s would be open to all of them", r.Method, r.Path)
		}
	}
}

func (p *problems) role(field, name string, r Rights, exists Exists) {
	if !word.MatchString(name) {
		p.add(field, "%q is no role: %s", name, wordForm)
	}
	p.policiesOf(field+".policies", r.Policies, exists)
	for _, kind := range r.ResourceScope.Kinds() {
		of := r.ResourceScope[kind]
		at := field + ".resource_scope." + kind
		p.resourceIDs(at+".ids", kind, of.IDs)
		if of.All && len(of.IDs) > 0 {
			p.add(at, "says all and names ids; one or the other")
		}
	}
	if r.Tier != "" {
		p.tier(field+".tier", r.Tier, exists)
	}
}

func (p *problems) policiesOf(field string, names []string, exists Exists) {
	for i, name := range names {
		if !exists(KindPolicy, name) {
			p.add(fmt.Sprintf("%s[%d]", field, i), "there is no policy %q; make it first, or name another", name)
		} else if slices.Index(names, name) < i {
			p.add(fmt.Sprintf("%s[%d]", field, i), "%q stands there twice", name)
		}
	}
}

func (p *problems) users(u *Users) {
	at, err := url.Parse(u.Issuer)
	if err != nil || at.Scheme != "https" && at.Scheme != "http" || at.Host == "" || at.RawQuery != "" || strings.Contains(u.Issuer, "#") {
		p.add("users.issuer", "%q is no issuer of an OpenID provider: write its URL, exactly as `iss` of its tokens says it", u.Issuer)
	}
	p.audience("users.audience", u.Audience)
	p.providerKeys(u)
	for _, c := range []struct{ field, name string }{{"role_claim", u.RoleClaim}, {"tenant_claim", u.TenantClaim}} {
		switch {
		case c.name == "":
			p.add("users."+c.field, "is missing; name the claim, as in https://example.com/%s", strings.TrimSuffix(c.field, "_claim"))
		case everybodys(c.name):
			p.add("users."+c.field, "%q says something else in every token; name a claim of its own", c.name)
		}
		p.text("users."+c.field, c.name, 200)
	}
	p.text("users.typ", u.Type, 100)
}

// everybodys reports whether a claim means the same in every token (RFC 7519 §4.1, RFC 9068
// §2.2), or tells clients.
func everybodys(claim string) bool {
	switch claim {
	case "iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "token_type":
		return true
	}
	return false
}

// providerKeys are where a provider's keys come from: one place.
func (p *problems) providerKeys(u *Users) {
	switch {
	case u.JWKSURI == "" && u.JWKS == "":
		p.add("users.jwks_uri", "is missing; say where the provider publishes its keys (`jwks_uri` of its metadata), or write the key set as jwks")
	case u.JWKSURI != "" && u.JWKS != "":
		p.add("users.jwks", "stands there and so does jwks_uri; keep one")
	case u.JWKSURI != "":
		at, err := url.Parse(u.JWKSURI)
		if err != nil || at.Host == "" || at.User != nil || at.Scheme != "https" && (at.Scheme != "http" || !local(at.Hostname())) {
			p.add("users.jwks_uri", "is no place of keys: write an https URL, or http to this machine, without user and password")
		}
	default:
		if keys, err := jwt.ParseJWKS([]byte(u.JWKS)); err != nil || keys.Len() == 0 {
			p.add("users.jwks", `is no key set with a public key that can be used: write {"keys":[…]}, each with kid, alg and a public key`)
		}
	}
}

// local reports whether a host is this machine (RFC 6761 §6.3).
func local(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}

// auditLog checks an API that Postern itself answers.
func (p *problems) auditLog(a *API) {
	if a.Upstream != "" {
		p.add("upstream", "stands there and so does audit_log; an API has one of them")
	}
	for _, of := range []struct {
		field string
		set   bool
	}{{"graphql", a.GraphQL != nil}, {"forward_token", a.ForwardToken}, {"identity_token", a.IdentityToken}} {
		if of.set {
			p.add(of.field, "is for an API behind the gateway; this one is answered from the audit log, leave it out")
		}
	}
	if a.Path == "" {
		p.add("path", "is missing; say below which path the audit log stands, as in /api/admin/audit-logs")
	}
	if len(a.Issuers) > 1 && (a.Users != nil || a.APIKeys) {
		p.add("issuers", "are %d; what users and API keys see of the audit log is that of one issuer: make an API for each", len(a.Issuers))
	}
	for i, r := range a.Routes {
		p.auditLogRoute(fmt.Sprintf("routes[%d]", i), &r)
	}
}

func (p *problems) auditLogRoute(field string, r *Route) {
	right := r.Method == "GET" && (r.Path == AuditLogSearch || r.Path == AuditLogExport) || r.Method == "POST" && r.Path == AuditLogEvents
	switch {
	case !right:
		p.add(field, "%s %s is nothing that an audit log answers; there are GET / (search), GET /export and POST /events", r.Method, r.Path)
	case len(r.Scopes) == 0 && len(r.Actions) == 0:
		p.add(field, "names no scope and no action, so every client could use it; name one, as in scopes: [\"audit:read\"]")
	case len(r.Parameters) > 0 || r.Upgrade:
		p.add(field, "has parameters or upgrade, which an audit log does not know; whose entries a client sees hangs on its tenant")
	}
}
