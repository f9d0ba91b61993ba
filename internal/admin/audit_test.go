package admin_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/signin"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

const (
	tenantOne = "11111111-1111-4111-8111-111111111111"
	tenantTwo = "22222222-2222-4222-8222-222222222222"
	clientOne = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaa1"
	clientTwo = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaa2"
)

// trail is a server with an audit trail of two tenants, over HTTP and for API keys.
type trail struct {
	db     *sqlite.DB
	reg    *registry.Registry
	server *httptest.Server
	first  domain.EventID // of activity: a refusal of clientOne's call
	last   domain.EventID // the same of clientTwo's
}

const trailObjects = `kind: Tier
name: slow
per_minute: 6
---
kind: Policy
name: reader
actions: {"studies:read": Read studies.}
---
kind: Issuer
name: main
url: https://id.example.com
---
kind: Tenant
id: 11111111-1111-4111-8111-111111111111
label: One
resources: {study: [s1]}
---
kind: Tenant
id: 22222222-2222-4222-8222-222222222222
label: Two
resources: {study: [s1]}
---
kind: API
name: lab
audience: urn:lab
issuers: [main]
upstream: http://127.0.0.1:1
routes:
  - {method: GET, path: "/studies/{study}", scopes: [read], actions: ["studies:read"], parameters: [{name: study, kind: study}]}
---
kind: Client
issuer: main
id: aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaa1
name: first
tenant: 11111111-1111-4111-8111-111111111111
audiences: [urn:lab]
tier: slow
resource_scope: {study: {ids: [s1]}}
---
kind: Client
issuer: main
id: aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaa2
name: second
tenant: 22222222-2222-4222-8222-222222222222
audiences: [urn:lab]
policies: [reader]
scopes: [read]
resource_scope: {study: {ids: [s1]}}
`

func newTrail(t *testing.T) *trail {
	t.Helper()
	dir := t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	check(err)
	t.Cleanup(func() { _ = db.Close() })
	master, err := seal.NewMaster(filepath.Join(dir, "master.key"))
	check(err)
	vault, err := keys.OpenVault(t.Context(), db, master, time.Now())
	check(err)
	w := &trail{db: db, reg: &registry.Registry{Store: db, Dialects: dialect.Builtin(), Vault: vault, Now: time.Now}}
	w.server = httptest.NewServer(admin.New(admin.Config{
		Registry: w.reg, Records: db, Log: slog.New(slog.DiscardHandler),
		SignIn: signin.New(signin.Config{Store: db, Records: db, People: w.reg, Peppers: vault.Peppers, Gate: secret.NewGate(), Now: time.Now, Local: time.Now, Directory: dir}),
		Audit: admin.Audit{Store: db, Batches: db, Derived: db, Activity: db, Trail: db, Key: func(ctx context.Context) (json.RawMessage, error) {
			k, err := keys.Checkpoint(ctx, db, vault.Ring, time.Now())
			return k.Public, err
		}},
	}))
	t.Cleanup(w.server.Close)
	objects, err := declare.Parse([]declare.File{{Name: "all.yaml", Content: []byte(trailObjects)}})
	check(err)
	_, err = declare.Apply(t.Context(), w.reg, domain.System, objects, declare.Options{})
	check(err)
	now := time.Now()
	var list []domain.Entry
	for i, c := range []struct{ client, tenant, reason, source string }{
		{clientOne, tenantOne, "scope_missing", "10.0.0.1"}, {clientTwo, tenantTwo, "action_missing", "10.0.0.2"}, {"", "", "credentials_wrong", "10.0.0.3"},
	} {
		e := domain.Entry{ID: domain.NewEventID(now.Add(time.Duration(i) * time.Millisecond)), Action: domain.CallRefused, Issuer: "main", Client: c.client, Tenant: c.tenant,
			Reason: c.reason, Source: c.source, Resource: "lab GET /studies/{study}", Correlation: "=cmd\n"}
		list = append(list, e)
	}
	w.first, w.last = list[0].ID, list[1].ID
	check(db.Append(t.Context(), "n", list))
	return w
}

// conn speaks with an API key of the role, and says what the key is.
func (w *trail) conn(t *testing.T, role domain.Role, reach domain.Reach) (*admin.Conn, oauth.Secret) {
	t.Helper()
	_, key, err := w.reg.CreateAPIKey(t.Context(), domain.System, domain.APIKey{Label: rand.Text(), Audience: domain.AdminAudience, Role: role, Reach: reach})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := admin.DialURL(w.server.URL, key)
	if err != nil {
		t.Fatal(err)
	}
	return conn, key
}

func only(tenant string) domain.Reach {
	return domain.Reach{Tenants: []string{tenant}, Issuers: []string{"main"}}
}

func all() domain.Reach { return domain.Reach{AllTenants: true, AllIssuers: true} }

// D-102: of the audit trail everybody sees what lies within their reach, however they ask:
// search, export, access, and the decision about a request by its id.
func TestAuditWithinReach(t *testing.T) {
	w := newTrail(t)
	for _, role := range domain.Roles()[1:] {
		t.Run(string(role), func(t *testing.T) {
			conn, _ := w.conn(t, role, only(tenantOne))
			items, _, err := conn.SearchAudit(t.Context(), admin.EventQuery{}, 1000)
			if err != nil || len(items) == 0 {
				t.Fatal(items, err)
			}
			for _, i := range items {
				if i.TenantID != tenantOne {
					t.Errorf("%+v", i)
				}
			}
			for name, q := range map[string]admin.EventQuery{
				"another tenant": {Tenant: tenantTwo}, "its client": {Client: clientTwo}, "its refusals": {Client: clientTwo, Outcome: domain.Refused}, "policies": {Resource: "policy/reader"},
				"keys": {Action: "key.create"},
			} {
				if items, _, err := conn.SearchAudit(t.Context(), q, 10); err != nil || len(items) > 0 {
					t.Errorf("%s: %+v, %v", name, items, err)
				}
			}
			var out bytes.Buffer
			if err := conn.ExportAudit(t.Context(), &out, admin.EventQuery{}, audit.NDJSON); err != nil || strings.Contains(out.String(), "2222222") || !strings.Contains(out.String(), w.first.String()) {
				t.Errorf("export %v\n%s", err, &out)
			}
			if _, err := conn.AccessOfClient(t.Context(), time.Now(), "main", clientOne); err != nil {
				t.Error(err)
			}
			refused(t, "access of another's client", 404, func() error {
				_, err := conn.AccessOfClient(t.Context(), time.Now(), "main", clientTwo)
				return err
			})
			if got, err := conn.AccessToResource(t.Context(), time.Now(), "study", "s1"); err != nil || len(got.Clients) != 0 {
				t.Errorf("access to what another's client touches: %+v, %v", got, err)
			}
			if _, err := conn.ExplainEvent(t.Context(), w.first.String()); err != nil {
				t.Error(err)
			}
			refused(t, "another's event", 404, func() error { _, err := conn.ExplainEvent(t.Context(), w.last.String()); return err })
			refused(t, "verify", 403, func() error { _, err := conn.VerifyAudit(t.Context()); return err })
			refused(t, "backup", 403, func() error { return conn.BackupAudit(t.Context(), io.Discard) })
			refused(t, "key", 403, func() error { _, err := conn.CheckpointKey(t.Context()); return err })
		})
	}
	for _, role := range []domain.Role{domain.PlatformAdmin, domain.Auditor} {
		conn, _ := w.conn(t, role, all())
		r, err := conn.VerifyAudit(t.Context())
		if err != nil || r.Err() != nil || r.Entries != 3 || r.Changes == 0 {
			t.Errorf("%s: %+v, %v", role, r, err)
		}
	}
}

func refused(t *testing.T, what string, status int, f func() error) {
	t.Helper()
	var p *admin.Problem
	if err := f(); !errors.As(err, &p) || p.Status != status {
		t.Errorf("%s: %v, want %d", what, err, status)
	}
}

// D-107: what comes in a query selects and does nothing else, and has its bounds.
func TestAuditQueries(t *testing.T) {
	w := newTrail(t)
	_, key := w.conn(t, domain.Auditor, all())
	get := func(query string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/api/admin/audit/events?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+string(key))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() //nolint:errcheck // a test
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(data)
	}
	for _, query := range []string{
		"limit=501", "limit=0", "limit=-1", "limit=x", "from=yesterday", "from=2026-13-01T00:00:00Z", "to=1", "outcome=maybe", "sort=time", "order=asc",
		"cursor=AAAA", "cursor=%00", "action=a&action=b", "actor=" + strings.Repeat("x", 301), "limit=10;drop",
	} {
		if status, body := get(query); status != 400 && status != 422 {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	for _, text := range []string{`' OR 1=1 --`, `"; DROP TABLE change; --`, "%", "_", "\x00", "client\\", `{"$gt":""}`} {
		for _, field := range []string{"action", "actor", "client", "issuer", "tenant", "resource"} {
			status, body := get(field + "=" + url.QueryEscape(text))
			if status != 200 || !strings.HasPrefix(body, `{"items":[]`) {
				t.Errorf("%s=%q: %d %s", field, text, status, body)
			}
		}
	}
	status, first := get("limit=2")
	var page struct {
		Items []audit.EventItem `json:"items"`
		Next  string            `json:"next"`
	}
	if err := json.Unmarshal([]byte(first), &page); err != nil || status != 200 || len(page.Items) != 2 || page.Next == "" {
		t.Fatal(status, first, err)
	}
	if status, _ := get("limit=2&action=x&cursor=" + url.QueryEscape(page.Next)); status != 400 {
		t.Errorf("the cursor of another query: %d", status)
	}
}

// A whole export is every page of the search, in both forms, and a filter holds for it too.
func TestAuditExport(t *testing.T) {
	w := newTrail(t)
	conn, _ := w.conn(t, domain.Auditor, all())
	items, more, err := conn.SearchAudit(t.Context(), admin.EventQuery{}, 1000)
	if err != nil || more {
		t.Fatal(more, err)
	}
	var lines, table bytes.Buffer
	if err := conn.ExportAudit(t.Context(), &lines, admin.EventQuery{}, audit.NDJSON); err != nil {
		t.Fatal(err)
	}
	var got []audit.EventItem
	for dec := json.NewDecoder(&lines); dec.More(); {
		var i audit.EventItem
		if err := dec.Decode(&i); err != nil {
			t.Fatal(err)
		}
		got = append(got, i)
	}
	if d := cmp.Diff(items, got); d != "" {
		t.Error(d)
	}
	if err := conn.ExportAudit(t.Context(), &table, admin.EventQuery{Client: clientOne, Outcome: domain.Refused}, audit.CSV); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&table).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != w.first.String() || !slices.Contains(rows[1], `'=cmd\n`) {
		t.Errorf("D-103: %q, %v", rows, err)
	}
}

// What could be done before something changed is told after.
func TestAuditAccess(t *testing.T) {
	w := newTrail(t)
	conn, _ := w.conn(t, domain.Auditor, all())
	before := time.Now()
	if _, err := w.reg.UpdateClient(t.Context(), domain.System, "main", clientTwo, 0, func(c *domain.Client) error { c.Policies = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	then, err := conn.AccessToResource(t.Context(), before, "study", "s1")
	if err != nil || len(then.Clients) != 1 || then.Clients[0].ID != clientTwo || then.Clients[0].APIs[0].Actions[0].Description != "Read studies." {
		t.Errorf("before: %+v, %v", then, err)
	}
	now, err := conn.AccessToResource(t.Context(), time.Now(), "study", "s1")
	if err != nil || len(now.Clients) != 0 {
		t.Errorf("after: %+v, %v", now, err)
	}
	c, err := conn.AccessOfClient(t.Context(), before, "main", clientTwo)
	if err != nil || len(c.Secrets) != 1 || c.TenantLabel != "Two" || len(c.APIs) != 1 || c.Standing != audit.StandingEnabled {
		t.Errorf("%+v, %v", c, err)
	}
	refused(t, "before everything", 422, func() error {
		_, err := conn.AccessOfClient(t.Context(), before.Add(-time.Hour), "main", clientTwo)
		return err
	})
	refused(t, "nobody", 404, func() error { _, err := conn.AccessOfClient(t.Context(), before, "main", "nobody"); return err })
}

// A backup that comes over the wire verifies, and one that breaks off is an error.
func TestAuditBackup(t *testing.T) {
	w := newTrail(t)
	conn, _ := w.conn(t, domain.PlatformAdmin, all())
	var out bytes.Buffer
	if err := conn.BackupAudit(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	r, err := audit.VerifyBackup(&out)
	if err != nil || r.Err() != nil || r.Entries != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	key, err := conn.CheckpointKey(t.Context())
	if err != nil || strings.Contains(string(key), `"d"`) || !strings.Contains(string(key), `"OKP"`) {
		t.Errorf("%s, %v", key, err)
	}
}

// A connection that there is none of says why, also to what takes a whole answer.
func TestUnusable(t *testing.T) {
	why := errors.New("there is no token")
	conn := admin.Unusable(why)
	if _, err := conn.ListPeople(t.Context()); !errors.Is(err, why) {
		t.Errorf("list: %v", err)
	}
	if err := conn.BackupAudit(t.Context(), io.Discard); !errors.Is(err, why) {
		t.Errorf("backup: %v", err)
	}
}

// Only a platform admin applies files, so nobody else makes us read, and hold against the
// schema, what is as long.
func TestBodiesByRole(t *testing.T) {
	w := newTrail(t)
	everywhere := domain.Reach{AllTenants: true, AllIssuers: true}
	for role, want := range map[domain.Role]int{domain.TenantDeveloper: http.StatusRequestEntityTooLarge, domain.PlatformAdmin: http.StatusUnprocessableEntity} {
		_, key := w.conn(t, role, everywhere)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/api/admin/clients", strings.NewReader(`{"name":"`+strings.Repeat("x", 2<<20)+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+string(key))
		req.Header.Set("Content-Type", "application/json")
		res, err := w.server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d, want %d", role, res.StatusCode, want)
		}
	}
}
