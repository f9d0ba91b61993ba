package authserver_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/authserver"
	"github.com/postern-dev/postern/internal/clientauth"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/request"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

const (
	tenantID = "7c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a11"
	clientID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f10000001"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// node is a server over a real store: an issuer of each dialect at https://<dialect>.example.com, one
// below a prefix, one with HS256; and a client of rfc.
type node struct {
	*authserver.Server
	t      testing.TB
	db     *sqlite.DB
	vault  *keys.Vault
	secret oauth.Secret
	log    bytes.Buffer
	reg    *prometheus.Registry
	writer *audit.Writer

	mu  sync.Mutex
	now time.Time
}

func (n *node) clock() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *node) wait(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

func (n *node) check(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func newNode(t testing.TB) *node {
	t.Helper()
	n := &node{t: t, now: start, secret: secret.Generate(), reg: prometheus.NewRegistry()}
	ctx, dir := t.Context(), t.TempDir()
	var err error
	n.db, err = sqlite.Open(ctx, dir, sqlite.Options{Now: n.clock})
	n.check(err)
	master, err := seal.NewMaster(filepath.Join(dir, "master.key"))
	n.check(err)
	n.vault, err = keys.OpenVault(ctx, n.db, master, start)
	n.check(err)
	for _, name := range dialect.Builtin().Names() {
		n.issuer(domain.Issuer{Name: name, URL: "https://" + name + ".example.com", Dialect: name})
	}
	n.issuer(domain.Issuer{Name: "below", URL: "https://rfc.example.com/below", Hosts: []string{"alt.example.com"}, Scopes: oauth.Scope{"a", "b"}})
	n.issuer(domain.Issuer{Name: "hmac", URL: "https://hmac.example.com", Dialect: "arbitex", Algorithm: "HS256"})
	n.put(domain.Tenant{ID: tenantID, Label: "One", Hosts: map[string][]string{"bipsync": {"one-api.example.com"}}})
	n.put(domain.Client{
		Issuer: "rfc", ID: clientID, Name: "c", Tenant: tenantID, Status: domain.Enabled, Epoch: 3, Tier: "standard",
		Scopes: oauth.Scope{"a"}, Audiences: []string{"urn:api"},
		Secrets: []domain.Secret{{ID: "s1", Hash: n.vault.Peppers.Hash("rfc", clientID, "s1", n.secret)}},
	})
	log := slog.New(slog.NewJSONHandler(&n.log, nil))
	snap, err := snapshot.Open(ctx, snapshot.Config{
		Store: n.db, Vault: n.vault, Dialects: dialect.Builtin(), Clients: 100, MaxStaleness: time.Minute, Local: n.clock, Log: log,
	})
	n.check(err)
	n.writer, err = audit.Start(ctx, audit.Options{Node: "n", Mode: audit.Group, Activity: n.db, Marks: n.db, Log: log, Now: n.clock})
	n.check(err)
	t.Cleanup(func() {
		_ = n.writer.Close(t.Context()) // closed already by some tests
		n.check(n.db.Close())
	})
	auth := clientauth.New(clientauth.Config{
		Clients: snap, Peppers: n.vault.Peppers, Gate: secret.NewGate(), Guesses: ratelimit.NewGuesses(n.clock), Failures: ratelimit.NewFailures(n.clock), Now: n.clock,
	})
	n.Server = &authserver.Server{
		Snapshot: snap, Clients: auth, Activity: n.writer, Log: log, Metrics: authserver.NewMetrics(n.reg), JWKSMaxAge: 10 * time.Minute,
		Trusted: request.NewProxies(netip.MustParsePrefix("10.0.0.0/8")),
	}
	return n
}

func (n *node) issuer(i domain.Issuer) {
	n.t.Helper()
	i.Defaults()
	n.put(i)
	for _, purpose := range domain.Purposes() {
		k, err := keys.MakeFor(purpose, &i, n.vault.Ring, start, start)
		n.check(err)
		n.put(k)
	}
}

func (n *node) put(v any) {
	n.t.Helper()
	_, err := n.db.Change(n.t.Context(), domain.System, func(t domain.Tables) ([]domain.Change, error) {
		switch v := v.(type) {
		case domain.Issuer:
			_, err := t.Issuers.Put(n.t.Context(), v, v.Version)
			return []domain.Change{{Kind: v.Kind(), Key: v.Key(), Action: "x"}}, err
		case domain.Tenant:
			_, err := t.Tenants.Put(n.t.Context(), v, v.Version)
			return []domain.Change{{Kind: v.Kind(), Key: v.Key(), Action: "x"}}, err
		case domain.Client:
			_, err := t.Clients.Put(n.t.Context(), v, v.Version)
			return []domain.Change{{Kind: v.Kind(), Key: v.Key(), Action: "x"}}, err
		case domain.Key:
			_, err := t.Keys.Put(n.t.Context(), v, v.Version)
			return []domain.Change{{Kind: v.Kind(), Key: v.Key(), Action: "x"}}, err
		}
		n.t.Fatalf("no table for %T", v)
		return nil, nil
	})
	n.check(err)
}

func (n *node) ask(method, url string, body io.Reader, header ...string) *http.Response {
	n.t.Helper()
	r := httptest.NewRequest(method, url, body)
	r.RemoteAddr = "10.0.0.1:4711"
	r.Header.Set("X-Forwarded-For", "192.0.2.7")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	n.ServeHTTP(w, r)
	return w.Result()
}

// token asks for a token of rfc.
func (n *node) token(extra string) *http.Response {
	n.t.Helper()
	body := "grant_type=client_credentials&client_id=" + clientID + "&client_secret=" + string(n.secret) + extra
	return n.ask(http.MethodPost, "https://rfc.example.com/oauth2/token", strings.NewReader(body), "Content-Type", "application/x-www-form-urlencoded")
}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// RFC 8414: true for each issuer, or 404.
func TestMetadata(t *testing.T) {
	n := newNode(t)
	post := []string{"client_secret_post"}
	either := []string{"client_secret_basic", "client_secret_post"}
	for _, c := range []struct {
		name, url, issuer, path string
		methods                 []string // nil: 404
	}{
		{"rfc", "https://rfc.example.com/.well-known/oauth-authorization-server", "https://rfc.example.com", "/oauth2/token", either},
		{"arbitex", "https://arbitex.example.com/.well-known/oauth-authorization-server", "https://arbitex.example.com", "/api/oauth/token", either},
		{"trialbee", "https://trialbee.example.com/.well-known/oauth-authorization-server", "https://trialbee.example.com", "/oauth2/token", post},
		{"bipsync", "https://bipsync.example.com/.well-known/oauth-authorization-server", "https://bipsync.example.com", "/v1/oauth/token", post},
		{"omnilab takes JSON only", "https://omnilab.example.com/.well-known/oauth-authorization-server", "", "", nil},
		{"vibes wants credentials twice", "https://vibes.example.com/.well-known/oauth-authorization-server", "", "", nil},
		{"RFC 8414 §3.1 between host and prefix", "https://rfc.example.com/.well-known/oauth-authorization-server/below", "https://rfc.example.com/below", "/oauth2/token", either},
		{"below the prefix", "https://rfc.example.com/below/.well-known/oauth-authorization-server", "https://rfc.example.com/below", "/oauth2/token", either},
		{"RFC 8414 §3.3 at another host than the issuer's", "https://alt.example.com/below/.well-known/oauth-authorization-server", "", "", nil},
		{"BIP-01 at a tenant's host", "https://one-api.example.com/.well-known/oauth-authorization-server", "", "", nil},
		{"the port of https", "https://rfc.example.com:443/.well-known/oauth-authorization-server", "https://rfc.example.com", "/oauth2/token", either},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := n.ask(http.MethodGet, c.url, nil)
			body := text(t, r)
			if c.methods == nil {
				if r.StatusCode != http.StatusNotFound || !strings.Contains(body, `"error_description":"RFC 8414 metadata cannot describe this issuer`) {
					t.Errorf("%d %s", r.StatusCode, body)
				}
				return
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(body), &got); err != nil || r.StatusCode != http.StatusOK {
				t.Fatalf("%d %s: %v", r.StatusCode, body, err)
			}
			var methods []any
			for _, m := range c.methods {
				methods = append(methods, m)
			}
			want := map[string]any{
				"issuer": c.issuer, "token_endpoint": c.issuer + c.path, "jwks_uri": c.issuer + "/.well-known/jwks.json",
				"response_types_supported": []any{}, "grant_types_supported": []any{"client_credentials"}, "token_endpoint_auth_methods_supported": methods,
			}
			if strings.HasSuffix(c.issuer, "/below") {
				want["scopes_supported"] = []any{"a", "b"}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// What it says is there: the token endpoint answers, and the key set.
			if r := n.ask(http.MethodPost, got["token_endpoint"].(string), nil); r.StatusCode == http.StatusNotFound {
				t.Error("the token endpoint is not there")
			}
			if r := n.ask(http.MethodGet, got["jwks_uri"].(string), nil); r.StatusCode != http.StatusOK {
				t.Errorf("the key set answers %d", r.StatusCode)
			}
		})
	}
	r := n.ask(http.MethodGet, "https://hmac.example.com/.well-known/oauth-authorization-server", nil)
	if body := text(t, r); r.StatusCode != http.StatusOK || strings.Contains(body, "jwks_uri") { // RULES: HS256 has none
		t.Errorf("HS256: %d %s", r.StatusCode, body)
	}
}

// RULES "Keys and tokens": each purpose has its own key set; below the prefix, as all of the
// issuer, and with HS256 too, where no key for access tokens is published.
func TestKeySets(t *testing.T) {
	n := newNode(t)
	kids := map[string]string{}
	for _, at := range []string{"https://rfc.example.com", "https://rfc.example.com/below", "https://hmac.example.com"} {
		for _, path := range []string{"/.well-known/jwks.json", "/.well-known/postern-identity-jwks.json"} {
			var set struct {
				Keys []struct{ KID, Alg, D, K string }
			}
			r := n.ask(http.MethodGet, at+path, nil)
			if err := json.Unmarshal([]byte(text(t, r)), &set); err != nil || r.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d, %v", at+path, r.StatusCode, err)
			}
			if hidden := at == "https://hmac.example.com" && path == "/.well-known/jwks.json"; hidden != (len(set.Keys) == 0) || len(set.Keys) > 1 {
				t.Errorf("%s: %+v", at+path, set)
			}
			for _, k := range set.Keys {
				if kids[k.KID] != "" || k.D != "" || k.K != "" || strings.Contains(path, "identity") && k.Alg != "ES256" {
					t.Errorf("%s holds %+v, which is in %q", at+path, k, kids[k.KID])
				}
				kids[k.KID] = at + path
			}
		}
	}
}

func TestDocuments(t *testing.T) {
	n := newNode(t)
	for _, path := range []string{"/.well-known/jwks.json", "/.well-known/postern-identity-jwks.json", "/.well-known/oauth-authorization-server"} {
		r := n.ask(http.MethodGet, "https://rfc.example.com"+path, nil, "Origin", "https://evil.example")
		body := text(t, r)
		for name, want := range map[string]string{
			"Content-Type": "application/json", "Cache-Control": "public, max-age=600", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if r.StatusCode != http.StatusOK || !json.Valid([]byte(body)) || int64(len(body)) != r.ContentLength {
			t.Errorf("%s: %d, %d bytes of %d", path, r.StatusCode, len(body), r.ContentLength)
		}
		if r := n.ask(http.MethodHead, "https://rfc.example.com"+path, nil); r.StatusCode != http.StatusOK || r.ContentLength != int64(len(body)) {
			t.Errorf("HEAD %s: %d, %d bytes", path, r.StatusCode, r.ContentLength)
		}
		for _, method := range []string{http.MethodPost, http.MethodOptions, http.MethodPut, http.MethodDelete, "get"} {
			r := n.ask(method, "https://rfc.example.com"+path, nil)
			if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" || r.Header.Get("Cache-Control") != "" || r.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s: %d %v", method, path, r.StatusCode, r.Header)
			}
		}
	}
}

// COM-01: POST only, in every dialect; no CORS header on a token endpoint, whatever is asked (OMN-07).
func TestTokenMethods(t *testing.T) {
	n := newNode(t)
	for _, name := range dialect.Builtin().Names() {
		d, _ := dialect.Builtin().Get(name)
		url := "https://" + name + ".example.com" + d.Wire.Path
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodOptions, http.MethodDelete, "post"} {
			r := n.ask(method, url, nil, "Origin", "https://evil.example", "Access-Control-Request-Method", "POST")
			if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "POST" || r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %d %v", method, url, r.StatusCode, r.Header)
			}
			for h := range r.Header {
				if strings.HasPrefix(h, "Access-Control-") {
					t.Errorf("%s %s: %s", method, url, h)
				}
			}
		}
	}
}

// D-20: what is not served here, and what is not served at all.
func TestNotFound(t *testing.T) {
	n := newNode(t)
	for _, c := range []struct {
		url    string
		status int
		want   string
	}{
		{"https://rfc.example.com/", 404, `{"error":"invalid_request","error_description":"nothing is served at this path; check the path of the URL"}`},
		{"https://rfc.example.com/oauth2/token/", 404, `{"error":"invalid_request","error_description":"nothing is served at this path; check the path of the URL"}`},
		{"https://rfc.example.com/OAUTH2/token", 404, `{"error":"invalid_request","error_description":"nothing is served at this path; check the path of the URL"}`},
		{"https://rfc.example.com/api/oauth/token", 404, `{"error":"invalid_request","error_description":"nothing is served at this path; check the path of the URL"}`},
		{"https://rfc.example.com.evil.example/oauth2/token", 421, `{"error":"invalid_request","error_description":"no issuer is served at this host; check the host of the URL"}`},
		{"https://rfc.example.com./oauth2/token", 421, `{"error":"invalid_request","error_description":"no issuer is served at this host; check the host of the URL"}`},
	} {
		r := n.ask(http.MethodPost, c.url, nil, "X-Forwarded-Host", "rfc.example.com")
		if got := text(t, r); r.StatusCode != c.status || got != c.want || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %d %s %v", c.url, r.StatusCode, got, r.Header)
		}
	}
}
