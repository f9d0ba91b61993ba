package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/token"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// shown is a town whose API asks for identity tokens, and is a resource server itself.
type shown struct {
	*town
	client *client
	api    *resourceserver.Verifier // believes the gateway
}

func newShown(t *testing.T) *shown {
	n := newTown(t)
	issuer, _ := n.snap.View().Issuer("main")
	key, err := keys.MakeFor(domain.PurposeIdentity, &issuer.Issuer, n.snap.Vault.Ring, start, start)
	n.check(err)
	put(n, key)
	n.editAPI(func(a *domain.API) { a.IdentityToken = true })
	issuer, _ = n.snap.View().Issuer("main")
	set, err := resourceserver.NewStatic(issuer.IdentityJWKS(start))
	n.check(err)
	api, err := resourceserver.New(resourceserver.Config{Token: resourceserver.IdentityToken, Now: func() time.Time { return n.gateway.Now() },
		Issuers: []resourceserver.Issuer{{URL: issuer.URL, Audience: "urn:reports", Type: resourceserver.IdentityType, Keys: set}}})
	n.check(err)
	return &shown{town: n, client: n.dial(), api: api}
}

func (n *town) editAPI(edit func(*domain.API)) {
	n.t.Helper()
	_, err := n.store.Change(context.Background(), "local:1", func(t domain.Tables) ([]domain.Change, error) {
		a, err := t.APIs.Get(context.Background(), "reports")
		if err != nil {
			return nil, err
		}
		edit(&a)
		_, err = t.APIs.Put(context.Background(), a, a.Version)
		return []domain.Change{{Kind: a.Kind(), Key: a.Key(), Action: "test.change"}}, err
	})
	n.check(err)
}

// call makes a call that passes, and returns the last request that the upstream got.
func (s *shown) call(bearer, more string) map[string][]string {
	s.t.Helper()
	s.client.send("GET /v1/me HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer " + bearer + "\n" + more + "\n")
	s.client.want(200, "ok")
	all := s.upstream.text()
	_, got := fields(all[strings.LastIndex(all, "GET /base/me"):])
	return got
}

// judge is what the API behind makes of a header, the claims where it is good.
func (s *shown) judge(values []string) (resourceserver.Claims, error) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header["X-Postern-Identity"] = values
	text, err := resourceserver.IdentityToken(r)
	if err != nil {
		return resourceserver.Claims{}, err
	}
	return s.api.Verify(s.t.Context(), "gateway", text)
}

// RULES "Keys and tokens", D-47: an upstream verifies whose call it gets; that token is no
// access token, and no access token is that.
func TestIdentityToken(t *testing.T) {
	s := newShown(t)
	bearer := s.token("c1")
	got := s.call(bearer, "X-Postern-Identity: forged\nX_Postern_Identity: forged\nConnection: X-Postern-Identity\n")
	claims, err := s.judge(got["X-Postern-Identity"])
	s.check(err)
	tenant, _ := claims.Text("tenant_id")
	if claims.ClientID != "c1" || claims.Subject != "c1" || tenant != tenantID || !claims.HasScope("read") || claims.HasScope("write") ||
		claims.Expires.Sub(claims.IssuedAt) != time.Minute || claims.ID != got["X-Request-Id"][0] || len(claims.Audience()) != 1 ||
		!strings.Contains(string(claims.Raw()), `"resources":{"study":{"ids":["s1"]}}`) {
		t.Errorf("%s", claims.Raw())
	}
	identity := got["X-Postern-Identity"][0]
	if strings.Contains(s.upstream.text(), "forged") || got["Authorization"] != nil {
		t.Errorf("sent %v", got)
	}
	if _, err := s.judge([]string{bearer}); err == nil {
		t.Error("an access token tells an upstream who calls")
	}
	s.client.send("GET /v1/me HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer " + identity + "\n\n")
	if res := s.client.want(401, ""); !strings.Contains(res.Header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("an identity token as an access token: %v", res.Header)
	}
	s.editAPI(func(a *domain.API) { a.IdentityToken = false })
	if got := s.call(bearer, "X-Postern-Identity: forged\n"); got["X-Postern-Identity"] != nil {
		t.Errorf("where nobody asks for it: %v", got)
	}
}

// One token serves what says the same for half a minute; whatever changes is in the next.
func TestIdentityTokenIsReused(t *testing.T) {
	s := newShown(t)
	now := start
	s.gateway.Now = func() time.Time { return now }
	one, two := s.token("c1"), s.token("c2")
	sent := func(bearer string) string {
		t.Helper()
		got := s.call(bearer, "")["X-Postern-Identity"]
		if _, err := s.judge(got); err != nil {
			t.Error(err)
		}
		return got[0]
	}
	first, other := sent(one), sent(two)
	if first == other {
		t.Fatal("two clients are one")
	}
	if sent(s.token("c1")) != first || sent(two) != other {
		t.Error("signed again at once")
	}
	now = now.Add(token.IdentityLife/2 - 1)
	if sent(one) != first {
		t.Error("signed again within half a minute")
	}
	now = now.Add(1)
	second := sent(one)
	if second == first {
		t.Error("not signed again after half a minute")
	}
	s.update("c1", func(c *domain.Client) { c.ResourceScope = policy.ResourceScope{"study": {IDs: []string{"s2"}}} })
	third := sent(one)
	if claims, err := s.judge([]string{third}); err != nil || !strings.Contains(string(claims.Raw()), `["s2"]`) {
		t.Errorf("after a change: %s, %v", claims.Raw(), err)
	}
	now = start.Add(10 * time.Second) // the clock was set back: what was made later is not good yet
	if sent(one) == third {
		t.Error("a token of the future is sent")
	}
}

// Without a key for it no call goes anywhere, and none goes without its token.
func TestIdentityTokenWithoutAKey(t *testing.T) {
	n := newTown(t)
	n.editAPI(func(a *domain.API) { a.IdentityToken = true })
	c := n.dial()
	c.send("GET /v1/me HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer " + n.token("c1") + "\n\n")
	if res := c.want(503, ""); res.Header.Get("Retry-After") == "" || n.upstream.text() != "" {
		t.Errorf("%v, the upstream got %q", res.Header, n.upstream.text())
	}
}
