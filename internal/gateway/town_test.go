package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
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

const tenantID = "7c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a11"

// town is a scene with the real guard over a real store: an API at
// http://api.example.com/v1 and two clients, c1 and c2.
type town struct {
	*scene
	store domain.Store
	snap  *snapshot.Snapshot
}

func newTown(t testing.TB) *town {
	t.Helper()
	n := &town{scene: sceneOf(t, newRecorder(t))}
	ctx, dir, clock := context.Background(), t.TempDir(), func() time.Time { return start }
	db, err := sqlite.Open(ctx, dir, sqlite.Options{Now: clock})
	n.check(err)
	t.Cleanup(func() { n.check(db.Close()) })
	master, err := seal.NewMaster(filepath.Join(dir, "master.key"))
	n.check(err)
	vault, err := keys.OpenVault(ctx, db, master, start)
	n.check(err)
	n.snap, err = snapshot.Open(ctx, snapshot.Config{
		Store: db, Vault: vault, Dialects: dialect.Builtin(), Clients: 100, MaxStaleness: time.Minute, Local: clock,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	n.check(err)
	n.store = n.snap.Committing()
	issuer := domain.Issuer{Name: "main", URL: "https://auth.example.com", Hosts: []string{"api.example.com"}}
	issuer.Defaults()
	key, err := keys.Make(&issuer, vault.Ring, start, start)
	n.check(err)
	n.api.Issuers, n.api.Path, n.api.Routes = []string{"main"}, "/v1", []policy.Route{
		{Method: "GET", Path: "/me"}, {Method: "POST", Path: "/studies/{study}/jobs", Parameters: []policy.Parameter{{Name: "study", Kind: "study", In: policy.InPath}}}, {Method: "GET", Path: "/admin", Actions: []string{"admin"}},
		{Method: "GET", Path: "/studies/{study}", Parameters: []policy.Parameter{{Name: "study", Kind: "study", In: policy.InPath}}},
		{Method: "POST", Path: "/search", Parameters: []policy.Parameter{{Name: "study", Kind: "study", In: policy.InBody}}},
		{Method: "GET", Path: "/live", Upgrade: true}, {Method: "GET", Path: "/scoped", Scopes: []string{"read", "write"}},
	}
	n.api.Defaults()
	put(n, domain.Tenant{ID: tenantID, Label: "One", Resources: map[string][]string{"study": {"s1", "s2"}}})
	put(n, issuer)
	put(n, key)
	put(n, *n.api)
	for _, id := range []string{"c1", "c2"} {
		put(n, domain.Client{Issuer: "main", ID: id, Tenant: tenantID, Status: domain.Enabled, Epoch: 1, Tier: "standard", Scopes: oauth.Scope{"read"},
			Audiences: []string{"urn:reports"}, ResourceScope: policy.ResourceScope{"study": {IDs: []string{"s1"}}}})
	}
	n.gateway.Guard = guard.New(guard.Config{Snapshot: n.snap})
	n.listen(n.gateway)
	return n
}

// put stores a new object.
func put(n *town, v interface {
	Kind() domain.Kind
	Key() string
}) {
	n.t.Helper()
	ctx := context.Background()
	_, err := n.store.Change(ctx, "local:1", func(t domain.Tables) ([]domain.Change, error) {
		var err error
		switch v := v.(type) {
		case domain.Tenant:
			_, err = t.Tenants.Put(ctx, v, 0)
		case domain.Issuer:
			_, err = t.Issuers.Put(ctx, v, 0)
		case domain.Key:
			_, err = t.Keys.Put(ctx, v, 0)
		case domain.API:
			_, err = t.APIs.Put(ctx, v, 0)
		case domain.Client:
			_, err = t.Clients.Put(ctx, v, 0)
		}
		return []domain.Change{{Kind: v.Kind(), Key: v.Key(), Action: "test.put"}}, err
	})
	n.check(err)
}

// update changes a client.
func (n *town) update(id string, edit func(*domain.Client)) {
	n.t.Helper()
	_, err := n.store.Change(context.Background(), "local:1", func(t domain.Tables) ([]domain.Change, error) {
		c, err := t.Clients.Get(context.Background(), (domain.Client{Issuer: "main", ID: id}).Key())
		if err != nil {
			return nil, err
		}
		edit(&c)
		_, err = t.Clients.Put(context.Background(), c, c.Version)
		return []domain.Change{{Kind: c.Kind(), Key: c.Key(), Action: "test.change"}}, err
	})
	n.check(err)
}

// token issues one.
func (n *town) token(id string) string {
	n.t.Helper()
	issuer, ok := n.snap.View().Issuer("main")
	if !ok {
		n.t.Fatal("no issuer")
	}
	c, err := n.snap.Client(context.Background(), "main", id)
	n.check(err)
	grant, err := c.Grant(issuer.Dialect, n.snap.View().Tenant(c.Tenant), &oauth.TokenRequest{GrantType: oauth.ClientCredentials})
	n.check(err)
	now := n.snap.Now()
	jws, err := token.Issue(nil, issuer.Signer(now), token.Facts{Issuer: &issuer.Issuer, Dialect: issuer.Dialect, Client: &c.Client, Grant: &grant,
		Event: domain.NewEventID(now), Now: now})
	n.check(err)
	return string(jws)
}
