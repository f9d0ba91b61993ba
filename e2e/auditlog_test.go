package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth/oauthtest"
)

const (
	globex = "5c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a21"
	umbra  = "5c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a22"
)

// chat is a product of the arbitex contract with three kinds of credential, and its audit log.
const chat = `kind: Policy
name: reads
actions: {chat:read: read, audit:read: read the audit log}
---
kind: Policy
name: dlp
actions: {"events:dlp_block": tell what was blocked}
---
kind: Issuer
name: chat
url: https://chat.example
dialect: arbitex
---
kind: Tenant
id: ` + globex + `
label: Globex
---
kind: Tenant
id: ` + umbra + `
label: Umbra
---
kind: API
name: chat
audience: urn:chat
issuers: [chat]
path: /api
upstream: UPSTREAM
api_keys: true
users: {issuer: PROVIDER, audience: web, jwks_uri: PROVIDER/.well-known/jwks.json, role_claim: role, tenant_claim: org}
roles:
  member: {policies: [reads]}
routes:
  - {method: GET, path: /v1/models, scopes: ["api:read"], actions: ["chat:read"]}
---
kind: API
name: log
audience: urn:chat
issuers: [chat]
path: /api/admin/audit-logs
audit_log: {}
api_keys: true
roles:
  member: {policies: [reads]}
routes:
  - {method: GET, path: /, scopes: ["audit:read"], actions: ["audit:read"]}
  - {method: GET, path: /export, scopes: ["audit:read"], actions: ["audit:read"]}
  - {method: POST, path: /events, scopes: ["api:write"], actions: ["audit:read"]}
`

const chatClient = `---
kind: Client
issuer: chat
name: NAME
tenant: TENANT
audiences: [urn:chat]
scopes: ["api:read", "api:write", "audit:read"]
policies: [reads, dlp]
`

// bearer calls with a credential and returns status and body.
func bearer(t *testing.T, w *world, method, path, credential, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+w.addresses[0]+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "chat.example"
	r.Header.Set("Authorization", "Bearer "+credential)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// ARB-07, ARB-17, ARB-18, D-54: a client, a user and an API key call one API; the product's
// events and what was refused stand in the audit log of their tenant, and of no other.
func TestThreeCredentialsAndTheAuditLog(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "client=%s actor=%s tenant=%s", r.Header.Get("X-Postern-Client"), r.Header.Get("X-Postern-Actor"), r.Header.Get("X-Postern-Tenant"))
	}))
	defer upstream.Close()
	provider := oauthtest.New("web")
	defer provider.Close()
	w := openAt(t, time.Now, func(c *config.Config) { withGateway(c); c.Audit.Tokens = config.AuditSync })
	text := strings.NewReplacer("UPSTREAM", upstream.URL, "PROVIDER", provider.URL).Replace(chat)
	for _, tenant := range []string{globex, umbra} {
		text += strings.NewReplacer("NAME", "siem", "TENANT", tenant).Replace(chatClient)
	}
	list, err := w.create(text)
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{}
	for _, c := range list {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+w.addresses[0]+"/api/oauth/token", strings.NewReader("grant_type=client_credentials"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "chat.example"
		r.SetBasicAuth(c.ID, string(c.secret))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || res.Body.Close() != nil {
			t.Fatal(err)
		}
		tokens[c.Tenant] = tokenOf(string(body))
	}
	made, key, err := w.node.Registry.CreateAPIKey(t.Context(), administrator, domain.APIKey{Label: "ci", Audience: "urn:chat", Role: "member", Reach: domain.Reach{Tenants: []string{globex}}})
	if err != nil {
		t.Fatal(err)
	}
	user := func(role string) string {
		return provider.With(oauthtest.Claims{"client_id": nil, "jti": nil, "sub": "ann", "role": role, "org": globex})
	}
	for _, c := range []struct {
		credential, says string
		status           int
	}{
		{tokens[globex], "client=" + list[0].ID + " actor= tenant=" + globex, 200},
		{user("member"), "client= actor=user:ann tenant=" + globex, 200},
		{string(key), "client= actor=key:" + made.ID + " tenant=" + globex, 200},
		{user("root"), "insufficient_scope", 403},
		{provider.With(oauthtest.Claims{"role": "member", "org": globex, "aud": "urn:chat", "token_type": "m2m", "sub": list[0].ID, "client_id": list[0].ID}), "invalid_token", 401},
	} {
		if status, body := bearer(t, w, "GET", "/api/v1/models", c.credential, ""); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%d %s, want %d %s", status, body, c.status, c.says)
		}
	}
	const log = "/api/admin/audit-logs"
	event := `{"action":"dlp_block","resource":"chat/7","outcome":"refused","occurred_at":"2026-01-01T00:00:00Z","rule":"cards"}`
	if status, body := bearer(t, w, "POST", log+"/events", tokens[globex], event); status != 202 {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := bearer(t, w, "POST", log+"/events", tokens[globex], `{"action":"login"}`); status != 403 || !strings.Contains(body, "events:login") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := bearer(t, w, "POST", log+"/events", string(key), event); status != 403 { // its role has no such action
		t.Errorf("%d %s", status, body)
	}
	search := func(credential, path string) []map[string]any {
		t.Helper()
		status, body := bearer(t, w, "GET", path, credential, "")
		var page struct{ Items []map[string]any }
		if err := json.Unmarshal([]byte(body), &page); err != nil || status != 200 {
			t.Fatalf("%s: %d %s", path, status, body)
		}
		return page.Items
	}
	for _, path := range []string{log, log + "/", log + "/?limit=50", log + "/?action=dlp_block&limit=100"} {
		for _, credential := range []string{tokens[globex], string(key)} {
			found := 0
			for _, i := range search(credential, path) {
				if i["tenant_id"] != globex {
					t.Errorf("%s shows %v", path, i)
				}
				if i["action"] == "dlp_block" && fmt.Sprint(i["details"]) == "map[occurred_at:2026-01-01T00:00:00Z rule:cards]" && i["client_id"] == list[0].ID && i["source"] == "127.0.0.1" {
					found++
				}
			}
			if found != 1 {
				t.Errorf("%s: %d events", path, found)
			}
		}
		for _, i := range search(tokens[umbra], path) {
			if i["tenant_id"] != umbra {
				t.Errorf("%s shows %v", path, i)
			}
		}
	}
	if status, body := bearer(t, w, "GET", log+"/export?format=csv&action=dlp_block", tokens[globex], ""); status != 200 || strings.Count(body, "\n") != 2 {
		t.Errorf("%d %s", status, body)
	}
	for _, query := range []string{"limit=501", "created_after=yesterday", "cursor=x"} {
		if status, body := bearer(t, w, "GET", log+"/?"+query, tokens[globex], ""); status != 400 {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	if err := w.node.Registry.DeleteAPIKey(t.Context(), administrator, made.ID, 0); err != nil {
		t.Fatal(err)
	}
	if status, _ := bearer(t, w, "GET", "/api/v1/models", string(key), ""); status != 401 {
		t.Errorf("a deleted key still passes: %d", status)
	}
}
