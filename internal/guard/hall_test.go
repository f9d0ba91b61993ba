package guard_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/jwt"
)

const (
	hall     = "https://auth.example.com/hall"
	hallHost = "https://two.example.com/hall" // of tenant2 alone
	roleOf   = "https://hall.example/role"
	tenantOf = "https://hall.example/tenant"
)

// provider is an OpenID provider on a loopback address.
type provider struct {
	n       *town
	key     *jwt.PrivateKey
	public  []jwt.PublicKey
	server  *httptest.Server
	fetches atomic.Int64
	broken  atomic.Bool
}

func newProvider(n *town) *provider {
	n.t.Helper()
	p := &provider{n: n}
	p.rotate()
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.fetches.Add(1)
		if p.broken.Load() {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		set, err := jwt.MarshalJWKS(p.public)
		if err != nil {
			n.t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(set)
	}))
	n.t.Cleanup(p.server.Close)
	return p
}

// rotate makes a new key, the only one that is published.
func (p *provider) rotate() {
	key, err := jwt.Generate(jwt.ES256, rand.Reader)
	p.n.check(err)
	p.key, p.public = key, []jwt.PublicKey{key.Public()}
}

// claims are what a good token of Ann says, with changes; nil takes a claim away.
func (p *provider) claims(changes map[string]any) string {
	now := p.n.clock().Unix()
	claims := map[string]any{"iss": p.server.URL, "aud": "hall", "sub": "ann", "iat": now, "exp": now + 600, roleOf: "viewer", tenantOf: tenant1}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	b, err := json.Marshal(claims)
	p.n.check(err)
	return string(b)
}

func (p *provider) token(changes map[string]any) string {
	return p.sign(p.key, "JWT", p.claims(changes))
}

func (p *provider) sign(key *jwt.PrivateKey, typ, payload string) string {
	p.n.t.Helper()
	s, err := jwt.NewSigner(key, typ)
	p.n.check(err)
	jws, err := s.Sign(nil, []byte(payload))
	p.n.check(err)
	return string(jws)
}

// key puts an API key of the hall, with changes, and returns its text.
func (n *town) key(edit func(*domain.APIKey)) string {
	n.t.Helper()
	k := domain.APIKey{ID: domain.NewEventID(start).String(), Label: "test", Audience: "urn:reports", Role: "viewer", Reach: domain.Reach{Tenants: []string{tenant1}}, Created: start}
	s := secret.Generate()
	if edit != nil {
		edit(&k)
	}
	k.Hash = n.vault.Peppers.Hash("api key", k.ID, "1", s)
	put(n, apiKeys, k)
	return string(secret.APIKey(k.ID, s))
}

// newHall is a town with an API that takes clients of main, users of a provider and API keys.
func newHall(t testing.TB) (*town, *provider) {
	t.Helper()
	n := newTown(t)
	p := newProvider(n)
	study := []policy.Parameter{{Name: "study", Kind: "study", In: policy.InPath}}
	put(n, policies, domain.Policy{Name: "teller", Actions: map[string]string{"events:login": "tell of logins", "hall:audit": "read"}})
	update(n, tenants, tenant2, func(t *domain.Tenant) { t.Hosts["main"] = []string{"two.example.com"} })
	n.api(domain.API{
		Name: "hall", Audience: "urn:reports", Issuers: []string{"main"}, Path: "/hall", APIKeys: true,
		Users: &domain.Users{Issuer: p.server.URL, Audience: "hall", JWKSURI: p.server.URL, RoleClaim: roleOf, TenantClaim: tenantOf},
		Roles: map[string]domain.Rights{
			"viewer": {Policies: []string{"viewer"}, ResourceScope: policy.ResourceScope{"study": {IDs: []string{"s1", "s9"}}}},
			"editor": {Policies: []string{"viewer", "editor"}, ResourceScope: policy.ResourceScope{"study": {All: true}}, Tier: "premium"},
			"empty":  {},
		},
		RateLimits: map[string]int64{"standard": 1000},
		Routes: []policy.Route{
			{Method: "GET", Path: "/me"},
			{Method: "GET", Path: "/studies/{study}", Scopes: []string{"read"}, Actions: []string{"studies:read"}, Parameters: study},
			{Method: "PUT", Path: "/studies/{study}", Scopes: []string{"write"}, Actions: []string{"studies:write"}, Parameters: study},
			{Method: "POST", Path: "/search", Actions: []string{"studies:read"}, Parameters: []policy.Parameter{{Name: "study", In: policy.InBody, Kind: "study"}}},
			{Method: "GET", Path: "/bookings", Tags: []string{"lookup"}},
		},
	})
	return n, p
}

// is tells who called, as activity has it, or why nobody passed.
func is(v guard.Verdict) string {
	switch {
	case v.Err != nil:
		return string(v.Reason())
	case v.Actor != nil && v.Client == nil && v.Issuer == nil && v.Claims.ClientID == "" && v.Scopes == nil:
		return v.Actor.String()
	case v.Client != nil && v.Actor == nil:
		return "client:" + v.Client.ID
	}
	return "several"
}

// with another secret under the same id
func otherSecret(key string) string {
	id, _, _ := secret.ParseAPIKey(oauth.Secret(key))
	return string(secret.APIKey(id, secret.Generate()))
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
