package registry_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

func TestPutIssuer(t *testing.T) {
	r := newRoom(t)
	i := r.issuer(t, domain.Issuer{Name: "main", URL: "https://id.example.com/a"})
	if i.Dialect != "rfc" || i.Algorithm != "ES256" || i.Version != 1 { // COM-11
		t.Errorf("got %+v", i)
	}
	list, err := r.ListKeys(t.Context(), "main")
	if err != nil || len(list) != 2 || keys.Signing(list, r.now) == nil || keys.SigningFor(domain.PurposeIdentity, list, r.now) == nil {
		t.Fatalf("its first keys: %+v, %v", list, err)
	}
	before := len(r.feed(t))
	if again := r.issuer(t, domain.Issuer{Name: "main", URL: "https://id.example.com/a"}); again.Version != 1 || len(r.feed(t)) != before {
		t.Error("nothing changed, but there is a change")
	}
	if _, _, err := r.PutIssuer(t.Context(), by, i, 7); !errors.Is(err, domain.ErrConflict) {
		t.Errorf("an old version: %v", err)
	}
	if _, _, err := r.PutIssuer(t.Context(), by, domain.Issuer{Name: "none", URL: "https://x.example.com"}, 7); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a version of nothing: %v", err)
	}
	i.Algorithm = "EdDSA"
	r.issuer(t, i)
	list, _ = r.ListKeys(t.Context(), "main")
	if s := keys.Signing(list, r.now); len(list) != 3 || s.Algorithm != "ES256" {
		t.Errorf("the new key must be published before it signs: %+v", list)
	}
	r.pass(keys.Lead)
	if s := keys.Signing(list, r.now); s.Algorithm != "EdDSA" {
		t.Errorf("signs with %s", s.Algorithm)
	}
	if err := r.RotateDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.pass(keys.Lead)
	list, _ = r.ListKeys(t.Context(), "main")
	if s := keys.SigningFor(domain.PurposeIdentity, list, r.now); s.Algorithm != "EdDSA" {
		t.Errorf("identities are signed with %s", s.Algorithm)
	}
	i.Dialect, i.Algorithm = "bipsync", "HS256"
	_, _, err = r.PutIssuer(t.Context(), by, i, 0)
	problem(t, err, "algorithm")
}

// BIP-07 as a setting; RULES: HS256 of a user's own dialect also needs allow_hs256.
func TestHS256(t *testing.T) {
	r := newRoom(t)
	r.issuer(t, domain.Issuer{Name: "b", URL: "https://b.example.com", Dialect: "bipsync", Algorithm: "HS256"})
	own, err := dialect.Load("own.yaml", []byte("schema: 1\nname: own\ntitle: Own\nsource: here\nwire:\n  path: /token\nserver:\n  algorithms: [ES256, HS256]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Dialects, err = dialect.NewSet(own); err != nil {
		t.Fatal(err)
	}
	i := domain.Issuer{Name: "o", URL: "https://o.example.com", Dialect: "own", Algorithm: "HS256"}
	_, _, err = r.PutIssuer(t.Context(), by, i, 0)
	problem(t, err, "algorithm")
	r.AllowHS256 = true
	r.issuer(t, i)
	i.Algorithm = "ES256"
	_, _, err = r.PutIssuer(t.Context(), by, i, 0)
	problem(t, err, "algorithm")
}

func TestOverlaps(t *testing.T) {
	other := "33333333-3333-4333-8333-333333333333"
	tenant := func(id string, hosts ...string) domain.Tenant {
		return domain.Tenant{ID: id, Label: "T", Hosts: map[string][]string{"main": hosts}}
	}
	main := domain.Issuer{Name: "main", URL: "https://id.example.com", Dialect: "rfc"}
	for name, c := range map[string]struct {
		issuers []domain.Issuer
		tenants []domain.Tenant
		want    string // what each object is told, in any order; empty: nothing
	}{
		"own host of a tenant":   {[]domain.Issuer{main}, []domain.Tenant{tenant(tenantID, "id.example.com")}, ""},
		"two hosts":              {[]domain.Issuer{main}, []domain.Tenant{tenant(tenantID, "a.example.com"), tenant(other, "b.example.com")}, ""},
		"two tenants":            {[]domain.Issuer{main}, []domain.Tenant{tenant(tenantID, "a.example.com"), tenant(other, "A.example.com:443")}, "hosts.main[0] hosts.main"},
		"twice":                  {[]domain.Issuer{main}, []domain.Tenant{tenant(tenantID, "a.example.com", "a.example.com")}, "hosts.main[1]"},
		"no such issuer":         {nil, []domain.Tenant{tenant(tenantID, "a.example.com")}, "hosts.main"},
		"other issuer's":         {[]domain.Issuer{main, {Name: "two", URL: "https://a.example.com"}}, []domain.Tenant{tenant(tenantID, "a.example.com")}, "hosts.main[0] url"},
		"same place":             {[]domain.Issuer{main, {Name: "two", URL: "http://ID.example.com:80"}}, nil, "url url"},
		"further host":           {[]domain.Issuer{main, {Name: "two", URL: "https://two.example.com", Hosts: []string{"id.example.com"}}}, nil, "hosts[0] url"},
		"other prefix":           {[]domain.Issuer{main, {Name: "two", URL: "https://id.example.com/two"}}, nil, ""},
		"other port":             {[]domain.Issuer{main, {Name: "two", URL: "https://id.example.com:8443"}}, nil, ""},
		"hidden at a tenant's":   {[]domain.Issuer{main, {Name: "two", URL: "https://a.example.com/oauth2"}}, []domain.Tenant{tenant(tenantID, "a.example.com")}, "url url hosts.main"},
		"hides at a tenant's":    {[]domain.Issuer{{Name: "two", URL: "https://a.example.com", Dialect: "rfc"}, {Name: "main", URL: "https://id.example.com/oauth2"}}, []domain.Tenant{tenant(tenantID, "a.example.com")}, "url url hosts.main"},
		"token endpoint hidden":  {[]domain.Issuer{{Name: "main", URL: "https://id.example.com", Dialect: "trialbee"}, {Name: "two", URL: "https://id.example.com/oauth2"}}, nil, "url url"},
		"like it, not a segment": {[]domain.Issuer{{Name: "main", URL: "https://id.example.com", Dialect: "trialbee"}, {Name: "two", URL: "https://id.example.com/oauth"}}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := &registry.Registry{Dialects: dialect.Builtin()}
			got := map[string]int{}
			for _, list := range r.Overlaps(c.issuers, c.tenants) {
				for _, p := range list {
					got[p.Field]++
				}
			}
			for _, field := range strings.Fields(c.want) {
				got[field]--
			}
			for field, n := range got {
				if n != 0 {
					t.Errorf("%s: %d too many", field, n)
				}
			}
		})
	}
}

// COM-12: what is taken from a tenant is told, and allowed.
func TestPutTenantWarns(t *testing.T) {
	r := furnished(t)
	in := spec()
	in.ResourceScope = domain.ResourceScope{"study": {IDs: []string{"s2"}}}
	if _, _, err := r.CreateClient(t.Context(), by, in); err != nil {
		t.Fatal(err)
	}
	shrunk := domain.Tenant{ID: tenantID, Label: "Tenant", Resources: map[string][]string{"study": {"s1"}}, Ceiling: &domain.Ceiling{Scopes: oauth.Scope{"a"}}}
	_, warnings, err := r.PutTenant(t.Context(), by, shrunk, 0)
	if err != nil || len(warnings) != 2 {
		t.Fatalf("%+v, %v", warnings, err)
	}
	if _, err := r.DisableClient(t.Context(), by, "main", clientID); err != nil {
		t.Errorf("what is wrong with a client must not keep it alive: %v", err)
	}
}

func TestDeleteInUse(t *testing.T) {
	r := furnished(t)
	r.client(t)
	ctx := t.Context()
	if err := r.DeleteTenant(ctx, by, tenantID, 0); !errors.Is(err, registry.ErrInUse) {
		t.Errorf("tenant: %v", err)
	}
	if err := r.DeleteIssuer(ctx, by, "main", 0); !errors.Is(err, registry.ErrInUse) {
		t.Errorf("issuer: %v", err)
	}
	in := spec()
	in.ID = "legacy"
	if _, err := r.ImportClient(ctx, by, in, registry.Imported{Hash: bcryptOfU}); err != nil {
		t.Fatal(err)
	}
	_, _, err := r.PutIssuer(ctx, by, domain.Issuer{Name: "main", URL: "https://id.example.com"}, 0)
	problem(t, err, "imported_secrets")
	for _, id := range []string{clientID, "legacy"} {
		if err := r.DeleteClient(ctx, by, "main", id, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.DeleteTenant(ctx, by, tenantID, 7); !errors.Is(err, domain.ErrConflict) {
		t.Errorf("tenant at another version: %v", err)
	}
	if err := r.DeleteIssuer(ctx, by, "main", 7); !errors.Is(err, domain.ErrConflict) {
		t.Errorf("issuer at another version: %v", err)
	}
	if err := r.DeleteTenant(ctx, by, tenantID, 0); err != nil {
		t.Error(err)
	}
	if err := r.DeleteIssuer(ctx, by, "main", 0); err != nil {
		t.Error(err)
	}
	if list, err := r.Store.Read().Keys.List(ctx, domain.Page{}); err != nil || len(list) != 0 {
		t.Errorf("keys are left: %v, %v", list, err)
	}
}

func TestKeys(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	first := r.accessKeys(t)
	if err := r.RotateDue(ctx); err != nil || len(r.feed(t)) == 0 {
		t.Fatal(err)
	}
	n := len(r.feed(t))
	if err := r.RotateDue(ctx); err != nil || len(r.feed(t)) != n {
		t.Errorf("a rotation that is not due: %v", err)
	}
	r.pass(90 * 24 * time.Hour)
	if err := r.RotateDue(ctx); err != nil {
		t.Fatal(err)
	}
	list := r.accessKeys(t)
	if len(list) != 2 || keys.Signing(list, r.now).ID != first[0].ID {
		t.Errorf("the old one signs on until the new one is known: %+v", list)
	}
	if _, err := r.RotateKey(ctx, by, "main", keys.RotateOptions{}); !errors.Is(err, domain.ErrExists) {
		t.Errorf("a rotation during a rotation: %v", err)
	}
	r.pass(keys.Overlap + time.Hour)
	if err := r.RotateDue(ctx); err != nil {
		t.Fatal(err)
	}
	if list = r.accessKeys(t); len(list) != 1 || list[0].ID == first[0].ID {
		t.Errorf("the old key is left: %+v", list)
	}
	made, err := r.RotateKey(ctx, by, "main", keys.RotateOptions{Kill: true})
	if err != nil {
		t.Fatal(err)
	}
	if list = r.accessKeys(t); len(list) != 1 || list[0].ID != made.ID { // D-58
		t.Errorf("kill left %+v", list)
	}
	if _, err := r.ListKeys(ctx, "none"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("keys of nobody: %v", err)
	}
}

// accessKeys lists the keys of the issuer main for access tokens.
func (r *room) accessKeys(t *testing.T) []domain.Key {
	t.Helper()
	list, err := r.ListKeys(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(list, func(k domain.Key) bool { return k.Purpose != domain.PurposeAccess })
}

// An installation from before identities has no key for them: the next look at what is
// due makes one, which signs at once, whatever else waits for its turn.
func TestIdentityKeyOfAnOldInstallation(t *testing.T) {
	r := furnished(t)
	if _, err := r.RotateKey(t.Context(), by, "main", keys.RotateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := r.Store.Change(t.Context(), by, func(tables domain.Tables) (changes []domain.Change, _ error) {
		list, err := tables.Keys.List(t.Context(), domain.Page{Prefix: "main/"})
		for _, k := range list {
			if k.Purpose == domain.PurposeIdentity && err == nil {
				err = tables.Keys.Delete(t.Context(), k.Key(), k.Version)
				changes = append(changes, domain.Change{Kind: k.Kind(), Key: k.Key(), Action: "key.expire"})
			}
		}
		return changes, err
	})
	if err != nil {
		t.Fatal(err)
	}
	before := r.accessKeys(t)
	for range 2 {
		if err := r.RotateDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	list, err := r.ListKeys(t.Context(), "main")
	if err != nil || len(list) != len(before)+1 || keys.SigningFor(domain.PurposeIdentity, list, r.now) == nil {
		t.Errorf("%+v, %v", list, err)
	}
	if d := cmp.Diff(before, r.accessKeys(t)); d != "" {
		t.Errorf("keys for access tokens (-before +after)\n%s", d)
	}
}

// rfcKey is the P-256 key of RFC 7517 appendix A.2.
const rfcKey = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","alg":"ES256","kid":"1"}`

func TestImportKey(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	r.issuer(t, domain.Issuer{Name: "two", URL: "https://two.example.com"})
	before := r.accessKeys(t)
	k, err := r.ImportKey(ctx, by, "main", []byte(rfcKey), keys.ImportOptions{Sign: true})
	if err != nil || k.ID != "1" || !k.Imported {
		t.Fatalf("%+v, %v", k, err)
	}
	r.pass(time.Second)
	list, _ := r.ListKeys(ctx, "main")
	if s := keys.Signing(list, r.now); s == nil || s.ID != "1" {
		t.Errorf("it does not sign: %+v", list)
	}
	if keys.SigningFor(domain.PurposeIdentity, list, r.now) == nil {
		t.Errorf("no key for identities is left: %+v", list)
	}
	for i := range list {
		if list[i].ID == before[0].ID && (list[i].Expires == nil || !keys.Published(&list[i], r.now.Add(dialect.MaxLifetime))) {
			t.Errorf("the key before it is gone too early: %+v", list[i])
		}
	}
	// RULES: in one issuer only, whatever its kid there.
	if _, err := r.ImportKey(ctx, by, "two", []byte(strings.Replace(rfcKey, `"kid":"1"`, `"kid":"2"`, 1)), keys.ImportOptions{}); !errors.Is(err, domain.ErrExists) {
		t.Errorf("the same key in two issuers: %v", err)
	}
	_, err = r.ImportKey(ctx, by, "two", []byte(`{"kty":"oct"}`), keys.ImportOptions{})
	problem(t, err, "jwk")
}
