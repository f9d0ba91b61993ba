package domain

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
	"github.com/postern-dev/postern/oauth/jwt"
)

var (
	slug     = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)
	uuid     = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	hostPort = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?$`)
)

const (
	maxText = 2000 // bytes of a free text
	// maxRights bounds what a token may have to hold of its client, in bytes: with it a token
	// of any dialect stays below the 8 KiB beyond which nobody takes one (D-52).
	maxRights = 4096
)

// problems collects what is wrong with an object.
type problems []Problem

func (p *problems) add(field, format string, args ...any) {
	*p = append(*p, Problem{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (p *problems) text(field, s string, limit int) {
	switch {
	case len(s) > limit:
		p.add(field, "is %d bytes long; at most %d are kept", len(s), limit)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' || r == 0x7f }):
		p.add(field, "holds bytes that are no text; write UTF-8 without control characters")
	}
}

func (p *problems) scopes(field string, scopes oauth.Scope) {
	for i, s := range scopes {
		if !oauth.ValidScopeToken(s) {
			p.add(fmt.Sprintf("%s[%d]", field, i), "%q is no scope: printable ASCII without spaces, quotes or backslashes (RFC 6749 §3.3)", s)
		} else if slices.Index(scopes, s) < i {
			p.add(fmt.Sprintf("%s[%d]", field, i), "%q stands there twice", s)
		}
	}
}

func (p *problems) host(field, h string) {
	if !hostPort.MatchString(Host(h)) || strings.Contains(h, "..") {
		p.add(field, "%q is no host: write name or name:port, as in api.example.com or localhost:8080", h)
	}
}

// Problems lists what is wrong with the tenant by itself.
func (t *Tenant) Problems() []Problem {
	var p problems
	if !uuid.MatchString(t.ID) {
		p.add("id", "%q is no UUID: write 8-4-4-4-12 lower-case hexadecimal digits, as uuidgen makes them", t.ID)
	}
	if t.Label == "" {
		p.add("label", "is missing; people know the tenant by it")
	}
	p.text("label", t.Label, 200)
	for _, issuer := range slices.Sorted(maps.Keys(t.Hosts)) {
		for i, h := range t.Hosts[issuer] {
			p.host(fmt.Sprintf("hosts.%s[%d]", issuer, i), h)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(t.Resources)) {
		p.resourceIDs("resources."+kind, kind, t.Resources[kind])
	}
	p.words("endpoints", "tag", t.Endpoints)
	if t.Ceiling != nil {
		p.scopes("ceiling.scopes", t.Ceiling.Scopes)
	}
	return p
}

func (p *problems) kind(field, kind string) {
	if !slug.MatchString(strings.ReplaceAll(kind, "_", "-")) {
		p.add(field, "%q is no resource kind: lower case, digits, `-` and `_`", kind)
	}
}

func (p *problems) audience(field, a string) {
	if a == "" || len(a) > 256 || strings.ContainsFunc(a, func(r rune) bool { return r <= 0x20 || r >= 0x7f }) {
		p.add(field, "%q is no audience: 1 to 256 printable ASCII characters without spaces", a)
	}
}

func (p *problems) resourceIDs(field, kind string, ids []string) {
	p.kind(field, kind)
	for i, id := range ids {
		switch {
		case id == "*":
			p.add(fmt.Sprintf("%s[%d]", field, i), "`*` is no id; for all of them write `all: true` in a client's resource_scope")
		case id == "" || len(id) > 256 || strings.ContainsFunc(id, func(r rune) bool { return r <= 0x20 || r == 0x7f }):
			p.add(fmt.Sprintf("%s[%d]", field, i), "%q is no id: 1 to 256 bytes without spaces or control characters", id)
		}
	}
}

// Defaults fills what was left out.
func (i *Issuer) Defaults() {
	if i.Dialect == "" {
		i.Dialect = "rfc" // COM-11
	}
	if i.Algorithm == "" {
		i.Algorithm = "ES256"
	}
	if i.Environment == "" {
		i.Environment = "prod"
	}
	if i.KeyMaxAge == 0 {
		i.KeyMaxAge = 90 * 86400
	}
}

// Problems lists what is wrong with the issuer; d is its dialect, nil where there is none of that name.
func (i *Issuer) Problems(d *dialect.Dialect) []Problem {
	var p problems
	if !slug.MatchString(i.Name) {
		p.add("name", "%q is no issuer name: lower case, digits and `-`, at most 64", i.Name)
	}
	p.issuerURL(i.URL)
	for n, h := range i.Hosts {
		p.host(fmt.Sprintf("hosts[%d]", n), h)
	}
	if !slug.MatchString(i.Environment) {
		p.add("environment", "%q is no environment: one lower-case word such as stage or prod", i.Environment)
	}
	if d == nil {
		p.add("dialect", "there is no dialect %q; `postern dialect list` shows those there are", i.Dialect)
	} else if !slices.Contains(d.Server.Algorithms, i.Algorithm) {
		p.add("algorithm", "%q is not one that dialect %s allows: %s", i.Algorithm, d.Name, strings.Join(d.Server.Algorithms, ", "))
	}
	if i.KeyMaxAge < 86400 {
		p.add("key_max_age", "is %d seconds; at least one day (1d)", i.KeyMaxAge)
	}
	p.scopes("scopes", i.Scopes)
	if i.Management {
		p.management(i, d)
	}
	return p
}

func (p *problems) issuerURL(text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		p.add("url", "%q is no issuer URL: write https://host or https://host/prefix", text)
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#") || u.User != nil:
		p.add("url", "has a query, a fragment or a user; an issuer has none (RFC 8414 §2)")
	case strings.HasSuffix(u.Path, "/") || strings.Contains(u.Path, "//") || u.Path != u.EscapedPath() || slices.ContainsFunc(strings.Split(u.Path, "/"), func(s string) bool { return s == "." || s == ".." }):
		p.add("url", "has a path that ends in / or holds //, dots or escapes; write it plainly, without the last /")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		p.add("url", "is http beyond this machine; an issuer is https (RFC 8414 §2)")
	default:
		p.host("url", u.Host)
	}
}

func loopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}

// Defaults fills what was left out; d is the dialect of the client's issuer.
func (c *Client) Defaults(d *dialect.Dialect) {
	if c.Status == "" {
		c.Status = Enabled
	}
	if c.Tier == "" {
		c.Tier = DefaultTier
	}
	if c.Scopes == nil && d != nil && d.Wire.Scope.Fixed != "" {
		c.Scopes = oauth.Scope{d.Wire.Scope.Fixed}
	}
}

// Problems lists what is wrong with the client; issuer, its dialect and the
// client's tenant are nil where there is none of that name.
func (c *Client) Problems(issuer *Issuer, d *dialect.Dialect, tenant *Tenant, exists Exists) []Problem {
	var p problems
	p.clientID(c)
	if c.Name == "" {
		p.add("name", "is missing; people know the client by it")
	}
	p.text("name", c.Name, 200)
	p.text("owner", c.Owner, 200)
	p.text("contact", c.Contact, 200)
	p.text("note", c.Note, maxText)
	if issuer == nil {
		p.add("issuer", "there is no issuer %q", c.Issuer)
	}
	switch {
	case c.PlatformWide && c.Tenant != "":
		p.add("platform_wide", "is set and so is tenant; a client is of one tenant, or platform-wide")
	case !c.PlatformWide && c.Tenant == "":
		p.add("tenant", "is missing; name one, or say platform_wide: true")
	case c.Tenant != "" && tenant == nil:
		p.add("tenant", "there is no tenant %q", c.Tenant)
	}
	if c.Status != Enabled && c.Status != Disabled {
		p.add("status", "%q is neither enabled nor disabled", c.Status)
	}
	p.tier("tier", c.Tier, exists)
	for _, api := range slices.Sorted(maps.Keys(c.RateLimits)) {
		if field := "rate_limits." + api; !exists(KindAPI, api) {
			p.add(field, "there is no API %q; name one that was made", api)
		} else {
			p.perMinute(field, c.RateLimits[api])
		}
	}
	p.rights(c, issuer, tenant, exists)
	p.underDialect(c, d)
	return p
}

func (p *problems) clientID(c *Client) {
	// RFC 6749 §A.1 VSCHAR; RFC 7617 §2: no colon in a user-id.
	bad := func(r rune) bool { return r < 0x20 || r > 0x7e || r == ':' }
	if c.ID == "" || len(c.ID) > 256 || strings.ContainsFunc(c.ID, bad) {
		p.add("id", "%q is no client id: 1 to 256 printable ASCII characters without a colon", c.ID)
	} else if !c.Imported && !uuid.MatchString(c.ID) {
		p.add("id", "%q is no UUID; ids of another form come by `client import`", c.ID)
	}
}

// rights checks what the client may ask for, and where it may act.
func (p *problems) rights(c *Client, issuer *Issuer, tenant *Tenant, exists Exists) {
	p.scopes("scopes", c.Scopes)
	for i, s := range c.Scopes {
		field := fmt.Sprintf("scopes[%d]", i)
		if issuer != nil && len(issuer.Scopes) > 0 && !issuer.Scopes.Contains(s) {
			p.add(field, "%q is not a scope of issuer %s: %s", s, issuer.Name, issuer.Scopes)
		}
		if tenant != nil && tenant.Ceiling != nil && !tenant.Ceiling.Scopes.Contains(s) {
			p.add(field, "%q is above the ceiling of tenant %s", s, tenant.Label)
		}
	}
	p.policies(c.Policies, tenant, exists)
	if len(c.Audiences) == 0 {
		p.add("audiences", "is empty; every token is for somebody: name at least one API")
	}
	for i, a := range c.Audiences {
		p.audience(fmt.Sprintf("audiences[%d]", i), a)
		if slices.Index(c.Audiences, a) < i {
			p.add(fmt.Sprintf("audiences[%d]", i), "%q stands there twice", a)
		}
	}
	p.administers(c, issuer)
	p.size(c)
	for _, kind := range c.ResourceScope.Kinds() {
		r := c.ResourceScope[kind]
		field := "resource_scope." + kind
		p.resourceIDs(field+".ids", kind, r.IDs)
		if r.All && len(r.IDs) > 0 {
			p.add(field, "says all and names ids; one or the other")
		}
		for i, id := range r.IDs {
			if tenant != nil && !slices.Contains(tenant.Resources[kind], id) {
				p.add(fmt.Sprintf("%s.ids[%d]", field, i), "%q is not a %s of tenant %s", id, kind, tenant.Label)
			}
		}
	}
}

func (p *problems) policies(names []string, tenant *Tenant, exists Exists) {
	for i, name := range names {
		field := fmt.Sprintf("policies[%d]", i)
		switch {
		case !exists(KindPolicy, name):
			p.add(field, "there is no policy %q; make it first, or name another", name)
		case slices.Index(names, name) < i:
			p.add(field, "%q stands there twice", name)
		case tenant != nil && tenant.Ceiling != nil && !slices.Contains(tenant.Ceiling.Policies, name):
			p.add(field, "%q is above the ceiling of tenant %s", name, tenant.Label)
		}
	}
}

// size refuses a client that would be given tokens too large to be taken. Audiences count
// twice, as a dialect may repeat them in a claim of its own.
func (p *problems) size(c *Client) {
	scopes, audiences := len(c.Scopes.String()), 0
	for _, a := range c.Audiences {
		audiences += 2 * len(a)
	}
	if scopes+audiences > maxRights {
		p.add("scopes", "take %d bytes of a token and audiences up to %d; there is room for %d together", scopes, audiences, maxRights)
	}
}

func (p *problems) underDialect(c *Client, d *dialect.Dialect) {
	if d == nil {
		return
	}
	life := d.Server.Lifetime
	switch {
	case c.Lifetime < 0 || int64(c.Lifetime) > int64(life.Max):
		p.add("lifetime", "is %d seconds; dialect %s allows at most %d", c.Lifetime, d.Name, life.Max)
	case life.Fixed && c.Lifetime != 0 && int64(c.Lifetime) != int64(life.Default):
		p.add("lifetime", "is %d seconds; dialect %s has %d for every client", c.Lifetime, d.Name, life.Default)
	}
	for i, s := range c.Scopes {
		field := fmt.Sprintf("scopes[%d]", i)
		if fixed := d.Wire.Scope.Fixed; fixed != "" && s != fixed {
			p.add(field, "%q: dialect %s has one scope, %s", s, d.Name, fixed)
		}
		if b, _, ok := d.Bind(s); ok {
			p.add(field, "%q names a %s; grant it in resource_scope.%s.ids instead", s, b.Kind, b.Kind)
		}
	}
}

// adminScopes begins the scopes that stand for roles, and no others at the management issuer.
const adminScopes = "admin:"

// management checks the issuer whose tokens administer.
func (p *problems) management(i *Issuer, d *dialect.Dialect) {
	if d != nil && d.Wire.Scope.Fixed != "" {
		p.add("management", "needs a dialect in which clients ask for scopes, such as rfc; %s has one for all", d.Name)
	}
	if i.ImportedSecrets {
		p.add("management", "and imported_secrets exclude each other: who administers has a secret of our making")
	}
	if jwt.Algorithm(i.Algorithm).Symmetric() {
		p.add("management", "needs an asymmetric algorithm, not %s", i.Algorithm)
	}
	for n, s := range i.Scopes {
		p.adminScope(fmt.Sprintf("scopes[%d]", n), s)
	}
}

// administers checks what tells management clients from all others: whose token is an
// administrator's is told by its issuer and its audience.
func (p *problems) administers(c *Client, issuer *Issuer) {
	at := slices.Index(c.Audiences, AdminAudience)
	switch {
	case issuer == nil:
	case !issuer.Management && at >= 0:
		p.add(fmt.Sprintf("audiences[%d]", at), "%q is for clients of the management issuer; %s is not that", AdminAudience, issuer.Name)
	case issuer.Management && at < 0:
		p.add("audiences", "lack %q, which every client of the management issuer has", AdminAudience)
	case issuer.Management:
		for i, s := range c.Scopes {
			p.adminScope(fmt.Sprintf("scopes[%d]", i), s)
			if s == ScopePlatform && !c.PlatformWide {
				p.add(fmt.Sprintf("scopes[%d]", i), "%q is for platform-wide clients: it opens everything there is, of every tenant", s)
			}
		}
	}
}

func (p *problems) adminScope(field, scope string) {
	if _, ok := ScopeRole(scope); !ok && strings.HasPrefix(scope, adminScopes) {
		p.add(field, "%q stands for no role: write %s, %s, %s or %s", scope, ScopePlatform, ScopeIntegrations, ScopeSecrets, ScopeAudit)
	}
}
