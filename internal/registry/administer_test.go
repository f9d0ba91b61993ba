package registry_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

func manager() domain.Caller {
	return domain.Caller{Actor: by, Role: domain.IntegrationManager, Reach: within}
}

// D-102: what is hidden is answered as what is not there, to the letter, and in the name of
// another nobody changes anything.
func TestHiddenIsAbsent(t *testing.T) {
	r := peopled(t)
	ctx := t.Context()
	as := r.As(manager())
	hidden := r.at["another tenant"]
	const none = "77777777-7777-4777-8777-777777777777"
	for name, get := range map[string]func(id string) error{
		"get": func(id string) error { _, err := as.GetClient(ctx, "main", id); return err },
		"update": func(id string) error {
			_, err := as.UpdateClient(ctx, by, "main", id, 7, func(*domain.Client) error { return nil })
			return err
		},
		"delete":  func(id string) error { return as.DeleteClient(ctx, by, "main", id, 7) },
		"replace": func(id string) error { _, _, err := as.ReplaceSecrets(ctx, by, "main", id, true); return err },
		"state":   func(id string) error { _, err := as.Rotation(ctx, "main", id); return err },
	} {
		got, want := get(hidden), get(none)
		if !errors.Is(got, domain.ErrNotFound) || got.Error() != strings.ReplaceAll(want.Error(), none, hidden) {
			t.Errorf("%s: %v, not %v", name, got, want)
		}
	}
	c := spec()
	c.ID = "escaped+id"
	c.Tenant = otherTenant
	if _, err := r.ImportClient(ctx, by, c, registry.Imported{Secret: "a word"}); err != nil {
		t.Fatal(err)
	}
	c.Tenant, c.ID = tenantID, "escaped%20id"
	if _, err := as.ImportClient(ctx, by, c, registry.Imported{Secret: "a word"}); err == nil || strings.Contains(err.Error(), "escaped+id") {
		t.Errorf("the id of a hidden client is told: %v", err)
	}
	if _, err := as.DisableClient(ctx, "somebody else", "main", r.at["inside"]); err == nil {
		t.Error("a change in another's name")
	}
	if err := r.DeleteClient(ctx, by, "main", hidden, 0); err != nil {
		t.Fatal(err)
	}
	gone := spec()
	gone.ID, gone.Tenant = hidden, tenantID
	if _, _, err := as.CreateClient(ctx, by, gone); !errors.Is(err, domain.ErrExists) {
		t.Errorf("the id of another tenant's deleted client was taken: %v", err)
	}
	if _, _, err := r.CreateClient(ctx, by, gone); err != nil { // whoever sees it may
		t.Error(err)
	}
	_, err := as.PutResources(ctx, by, []domain.NamedResource{{ResourceKind: "study", ID: "of-" + otherTenant, Label: "Mine", Tenant: tenantID}})
	if !errors.Is(err, domain.ErrExists) {
		t.Errorf("another tenant's entry was taken: %v", err)
	}
}

// A page is short only where it is the last, whatever is hidden in between.
func TestPagesOfHidden(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	_, _, err := r.PutTenant(ctx, by, domain.Tenant{ID: otherTenant, Label: "Another"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want, named []string
	err = r.Together(ctx, by, func(in *registry.Registry) error {
		var entries []domain.NamedResource
		for i := range 60 {
			c := spec()
			c.ID = fmt.Sprintf("%08d-0000-4000-8000-000000000000", i)
			if i%7 == 0 {
				want, named = append(want, c.ID), append(named, fmt.Sprintf("%03d", i))
			} else {
				c.Tenant = otherTenant
			}
			entries = append(entries, domain.NamedResource{ResourceKind: "study", ID: fmt.Sprintf("%03d", i), Label: "Study", Tenant: c.Tenant})
			c.ResourceScope = nil
			if _, _, err := in.CreateClient(ctx, by, c); err != nil {
				return err
			}
		}
		_, err := in.PutResources(ctx, by, entries)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	as := r.As(manager())
	pages(t, "clients", want, func(p domain.Page) ([]domain.Client, error) { return as.ListClients(ctx, "", "", p) }, func(c domain.Client) string { return c.ID })
	pages(t, "resources", named, func(p domain.Page) ([]domain.NamedResource, error) { return as.ListResources(ctx, "", "", p) }, func(n domain.NamedResource) string { return n.ID })
	pages(t, "tenants", []string{tenantID}, func(p domain.Page) ([]domain.Tenant, error) { return as.ListTenants(ctx, p) }, domain.Tenant.Key)
}

func pages[T interface{ Key() string }](t *testing.T, what string, want []string, list func(domain.Page) ([]T, error), id func(T) string) {
	t.Helper()
	for _, limit := range []int{0, 1, 4, 100} {
		var got []string
		for page := (domain.Page{Limit: limit}); ; {
			some, err := list(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range some {
				got, page.After = append(got, id(v)), v.Key()
			}
			if limit == 0 || len(some) < limit {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s by %d: %s", what, limit, diff)
		}
	}
}

// D-74: of what is sent only what an administrator may choose is taken.
func TestMassAssignment(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	as := r.As(domain.Local(by))
	past := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	c := spec()
	c.Epoch, c.Created, c.Imported, c.Origin, c.Version, c.Secrets = 9, past, true, "set/a.yaml", 9, []domain.Secret{{ID: "x"}}
	made, _, err := as.CreateClient(ctx, by, c)
	if err != nil || made.Epoch != 1 || made.Created.Equal(past) || made.Imported || made.Origin != "" || made.Version != 1 || len(made.Secrets) != 1 || made.Secrets[0].ID == "x" {
		t.Errorf("%+v, %v", made, err)
	}
	got, err := as.UpdateClient(ctx, by, "main", clientID, 0, func(c *domain.Client) error {
		*c = domain.Client{Issuer: "x", ID: "x", Name: "New", Tenant: c.Tenant, Audiences: c.Audiences, Epoch: 9, Imported: true, Origin: "set/a.yaml", Created: past}
		return nil
	})
	made.Name, made.Scopes, made.Version = "New", nil, 2
	if diff := cmp.Diff(made, got); diff != "" || err != nil {
		t.Errorf("%s, %v", diff, err)
	}
	p, err := as.CreatePerson(ctx, by, domain.Person{ID: "x", Name: "ann", Role: domain.Auditor, Reach: within, Epoch: 9, Created: past, Changed: &past, Password: aHash, Version: 9})
	if err != nil || p.ID == "x" || p.Epoch != 1 || p.Created.Equal(past) || p.Changed != nil || p.Password != "" || p.Version != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	now, err := as.UpdatePerson(ctx, by, p.ID, 0, func(p *domain.Person) error {
		p.ID, p.Epoch, p.Created, p.Changed, p.Password, p.Name = "x", 9, past, &past, aHash, "bob"
		return nil
	})
	p.Name, p.Version = "bob", 2
	if diff := cmp.Diff(p, now); diff != "" || err != nil {
		t.Errorf("%s, %v", diff, err)
	}
	k, text, err := as.CreateAPIKey(ctx, by, domain.APIKey{ID: "x", Label: "CI", Audience: domain.AdminAudience, Role: domain.Auditor, Reach: within, LastFour: "x", Created: past, Hash: "x"})
	id, s, ok := secret.ParseAPIKey(text)
	if err != nil || !ok || id != k.ID || k.Created.Equal(past) || k.Hash != r.Vault.Peppers.Hash("api key", id, "1", s) || k.LastFour != string(s[len(s)-4:]) {
		t.Errorf("%+v, %v", k, err)
	}
	tenant, _, err := as.PutTenant(ctx, by, domain.Tenant{Label: "T", Origin: "set/a.yaml"}, 0)
	if err != nil || tenant.Origin != "" {
		t.Errorf("%+v, %v", tenant, err)
	}
}

// What came from a file is changed there; in an emergency its secrets and its tokens die
// all the same. ARB-10
func TestDeclared(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	files := r.As(domain.Local(by)).From("prod")
	c := spec()
	c.Origin = "prod/clients.yaml"
	_, _, errC := files.CreateClient(ctx, by, c)
	_, _, errT := files.PutTier(ctx, by, domain.Tier{Name: "slow", PerMinute: 1, Origin: "prod/tiers.yaml"}, 0)
	if err := errors.Join(errC, errT); err != nil {
		t.Fatal(err)
	}
	change := func(in *registry.Registry) map[string]error {
		_, err1 := in.UpdateClient(ctx, by, "main", clientID, 0, func(c *domain.Client) error { c.Note += "x"; return nil })
		_, _, err3 := in.PutTier(ctx, by, domain.Tier{Name: "slow", PerMinute: 1}, 0)
		err4 := in.Together(ctx, by, func(in *registry.Registry) error { return cmpOr(in.DeleteTier(ctx, by, "slow", 0), errBack) })
		err5 := in.Together(ctx, by, func(in *registry.Registry) error {
			return cmpOr(in.DeleteClient(ctx, by, "main", clientID, 0), errBack)
		})
		return map[string]error{"update": err1, "put": err3, "delete a tier": err4, "delete": err5}
	}
	stale := domain.Caller{Actor: by, Role: domain.PlatformAdmin}
	for who, in := range map[string]*registry.Registry{"somebody": r.As(domain.Local(by)), "another set": r.As(domain.Local(by)).From("pro"), "a manager": r.As(manager()).From("prod"), "an admin of yesterday": r.As(stale).From("prod")} {
		for what, err := range change(in) {
			if !errors.Is(err, registry.ErrDeclared) && !errors.Is(err, registry.ErrForbidden) {
				t.Errorf("%s, %s: %v", who, what, err)
			} else if errors.Is(err, registry.ErrDeclared) && !strings.Contains(err.Error(), ".yaml") {
				t.Errorf("the file is not named: %v", err)
			}
		}
	}
	for what, err := range change(files) {
		if err != nil && !errors.Is(err, errBack) {
			t.Errorf("the set itself, %s: %v", what, err)
		}
	}
	if got, err := r.GetTier(ctx, "slow"); err != nil || got.Origin != "prod/tiers.yaml" {
		t.Errorf("%+v, %v", got, err)
	}
	as := r.As(manager())
	_, err1 := as.DisableClient(ctx, by, "main", clientID)
	_, _, err2 := as.StartRotation(ctx, by, "main", clientID, 0)
	_, err3 := as.CompleteRotation(ctx, by, "main", clientID, true)
	_, _, err4 := as.ReplaceSecrets(ctx, by, "main", clientID, true)
	again, err5 := as.EnableClient(ctx, by, "main", clientID)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil || again.Status != domain.Enabled || again.Origin != "prod/clients.yaml" {
		t.Errorf("%+v, %v", again, err)
	}
	local := r.As(domain.Local(by))
	_, err6 := local.Release(ctx, by, domain.KindTier, "slow")
	origin, err7 := local.Release(ctx, by, domain.KindClient, domain.ClientKey("main", clientID))
	if err := errors.Join(err6, err7); err != nil || origin != "prod/clients.yaml" {
		t.Fatal(origin, err)
	}
	for what, err := range change(local) {
		if err != nil && !errors.Is(err, errBack) {
			t.Errorf("released, %s: %v", what, err)
		}
	}
}

func cmpOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// Somebody is always left who may change everything; sessions end with what they hang on.
func TestPeople(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	make := func(name string, role domain.Role) domain.Person {
		t.Helper()
		p := domain.Person{Name: name, Role: role}
		if role != domain.PlatformAdmin {
			p.Reach = within
		}
		p, err := r.CreatePerson(ctx, by, p)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	ann := make(" Ann@Example.com", domain.PlatformAdmin)
	if got, err := r.FindPerson(ctx, "ANN@example.com "); err != nil || got.ID != ann.ID || !ann.AllTenants {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := r.CreatePerson(ctx, by, domain.Person{Name: "ANN@example.com", Role: domain.Auditor, Reach: within}); !errors.Is(err, domain.ErrExists) {
		t.Errorf("a second one of the name: %v", err)
	}
	_, err := r.CreatePerson(ctx, by, domain.Person{Name: "x y", Role: "king", Reach: domain.Reach{Tenants: []string{"none"}}})
	for _, field := range []string{"name", "role", "tenants[0]", "issuers"} {
		problem(t, err, field)
	}
	change := func(p domain.Person, f func(*domain.Person)) (domain.Person, error) {
		return r.UpdatePerson(ctx, by, p.ID, 0, func(p *domain.Person) error { f(p); return nil })
	}
	disable := func(p *domain.Person) { p.Status = domain.Disabled }
	lower := func(p *domain.Person) { p.Role, p.Reach = domain.Auditor, within }
	last := func(p domain.Person) {
		t.Helper()
		_, err1 := change(p, disable)
		_, err2 := change(p, lower)
		for _, err := range []error{err1, err2, r.DeletePerson(ctx, by, p.ID, 0)} {
			if !errors.Is(err, registry.ErrLastAdmin) {
				t.Errorf("the last admin went: %v", err)
			}
		}
	}
	make("eve", domain.Auditor)
	last(ann)
	bob := make("bob", domain.PlatformAdmin)
	if bob, err = change(bob, disable); err != nil || bob.Epoch != 2 {
		t.Fatalf("%+v, %v", bob, err)
	}
	last(ann) // bob may not sign in

	for _, p := range []domain.Person{ann, bob} { // a word that is none disables nobody
		_, err := change(p, func(p *domain.Person) { p.Status = "off" })
		problem(t, err, "status")
	}
	if bob, err = change(bob, func(p *domain.Person) { p.Status = domain.Enabled }); err != nil || bob.Epoch != 2 {
		t.Fatalf("%+v, %v", bob, err)
	}
	if err := r.SetPassword(ctx, by, ann.ID, 0, aHash); err != nil {
		t.Fatal(err)
	}
	if ann, err = r.GetPerson(ctx, ann.ID); err != nil || ann.Epoch != 2 || ann.Password != aHash || ann.Changed == nil {
		t.Errorf("%+v, %v", ann, err)
	}
	if err := r.SetPassword(ctx, by, ann.ID, 0, r.Vault.Peppers.Hash("a", "b", "c", "d")); err == nil {
		t.Error("a keyed hash is no password's")
	}
	if ann, err = change(ann, lower); err != nil || ann.Epoch != 3 {
		t.Errorf("%+v, %v", ann, err)
	}
	last(bob)
	for _, c := range r.feed(t) {
		if strings.Contains(string(c.Object), "argon2id") {
			t.Error("a password's hash is in the feed")
		}
	}
}

// The management issuer: its tokens administer, and no others.
func TestManagement(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	main := r.issuer(t, domain.Issuer{Name: "manage", URL: "https://manage.example.com", Management: true})
	_, _, err := r.PutIssuer(ctx, by, domain.Issuer{Name: "two", URL: "https://two.example.com", Management: true}, 0)
	problem(t, err, "management")
	_, _, err = r.PutIssuer(ctx, by, domain.Issuer{Name: "two", URL: "https://two.example.com", Management: true, Dialect: "trialbee", ImportedSecrets: true}, 0)
	problem(t, err, "management")
	a := theAPI()
	a.Issuers = []string{"main", "manage"}
	_, _, err = r.PutAPI(ctx, by, a, 0)
	problem(t, err, "issuers[1]")
	a = theAPI()
	a.Audience = domain.AdminAudience
	_, _, err = r.PutAPI(ctx, by, a, 0)
	problem(t, err, "audience")
	c := spec()
	c.Audiences = []string{domain.AdminAudience}
	_, _, err = r.CreateClient(ctx, by, c)
	problem(t, err, "audiences[0]")
	c = spec()
	c.Issuer, c.Scopes = "manage", oauth.Scope{"a", "admin:everything"}
	_, _, err = r.CreateClient(ctx, by, c)
	problem(t, err, "audiences")
	c.Audiences = append(c.Audiences, domain.AdminAudience)
	_, _, err = r.CreateClient(ctx, by, c)
	problem(t, err, "scopes[1]")
	c.Scopes = oauth.Scope{"a", domain.ScopeIntegrations}

	everywhere := domain.Reach{AllTenants: true, AllIssuers: true}
	for _, caller := range []domain.Caller{{Actor: by, Role: domain.PlatformAdmin, Reach: everywhere}, {Actor: by, Role: domain.IntegrationManager, Reach: everywhere, Holds: &c}} {
		if _, _, err := r.As(caller).CreateClient(ctx, by, c); !errors.Is(err, registry.ErrForbidden) {
			t.Errorf("%s made a management client: %v", caller.Role, err)
		}
	}
	if _, _, err := r.As(domain.Local(by)).CreateClient(ctx, by, c); err != nil {
		t.Fatal(err)
	}
	developer := r.As(domain.Caller{Actor: by, Role: domain.TenantDeveloper, Reach: everywhere})
	if _, _, err := developer.ReplaceSecrets(ctx, by, "manage", clientID, false); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("a developer has the secret of a management client: %v", err)
	}
	of := c // admin:platform opens every tenant
	of.ID, of.PlatformWide, of.Tenant, of.Scopes = "", false, tenantID, oauth.Scope{domain.ScopePlatform}
	_, _, err = r.As(domain.Local(by)).CreateClient(ctx, by, of)
	problem(t, err, "scopes[0]")
	main.Management = false
	_, _, err = r.PutIssuer(ctx, by, main, 0)
	problem(t, err, "management")
	narrow := c
	narrow.Scopes = oauth.Scope{domain.ScopePlatform}
	platform := r.As(domain.Caller{Actor: by, Role: domain.PlatformAdmin, Reach: everywhere, Platform: true, Holds: &narrow})
	c.ID = ""
	if _, _, err := platform.CreateClient(ctx, by, c); !errors.Is(err, registry.ErrForbidden) { // D-101
		t.Errorf("a client made one that may more: %v", err)
	}
}

// The directory is put in one go, all or nothing.
func TestDirectory(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	study := func(id, label string) domain.NamedResource {
		return domain.NamedResource{ResourceKind: "study", ID: id, Label: label, Tenant: tenantID}
	}
	_, err := r.PutResources(ctx, by, []domain.NamedResource{study("1", "One"), study("1", "Again"), study("*", ""), {ResourceKind: "study", ID: "2", Label: "x", Tenant: otherTenant}})
	for _, field := range []string{"resources[1].id", "resources[2].id", "resources[2].label", "resources[3].tenant"} {
		problem(t, err, field)
	}
	if _, err := r.PutResources(ctx, by, slices.Repeat([]domain.NamedResource{study("1", "One")}, 501)); err == nil {
		t.Error("501 at once")
	}
	put, err := r.PutResources(ctx, by, []domain.NamedResource{study("1", "Asthma"), study("2", "Zoster")})
	if err != nil || len(put) != 2 || put[1].Version != 1 {
		t.Fatal(put, err)
	}
	before := len(r.feed(t))
	if _, err := r.PutResources(ctx, by, []domain.NamedResource{study("1", "Asthma")}); err != nil || len(r.feed(t)) != before {
		t.Errorf("nothing changed, and there is a change: %v", err)
	}
	put[0].Label, put[0].Version = "Other", 7
	if _, err := r.PutResources(ctx, by, put); !errors.Is(err, domain.ErrConflict) {
		t.Errorf("an old version: %v", err)
	}
	found, err := r.FindResources(ctx, "ZOS", domain.Page{})
	if err != nil || len(found) != 1 || found[0].ID != "2" {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := r.ListResources(ctx, "", "", domain.Page{Prefix: "1"}); err == nil {
		t.Error("a prefix without a kind")
	}
	if err := r.DeleteTenant(ctx, by, tenantID, 0); err != nil {
		t.Fatal(err)
	}
	if list, err := r.ListResources(ctx, "study", "", domain.Page{}); err != nil || len(list) > 0 {
		t.Errorf("of a tenant that went: %+v, %v", list, err)
	}
}
