package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

const (
	tenantID = "11111111-1111-4111-8111-111111111111"
	clientID = "22222222-2222-4222-8222-222222222222"
	by       = domain.Actor("local:7")
)

// room is a registry over a real store, with its clock.
type room struct {
	*registry.Registry
	mu  sync.Mutex
	now time.Time
}

func (r *room) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func newRoom(t *testing.T) *room {
	t.Helper()
	dir := t.TempDir()
	r := &room{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.now }
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	master, err := seal.NewMaster(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	vault, err := keys.OpenVault(t.Context(), db, master, clock())
	if err != nil {
		t.Fatal(err)
	}
	r.Registry = &registry.Registry{Store: db, Dialects: dialect.Builtin(), Vault: vault, Now: clock}
	return r
}

// furnished has an issuer and a tenant.
func furnished(t *testing.T) *room {
	t.Helper()
	r := newRoom(t)
	r.issuer(t, domain.Issuer{Name: "main", URL: "https://id.example.com", ImportedSecrets: true})
	_, _, err := r.PutTenant(t.Context(), by, domain.Tenant{ID: tenantID, Label: "Tenant", Resources: map[string][]string{"study": {"s1", "s2"}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *room) issuer(t *testing.T, i domain.Issuer) domain.Issuer {
	t.Helper()
	got, _, err := r.PutIssuer(t.Context(), by, i, 0)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func spec() domain.Client {
	return domain.Client{Issuer: "main", ID: clientID, Name: "Billing", Tenant: tenantID, Scopes: oauth.Scope{"a", "b"}, Audiences: []string{"https://api.example.com"}}
}

func (r *room) client(t *testing.T) (domain.Client, oauth.Secret) {
	t.Helper()
	c, s, err := r.CreateClient(t.Context(), by, spec())
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func (r *room) feed(t *testing.T) []domain.Change {
	t.Helper()
	list, err := r.Store.Follow(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// problem is the message of the one field that the error must name.
func problem(t *testing.T, err error, field string) string {
	t.Helper()
	var invalid *domain.Invalid
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v, not an invalid object", err)
	}
	for _, p := range invalid.Problems {
		if p.Field == field {
			return p.Message
		}
	}
	t.Fatalf("no problem of %s in %v", field, err)
	return ""
}

// COM-05, D-74: what an administrator may not choose is not taken.
func TestCreateClient(t *testing.T) {
	r := furnished(t)
	in := spec()
	in.Epoch, in.Imported, in.Version, in.Created = 77, true, 9, time.Unix(1, 0)
	in.Secrets = []domain.Secret{{ID: "mine", Hash: "chosen"}}
	c, s, err := r.CreateClient(t.Context(), by, in)
	if err != nil {
		t.Fatal(err)
	}
	if c.Epoch != 1 || c.Imported || c.Version != 1 || !c.Created.Equal(r.now) || len(c.Secrets) != 1 || c.Secrets[0].ID != "1-1" || c.Status != domain.Enabled || c.Tier != "standard" {
		t.Errorf("got %+v", c)
	}
	kept, err := r.GetClient(t.Context(), "main", clientID)
	if err != nil {
		t.Fatal(err)
	}
	v, err := secret.Parse(kept.Secrets[0].Hash)
	if err != nil || !v.Verify(r.Vault.Peppers, "main", clientID, "1-1", s) || v.Verify(r.Vault.Peppers, "main", clientID, "1-2", s) {
		t.Errorf("the hash kept is not that of the secret: %v", err)
	}
	if !strings.HasSuffix(string(s), kept.Secrets[0].LastFour) {
		t.Error("last four")
	}
	if _, _, err := r.CreateClient(t.Context(), by, spec()); !errors.Is(err, domain.ErrExists) {
		t.Errorf("a second one: %v", err)
	}
	in.ID = ""
	if c, _, err = r.CreateClient(t.Context(), by, in); err != nil || len(c.ID) != 36 || c.ID[14] != '4' {
		t.Errorf("no UUID: %q, %v", c.ID, err)
	}
	in.ID, in.Tenant, in.Audiences = "billing", "", nil
	_, _, err = r.CreateClient(t.Context(), by, in)
	for _, field := range []string{"id", "tenant", "audiences"} {
		problem(t, err, field)
	}
}

// D-40, COM-08: whatever ends the tokens of a client raises its epoch, for good.
func TestEpoch(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	c, _ := r.client(t)
	epoch, secrets := c.Epoch, map[string]bool{c.Secrets[0].ID: true}
	step := func(name string, raised bool, f func() (domain.Client, error)) {
		t.Helper()
		r.pass(time.Minute)
		got, err := f()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if raised != (got.Epoch > epoch) || got.Epoch < epoch {
			t.Errorf("%s: epoch %d after %d", name, got.Epoch, epoch)
		}
		epoch = got.Epoch
	}
	update := func(f func(*domain.Client)) func() (domain.Client, error) {
		return func() (domain.Client, error) {
			return r.UpdateClient(ctx, by, "main", clientID, 0, func(c *domain.Client) error { f(c); return nil })
		}
	}
	soon := r.now.Add(10 * time.Minute)
	later := r.now.Add(100 * time.Hour)
	step("disable", true, func() (domain.Client, error) { return r.DisableClient(ctx, by, "main", clientID) })
	step("disable again", false, func() (domain.Client, error) { return r.DisableClient(ctx, by, "main", clientID) })
	step("enable", false, func() (domain.Client, error) { return r.EnableClient(ctx, by, "main", clientID) })
	step("rename", false, update(func(c *domain.Client) { c.Name = "Other" }))
	step("disable by update", true, update(func(c *domain.Client) { c.Status = domain.Disabled }))
	step("enable by update", false, update(func(c *domain.Client) { c.Status = domain.Enabled }))
	step("valid until", false, update(func(c *domain.Client) { c.ValidUntil = &soon }))
	r.pass(time.Hour)
	step("valid again", true, update(func(c *domain.Client) { c.ValidUntil = &later }))
	step("of no tenant", true, update(func(c *domain.Client) { c.Tenant, c.PlatformWide = "", true }))
	replace := func(kill bool) func() (domain.Client, error) {
		return func() (domain.Client, error) {
			c, _, err := r.ReplaceSecrets(ctx, by, "main", clientID, kill)
			if err == nil && (len(c.Secrets) != 1 || secrets[c.Secrets[0].ID]) {
				t.Errorf("secret ids come again: %+v", c.Secrets)
			}
			secrets[c.Secrets[0].ID] = true
			return c, err
		}
	}
	step("new secret", false, replace(false))
	step("new secret at once", true, replace(true))
	recreate := func() (domain.Client, error) {
		if err := r.DeleteClient(ctx, by, "main", clientID, 0); err != nil {
			return domain.Client{}, err
		}
		c, _, err := r.CreateClient(ctx, by, spec())
		if err == nil && secrets[c.Secrets[0].ID] {
			t.Errorf("secret id %s comes again", c.Secrets[0].ID)
		}
		return c, err
	}
	step("delete and recreate", true, recreate)
	step("once more", true, recreate)
	if err := r.DeleteClient(ctx, by, "main", clientID, 0); err != nil {
		t.Fatal(err)
	}
	if err := r.DeleteClient(ctx, by, "main", clientID, 0); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("delete twice: %v", err)
	}
	if _, err := r.EnableClient(ctx, by, "main", clientID); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("enable a deleted one: %v", err)
	}
}

// D-74, and no change without a difference.
func TestUpdateClient(t *testing.T) {
	r := furnished(t)
	c, _ := r.client(t)
	got, err := r.UpdateClient(t.Context(), by, "main", clientID, c.Version, func(c *domain.Client) error {
		c.Issuer, c.ID, c.Epoch, c.Imported, c.Secrets, c.Version, c.Note = "x", "y", 99, true, nil, 50, "n"
		return nil
	})
	if err != nil || got.Issuer != "main" || got.ID != clientID || got.Epoch != 1 || got.Imported || len(got.Secrets) != 1 || got.Version != 2 || got.Note != "n" {
		t.Errorf("got %+v, %v", got, err)
	}
	before := len(r.feed(t))
	if got, err = r.UpdateClient(t.Context(), by, "main", clientID, 0, func(c *domain.Client) error { c.Note = "n"; return nil }); err != nil || got.Version != 2 || len(r.feed(t)) != before {
		t.Errorf("nothing changed, but there is a change: %+v, %v", got, err)
	}
	if _, err = r.UpdateClient(t.Context(), by, "main", clientID, 1, func(*domain.Client) error { return nil }); !errors.Is(err, domain.ErrConflict) {
		t.Errorf("an old version: %v", err)
	}
	_, err = r.UpdateClient(t.Context(), by, "main", clientID, 0, func(c *domain.Client) error {
		c.ResourceScope = domain.ResourceScope{"study": {IDs: []string{"s9"}}}
		return nil
	})
	problem(t, err, "resource_scope.study.ids[0]")
	if kept, _ := r.GetClient(t.Context(), "main", clientID); kept.ResourceScope != nil || kept.Version != 2 {
		t.Error("what was refused is kept")
	}
}

// D-38: whoever comes second, no update brings a deleted client back.
func TestUpdateAgainstDelete(t *testing.T) {
	r := furnished(t)
	for range 10 {
		c, _ := r.client(t)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				_, err := r.UpdateClient(context.Background(), by, "main", clientID, 0, func(c *domain.Client) error { c.Note += "x"; return nil })
				if err != nil && !errors.Is(err, domain.ErrNotFound) {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if err := r.DeleteClient(context.Background(), by, "main", clientID, 0); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if _, err := r.GetClient(t.Context(), "main", clientID); !errors.Is(err, domain.ErrNotFound) {
			t.Fatalf("it is there: %v", err)
		}
		grave, err := r.Store.Read().Tombstones.Get(t.Context(), domain.ClientKey("main", clientID))
		if err != nil || grave.Epoch <= c.Epoch {
			t.Fatalf("tombstone %+v, %v", grave, err)
		}
	}
}

// D-37: neither a secret nor a hash nor a private key is in any change.
func TestNoSecretInFeed(t *testing.T) {
	r := furnished(t)
	_, s := r.client(t)
	const canary = "canary-0123456789"
	imported := spec()
	imported.ID = "legacy"
	if _, err := r.ImportClient(t.Context(), by, imported, registry.Imported{Secret: canary}); err != nil {
		t.Fatal(err)
	}
	_, second, err := r.ReplaceSecrets(t.Context(), by, "main", clientID, true)
	if err != nil {
		t.Fatal(err)
	}
	all, err := json.Marshal(r.feed(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{string(s), string(second), canary, "$argon2id$", "$postern$", `"d":`} {
		if strings.Contains(string(all), word) {
			t.Errorf("%q is in the feed", word)
		}
	}
	_, err = r.ImportClient(t.Context(), by, imported, registry.Imported{Secret: canary + "\x01"})
	if err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("the error holds the secret: %v", err)
	}
}

func TestListClients(t *testing.T) {
	r := furnished(t)
	other := spec()
	other.ID, other.Tenant, other.PlatformWide = "", "", true
	for range 3 {
		if _, _, err := r.CreateClient(t.Context(), by, other); err != nil {
			t.Fatal(err)
		}
	}
	r.client(t)
	all, err := r.ListClients(t.Context(), "main", "", domain.Page{})
	if err != nil || len(all) != 4 {
		t.Fatal(len(all), err)
	}
	var paged []domain.Client
	for page := (domain.Page{Limit: 3}); ; page.After = paged[len(paged)-1].Key() {
		list, err := r.ListClients(t.Context(), "", "", page)
		if err != nil {
			t.Fatal(err)
		}
		if paged = append(paged, list...); len(list) < 3 {
			break
		}
	}
	if len(paged) != 4 {
		t.Errorf("%d in pages", len(paged))
	}
	for name, c := range map[string]struct {
		issuer, tenant, prefix string
		want                   int
	}{"tenant": {"", tenantID, "", 1}, "prefix": {"main", "", clientID[:8], 1}, "other issuer": {"mai", "", "", 0}} {
		if list, err := r.ListClients(t.Context(), c.issuer, c.tenant, domain.Page{Prefix: c.prefix}); err != nil || len(list) != c.want {
			t.Errorf("%s: %d, %v", name, len(list), err)
		}
	}
	if _, err := r.ListClients(t.Context(), "", "", domain.Page{Prefix: "x"}); err == nil {
		t.Error("a prefix of ids without an issuer")
	}
}
