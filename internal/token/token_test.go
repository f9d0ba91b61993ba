package token_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/internal/token"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
	"github.com/postern-dev/postern/oauth/jwt"
)

var (
	now   = time.Date(2026, 11, 23, 12, 0, 0, 987_654_321, time.FixedZone("", 7200))
	event = domain.EventID{0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3, 0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f}
)

const (
	clientID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f10000001"
	tenantID = "7c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a11"
	team     = "0123456789abcdef01234567"
	// What every token of ours has, after the claims of its dialect.
	common = `"iss":"https://auth.example.com/x","aud":"urn:api","sub":"` + clientID + `","client_id":"` + clientID +
		`","iat":1795428000,"exp":1795431600,"jti":"7.017f22e2-79b0-7cc3-98c4-dc0c0c07398f"}`
)

func builtin(t testing.TB, name string) *dialect.Dialect {
	t.Helper()
	d, ok := dialect.Builtin().Get(name)
	if !ok {
		t.Fatalf("there is no dialect %s", name)
	}
	return d
}

func facts(t testing.TB, name string) token.Facts {
	t.Helper()
	return token.Facts{
		Issuer:  &domain.Issuer{Name: "x", URL: "https://auth.example.com/x", Environment: "stage"},
		Dialect: builtin(t, name),
		Client:  &domain.Client{ID: clientID, Tenant: tenantID, Tier: "premium", Epoch: 7},
		Grant:   &domain.Grant{Audience: []string{"urn:api"}, Lifetime: time.Hour},
		Event:   event, Now: now,
	}
}

func signer(t testing.TB, alg jwt.Algorithm, typ string) *jwt.Signer {
	t.Helper()
	k, err := jwt.Generate(alg, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := jwt.NewSigner(k, typ)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func issue(t testing.TB, s *jwt.Signer, f token.Facts) string {
	t.Helper()
	b, err := token.Issue(nil, s, f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func keysOf(t testing.TB, s *jwt.Signer) jwt.Keys {
	t.Helper()
	var set jwt.Keys
	var err error
	if s.Key().Algorithm.Symmetric() {
		set, err = jwt.NewSymmetricKeys(s.Key())
	} else {
		set, err = jwt.NewKeys(s.Key().Public())
	}
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// The payload of each dialect, byte by byte.
func TestClaims(t *testing.T) {
	own, err := dialect.Load("own.yaml", []byte(`schema: 1
name: own
title: Own
source: this test
wire: {path: /token}
server:
  claims:
    - {name: scp, from: scope, empty: "null"}
    - {name: azp, from: client_id}
    - {name: env, from: environment}
    - {name: for, from: audience}
    - {name: "urn:x/kind", value: "a \"quoted\" <constant>"}
`))
	if err != nil {
		t.Fatal(err)
	}
	two := func(f *token.Facts) { f.Grant.Scope = oauth.Scope{"api:read", "audit:read"} }
	for _, c := range []struct {
		name, dialect string
		change        func(*token.Facts)
		want          string
	}{
		{"RFC 9068 §2.2 without scope", "rfc", nil, `{` + common},
		{"RFC 9068 §2.2.3 with scope", "rfc", two, `{"scope":"api:read audit:read",` + common},
		{"TRI-05", "trialbee", nil, `{"tenant_id":"` + tenantID + `",` + common},
		{"OMN-03 of no tenant", "omnilab", func(f *token.Facts) { f.Client.Tenant = "" }, `{` + common},
		{"VIB-03", "vibes", func(f *token.Facts) { f.Grant.Scope = oauth.Scope{"https://rbm.vibes.com/rbm.agents"} },
			`{"scope":"https://rbm.vibes.com/rbm.agents","tenant_id":"` + tenantID + `",` + common},
		{"BIP-04 a team", "bipsync", func(f *token.Facts) {
			f.Grant.Scope, f.Grant.Bindings = oauth.Scope{"team_" + team}, map[string][]string{"team": {team}}
		}, `{"scope":"team_` + team + `","team":"` + team + `",` + common},
		{"BIP-05 no team", "bipsync", func(f *token.Facts) { f.Grant.Scope = oauth.Scope{"profile"} }, `{"scope":"profile",` + common},
		{"a claim never holds one of two", "bipsync", func(f *token.Facts) {
			f.Grant.Scope, f.Grant.Bindings = oauth.Scope{"x"}, map[string][]string{"team": {"1", "2"}}
		}, `{"scope":"x",` + common},
		{"ARB-04", "arbitex", two, `{"tenant_id":"` + tenantID + `","scope":"api:read audit:read","token_type":"m2m","rate_limit_tier":"premium",` + common},
		{"ARB-04 platform-wide", "arbitex", func(f *token.Facts) { two(f); f.Client.Tenant, f.Client.PlatformWide = "", true },
			`{"tenant_id":null,"scope":"api:read audit:read","token_type":"m2m","rate_limit_tier":"premium",` + common},
		{"every other source", "own", nil,
			`{"scp":null,"azp":"` + clientID + `","env":"stage","for":"urn:api","urn:x/kind":"a \"quoted\" <constant>",` + common},
		{"RFC 7519 §4.1.3 two audiences", "rfc", func(f *token.Facts) { f.Grant.Audience = []string{"urn:b", "urn:a"} },
			`{` + strings.Replace(common, `"aud":"urn:api"`, `"aud":["urn:b","urn:a"]`, 1)},
		{"RFC 7519 §4.1.3 two audiences in a claim of the dialect", "own", func(f *token.Facts) { f.Grant.Audience = []string{"urn:b", "urn:a"} },
			`{"scp":null,"azp":"` + clientID + `","env":"stage","for":["urn:b","urn:a"],"urn:x/kind":"a \"quoted\" <constant>",` +
				strings.Replace(common, `"aud":"urn:api"`, `"aud":["urn:b","urn:a"]`, 1)},
		{"ARB-08 a life of a day", "rfc", func(f *token.Facts) { f.Grant.Lifetime = 24 * time.Hour },
			`{` + strings.Replace(common, "1795431600", "1795514400", 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := own
			if c.dialect != "own" {
				d = builtin(t, c.dialect)
			}
			f := facts(t, "rfc")
			f.Dialect = d
			if c.change != nil {
				c.change(&f)
			}
			s := signer(t, jwt.EdDSA, d.Server.Typ)
			compact := issue(t, s, f)
			header, payload, err := jwt.Parse(compact)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(payload)); diff != "" {
				t.Errorf("payload (-want +got):\n%s", diff)
			}
			if wantTyp := map[bool]string{true: "at+jwt", false: "JWT"}[c.dialect == "rfc" || c.dialect == "own"]; header.Type != wantTyp { // RFC 9068 §2.1
				t.Errorf("typ %s, want %s", header.Type, wantTyp)
			}
			if err := strictjson.Check(payload); err != nil { // D-50
				t.Errorf("D-50: %v", err)
			}
			for _, a := range f.Grant.Audience {
				want := jwt.Expect{Issuer: f.Issuer.URL, Audience: a, Type: d.Server.Typ, Now: now}
				if _, err := jwt.Verify(compact, keysOf(t, s), want); err != nil {
					t.Errorf("refused for %s: %v", a, err)
				}
			}
		})
	}
}

// RFC 9068 §2.2: what an access token must have, read by a library that is not ours, under every
// algorithm.
func TestRequiredClaims(t *testing.T) {
	for _, alg := range jwt.Algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			s := signer(t, alg, "at+jwt")
			compact := issue(t, s, facts(t, "rfc"))
			jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
			if err != nil {
				t.Fatal(err)
			}
			private, err := s.Key().MarshalJWK()
			if err != nil {
				t.Fatal(err)
			}
			var theirs jose.JSONWebKey
			if err := json.Unmarshal(private, &theirs); err != nil {
				t.Fatal(err)
			}
			var key any = theirs.Public()
			if alg.Symmetric() {
				key = theirs.Key
			}
			payload, err := jws.Verify(key)
			if err != nil {
				t.Fatal(err)
			}
			h := jws.Signatures[0].Protected
			if h.Algorithm != string(alg) || h.KeyID != s.Key().ID || h.ExtraHeaders["typ"] != "at+jwt" {
				t.Errorf("header %+v", h)
			}
			var claims map[string]any
			if err := json.Unmarshal(payload, &claims); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{
				"iss": "https://auth.example.com/x", "exp": 1795431600.0, "aud": "urn:api", "sub": clientID, "client_id": clientID, "iat": 1795428000.0,
				"jti": "7." + event.String(),
			}
			if diff := cmp.Diff(want, claims); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
		})
	}
}

// TRI-05: a token lives exactly as long as is said, by the second.
func TestLifetime(t *testing.T) {
	s, f := signer(t, jwt.EdDSA, "at+jwt"), facts(t, "rfc")
	f.Grant.Lifetime = 60 * time.Second
	compact := issue(t, s, f)
	second := now.Truncate(time.Second)
	for _, c := range []struct {
		at   time.Time
		want error
	}{
		{second.Add(-jwt.Leeway - 1), jwt.ErrNotYet}, {second, nil}, {second.Add(60*time.Second - 1), nil}, {second.Add(60 * time.Second), jwt.ErrExpired},
	} {
		_, err := jwt.Verify(compact, keysOf(t, s), jwt.Expect{Issuer: f.Issuer.URL, Audience: "urn:api", Type: "at+jwt", Now: c.at})
		if err != c.want {
			t.Errorf("at %s: %v, want %v", c.at, err, c.want)
		}
	}
}

// COM-06: what is issued is what was granted, whatever the client's row says.
func TestGrantOnly(t *testing.T) {
	f := facts(t, "arbitex")
	f.Client.Scopes, f.Client.Audiences = oauth.Scope{"admin:write"}, []string{"urn:other"}
	f.Client.Secrets = []domain.Secret{{ID: "canary", Hash: "canary"}} // D-37
	_, payload, err := jwt.Parse(issue(t, signer(t, jwt.EdDSA, "JWT"), f))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"admin", "other", "canary", `"scope"`} {
		if strings.Contains(string(payload), word) {
			t.Errorf("the token says %s: %s", word, payload)
		}
	}
}

// Issue appends, and leaves what stands there.
func TestIssueAppends(t *testing.T) {
	s, f := signer(t, jwt.HS256, "at+jwt"), facts(t, "rfc")
	b, err := token.Issue([]byte("before "), s, f)
	if err != nil || string(b) != "before "+issue(t, s, f) {
		t.Errorf("%s, %v", b, err)
	}
}

// D-52: no token that a verifier refuses for its size.
func TestTooLarge(t *testing.T) {
	f := facts(t, "rfc")
	f.Grant.Audience = slices.Repeat([]string{strings.Repeat("x", 250)}, 40)
	if _, err := token.Issue(nil, signer(t, jwt.EdDSA, "JWT"), f); err != jwt.ErrTooLarge {
		t.Errorf("got %v", err)
	}
}

// FuzzClaims: whatever stands in a row, the payload is one JSON object that says it and nothing more.
func FuzzClaims(f *testing.F) {
	f.Add("client", "tenant", "tier", "a b", "urn:api", "urn:b", "https://x", "prod", "id", int64(7))
	f.Add(`","iss":"evil`, "\x00\u2028", "\xff\xfe", `\`, `"`, "", "é😀", "</script>", "\ud7ff", int64(-1))
	own, err := dialect.Load("own.yaml", []byte(`schema: 1
name: own
title: Own
source: this test
wire: {path: /token}
server:
  scope: {bindings: [{pattern: "k_{id:name}", kind: k}]}
  claims:
    - {name: scope, from: scope}
    - {name: env, from: environment}
    - {name: tenant, from: tenant_id, empty: "null"}
    - {name: tier, from: tier}
    - {name: k, from: "binding:k"}
`))
	if err != nil {
		f.Fatal(err)
	}
	s := signer(f, jwt.HS256, "JWT")
	f.Fuzz(func(t *testing.T, client, tenant, tier, scope, aud, aud2, iss, env, id string, epoch int64) {
		facts := token.Facts{
			Issuer: &domain.Issuer{URL: iss, Environment: env}, Dialect: own, Event: event, Now: now,
			Client: &domain.Client{ID: client, Tenant: tenant, Tier: tier, Epoch: epoch},
			Grant:  &domain.Grant{Scope: oauth.Scope{scope}, Audience: []string{aud, aud2}, Bindings: map[string][]string{"k": {id}}, Lifetime: time.Minute},
		}
		compact, err := token.Issue(nil, s, facts)
		if err == jwt.ErrTooLarge {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		_, payload, err := jwt.Parse(string(compact))
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(payload) || !utf8.Valid(payload) || strictjson.Check(payload) != nil {
			t.Fatalf("no JSON: %s", payload)
		}
		var got struct {
			Iss, Sub, ClientID, Scope, Env, Tenant, Tier, K string
			Client                                          string   `json:"client_id"`
			Aud                                             []string `json:"aud"`
		}
		if err := json.Unmarshal(payload, &got); err != nil {
			t.Fatal(err)
		}
		for want, have := range map[string]string{
			client: got.Sub, iss: got.Iss, env: got.Env, tenant: got.Tenant, tier: got.Tier, id: got.K, aud: got.Aud[0], aud2: got.Aud[1],
		} {
			if have != valid(want) {
				t.Errorf("%q became %q", want, have)
			}
		}
		if got.Client != valid(client) || got.Scope != valid(scope) || len(got.Aud) != 2 {
			t.Errorf("got %+v", got)
		}
	})
}

// valid is what remains of a text in JSON: each byte that is no UTF-8 becomes U+FFFD.
func valid(s string) string { return string([]rune(s)) }

func BenchmarkIssue(b *testing.B) {
	for _, alg := range []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.HS256} {
		b.Run(string(alg), func(b *testing.B) {
			s, f := signer(b, alg, "JWT"), facts(b, "arbitex")
			f.Grant.Scope = oauth.Scope{"api:read", "audit:read"}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := token.Issue(nil, s, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
