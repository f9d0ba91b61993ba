package snapshot_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/jwt"
)

const (
	tenant1 = "11111111-54d5-4f0c-9a36-0d6f3e1b8a11"
	tenant2 = "22222222-54d5-4f0c-9a36-0d6f3e1b8a11"
)

func town(t testing.TB) *world {
	w := newWorld(t)
	w.issuer("root", "arbitex", "https://auth.example.com", "")
	w.issuer("a", "rfc", "https://auth.example.com/a", "")
	w.issuer("ab", "rfc", "https://auth.example.com/a/b", "")
	w.issuer("alone", "trialbee", "https://alone.example.com/x:y", "", "alt.example.com:8443")
	w.issuer("omni", "omnilab", "https://omni.example.com", "")
	w.issuer("bip", "bipsync", "https://bip.example.com", "")
	w.issuer("dev", "vibes", "http://localhost:8083", "")
	put(t, w.db, tenants, domain.Tenant{ID: tenant1, Label: "One", Hosts: map[string][]string{"bip": {"One-api.example.com", "bip.example.com"}}}, 0)
	put(t, w.db, tenants, domain.Tenant{ID: tenant2, Label: "Two", Hosts: map[string][]string{"bip": {"two-api.example.com:443"}, "gone": {"gone.example.com"}}}, 0)
	return w
}

func TestFind(t *testing.T) {
	w := town(t)
	v := w.open(w.db).View()
	for _, c := range []struct {
		name, host, path     string
		issuer, tenant, rest string
		known                bool
	}{
		{"the root", "auth.example.com", "/api/oauth/token", "root", "", "/api/oauth/token", true},
		{"a prefix", "auth.example.com", "/a/oauth2/token", "a", "", "/oauth2/token", true},
		{"the longest prefix", "auth.example.com", "/a/b/oauth2/token", "ab", "", "/oauth2/token", true},
		{"a prefix ends at a segment", "auth.example.com", "/ab/oauth2/token", "root", "", "/ab/oauth2/token", true},
		{"a prefix ends at a segment, the longer one too", "auth.example.com", "/a/bc", "a", "", "/bc", true},
		{"a prefix alone is nothing below it", "auth.example.com", "/a", "root", "", "/a", true},
		{"a prefix and a slash", "auth.example.com", "/a/", "a", "", "/", true},
		{"D-60 another case is another path", "auth.example.com", "/A/oauth2/token", "root", "", "/A/oauth2/token", true},
		{"D-60 dots are not walked", "auth.example.com", "/a/../b/token", "a", "", "/../b/token", true},
		{"D-60 escaped dots neither", "auth.example.com", "/a/%2e%2E/b", "a", "", "/../b", true},
		{"D-60 an escaped slash stays", "auth.example.com", "/a%2Fb/token", "root", "", "/a%2Fb/token", true},
		{"D-60 two slashes are not one", "auth.example.com", "//a/token", "root", "", "//a/token", true},
		{"an escape of what needs none", "auth.example.com", "/%61/%6fauth2/token", "a", "", "/oauth2/token", true},
		{"what is no escape stays", "auth.example.com", "/%\x16\x11/x", "root", "", "/%\x16\x11/x", true},
		{"an escape is decoded once", "auth.example.com", "/%2561", "root", "", "/%2561", true},
		{"OMN-01 a colon", "omni.example.com", "/v1/oauth:token", "omni", "", "/v1/oauth:token", true},
		{"OMN-01 an escaped colon", "omni.example.com", "/v1/oauth%3Atoken", "omni", "", "/v1/oauth:token", true},
		{"OMN-01 an escaped colon, lower case", "omni.example.com", "/v1/oauth%3atoken", "omni", "", "/v1/oauth:token", true},
		{"a colon in a prefix", "alone.example.com", "/x%3Ay/oauth2/token", "alone", "", "/oauth2/token", true},
		{"RFC 8414 §3.1 between host and prefix", "auth.example.com", "/.well-known/oauth-authorization-server/a/b", "ab", "", "/.well-known/oauth-authorization-server", true},
		{"RFC 8414 §3.1 at the root", "auth.example.com", "/.well-known/oauth-authorization-server", "root", "", "/.well-known/oauth-authorization-server", true},
		{"RFC 8414 metadata below the prefix", "auth.example.com", "/a/.well-known/oauth-authorization-server", "a", "", "/.well-known/oauth-authorization-server", true},
		{"RFC 8414 metadata of nobody", "alone.example.com", "/.well-known/oauth-authorization-server", "", "", "", true},
		{"RFC 8414 metadata, and more", "alone.example.com", "/.well-known/oauth-authorization-server/x:y/z", "", "", "", true},
		{"nothing below another prefix", "alone.example.com", "/oauth2/token", "", "", "", true},
		{"a further host", "alt.example.com:8443", "/x:y/oauth2/token", "alone", "", "/oauth2/token", true},
		{"D-20 a further host at another port", "alt.example.com", "/x:y/oauth2/token", "", "", "", false},
		{"D-20 upper case", "AUTH.Example.Com", "/a/t", "a", "", "/t", true},
		{"D-20 the port of https", "auth.example.com:443", "/a/t", "a", "", "/t", true},
		{"D-20 another port", "auth.example.com:8443", "/a/t", "", "", "", false},
		{"D-20 a trailing dot", "auth.example.com.", "/a/t", "", "", "", false},
		{"D-20 a host that ends alike", "evil-auth.example.com", "/a/t", "", "", "", false},
		{"D-20 a host that begins alike", "one-api.example.com.attacker", "/v1/oauth/token", "", "", "", false},
		{"D-20 no host", "", "/a/t", "", "", "", false},
		{"a port of dev", "localhost:8083", "/oauth2/token", "dev", "", "/oauth2/token", true},
		{"D-20 a neighbour's port", "localhost:8084", "/oauth2/token", "", "", "", false},
		{"BIP-01 a tenant's host", "one-api.example.com", "/v1/oauth/token", "bip", tenant1, "/v1/oauth/token", true},
		{"BIP-01 another tenant's host", "two-api.example.com", "/v1/oauth/token", "bip", tenant2, "/v1/oauth/token", true},
		{"BIP-01 a host of the issuer that a tenant claims", "bip.example.com", "/v1/oauth/token", "bip", tenant1, "/v1/oauth/token", true},
		{"D-20 a tenant nobody configured", "three-api.example.com", "/v1/oauth/token", "", "", "", false},
		{"a host at an issuer that is not there", "gone.example.com", "/v1/oauth/token", "", "", "", false},
		{"OPTIONS *", "auth.example.com", "*", "", "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, found, known := v.Find(c.host, c.path)
			if found != (c.issuer != "") || known != c.known {
				t.Fatalf("found %v, known %v", found, known)
			}
			if found && (p.Issuer.Name != c.issuer || p.Tenant != c.tenant || p.Rest != c.rest || p.View != v) {
				t.Errorf("issuer %s, tenant %q, rest %s", p.Issuer.Name, p.Tenant, p.Rest)
			}
		})
	}
}

// D-20: as a request on the wire: an absolute form names the host, forwarded headers never do.
func TestFindRequest(t *testing.T) {
	w := town(t)
	v := w.open(w.db).View()
	for name, want := range map[string]string{
		"POST /v1/oauth/token HTTP/1.1\r\nHost: one-api.example.com\r\nX-Forwarded-Host: two-api.example.com\r\nForwarded: host=two-api.example.com\r\n\r\n": tenant1,
		"POST https://two-api.example.com/v1/oauth/token HTTP/1.1\r\nHost: one-api.example.com\r\n\r\n":                                                      tenant2,
	} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(name)))
		if err != nil {
			t.Fatal(err)
		}
		if p, found, _ := v.Find(r.Host, r.URL.EscapedPath()); !found || p.Tenant != want {
			t.Errorf("%s: tenant %q", name, p.Tenant)
		}
	}
}

func FuzzFind(f *testing.F) {
	w := town(f)
	v := w.open(w.db).View()
	for _, path := range []string{"/a/oauth2/token", "/v1/oauth%3Atoken", "/%", "/%2", "/%zz", "/a%2fb", "*", ""} {
		f.Add("auth.example.com", path)
	}
	f.Fuzz(func(t *testing.T, host, path string) {
		p, found, known := v.Find(host, path)
		if found && !known || found && !strings.HasPrefix(p.Rest, "/") {
			t.Errorf("%q %q: rest %q", host, path, p.Rest)
		}
		if !found {
			return
		}
		// Decoded, the path is what was asked for: nothing else is added or taken away.
		was, err := url.PathUnescape(path)
		if err != nil {
			return
		}
		is, err := url.PathUnescape(p.Issuer.Prefix() + p.Rest)
		wellKnown := strings.HasPrefix(p.Rest, "/.well-known/oauth-authorization-server")
		if err != nil || is != was && !wellKnown {
			t.Errorf("%q became %q, %v", was, is, err)
		}
	})
}

func TestView(t *testing.T) {
	w := town(t)
	v := w.open(w.db).View()
	var names []string
	for _, i := range v.Issuers() {
		names = append(names, i.Name)
	}
	if got := strings.Join(names, " "); got != "a ab alone bip dev omni root" {
		t.Errorf("issuers %s", got)
	}
	if i, ok := v.Issuer("ab"); !ok || i.Prefix() != "/a/b" || i.Dialect.Name != "rfc" {
		t.Errorf("got %+v", i)
	}
	if _, ok := v.Issuer("none"); ok {
		t.Error("an issuer that is not there")
	}
	p, _, _ := v.Find("auth.example.com", "/a/x")
	if n := p.TenantOf(&domain.Client{Tenant: tenant2}); n == nil || n.Label != "Two" {
		t.Errorf("tenant %+v", n)
	}
	if n := p.TenantOf(&domain.Client{PlatformWide: true}); n != nil {
		t.Errorf("a platform-wide client is of tenant %s", n.Label)
	}
	if n := p.TenantOf(&domain.Client{Tenant: "none"}); n != nil {
		t.Errorf("tenant %s", n.Label)
	}
}

// A rotation as it is seen from outside: published first, signing later, gone at the end.
func TestJWKS(t *testing.T) {
	w := newWorld(t)
	i := w.issuer("main", "rfc", "https://auth.example.com", "ES256")
	list, err := w.db.Read().Keys.List(t.Context(), domain.Page{})
	w.check(err)
	first := list[0]
	changed, _, err := keys.Rotate(&i, list, w.vault.Ring, start, keys.RotateOptions{})
	w.check(err)
	for _, k := range changed {
		put(t, w.db, keyRows, k, k.Version)
	}
	checkpoint := changed[0]
	checkpoint.ID, checkpoint.Purpose = "checkpoint", domain.Purpose("checkpoint")
	put(t, w.db, keyRows, checkpoint, 0)

	issuer, _ := w.open(w.db).View().Issuer("main")
	for _, c := range []struct {
		at      time.Duration
		signs   string
		verify1 bool
		verify2 bool
	}{
		{-time.Second, "", false, false},
		{0, first.ID, true, true},
		{keys.Lead, changed[0].ID, true, true},
		{keys.Lead + keys.Overlap, changed[0].ID, false, true},
	} {
		at := start.Add(c.at)
		if s := issuer.Signer(at); s == nil && c.signs != "" || s != nil && s.Key().ID != c.signs {
			t.Errorf("after %s: signs with %v", c.at, s)
		}
		body := issuer.JWKS(at)
		set, err := jwt.ParseJWKS(body)
		if err != nil || !json.Valid(body) {
			t.Fatalf("after %s: %s: %v", c.at, body, err)
		}
		_, has1 := set.Algorithm(first.ID)
		_, has2 := set.Algorithm(changed[0].ID)
		_, hasOther := set.Algorithm("checkpoint")
		if has1 != c.verify1 || has2 != c.verify2 || hasOther {
			t.Errorf("after %s: %s", c.at, body)
		}
		if strings.Contains(string(body), `"d"`) {
			t.Errorf("the private half is published: %s", body)
		}
	}
}

// BIP-07, D-42: of a symmetric key nothing is published.
func TestSymmetricJWKS(t *testing.T) {
	w := newWorld(t)
	i := w.issuer("main", "arbitex", "https://auth.example.com", "HS256")
	next, err := keys.Make(&i, w.vault.Ring, start, start.Add(keys.Lead))
	w.check(err)
	put(t, w.db, keyRows, next, 0)
	issuer, _ := w.open(w.db).View().Issuer("main")
	if s := issuer.Signer(start); s == nil || s.Key().Algorithm != jwt.HS256 {
		t.Fatalf("signs with %v", s)
	}
	if got := string(issuer.JWKS(start)); got != `{"keys":[]}` {
		t.Errorf("published %s", got)
	}
}

// A key that only verifies is published, and never opened.
func TestVerifyOnly(t *testing.T) {
	w := newWorld(t)
	i := w.issuer("main", "rfc", "https://auth.example.com", "ES256")
	k, err := keys.Make(&i, w.vault.Ring, start, start)
	w.check(err)
	k.VerifyOnly, k.Sealed = true, []byte("broken")
	put(t, w.db, keyRows, k, 0)
	issuer, _ := w.open(w.db).View().Issuer("main")
	if s := issuer.Signer(start); s == nil || s.Key().ID == k.ID {
		t.Errorf("signs with %v", s)
	}
	if !strings.Contains(string(issuer.JWKS(start)), k.ID) {
		t.Error("is not published")
	}
}
