package domain_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/jwt"
)

func keySet(t *testing.T) string {
	t.Helper()
	key, err := jwt.Generate(jwt.ES256, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := jwt.MarshalJWKS([]jwt.PublicKey{key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	return string(set)
}

// ARB-07, D-54: whom an API takes beside clients, and what they may do.
func TestAPIUsersProblems(t *testing.T) {
	set := keySet(t)
	const noKeys = `users.jwks: is no key set with a public key that can be used: write {"keys":[…]}, each with kid, alg and a public key`
	const noURI = "users.jwks_uri: is no place of keys: write an https URL, or http to this machine, without user and password"
	for _, c := range []struct {
		name   string
		change func(*domain.API)
		want   []string
	}{
		{"good", func(*domain.API) {}, nil},
		{"API keys alone", func(a *domain.API) { a.Users = nil }, nil},
		{"users alone, their keys written down", func(a *domain.API) { a.APIKeys, a.Users.JWKSURI, a.Users.JWKS = false, "", set }, nil},
		{"keys on this machine", func(a *domain.API) { a.Users.JWKSURI = "http://localhost:9/jwks" }, nil},
		{"nobody's roles", func(a *domain.API) { a.APIKeys, a.Users = false, nil }, []string{
			"roles: is for users and API keys, and the API takes neither; add users or api_keys, or leave it out"}},
		{"no roles", func(a *domain.API) { a.Roles = nil }, []string{
			"roles: is missing; say what users and API keys may do, by role, or nobody of them passes"}},
		{"an identity token that would be of nobody", func(a *domain.API) { a.IdentityToken = true }, []string{
			"identity_token: tells of clients only, and the API takes users or API keys too; leave one of them out"}},
		{"ARB-07 a route that only scopes guard", func(a *domain.API) { a.Routes[0].Scopes, a.Routes[0].Actions = oauth.Scope{"x"}, nil }, []string{
			"routes[0].actions: is missing: the scopes of users and API keys are not looked at, so GET /bookings/{id} would be open to all of them"}},
		{"roles", func(a *domain.API) {
			a.Roles = map[string]domain.Rights{
				"a b": {}, "c": {Policies: []string{"p", "none", "p"}, Tier: "silver"},
				"d": {ResourceScope: policy.ResourceScope{"booking": {All: true, IDs: []string{"*"}}}}}
		}, []string{
			"roles.a b: \"a b\" is no role: letters, digits and `:._-`, at most 64, the first a letter or digit",
			`roles.c.policies[1]: there is no policy "none"; make it first, or name another`, `roles.c.policies[2]: "p" stands there twice`,
			`roles.c.tier: there is no tier "silver"; there are standard, premium, unlimited and those that were made`,
			"roles.d.resource_scope.booking.ids[0]: `*` is no id; for all of them write `all: true` in a client's resource_scope",
			"roles.d.resource_scope.booking: says all and names ids; one or the other",
		}},
		{"users", func(a *domain.API) {
			*a.Users = domain.Users{Issuer: "id.example.com", Audience: "", JWKSURI: "ftp://x", RoleClaim: "scope", Type: "a\n\x00"}
		}, []string{
			`users.issuer: "id.example.com" is no issuer of an OpenID provider: write its URL, exactly as ` + "`iss` of its tokens says it",
			`users.audience: "" is no audience: 1 to 256 printable ASCII characters without spaces`, noURI,
			`users.role_claim: "scope" says something else in every token; name a claim of its own`,
			"users.tenant_claim: is missing; name the claim, as in https://example.com/tenant",
			"users.typ: holds bytes that are no text; write UTF-8 without control characters",
		}},
		{"D-54 the role is no claim of clients", func(a *domain.API) { a.Users.RoleClaim, a.Users.TenantClaim = "token_type", "client_id" }, []string{
			`users.role_claim: "token_type" says something else in every token; name a claim of its own`,
			`users.tenant_claim: "client_id" says something else in every token; name a claim of its own`,
		}},
		{"no keys", func(a *domain.API) { a.Users.JWKSURI = "" }, []string{
			"users.jwks_uri: is missing; say where the provider publishes its keys (`jwks_uri` of its metadata), or write the key set as jwks"}},
		{"keys twice", func(a *domain.API) { a.Users.JWKS = set }, []string{"users.jwks: stands there and so does jwks_uri; keep one"}},
		{"a secret key", func(a *domain.API) {
			a.Users.JWKSURI, a.Users.JWKS = "", `{"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"AAAA"}]}`
		}, []string{noKeys}},
		{"no key set", func(a *domain.API) { a.Users.JWKSURI, a.Users.JWKS = "", "keys" }, []string{noKeys}},
		{"D-29 keys by plain HTTP", func(a *domain.API) { a.Users.JWKSURI = "http://id.example.com/jwks" }, []string{noURI}},
		{"D-29 keys with a password", func(a *domain.API) { a.Users.JWKSURI = "https://u:p@id.example.com/jwks" }, []string{noURI}},
		{"an issuer with a query", func(a *domain.API) { a.Users.Issuer += "?x" }, []string{
			`users.issuer: "https://id.example.com?x" is no issuer of an OpenID provider: write its URL, exactly as ` + "`iss` of its tokens says it"}},
		{"the audience of administration", func(a *domain.API) { a.Audience = domain.AdminAudience }, []string{
			"audience: urn:postern:admin is that of administration, which no API has; choose another"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := bookings()
			a.Routes[1].Actions = []string{"bookings:cancel"}
			a.APIKeys = true
			a.Users = &domain.Users{Issuer: "https://id.example.com", Audience: "bookings", JWKSURI: "https://id.example.com/jwks", RoleClaim: "role", TenantClaim: "https://example.com/tenant"}
			a.Roles = map[string]domain.Rights{"agent": {Policies: []string{"p"}, ResourceScope: policy.ResourceScope{"booking": {All: true}}, Tier: "gold"}}
			c.change(a)
			if diff := cmp.Diff(c.want, lines(a.Problems(exists))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// ARB-17: an API that Postern itself answers has the routes that it knows, each guarded.
func TestAuditLogProblems(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*domain.API)
		want   []string
	}{
		{"good", func(*domain.API) {}, nil},
		{"searching alone", func(a *domain.API) { a.Routes = a.Routes[:1] }, nil},
		{"an upstream beside it", func(a *domain.API) { a.Upstream = "http://x" }, []string{"upstream: stands there and so does audit_log; an API has one of them"}},
		{"what is for an upstream", func(a *domain.API) { a.ForwardToken, a.IdentityToken = true, true }, []string{
			"forward_token: is for an API behind the gateway; this one is answered from the audit log, leave it out",
			"identity_token: is for an API behind the gateway; this one is answered from the audit log, leave it out"}},
		{"at the root", func(a *domain.API) { a.Path = "" }, []string{"path: is missing; say below which path the audit log stands, as in /api/admin/audit-logs"}},
		{"whose entries would a user see", func(a *domain.API) {
			a.Issuers, a.APIKeys, a.Roles = []string{"i", "j"}, true, map[string]domain.Rights{"r": {}}
			for i := range a.Routes {
				a.Routes[i].Actions = []string{"audit:read"}
			}
		}, []string{`issuers[1]: there is no issuer "j"; name one that was made`, "issuers: are 2; what users and API keys see of the audit log is that of one issuer: make an API for each"}},
		{"routes", func(a *domain.API) {
			a.Routes = []domain.Route{
				{Method: "GET", Path: "/"}, {Method: "GET", Path: "/events", Scopes: oauth.Scope{"x"}}, {Method: "POST", Path: "/", Scopes: oauth.Scope{"x"}},
				{Method: "DELETE", Path: "/events", Scopes: oauth.Scope{"x"}}, {Method: "GET", Path: "/export", Upgrade: true, Scopes: oauth.Scope{"x"}},
				{Method: "POST", Path: "/events", Scopes: oauth.Scope{"x"}, Parameters: []policy.Parameter{{Name: "a", In: policy.InBody, Kind: "k"}}},
			}
		}, []string{
			`routes[0]: names no scope and no action, so every client could use it; name one, as in scopes: ["audit:read"]`,
			"routes[1]: GET /events is nothing that an audit log answers; there are GET / (search), GET /export and POST /events",
			"routes[2]: POST / is nothing that an audit log answers; there are GET / (search), GET /export and POST /events",
			"routes[3]: DELETE /events is nothing that an audit log answers; there are GET / (search), GET /export and POST /events",
			"routes[4]: has parameters or upgrade, which an audit log does not know; whose entries a client sees hangs on its tenant",
			"routes[5]: has parameters or upgrade, which an audit log does not know; whose entries a client sees hangs on its tenant",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &domain.API{Name: "audit", Audience: "urn:api", Issuers: []string{"i"}, Path: "/api/admin/audit-logs", AuditLog: &domain.AuditLog{}, Routes: []domain.Route{
				{Method: "GET", Path: domain.AuditLogSearch, Scopes: oauth.Scope{"audit:read"}}, {Method: "GET", Path: domain.AuditLogExport, Actions: []string{"audit:read"}},
				{Method: "POST", Path: domain.AuditLogEvents, Scopes: oauth.Scope{"api:write"}}}}
			a.Defaults()
			c.change(a)
			if diff := cmp.Diff(c.want, lines(a.Problems(exists))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// ARB-18: names of a product's events and of ours cannot meet.
func TestValidEventName(t *testing.T) {
	for name, want := range map[string]bool{
		"dlp_block": true, "a": true, "a1_": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "": false, "_a": false, "1a": false, "A": false,
		"dlp-block": false, "dlp.block": false, "a\n": false, "a b": false, "é": false, string(domain.TokenIssued): false, string(domain.CallRefused): false,
		string(domain.TokenRefused): false, string(domain.ActivityGap): false, string(domain.ActivityOff): false,
	} {
		if domain.ValidEventName(name) != want {
			t.Errorf("%q: want %v", name, want)
		}
	}
}
