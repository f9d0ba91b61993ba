package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

const tenantID = "11111111-1111-4111-8111-111111111111"

// start serves the admin API of a real store on a real Unix socket.
func start(t *testing.T) (*registry.Registry, string) {
	t.Helper()
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	master, err := seal.NewMaster(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	vault, err := keys.OpenVault(t.Context(), db, master, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	reg := &registry.Registry{Store: db, Dialects: dialect.Builtin(), Vault: vault, Now: time.Now}
	issuer := domain.Issuer{Name: "main", URL: "https://id.example.com", ImportedSecrets: true}
	if _, _, err := reg.PutIssuer(t.Context(), domain.System, issuer, 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := reg.PutTenant(t.Context(), domain.System, domain.Tenant{ID: tenantID, Label: "T"}, 0); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "admin.sock")
	serve(t, socket, reg)
	return reg, socket
}

func serve(t *testing.T, socket string, reg *registry.Registry) {
	t.Helper()
	serveWith(t, socket, reg, &http.Server{ReadHeaderTimeout: time.Second}, slog.New(slog.DiscardHandler))
}

func serveWith(t *testing.T, socket string, reg *registry.Registry, server *http.Server, log *slog.Logger) {
	t.Helper()
	l, err := admin.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	records, _ := reg.Store.(domain.Records)
	admin.Serve(server, admin.New(admin.Config{Registry: reg, Records: records, Audit: admin.Audit{Store: reg.Store}, Log: log}))
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
}

func overSocket(socket string) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
}

// raw sends bytes as they are.
func raw(t *testing.T, socket, method, path, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://postern/api/admin"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := overSocket(socket).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(data)
}

const isJSON = "application/json"

func newClient() admin.NewClient {
	return admin.NewClient{Issuer: "main", Name: "Billing", Tenant: tenantID, Scopes: oauth.Scope{"a"}, Audiences: []string{"https://api.example.com"}}
}

// COM-08 over the wire, with the client that the CLI uses.
func TestClientLife(t *testing.T) {
	reg, socket := start(t)
	ctx := t.Context()
	conn := admin.Dial(socket)
	made, err := conn.CreateClient(ctx, newClient())
	if err != nil || len(made.Secret) < 40 || made.Epoch != 1 || made.Version != 1 {
		t.Fatalf("%+v, %v", made, err)
	}
	head, err := reg.Store.Follow(ctx, 0, 1000)
	if err != nil || head[len(head)-1].Actor != domain.Actor("local:"+strconv.Itoa(os.Geteuid())) {
		t.Errorf("actor %s, %v", head[len(head)-1].Actor, err)
	}
	got, err := conn.UpdateClient(ctx, "main", made.ID, made.Version, admin.Patch{"note": json.RawMessage(`"n"`), "scopes": json.RawMessage(`["a","b"]`), "lifetime": json.RawMessage("60")})
	if err != nil || got.Note != "n" || len(got.Scopes) != 2 || got.Lifetime != 60 || got.Name != "Billing" {
		t.Errorf("%+v, %v", got, err)
	}
	var p *admin.Problem
	if _, err = conn.UpdateClient(ctx, "main", made.ID, made.Version, admin.Patch{"note": json.RawMessage(`"m"`)}); !errors.As(err, &p) || p.Status != http.StatusPreconditionFailed {
		t.Errorf("an old version: %v", err)
	}
	if got, err = conn.UpdateClient(ctx, "main", made.ID, 0, admin.Patch{"lifetime": json.RawMessage("null")}); err != nil || got.Lifetime != 0 {
		t.Errorf("null sets back: %+v, %v", got, err)
	}
	if got, err = conn.DisableClient(ctx, "main", made.ID); err != nil || got.Status != domain.Disabled || got.Epoch != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = conn.EnableClient(ctx, "main", made.ID); err != nil || got.Status != domain.Enabled || got.Epoch != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if err = conn.DeleteClient(ctx, "main", made.ID); err != nil {
		t.Error(err)
	}
	if _, err = conn.GetClient(ctx, "main", made.ID); !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Errorf("deleted, but %v", err)
	}
	_, err = conn.CreateClient(ctx, admin.NewClient{Issuer: "none"})
	if !errors.As(err, &p) || p.Status != http.StatusUnprocessableEntity || len(p.Errors) < 4 {
		t.Errorf("every problem at once: %v", err)
	}
}

// Imported ids are any text; each must be reachable by its URL.
func TestImportedIDs(t *testing.T) {
	_, socket := start(t)
	conn := admin.Dial(socket)
	for _, id := range []string{"a/b", "..", ".", "a b", "50%", "a?b#c", "//x//", "~tilde"} {
		n := newClient()
		n.ID = id
		if _, err := conn.ImportClient(t.Context(), admin.ImportedClient{NewClient: n, Secret: "weak"}); err != nil {
			t.Fatalf("%q: %v", id, err)
		}
		if got, err := conn.GetClient(t.Context(), "main", id); err != nil || got.ID != id || !got.Imported {
			t.Errorf("%q: %+v, %v", id, got, err)
		}
	}
	list, err := conn.ListClients(t.Context(), "main", tenantID)
	if err != nil || len(list) != 8 {
		t.Errorf("%d, %v", len(list), err)
	}
}

// D-74: mass assignment. Nothing but what an administrator may choose is taken.
func TestMassAssignment(t *testing.T) {
	reg, socket := start(t)
	made, err := admin.Dial(socket).CreateClient(t.Context(), newClient())
	if err != nil {
		t.Fatal(err)
	}
	before, _ := reg.GetClient(t.Context(), "main", made.ID)
	one := "/issuers/main/clients/" + made.ID
	base := `"issuer":"main","name":"x","tenant":"` + tenantID + `","audiences":["a"]`
	for name, member := range map[string]string{
		"epoch": `"epoch":7`, "imported": `"imported":true`, "version": `"version":9`, "created": `"created":"2020-01-01T00:00:00Z"`,
		"secrets": `"secrets":[{"id":"x","hash":"y"}]`, "secret": `"client_secret":"chosen"`, "origin": `"origin":"x"`, "case": `"Epoch":7`,
	} {
		t.Run(name, func(t *testing.T) {
			if status, _, body := raw(t, socket, http.MethodPatch, one, "{"+member+"}", "Content-Type", isJSON); status != http.StatusUnprocessableEntity {
				t.Errorf("patch: %d %s", status, body)
			}
			if status, _, body := raw(t, socket, http.MethodPost, "/clients", "{"+base+","+member+"}", "Content-Type", isJSON); status != http.StatusUnprocessableEntity {
				t.Errorf("create: %d %s", status, body)
			}
		})
	}
	for name, member := range map[string]string{"id": `"id":"x"`, "issuer": `"issuer":"other"`} {
		if status, _, body := raw(t, socket, http.MethodPatch, one, "{"+member+"}", "Content-Type", isJSON); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if after, err := reg.GetClient(t.Context(), "main", made.ID); err != nil || after.Version != before.Version || after.Epoch != before.Epoch {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestOnlyJSON(t *testing.T) {
	_, socket := start(t)
	body := `{"issuer":"main","name":"x","platform_wide":true,"audiences":["a"]}`
	for name, c := range map[string]struct {
		body   string
		header []string
		want   int
	}{
		"json":         {body, []string{"Content-Type", isJSON + "; charset=utf-8"}, http.StatusCreated},
		"none":         {body, nil, http.StatusUnsupportedMediaType},
		"form":         {"name=x", []string{"Content-Type", "application/x-www-form-urlencoded"}, http.StatusUnsupportedMediaType},
		"text":         {body, []string{"Content-Type", "text/plain"}, http.StatusUnsupportedMediaType},
		"cbor":         {body, []string{"Content-Type", "application/cbor"}, http.StatusUnsupportedMediaType},
		"two":          {body, []string{"Content-Type", isJSON, "Content-Type", "text/plain"}, http.StatusUnsupportedMediaType},
		"member twice": {body[:len(body)-1] + `,"name":"y"}`, []string{"Content-Type", isJSON}, http.StatusBadRequest},
		"too large":    {`{"name":"` + strings.Repeat("x", 16<<20) + `"}`, []string{"Content-Type", isJSON}, http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			status, header, answer := raw(t, socket, http.MethodPost, "/clients", c.body, c.header...)
			if status != c.want || header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d, not %d: %.200s", status, c.want, answer)
			}
			if status >= 400 && header.Get("Content-Type") != "application/problem+json" { // RFC 9457 §3
				t.Errorf("Content-Type %q", header.Get("Content-Type"))
			}
		})
	}
}

// D-37: what came in is in no problem.
func TestProblemsHoldNoSecret(t *testing.T) {
	_, socket := start(t)
	const canary = "canary-0123456789"
	for path, body := range map[string]string{
		"/clients/import":           `{"issuer":"main","id":"x","name":"x","platform_wide":true,"audiences":["a"],"client_secret":["` + canary + `"]}`,
		"/clients":                  `{"issuer":"main","client_secret":"` + canary + `"}`,
		"/issuers/main/keys/import": `{"jwk":{"kty":"EC","d":"` + canary + `"},"sign":"x"}`,
	} {
		status, _, answer := raw(t, socket, http.MethodPost, path, body, "Content-Type", isJSON)
		if status < 400 || status >= 500 || strings.Contains(answer, canary) {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}

func TestKeys(t *testing.T) {
	_, socket := start(t)
	conn := admin.Dial(socket)
	first, err := conn.ListKeys(t.Context(), "main")
	if err != nil || len(first) != 2 || !first[0].Signs || !first[1].Signs || first[0].Purpose == first[1].Purpose {
		t.Fatalf("%+v, %v", first, err)
	}
	for i, purpose := range []domain.Purpose{"", domain.PurposeIdentity} { // each in its place, and no other
		made, err := conn.RotateKey(t.Context(), "main", admin.Rotation{Purpose: purpose, Kill: true})
		if err != nil || made.Purpose != domain.Purposes()[i] || !made.Signs {
			t.Fatalf("%+v, %v", made, err)
		}
		list, err := conn.ListKeys(t.Context(), "main")
		if err != nil || len(list) != 2 || list[0].ID != made.ID && list[1].ID != made.ID {
			t.Errorf("%+v, %v", list, err)
		}
		was := slices.IndexFunc(list, func(k admin.Key) bool { return k.ID == first[0].ID || k.ID == first[1].ID })
		if (was < 0) != (i == 1) {
			t.Errorf("after %q: %+v", purpose, list)
		}
	}
	if _, err := conn.RotateKey(t.Context(), "main", admin.Rotation{Purpose: "notices"}); err == nil {
		t.Error("a key for a purpose that there is not was rotated")
	}
	status, _, answer := raw(t, socket, http.MethodGet, "/issuers/main/keys", "")
	if status != http.StatusOK || strings.Contains(answer, `"d"`) || strings.Contains(answer, "ealed") {
		t.Errorf("%d %s", status, answer)
	}
}

func TestSocket(t *testing.T) {
	reg, socket := start(t)
	info, err := os.Stat(socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	if _, err := admin.Listen("/tmp/" + strings.Repeat("x", 120)); err == nil || !strings.Contains(err.Error(), "shorter") {
		t.Errorf("a long path: %v", err)
	}
	stale := filepath.Join(t.TempDir(), "admin.sock")
	l, err := net.Listen("unix", stale)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	var gone *admin.UnreachableError
	if _, err := admin.Dial(stale).ListIssuers(t.Context()); !errors.As(err, &gone) || gone.Hint() == "" {
		t.Errorf("nobody listens: %v", err)
	}
	serve(t, stale, reg)
	if list, err := admin.Dial(stale).ListIssuers(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("after a kill: %v, %v", list, err)
	}
	if _, err := admin.Dial(filepath.Join(t.TempDir(), "none")).ListIssuers(t.Context()); !errors.As(err, &gone) {
		t.Errorf("no socket: %v", err)
	}
}
