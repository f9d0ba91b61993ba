package signin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/signin"
	"github.com/postern-dev/postern/oauth"
)

const keyID = "5a1f9c1e-3c52-4d27-9d5c-0c7d2f6e8b11"

// apiKey stores one and returns its text.
func (s *scene) apiKey(change func(*domain.APIKey)) string {
	s.t.Helper()
	plain := secret.Generate()
	k := domain.APIKey{
		ID: keyID, Label: "nightly", Audience: domain.AdminAudience, Role: domain.IntegrationManager,
		Reach: domain.Reach{Tenants: []string{"t1"}, AllIssuers: true}, Created: s.clock(), Hash: s.Peppers.Hash("api key", keyID, "1", plain),
	}
	change(&k)
	if _, err := s.db.Change(s.t.Context(), domain.System, func(t domain.Tables) ([]domain.Change, error) {
		_, err := t.APIKeys.Put(s.t.Context(), k, 0)
		return []domain.Change{{Kind: domain.KindAPIKey, Key: k.ID, Action: "api_key.create"}}, err
	}); err != nil {
		s.t.Fatal(err)
	}
	return string(secret.APIKey(keyID, plain))
}

// request carries the Authorization headers given.
func request(t *testing.T, authorization ...string) *http.Request {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://postern.example.com/api/admin/clients", nil)
	r.Header["Authorization"] = authorization
	return r
}

// ARB-07, D-54: an API key is one by its prefix and its hash; it has its role where it reaches,
// and never Platform.
func TestAPIKey(t *testing.T) {
	none := func(*domain.APIKey) {}
	for name, tc := range map[string]struct {
		key  func(*domain.APIKey)
		text func(string) string
		good bool
	}{
		"good":            {none, strings.Clone, true},
		"platform admin":  {func(k *domain.APIKey) { k.Role = domain.PlatformAdmin }, strings.Clone, true},
		"not yet expired": {func(k *domain.APIKey) { at := k.Created.Add(time.Second); k.Expires = &at }, strings.Clone, true},
		"expired":         {func(k *domain.APIKey) { at := k.Created; k.Expires = &at }, strings.Clone, false},
		"of an API":       {func(k *domain.APIKey) { k.Audience = "https://api.example.com" }, strings.Clone, false},
		"unknown role":    {func(k *domain.APIKey) { k.Role = "admin" }, strings.Clone, false},
		"no hash":         {func(k *domain.APIKey) { k.Hash = "" }, strings.Clone, false},
		"another's hash":  {func(k *domain.APIKey) { k.Hash = "$postern$p1$" + strings.Repeat("A", 43) }, strings.Clone, false},
		"slow hash": {func(k *domain.APIKey) {
			k.Hash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + strings.Repeat("A", 43)
		}, strings.Clone, false},
		"other secret": {none, func(string) string { return string(secret.APIKey(keyID, secret.Generate())) }, false},
		"other id":     {none, func(k string) string { return strings.Replace(k, "5a1f", "5a1e", 1) }, false},
		"cut":          {none, func(k string) string { return k[:len(k)-1] }, false},
		"no secret":    {none, func(k string) string { return k[:40] }, false},
		"secret alone": {none, func(k string) string { return k[37:] }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, func(c *signin.Config) {
				c.Tokens = func(r *http.Request, _ netip.Addr) (string, domain.Client, oauth.Scope, error) {
					if name == "secret alone" {
						return "", domain.Client{}, nil, errors.New("no token")
					}
					t.Error("a key was taken for a token")
					return "", domain.Client{}, nil, errors.New("no token")
				}
			})
			text := tc.text(s.apiKey(tc.key))
			c, session, err := s.Caller(request(t, "Bearer "+text), home)
			if !tc.good {
				if !errors.Is(err, signin.ErrCredential) {
					t.Errorf("%+v, %v", c, err)
				}
				return
			}
			want := domain.Caller{Actor: "apikey:" + keyID, Role: c.Role, Reach: domain.Reach{Tenants: []string{"t1"}, AllIssuers: true}}
			if diff := cmp.Diff(want, c); err != nil || session != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// D-54: a token is an administrator's by its issuer and its audience, as the issuer's keys
// prove; its role is the widest scope that it has and its client still holds, and it gives at
// most what that client holds (D-101).
func TestManagementToken(t *testing.T) {
	client := func(change func(*domain.Client)) domain.Client {
		c := domain.Client{Issuer: "manage", ID: "c1", Tenant: "t1", Status: domain.Enabled, Audiences: []string{domain.AdminAudience},
			Scopes: oauth.Scope{"admin:integrations", "admin:audit", "api:read"}, ResourceScope: domain.ResourceScope{"issuer": {IDs: []string{"stage"}}}}
		change(&c)
		return c
	}
	none := func(*domain.Client) {}
	tenant := domain.Reach{Tenants: []string{"t1"}, Issuers: []string{"stage"}}
	for name, tc := range map[string]struct {
		client  domain.Client
		scope   oauth.Scope
		issuer  string
		err     error
		want    domain.Caller
		refused error
	}{
		"widest":           {client: client(none), scope: oauth.Scope{"admin:audit", "admin:integrations"}, want: domain.Caller{Role: domain.IntegrationManager, Reach: tenant}},
		"narrowed":         {client: client(none), scope: oauth.Scope{"admin:audit"}, want: domain.Caller{Role: domain.Auditor, Reach: tenant}},
		"secrets":          {client: client(func(c *domain.Client) { c.Scopes = oauth.Scope{"admin:secrets"} }), scope: oauth.Scope{"admin:secrets"}, want: domain.Caller{Role: domain.TenantDeveloper, Reach: tenant}},
		"taken away":       {client: client(func(c *domain.Client) { c.Scopes = oauth.Scope{"admin:audit"} }), scope: oauth.Scope{"admin:integrations", "admin:audit"}, want: domain.Caller{Role: domain.Auditor, Reach: tenant}},
		"not held":         {client: client(none), scope: oauth.Scope{"admin:platform"}, refused: signin.ErrScope},
		"no role":          {client: client(none), scope: oauth.Scope{"api:read"}, refused: signin.ErrScope},
		"nothing":          {client: client(none), refused: signin.ErrScope},
		"like a role":      {client: client(func(c *domain.Client) { c.Scopes = oauth.Scope{"platform-admin", "ADMIN:PLATFORM"} }), scope: oauth.Scope{"platform-admin", "ADMIN:PLATFORM"}, refused: signin.ErrScope},
		"other audience":   {client: client(func(c *domain.Client) { c.Audiences = []string{"https://api.example.com"} }), scope: oauth.Scope{"admin:audit"}, refused: signin.ErrCredential},
		"other issuer":     {client: client(none), scope: oauth.Scope{"admin:audit"}, issuer: "product", refused: signin.ErrCredential},
		"does not verify":  {client: client(none), scope: oauth.Scope{"admin:audit"}, err: fmt.Errorf("signature: %w", domain.ErrNotFound), refused: signin.ErrCredential},
		"no issuer at all": {client: client(func(c *domain.Client) { c.Scopes = oauth.Scope{"admin:audit"}; c.ResourceScope = nil }), scope: oauth.Scope{"admin:audit"}, want: domain.Caller{Role: domain.Auditor, Reach: domain.Reach{Tenants: []string{"t1"}}}},
		"platform": {client: client(func(c *domain.Client) {
			c.Tenant, c.PlatformWide, c.Scopes, c.ResourceScope = "", true, oauth.Scope{"admin:platform"}, domain.ResourceScope{"issuer": {All: true}}
		}), scope: oauth.Scope{"admin:platform"}, want: domain.Caller{Role: domain.PlatformAdmin, Platform: true, Reach: domain.Reach{AllTenants: true, AllIssuers: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := "manage"
			if tc.issuer != "" {
				issuer = tc.issuer
			}
			s := newScene(t, func(c *signin.Config) {
				c.Tokens = func(*http.Request, netip.Addr) (string, domain.Client, oauth.Scope, error) {
					return issuer, tc.client, tc.scope, tc.err
				}
			})
			c, _, err := s.Caller(request(t, "Bearer abc.def.ghi"), home)
			if tc.refused != nil {
				if !errors.Is(err, tc.refused) || errors.Is(err, domain.ErrNotFound) {
					t.Errorf("%+v, %v", c, err)
				}
				return
			}
			tc.want.Actor, tc.want.Holds = "client:manage/c1", &tc.client
			if diff := cmp.Diff(tc.want, c); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	t.Run("stale", func(t *testing.T) { // no 401: RULES "Snapshot and feed"
		s := newScene(t, func(c *signin.Config) {
			c.Tokens = func(*http.Request, netip.Addr) (string, domain.Client, oauth.Scope, error) {
				return "", domain.Client{}, nil, domain.ErrStale
			}
		})
		if _, _, err := s.Caller(request(t, "Bearer abc"), home); !errors.Is(err, domain.ErrStale) || errors.Is(err, signin.ErrCredential) {
			t.Errorf("%v", err)
		}
	})
}

// D-54, D-63, D-64: one credential, in one header, in one form; whatever else is refused, and
// never taken for another kind.
func TestOneCredential(t *testing.T) {
	s := newScene(t)
	s.person("ann@example.com", domain.PlatformAdmin)
	b := s.signIn("ann@example.com")
	key := s.apiKey(func(*domain.APIKey) {})
	for name, tc := range map[string]struct {
		authorization []string
		session       bool
		want          error // nil: good
	}{
		"key":                     {[]string{"Bearer " + key}, false, nil},
		"any case":                {[]string{"bEARER " + key}, false, nil},
		"session":                 {nil, true, nil},
		"none":                    {nil, false, signin.ErrNone},
		"key and session":         {[]string{"Bearer " + key}, true, signin.ErrTwo},
		"two keys":                {[]string{"Bearer " + key, "Bearer " + key}, false, signin.ErrTwo},
		"two in one":              {[]string{"Bearer " + key + ", Bearer " + key}, false, signin.ErrCredential},
		"Basic":                   {[]string{"Basic YW5uOmFubg=="}, false, signin.ErrNone},
		"Basic beside a session":  {[]string{"Basic YW5uOmFubg=="}, true, signin.ErrNone},
		"empty beside a session":  {[]string{""}, true, signin.ErrNone},
		"no credential":           {[]string{"Bearer"}, false, signin.ErrCredential},
		"nothing":                 {[]string{"Bearer "}, false, signin.ErrCredential},
		"two spaces":              {[]string{"Bearer  " + key}, false, signin.ErrCredential},
		"space behind":            {[]string{"Bearer " + key + " "}, false, signin.ErrCredential},
		"upper prefix":            {[]string{"Bearer PAK_" + key[4:]}, false, signin.ErrCredential},
		"too long":                {[]string{"Bearer " + strings.Repeat("a", 8<<10+1)}, false, signin.ErrCredential},
		"session token as bearer": {[]string{"Bearer " + b.cookies["__Host-postern"].Value}, false, signin.ErrCredential},
	} {
		t.Run(name, func(t *testing.T) {
			v := b.visit(http.MethodPost)
			if !tc.session {
				v.Request.Header.Del("Cookie")
			}
			v.Request.Header["Authorization"] = tc.authorization
			if _, _, err := s.Caller(v.Request, v.Source); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
	v := b.visit(http.MethodPost)
	v.Request.AddCookie(b.cookies["__Host-postern"])
	if _, _, err := s.Caller(v.Request, v.Source); !errors.Is(err, signin.ErrTwo) {
		t.Errorf("two session cookies: %v", err)
	}
}

// What comes in the Authorization header and in cookies makes nobody an administrator, and
// breaks nothing.
func FuzzCaller(f *testing.F) {
	f.Add("Bearer pak_5a1f9c1e3c524d279d5c0c7d2f6e8b11_pst_AAAA", "")
	f.Add("Bearer a.b.c", "__Host-postern=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("", `__Host-postern="x"; __Host-postern=y; __Host-postern-oidc=AAAA.1`)
	f.Add("Basic YW5uOmFubg==", "postern=1")
	nothing := &nothingStored{}
	s := signin.New(signin.Config{
		Store: nothing, Records: nothing, Peppers: secret.NewPeppers(), Now: time.Now, Local: time.Now,
		OIDC: &signin.OIDC{Issuer: "https://id.example.com", ClientID: "postern", Transport: refusing{}},
	})
	f.Fuzz(func(t *testing.T, authorization, cookies string) {
		r := httptest.NewRequest(http.MethodGet, "https://postern.example.com/api/admin/session", nil)
		if authorization != "" {
			r.Header["Authorization"] = []string{authorization}
		}
		r.Header["Cookie"] = []string{cookies}
		c, session, err := s.Caller(r, home)
		refused := func(err error) bool {
			for _, known := range []error{signin.ErrNone, signin.ErrCredential, signin.ErrEnded, signin.ErrTwo, signin.ErrState, signin.ErrProvider, signin.ErrDenied} {
				if errors.Is(err, known) {
					return true
				}
			}
			var wait *signin.TooMany
			return errors.As(err, &wait)
		}
		if session != nil || c.Role != "" || !refused(err) {
			t.Errorf("%+v, %v", c, err)
		}
		_, _, err = s.OIDCCallback(signin.Visit{Request: r, Source: home}, signin.Callback{Code: cookies, State: authorization})
		if !refused(err) {
			t.Errorf("callback: %v", err)
		}
	})
}

// nothingStored is a store and records in which there is nothing.
type nothingStored struct {
	domain.Store
	domain.Records
}

type noKeys struct{ domain.Table[domain.APIKey] }

func (noKeys) Get(context.Context, string) (domain.APIKey, error) {
	return domain.APIKey{}, domain.ErrNotFound
}

func (*nothingStored) Read() domain.Tables { return domain.Tables{APIKeys: noKeys{}} }

func (*nothingStored) Record(context.Context, string, string, time.Time) ([]byte, error) {
	return nil, domain.ErrNotFound
}

type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network")
}
