package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/server"
	"github.com/postern-dev/postern/internal/signin"
	"github.com/postern-dev/postern/oauth"
)

// node is one that serves tokens and the admin API over TCP, and what a caller of it needs.
type node struct {
	*server.Node
	t    *testing.T
	base string
	link signin.Link
}

func serve(t *testing.T, change ...func(*config.Config)) *node {
	t.Helper()
	dir := t.TempDir()
	c := config.Default()
	c.Data, c.MasterKeyFile = dir, filepath.Join(dir, "master.key")
	c.Listeners = []config.Listener{{Address: "127.0.0.1:0", Surfaces: []config.Surface{config.Token, config.Admin}}}
	for _, f := range change {
		f(c)
	}
	if _, err := seal.NewMaster(c.MasterKeyFile); err != nil {
		t.Fatal(err)
	}
	opened, err := server.Open(t.Context(), server.Options{Config: c, Stamp: server.Serve, Log: t.Output(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	link, ok, err := opened.Bootstrap(t.Context())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	listening, err := opened.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- listening.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := opened.Close(context.Background()); err != nil { //nolint:usetesting // that of the test has ended
			t.Error(err)
		}
	})
	return &node{opened, t, "http://" + listening.Addresses()[0].String(), link}
}

// call sends JSON, and returns the status, the cookies and the answer.
func (n *node) call(method, path string, header map[string]string, in any) (status int, cookies []*http.Cookie, out map[string]any) {
	n.t.Helper()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			n.t.Fatal(err)
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(n.t.Context(), method, n.base+path, body)
	if err != nil {
		n.t.Fatal(err)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err == nil && len(data) > 0 {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		n.t.Fatalf("%s %s: %d %s: %v", method, path, answer.StatusCode, data, err)
	}
	return answer.StatusCode, answer.Cookies(), out
}

// whoami is the status, and the role that a credential has.
func (n *node) whoami(header, value string) (status int, role any) {
	n.t.Helper()
	status, _, out := n.call(http.MethodGet, "/api/admin/whoami", map[string]string{header: value}, nil)
	return status, out["role"]
}

// Who has shown no credential cannot make the server read, and keep in memory, as much as one who has.
func TestALargeRequestOfNobody(t *testing.T) {
	n := serve(t)
	large := strings.Repeat("x", 1<<17)
	for path, in := range map[string]any{
		"/api/admin/session": signin.NamePassword{Name: large, Password: "tall grass by the river"},
		"/api/admin/accept":  signin.Acceptance{Token: n.link.Token, Name: large, Password: "tall grass by the river"},
		"/api/admin/apply":   map[string]string{"set": large},
	} {
		want := http.StatusRequestEntityTooLarge
		if path == "/api/admin/apply" {
			want = http.StatusUnauthorized
		}
		if status, _, out := n.call(http.MethodPost, path, nil, in); status != want {
			t.Errorf("%s: %d %.200v", path, status, out)
		}
	}
}

// Whoever may do less than before is not answered again what they were answered then (D-102).
func TestNoReplayAfterAnotherRole(t *testing.T) {
	n := serve(t)
	const password = "tall grass by the river"
	accept := func(token any, name string) {
		if status, _, out := n.call(http.MethodPost, "/api/admin/accept", nil, map[string]any{"token": token, "name": name, "password": password}); status != http.StatusOK {
			t.Fatal(status, out)
		}
	}
	signIn := func(name string) map[string]string {
		status, cookies, out := n.call(http.MethodPost, "/api/admin/session", nil, signin.NamePassword{Name: name, Password: password})
		if status != http.StatusOK {
			t.Fatal(status, out)
		}
		return map[string]string{"Cookie": cookies[0].Name + "=" + cookies[0].Value, "Origin": n.base, "Idempotency-Key": "k"}
	}
	accept(string(n.link.Token), "ann@example.com")
	ann := signIn("ann@example.com")
	everywhere := func(name string) map[string]any {
		return map[string]any{"name": name, "role": domain.PlatformAdmin, "all_tenants": true, "all_issuers": true}
	}
	_, _, ben := n.call(http.MethodPost, "/api/admin/people", ann, everywhere("ben@example.com"))
	path := "/api/admin/people/" + ben["id"].(string)
	_, _, link := n.call(http.MethodPost, path+"/invite", ann, nil)
	accept(link["link"], "ben@example.com")
	if status, _, out := n.call(http.MethodPost, "/api/admin/people", signIn("ben@example.com"), everywhere("cy@example.com")); status != http.StatusCreated {
		t.Fatal(status, out)
	}
	if status, _, out := n.call(http.MethodPatch, path, ann, map[string]any{"role": domain.Auditor}); status != http.StatusOK {
		t.Fatal(status, out)
	}
	status, _, out := n.call(http.MethodPost, "/api/admin/people", signIn("ben@example.com"), everywhere("cy@example.com"))
	if status != http.StatusUnprocessableEntity || out["id"] != nil {
		t.Errorf("an auditor is answered %d %v", status, out)
	}
}

// D-99, D-98: from an empty directory to a session of the first administrator and its end.
func TestTheFirstAdministrator(t *testing.T) {
	n := serve(t)
	accept := signin.Acceptance{Token: n.link.Token, Name: "ann@example.com", Password: "tall grass by the river"}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-IP"} { // as a proxy on this machine sends them
		status, _, out := n.call(http.MethodPost, "/api/admin/accept", map[string]string{name: "127.0.0.1"}, accept)
		if status != http.StatusForbidden || out["type"] != "urn:postern:problem:no-administrator" {
			t.Errorf("the link through a proxy with %s: %d %v", name, status, out)
		}
	}
	status, _, out := n.call(http.MethodPost, "/api/admin/accept", nil, accept)
	if status != http.StatusOK || out["role"] != string(domain.PlatformAdmin) {
		t.Fatal(status, out)
	}
	if status, _, out := n.call(http.MethodPost, "/api/admin/accept", nil, signin.Acceptance{Token: n.link.Token, Name: "eve@example.com", Password: "tall grass by the river"}); status != http.StatusForbidden {
		t.Errorf("the link again: %d %v", status, out)
	}
	if _, ok, err := n.Bootstrap(t.Context()); ok || err != nil {
		t.Errorf("a second link: %v, %v", ok, err)
	}
	wrong := signin.NamePassword{Name: "ann@example.com", Password: "seven lamps on a boat"}
	if status, _, out := n.call(http.MethodPost, "/api/admin/session", nil, wrong); status != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d %v", status, out)
	}
	in := signin.NamePassword{Name: "ann@example.com", Password: "tall grass by the river"}
	status, cookies, out := n.call(http.MethodPost, "/api/admin/session", nil, in)
	if status != http.StatusOK || len(cookies) != 1 || out["platform"] != true {
		t.Fatal(status, cookies, out)
	}
	session := cookies[0].Name + "=" + cookies[0].Value
	if status, role := n.whoami("Cookie", session); status != http.StatusOK || role != string(domain.PlatformAdmin) {
		t.Errorf("the session: %d %v", status, role)
	}
	for _, tc := range []struct {
		origin string
		want   int
	}{{"https://evil.example", http.StatusForbidden}, {n.base, http.StatusNoContent}} { // D-95
		if status, _, out := n.call(http.MethodDelete, "/api/admin/session", map[string]string{"Cookie": session, "Origin": tc.origin}, nil); status != tc.want {
			t.Errorf("signing out from %s: %d %v", tc.origin, status, out)
		}
	}
	if status, _ := n.whoami("Cookie", session); status != http.StatusUnauthorized {
		t.Errorf("the session after its end: %d", status)
	}
}

// D-54: a token administers because the management issuer's key signed it for the admin
// audience, and for no other reason; and only while its client may (COM-12).
func TestTokensThatAdminister(t *testing.T) {
	n := serve(t)
	const by = domain.Actor("local:0")
	tokens := map[string]string{}
	clients := map[string]domain.Client{}
	for _, issuer := range []domain.Issuer{
		{Name: "manage", URL: n.base + "/manage", Dialect: "rfc", Management: true},
		{Name: "product", URL: n.base + "/product", Dialect: "rfc"},
	} {
		if _, _, err := n.Registry.PutIssuer(t.Context(), by, issuer, 0); err != nil {
			t.Fatal(err)
		}
		audience := domain.AdminAudience
		if !issuer.Management {
			audience = "urn:example:api"
		}
		c, secret, err := n.Registry.CreateClient(t.Context(), by, domain.Client{
			Issuer: issuer.Name, Name: "back office", PlatformWide: true, Audiences: []string{audience}, Scopes: oauth.Scope{"admin:platform", "admin:audit"},
		})
		if err != nil {
			t.Fatal(err)
		}
		clients[issuer.Name], tokens[issuer.Name] = c, n.token(issuer.URL, c.ID, secret, "admin:platform")
		tokens[issuer.Name+" audit"] = n.token(issuer.URL, c.ID, secret, "admin:audit")
	}
	cut := tokens["manage"]
	cut = cut[:len(cut)-8] + strings.Map(func(r rune) rune { return 'A' + (r+1)%26 }, cut[len(cut)-8:])
	for name, tc := range map[string]struct {
		token string
		want  int
		role  any
	}{
		"management":        {tokens["manage"], http.StatusOK, string(domain.PlatformAdmin)},
		"narrowed":          {tokens["manage audit"], http.StatusOK, string(domain.Auditor)},
		"of a product":      {tokens["product"], http.StatusUnauthorized, nil},
		"forged":            {cut, http.StatusUnauthorized, nil},
		"not a token":       {"abc", http.StatusUnauthorized, nil},
		"key of none there": {"pak_5a1f9c1e3c524d279d5c0c7d2f6e8b11_pst_AAAA", http.StatusUnauthorized, nil},
	} {
		if status, role := n.whoami("Authorization", "Bearer "+tc.token); status != tc.want || role != tc.role {
			t.Errorf("%s: %d %v", name, status, role)
		}
	}
	if _, err := n.Registry.DisableClient(t.Context(), by, "manage", clients["manage"].ID); err != nil {
		t.Fatal(err)
	}
	if status, _ := n.whoami("Authorization", "Bearer "+tokens["manage"]); status != http.StatusUnauthorized {
		t.Errorf("of a disabled client: %d", status)
	}
	_, key, err := n.Registry.CreateAPIKey(t.Context(), by, domain.APIKey{
		Label: "nightly", Audience: domain.AdminAudience, Role: domain.Auditor, Reach: domain.Reach{AllTenants: true, AllIssuers: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, role := n.whoami("Authorization", "Bearer "+string(key)); status != http.StatusOK || role != string(domain.Auditor) {
		t.Errorf("an API key: %d %v", status, role)
	}
}

// token is one of the issuer.
func (n *node) token(issuer, id string, secret oauth.Secret, scope string) string {
	n.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, issuer+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		n.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(id, string(secret))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer answer.Body.Close()
	var out struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil || out.Token == "" {
		n.t.Fatalf("no token: %d %v", answer.StatusCode, err)
	}
	return out.Token
}

// serveWith is serve with an OpenID provider.
func serveWith(t *testing.T, provider http.HandlerFunc) *node {
	t.Helper()
	op := httptest.NewServer(provider)
	t.Cleanup(op.Close)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return serve(t, func(c *config.Config) {
		c.Limits.WriteTimeout = 1
		c.SignIn.OIDC = &config.OIDC{Issuer: op.URL, ClientID: "postern", ClientSecretFile: file, RedirectURI: "https://postern.example.com" + config.CallbackPath}
	})
}

// A provider that takes a request and never answers it is told of before the listener gives
// the browser up.
func TestProviderThatNeverAnswers(t *testing.T) {
	over := make(chan struct{})
	n := serveWith(t, func(http.ResponseWriter, *http.Request) { <-over })
	t.Cleanup(func() { close(over) })
	if status, _, out := n.call(http.MethodGet, "/api/admin/oidc/start", nil, nil); status != http.StatusBadGateway || out["detail"] != signin.ErrProvider.Error() {
		t.Error(status, out)
	}
}

// Why the provider refuses a sign-in is told whoever wants to sign in, by its word for it (RFC
// 6749 §4.1.2.1).
func TestProviderThatRefuses(t *testing.T) {
	var base string
	n := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		op := "http://" + r.Host
		if r.URL.Path == "/auth" {
			q := url.Values{"error": {"unsupported_response_type"}, "state": {r.FormValue("state")}}
			http.Redirect(w, r, base+config.CallbackPath+"?"+q.Encode(), http.StatusSeeOther)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{
			"issuer": op, "authorization_endpoint": op + "/auth", "token_endpoint": op + "/token", "jwks_uri": op + "/keys",
		})
	})
	base = n.base
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&http.Client{Jar: jar}).Get(base + "/api/admin/oidc/start") //nolint:noctx // the server of this test
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "refused the sign-in: unsupported_response_type") {
		t.Error(answer.Status, string(body), err)
	}
}
