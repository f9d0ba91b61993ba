package guard_test

import (
	"context"
	"errors"
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

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/internal/token"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

const (
	tenant1 = "7c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a11"
	tenant2 = "7c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a22"
	team1   = "5f1e2d3c4b5a69788796a5b4"
	team2   = "aaaaaaaaaaaaaaaaaaaaaaaa"
)

var (
	start  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	source = netip.MustParseAddr("192.0.2.7")
)

// town is a guard over a real store: issuers of several dialects, the APIs behind them, two
// tenants and their clients. What is put is applied when put returns.
type town struct {
	t     testing.TB
	db    *sqlite.DB
	store domain.Store
	vault *keys.Vault
	snap  *snapshot.Snapshot
	guard *guard.Guard

	pending *[]step // while the town is built

	mu   sync.Mutex
	now  time.Time
	lost bool // the node cannot read its store
}

func (n *town) clock() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *town) wait(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

// lose takes the store away, or gives it back.
func (n *town) lose(lost bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lost = lost
}

func (n *town) check(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// fragile is the store of the town while it can be read.
type fragile struct {
	domain.Store
	n *town
}

func (f fragile) Head(ctx context.Context) (domain.Head, error) {
	f.n.mu.Lock()
	lost := f.n.lost
	f.n.mu.Unlock()
	if lost {
		return domain.Head{}, errors.New("the store is lost")
	}
	return f.Store.Head(ctx)
}

func newTown(t testing.TB) *town { return newTownOf(t, guard.Config{}) }

func newTownOf(t testing.TB, config guard.Config) *town {
	t.Helper()
	n := &town{t: t, now: start}
	ctx, dir := t.Context(), t.TempDir()
	var err error
	n.db, err = sqlite.Open(ctx, dir, sqlite.Options{Now: n.clock})
	n.check(err)
	t.Cleanup(func() { n.check(n.db.Close()) })
	master, err := seal.NewMaster(filepath.Join(dir, "master.key"))
	n.check(err)
	n.vault, err = keys.OpenVault(ctx, n.db, master, start)
	n.check(err)
	n.store = n.db
	n.build()
	n.snap, err = snapshot.Open(ctx, snapshot.Config{
		Store: fragile{n.db, n}, Vault: n.vault, Dialects: dialect.Builtin(), Clients: 100, MaxStaleness: time.Minute,
		Local: n.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	n.check(err)
	n.store = n.snap.Committing()
	config.Snapshot = n.snap
	n.guard = guard.New(config)
	return n
}

// build puts it all in one change.
func (n *town) build() {
	n.t.Helper()
	n.pending = new([]step)
	n.objects()
	steps := *n.pending
	n.pending = nil
	_, err := n.store.Change(n.t.Context(), "local:1", func(t domain.Tables) ([]domain.Change, error) {
		var changes []domain.Change
		for _, s := range steps {
			if err := s.do(n.t.Context(), t); err != nil {
				return nil, err
			}
			changes = append(changes, s.change)
		}
		return changes, nil
	})
	n.check(err)
}

// step is one change to come.
type step struct {
	change domain.Change
	do     func(context.Context, domain.Tables) error
}

func (n *town) objects() {
	n.issuer(domain.Issuer{Name: "main", URL: "https://auth.example.com", Hosts: []string{"reports.example.com"}})
	n.issuer(domain.Issuer{Name: "stage", URL: "https://stage.example.com", Environment: "stage"})
	n.issuer(domain.Issuer{Name: "arb", URL: "https://arb.example.com", Dialect: "arbitex", Algorithm: "HS256"})
	n.issuer(domain.Issuer{Name: "bip", URL: "https://bip.example.com", Dialect: "bipsync"})
	put(n, policies, domain.Policy{Name: "viewer", Actions: map[string]string{"studies:read": "read studies"}})
	put(n, policies, domain.Policy{Name: "editor", Actions: map[string]string{"studies:write": "change studies"}})
	put(n, tenants, domain.Tenant{ID: tenant1, Label: "One", Hosts: map[string][]string{"bip": {"one-api.example.com"}},
		Resources: map[string][]string{"study": {"s1", "s2"}, "team": {team1}}, Endpoints: []string{"lookup"}})
	put(n, tenants, domain.Tenant{ID: tenant2, Label: "Two", Hosts: map[string][]string{"bip": {"two-api.example.com"}},
		Resources: map[string][]string{"team": {team2}}})
	n.api(domain.API{Name: "reports", Audience: "urn:reports", Issuers: []string{"main"}, Path: "/v1", Routes: reports()})
	n.api(domain.API{Name: "stage", Audience: "urn:reports", Issuers: []string{"stage"}, Path: "/v1", Routes: reports()})
	n.api(domain.API{Name: "teams", Audience: "urn:teams", Issuers: []string{"bip"}, Routes: []policy.Route{
		{Method: "GET", Path: "/me"}, {Method: "GET", Path: "/teams/{team}/notes", Parameters: []policy.Parameter{{Name: "team", Kind: "team"}}}}})
	n.api(domain.API{Name: "chat", Audience: "urn:chat", Issuers: []string{"arb"}, Routes: []policy.Route{
		{Method: "GET", Path: "/audit", Scopes: []string{"audit:read"}}, {Method: "GET", Path: "/admin", Scopes: []string{"admin:read"}}}})
	put(n, clients, domain.Client{Issuer: "main", ID: "c1", Tenant: tenant1, Status: domain.Enabled, Epoch: 1, Tier: "standard",
		Scopes: oauth.Scope{"read", "write"}, Audiences: []string{"urn:reports", "urn:other"}, Policies: []string{"viewer"},
		ResourceScope: policy.ResourceScope{"study": {IDs: []string{"s1", "s2"}}}})
	put(n, clients, domain.Client{Issuer: "main", ID: "wide", PlatformWide: true, Status: domain.Enabled, Epoch: 1, Tier: "standard",
		Audiences: []string{"urn:reports"}, Policies: []string{"viewer", "editor"}, ResourceScope: policy.ResourceScope{"study": {All: true}}})
	put(n, clients, domain.Client{Issuer: "stage", ID: "c1", Tenant: tenant1, Status: domain.Enabled, Epoch: 1, Tier: "standard", Audiences: []string{"urn:reports"}})
	put(n, clients, domain.Client{Issuer: "arb", ID: "a1", Tenant: tenant1, Status: domain.Enabled, Epoch: 1, Tier: "standard",
		Scopes: oauth.Scope{"audit:read", "admin:read"}, Audiences: []string{"urn:chat"}})
	for id, tenant := range map[string]string{"b1": tenant1, "b2": tenant2} {
		team := map[string]string{tenant1: team1, tenant2: team2}[tenant]
		put(n, clients, domain.Client{Issuer: "bip", ID: id, Tenant: tenant, Status: domain.Enabled, Epoch: 1, Tier: "standard",
			Scopes: oauth.Scope{"profile"}, Audiences: []string{"urn:teams"}, ResourceScope: policy.ResourceScope{"team": {IDs: []string{team}}}})
	}
}

// reports are rules of every kind.
func reports() []policy.Route {
	study := policy.Parameter{Name: "study", Kind: "study"}
	inQuery, inBody := study, study
	inQuery.In, inBody.In = policy.InQuery, policy.InBody
	return []policy.Route{
		{Method: "GET", Path: "/me"},
		{Method: "GET", Path: "/studies", Scopes: []string{"read", "write"}},
		{Method: "GET", Path: "/studies/{study}", Actions: []string{"studies:read"}, Parameters: []policy.Parameter{study}},
		{Method: "PUT", Path: "/studies/{study}", Actions: []string{"studies:write"}, Parameters: []policy.Parameter{study}},
		{Method: "POST", Path: "/studies/{study}:merge", Actions: []string{"studies:read"}, Parameters: []policy.Parameter{study,
			{Name: "into", In: policy.InBody, Kind: "study"}}},
		{Method: "GET", Path: "/studies/{study}/notes/{note}", Parameters: []policy.Parameter{study, {Name: "note", ChildOf: "study"}}},
		{Method: "GET", Path: "/search", Parameters: []policy.Parameter{inQuery}},
		{Method: "POST", Path: "/search", Parameters: []policy.Parameter{inBody}},
		{Method: "POST", Path: "/jobs"},
		{Method: "GET", Path: "/live", Upgrade: true},
		{Method: "GET", Path: "/bookings", Tags: []string{"lookup"}},
		{Method: "DELETE", Path: "/bookings", Tags: []string{"cancel"}},
	}
}

func (n *town) issuer(i domain.Issuer) {
	n.t.Helper()
	i.Defaults()
	k, err := keys.Make(&i, n.vault.Ring, start, start)
	n.check(err)
	put(n, issuers, i)
	put(n, keyRows, k)
}

func (n *town) api(a domain.API) {
	n.t.Helper()
	a.Defaults()
	put(n, apis, a)
}

// object is what a table holds.
type object interface {
	Kind() domain.Kind
	Key() string
}

func clients(t domain.Tables) domain.Table[domain.Client]  { return t.Clients }
func issuers(t domain.Tables) domain.Table[domain.Issuer]  { return t.Issuers }
func tenants(t domain.Tables) domain.Table[domain.Tenant]  { return t.Tenants }
func keyRows(t domain.Tables) domain.Table[domain.Key]     { return t.Keys }
func apis(t domain.Tables) domain.Table[domain.API]        { return t.APIs }
func policies(t domain.Tables) domain.Table[domain.Policy] { return t.Policies }
func tiers(t domain.Tables) domain.Table[domain.Tier]      { return t.Tiers }
func apiKeys(t domain.Tables) domain.Table[domain.APIKey]  { return t.APIKeys }

func put[T object](n *town, table func(domain.Tables) domain.Table[T], v T) {
	n.t.Helper()
	n.change(v.Kind(), v.Key(), func(ctx context.Context, t domain.Tables) error {
		_, err := table(t).Put(ctx, v, 0)
		return err
	})
}

// update changes an object that is there.
func update[T object](n *town, table func(domain.Tables) domain.Table[T], key string, edit func(*T)) {
	n.t.Helper()
	var kind T
	n.change(kind.Kind(), key, func(ctx context.Context, t domain.Tables) error {
		v, err := table(t).Get(ctx, key)
		if err != nil {
			return err
		}
		edit(&v)
		_, err = table(t).Put(ctx, v, versionOf(v))
		return err
	})
}

func remove[T object](n *town, table func(domain.Tables) domain.Table[T], key string) {
	n.t.Helper()
	var kind T
	n.change(kind.Kind(), key, func(ctx context.Context, t domain.Tables) error {
		v, err := table(t).Get(ctx, key)
		if err != nil {
			return err
		}
		return table(t).Delete(ctx, key, versionOf(v))
	})
}

func versionOf(v any) int64 {
	switch v := v.(type) {
	case domain.Client:
		return v.Version
	case domain.Issuer:
		return v.Version
	case domain.Tenant:
		return v.Version
	case domain.Key:
		return v.Version
	case domain.API:
		return v.Version
	case domain.Policy:
		return v.Version
	case domain.Tier:
		return v.Version
	case domain.APIKey:
		return v.Version
	}
	return 0
}

func (n *town) change(kind domain.Kind, key string, do func(context.Context, domain.Tables) error) {
	n.t.Helper()
	change := domain.Change{Kind: kind, Key: key, Action: "test.change"}
	if n.pending != nil {
		*n.pending = append(*n.pending, step{change, do})
		return
	}
	_, err := n.store.Change(context.Background(), "local:1", func(t domain.Tables) ([]domain.Change, error) {
		return []domain.Change{change}, do(context.Background(), t)
	})
	n.check(err)
}

func (n *town) find(name string) *snapshot.Issuer {
	n.t.Helper()
	i, ok := n.snap.View().Issuer(name)
	if !ok {
		n.t.Fatalf("no issuer %s", name)
	}
	return i
}

// facts are what a token of the client says when it asks for this scope, as the token line
// makes it.
func (n *town) facts(issuer, client, scope string) token.Facts {
	n.t.Helper()
	i := n.find(issuer)
	c, err := n.snap.Client(context.Background(), issuer, client)
	n.check(err)
	asked, err := oauth.ParseScope(scope)
	n.check(err)
	grant, err := c.Grant(i.Dialect, n.snap.View().Tenant(c.Tenant), &oauth.TokenRequest{GrantType: oauth.ClientCredentials, Scope: asked})
	n.check(err)
	now := n.snap.Now()
	return token.Facts{Issuer: &i.Issuer, Dialect: i.Dialect, Client: &c.Client, Grant: &grant, Event: domain.NewEventID(now), Now: now}
}

func (n *town) issue(f token.Facts) string {
	n.t.Helper()
	jws, err := token.Issue(nil, n.find(f.Issuer.Name).Signer(f.Now), f)
	n.check(err)
	return string(jws)
}

// token is a good one.
func (n *town) token(issuer, client, scope string) string {
	n.t.Helper()
	return n.issue(n.facts(issuer, client, scope))
}

// request is a call with a token; none where that is empty. Headers come in pairs.
func request(method, url, token string, header ...string) *http.Request {
	r := httptest.NewRequest(method, url, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// with gives the call a body.
func with(r *http.Request, contentType, body string) *http.Request {
	made := httptest.NewRequest(r.Method, r.URL.String(), strings.NewReader(body))
	made.Header = r.Header
	if contentType != "" {
		made.Header.Set("Content-Type", contentType)
	}
	return made
}

func (n *town) judge(r *http.Request) guard.Verdict { return n.guard.Judge(r, source) }

// get judges a GET with this token.
func (n *town) get(url, token string) guard.Verdict { return n.judge(request("GET", url, token)) }

func (n *town) want(v guard.Verdict, want guard.Reason) {
	n.t.Helper()
	if got := v.Reason(); got != want {
		n.t.Errorf("got %q (%v), want %q", got, v.Err, want)
	}
}

const base = "https://auth.example.com/v1"
