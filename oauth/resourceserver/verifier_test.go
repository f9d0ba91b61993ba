package resourceserver_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/inprocess"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/jwt"
	"github.com/postern-dev/postern/oauth/oauthtest"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

const audience = "https://api.example.com"

// clock is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// keySource is keys that a test changes.
type keySource struct {
	keys jwt.Keys
	err  error
}

func (s *keySource) Keys(context.Context, string) (jwt.Keys, error) { return s.keys, s.err }

func start(t testing.TB) (*oauthtest.Issuer, *clock) {
	t.Helper()
	c, i := newClock(), oauthtest.New(audience)
	i.Now = c.Now
	t.Cleanup(i.Close)
	return i, c
}

func verifier(t testing.TB, c resourceserver.Config) *resourceserver.Verifier {
	t.Helper()
	v, err := resourceserver.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func keysOf(t testing.TB, i *oauthtest.Issuer) jwt.Keys {
	t.Helper()
	keys, err := jwt.ParseJWKS(i.JWKS())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestGoodToken(t *testing.T) {
	i, c := start(t)
	v := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{i.Trusted(c.Now)}, Now: c.Now})
	token := i.With(oauthtest.Claims{"scope": "a b", "aud": []string{"https://other.example", audience}, "tenant_id": "t1", "n": 1})
	for _, from := range []string{"signature", "cache"} {
		got, err := v.Verify(t.Context(), "peer", token)
		if err != nil {
			t.Fatalf("%s: %v", from, err)
		}
		if got.Issuer != i.URL || got.Subject != oauthtest.ClientID || got.ClientID != oauthtest.ClientID || got.ID == "" ||
			!got.Expires.Equal(c.Now().Add(oauthtest.Lifetime)) || !got.IssuedAt.Equal(c.Now()) {
			t.Errorf("%s: %+v", from, got)
		}
		if diff := cmp.Diff(oauth.Scope{"a", "b"}, got.Scope()); diff != "" {
			t.Errorf("%s: %s", from, diff)
		}
		if tenant, ok := got.Text("tenant_id"); !ok || tenant != "t1" {
			t.Errorf("%s: tenant_id %q, %t", from, tenant, ok)
		}
		if _, ok := got.Text("n"); ok {
			t.Errorf("%s: a number was read as a text", from)
		}
		// Whoever changes what it got changes nobody else's.
		got.Scope()[0], got.Audience()[1], got.Raw()[0] = "admin", "x", 'x'
		if !got.HasScope("a", "b") || got.HasScope("admin") || got.Audience()[1] != audience || got.Raw()[0] != '{' {
			t.Errorf("%s: the claims could be changed", from)
		}
	}
	if n := i.Fetches(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

func TestRefusedTokens(t *testing.T) { // D-41 D-42 D-47 D-48 D-49 D-52 D-54 D-57
	i, c := start(t)
	v := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{i.Trusted(c.Now)}, Revocation: i, Now: c.Now})
	without := func(claim string) string { return i.With(oauthtest.Claims{claim: nil}) }
	for _, tc := range []struct {
		name, token string
		want        error
	}{
		{"expired", i.Expired(""), jwt.ErrExpired},
		{"wrong audience", i.WrongAudience(""), jwt.ErrAudience},
		{"wrong type", i.WrongType(""), jwt.ErrType},
		{"other issuer", i.OtherIssuer(""), jwt.ErrIssuer},
		{"foreign key", i.Foreign(""), jwt.ErrSignature},
		{"tampered", i.Tampered("admin"), jwt.ErrSignature},
		{"alg none", i.Unsigned(""), jwt.ErrMalformed},
		{"no client_id", without("client_id"), nil},
		{"no sub", without("sub"), nil},
		{"no jti", without("jti"), nil},
		{"no iat", without("iat"), nil},
		{"no exp", without("exp"), jwt.ErrMalformed},
		{"no iss", without("iss"), jwt.ErrIssuer},
		{"malformed scope", i.With(oauthtest.Claims{"scope": "a  b"}), nil},
		{"scope a list", i.With(oauthtest.Claims{"scope": []string{"a"}}), jwt.ErrMalformed},
		{"not yet", i.With(oauthtest.Claims{"nbf": c.Now().Add(6 * time.Second).Unix()}), jwt.ErrNotYet},
		{"revoked", i.RevokedToken(""), nil},
		{"too large", strings.Repeat("a", jwt.MaxSize+1), jwt.ErrTooLarge},
		{"nothing", "", jwt.ErrMalformed},
		{"hostile kid", hostileKid(t, i), jwt.ErrUnknownKey}, // D-43
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 2 { // a refusal is never remembered as anything else
				claims, err := v.Verify(t.Context(), "peer", tc.token)
				if !errors.Is(err, resourceserver.ErrToken) || (tc.want != nil && !errors.Is(err, tc.want)) {
					t.Errorf("%v, want %v", err, tc.want)
				}
				if claims.Issuer != "" || claims.HasScope() {
					t.Errorf("claims of a refused token: %+v", claims)
				}
			}
		})
	}
	if _, err := v.Verify(t.Context(), "peer", i.Token("")); err != nil {
		t.Errorf("a good one beside them: %v", err)
	}
}

// hostileKid signs with a key of the same issuer under an id that is a path.
func hostileKid(t *testing.T, i *oauthtest.Issuer) string {
	t.Helper()
	key, err := jwt.Generate(jwt.ES256, nil)
	if err != nil {
		t.Fatal(err)
	}
	key.ID = "../../etc/passwd' OR 1=1 --"
	s, err := jwt.NewSigner(key, "at+jwt")
	if err != nil {
		t.Fatal(err)
	}
	_, payload, err := jwt.Parse(i.Token(""))
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Sign(nil, payload)
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

// What can change after a token verified is judged at every call (DESIGN §4).
func TestJudgedAgainOnEveryHit(t *testing.T) { // D-48 D-57 D-58
	other := oauthtest.New(audience)
	t.Cleanup(other.Close)
	for _, tc := range []struct {
		name   string
		change func(i *oauthtest.Issuer, c *clock, s *keySource)
		want   error
	}{
		{"nothing", func(*oauthtest.Issuer, *clock, *keySource) {}, nil},
		{"expiry", func(_ *oauthtest.Issuer, c *clock, _ *keySource) { c.pass(oauthtest.Lifetime) }, jwt.ErrExpired},
		{"clock stepped back", func(_ *oauthtest.Issuer, c *clock, _ *keySource) { c.pass(-time.Minute) }, jwt.ErrNotYet},
		{"key withdrawn", func(i *oauthtest.Issuer, _ *clock, s *keySource) {
			i.Rotate()
			i.Withdraw()
			s.keys, _ = jwt.ParseJWKS(i.JWKS())
		}, resourceserver.ErrToken},
		{"another key under the id", func(i *oauthtest.Issuer, _ *clock, s *keySource) {
			h, _, _ := jwt.Parse(i.Token(""))
			key, _ := jwt.Generate(jwt.ES256, nil)
			key.ID = h.KeyID
			s.keys, _ = jwt.NewKeys(key.Public())
		}, resourceserver.ErrToken},
		{"keys unavailable", func(_ *oauthtest.Issuer, _ *clock, s *keySource) { s.err = errors.New("down") }, resourceserver.ErrUnavailable},
		{"revoked", nil, resourceserver.ErrToken},
	} {
		t.Run(tc.name, func(t *testing.T) {
			i, c := start(t)
			source := &keySource{keys: keysOf(t, i)}
			v := verifier(t, resourceserver.Config{Now: c.Now, Revocation: i,
				Issuers: []resourceserver.Issuer{{URL: i.URL, Audience: audience, Keys: source}}})
			token := i.Token("")
			if _, err := v.Verify(t.Context(), "peer", token); err != nil {
				t.Fatal(err)
			}
			if tc.change == nil {
				i.Revoke(token)
			} else {
				tc.change(i, c, source)
			}
			if _, err := v.Verify(t.Context(), "peer", token); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

// One cache under several verifiers: a token proved for one API is judged by the
// list of the other.
func TestSharedCache(t *testing.T) { // D-48 D-57
	i, c := start(t)
	cache := resourceserver.NewCache(64)
	with := func(issuer resourceserver.Issuer) *resourceserver.Verifier {
		return verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{issuer}, Cache: cache, Now: c.Now})
	}
	good := i.Trusted(c.Now)
	token := i.Token("")
	if _, err := with(good).Verify(t.Context(), "peer", token); err != nil {
		t.Fatal(err)
	}
	elsewhere, otherIssuer, otherType := good, good, good
	elsewhere.Audience, otherIssuer.URL, otherType.Type = "https://elsewhere.example", "https://as.example", "JWT"
	for want, issuer := range map[error]resourceserver.Issuer{
		jwt.ErrAudience: elsewhere, jwt.ErrIssuer: otherIssuer, jwt.ErrType: otherType} {
		if _, err := with(issuer).Verify(t.Context(), "peer", token); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if cache.Len() != 1 {
		t.Errorf("%d in the cache, want 1", cache.Len())
	}
}

// A symmetric key is refused, save in the process that holds it (D-42).
func TestSymmetricKeys(t *testing.T) {
	i, c := start(t)
	key, err := jwt.Generate(jwt.HS256, nil)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwt.NewSymmetricKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jwt.NewSigner(key, "at+jwt")
	if err != nil {
		t.Fatal(err)
	}
	_, payload, err := jwt.Parse(i.Token(""))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Sign(nil, payload)
	if err != nil {
		t.Fatal(err)
	}
	issuer := resourceserver.Issuer{URL: i.URL, Audience: audience, Keys: &keySource{keys: keys}}
	cache := resourceserver.NewCache(8)
	verify := func() error {
		v := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{issuer}, Cache: cache, Now: c.Now})
		_, err := v.Verify(t.Context(), "peer", string(token))
		return err
	}
	if err := verify(); !errors.Is(err, resourceserver.ErrToken) {
		t.Errorf("elsewhere: %v", err)
	}
	issuer.InProcess = inprocess.Permit()
	if err := verify(); err != nil {
		t.Errorf("in its own process: %v", err)
	}
	issuer.InProcess = inprocess.Permission{} // and out of the shared cache neither
	if err := verify(); !errors.Is(err, resourceserver.ErrToken) {
		t.Errorf("elsewhere, remembered: %v", err)
	}
	if _, err := resourceserver.NewStatic([]byte(`{"keys":[]}`)); err == nil {
		t.Error("a static set without keys was taken")
	}
}

func TestNewRefuses(t *testing.T) {
	good := resourceserver.Issuer{URL: "https://as.example", Audience: audience, Keys: &keySource{}}
	without := func(change func(*resourceserver.Issuer)) resourceserver.Config {
		i := good
		change(&i)
		return resourceserver.Config{Issuers: []resourceserver.Issuer{i}}
	}
	for name, c := range map[string]resourceserver.Config{
		"no issuer":   {},
		"no URL":      without(func(i *resourceserver.Issuer) { i.URL = "" }),
		"no audience": without(func(i *resourceserver.Issuer) { i.Audience = "" }),
		"no keys":     without(func(i *resourceserver.Issuer) { i.Keys = nil }),
		"twice":       {Issuers: []resourceserver.Issuer{good, good}},
		"realm":       {Issuers: []resourceserver.Issuer{good}, Realm: `a", error="`},
	} {
		if _, err := resourceserver.New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// A source that sends forgeries has a budget; others, and tokens that verified
// before, do not suffer.
func TestFailureBudget(t *testing.T) {
	i, c := start(t)
	v := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{i.Trusted(c.Now)}, Failures: 3, Now: c.Now})
	verify := func(source, token string) error {
		_, err := v.Verify(t.Context(), source, token)
		return err
	}
	known := i.Token("")
	if err := verify("192.0.2.1", known); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		want := jwt.ErrSignature
		if n >= 3 {
			want = resourceserver.ErrTooManyFailures
		}
		if err := verify("192.0.2.1", i.Foreign("")); !errors.Is(err, want) {
			t.Errorf("forgery %d: %v, want %v", n, err, want)
		}
	}
	if err := verify("192.0.2.1", known); err != nil {
		t.Errorf("known token: %v", err)
	}
	if err := verify("192.0.2.1", i.Token("")); !errors.Is(err, resourceserver.ErrTooManyFailures) {
		t.Errorf("new token of the same source: %v", err)
	}
	if err := verify("198.51.100.7", i.Token("")); err != nil {
		t.Errorf("new token of another source: %v", err)
	}
	c.pass(time.Minute)
	if err := verify("192.0.2.1", i.Token("")); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestPeer(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1:4711": "192.0.2.1", "[::ffff:192.0.2.1]:1": "192.0.2.1", "[2001:db8:1:2:3::4]:1": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1": "fe80::/64", "@": "@",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = in
		if got := resourceserver.Peer(r); got != want {
			t.Errorf("Peer(%s) = %s, want %s", in, got, want)
		}
	}
}
