package snapshot_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
)

func apis(t domain.Tables) domain.Table[domain.API]        { return t.APIs }
func policies(t domain.Tables) domain.Table[domain.Policy] { return t.Policies }
func tiers(t domain.Tables) domain.Table[domain.Tier]      { return t.Tiers }

func (w *world) api(name, path string, issuers []string, hosts ...string) {
	w.t.Helper()
	put(w.t, w.db, apis, domain.API{Name: name, Audience: "urn:" + name, Issuers: issuers, Path: path, Hosts: hosts, Routes: []policy.Route{{Method: "GET", Path: "/x"}}}, 0)
}

// gateTown is town with APIs before it.
func gateTown(t testing.TB) *world {
	w := town(t)
	w.api("everywhere", "", []string{"bip", "alone"})
	w.api("deep", "/v1/deep", []string{"bip"})
	w.api("v1", "/v1", []string{"bip", "gone"})
	w.api("own", "/v1", []string{"root", "bip"}, "API.example.com:443", "two-api.example.com", "alt.example.com:8443")
	w.api("orphan", "", []string{"gone"})
	return w
}

func TestFindAPI(t *testing.T) {
	v := gateTown(t)
	view := v.open(v.db).View()
	for _, c := range []struct {
		name, host, path string
		api, rest        string
		known            bool
	}{
		{"host of an issuer", "alone.example.com", "/a/b", "everywhere", "/a/b", true},
		{"further host of an issuer", "alt.example.com:8443", "/a", "everywhere", "/a", true},
		{"host of a tenant", "one-api.example.com", "/a", "everywhere", "/a", true},
		{"the longest path", "one-api.example.com", "/v1/deep/x", "deep", "/x", true},
		{"a path ends at a segment", "one-api.example.com", "/v1/deeper", "v1", "/deeper", true},
		{"a path alone is nothing below it", "one-api.example.com", "/v1/deep", "v1", "/deep", true},
		{"a path and a slash", "one-api.example.com", "/v1/", "v1", "/", true},
		{"another case", "one-api.example.com", "/V1/x", "everywhere", "/V1/x", true},
		{"an escape of what needs none", "one-api.example.com", "/%76%31/%2fx", "v1", "/%2fx", true},
		{"dots are not walked", "one-api.example.com", "/v2/../v1/x", "everywhere", "/v2/../v1/x", true},
		{"its own host", "api.example.com", "/v1/x", "own", "/x", true},
		{"D-20 its own host in another case", "Api.Example.COM:443", "/v1/x", "own", "/x", true},
		{"its own host, another path", "api.example.com", "/v2/x", "", "", true},
		{"own hosts are the only ones", "auth.example.com", "/v1/x", "", "", false},
		{"two at one place: the first by name", "two-api.example.com", "/v1/x", "own", "/x", true},
		{"D-20 a tenant nobody configured", "three-api.example.com", "/v1/x", "", "", false},
		{"of no issuer that is there", "gone.example.com", "/v1/x", "", "", false},
		{"no host", "", "/v1/x", "", "", false},
		{"OPTIONS *", "one-api.example.com", "*", "", "", true},
		{"no path", "one-api.example.com", "", "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, found, known := view.FindAPI(c.host, c.path)
			if found != (c.api != "") || known != c.known {
				t.Fatalf("found %t, known %t", found, known)
			}
			if found && (p.API.Name != c.api || p.Rest != c.rest || p.View != view) {
				t.Errorf("API %s, rest %s", p.API.Name, p.Rest)
			}
		})
	}
}

// A host that is a tenant's under an issuer of the API serves no other tenant.
func TestServes(t *testing.T) { // D-57
	w := gateTown(t)
	tenant3 := "33333333-54d5-4f0c-9a36-0d6f3e1b8a11"
	put(t, w.db, tenants, domain.Tenant{ID: tenant3, Label: "Three", Hosts: map[string][]string{"alone": {"one-api.example.com"}, "omni": {"alt.example.com:8443"}}}, 0)
	view := w.open(w.db).View()
	one, two, three := &domain.Client{Tenant: tenant1}, &domain.Client{Tenant: tenant2}, &domain.Client{Tenant: tenant3}
	wide := &domain.Client{PlatformWide: true}
	for _, c := range []struct {
		host, path, issuer string
		serves             []*domain.Client
		refuses            []*domain.Client
	}{
		{"two-api.example.com", "/a", "bip", []*domain.Client{two, wide}, []*domain.Client{one, three}},
		{"two-api.example.com", "/v1/a", "root", []*domain.Client{two, wide}, []*domain.Client{one, three}}, // another issuer, the host is two's
		{"alone.example.com", "/a", "alone", []*domain.Client{one, two, three, wide}, nil},
		{"api.example.com", "/v1/a", "bip", []*domain.Client{one, two, three, wide}, nil},
		{"alt.example.com:8443", "/v1/a", "root", []*domain.Client{one, two, three, wide}, nil}, // three's under an issuer that the API does not trust
		// One host, two issuers, a tenant of each.
		{"one-api.example.com", "/a", "bip", []*domain.Client{one, wide}, []*domain.Client{two, three}},
		{"one-api.example.com", "/a", "alone", []*domain.Client{three, wide}, []*domain.Client{one, two}},
	} {
		p, found, _ := view.FindAPI(c.host, c.path)
		issuer, ok := view.Issuer(c.issuer)
		if !found || !ok {
			t.Fatalf("%s%s is not there", c.host, c.path)
		}
		for _, client := range c.serves {
			if !p.Serves(issuer, client) {
				t.Errorf("%s%s: a client of %s with tenant %q is refused", c.host, c.path, c.issuer, client.Tenant)
			}
		}
		for _, client := range c.refuses {
			if p.Serves(issuer, client) {
				t.Errorf("%s%s: a client of %s with tenant %q is served", c.host, c.path, c.issuer, client.Tenant)
			}
		}
	}
}

func TestViewOfAPIs(t *testing.T) {
	w := gateTown(t)
	v := w.open(w.db).View()
	var names []string
	for _, a := range v.APIs() {
		names = append(names, a.Name)
	}
	if got := strings.Join(names, " "); got != "deep everywhere orphan own v1" {
		t.Errorf("APIs %s", got)
	}
	a, ok := v.API("v1")
	if !ok || a.Realm != "v1" || len(a.Issuers) != 1 || a.Issuers[0].Name != "bip" {
		t.Fatalf("%+v", a)
	}
	if _, ok := a.Table.Match("GET", "/x"); !ok {
		t.Error("no rules")
	}
	if a.Trusts("https://bip.example.com") != a.Issuers[0] || a.Trusts("https://bip.example.com/") != nil || a.Trusts("https://auth.example.com") != nil {
		t.Error("trusts another issuer than its own")
	}
	if _, ok := v.API("none"); ok {
		t.Error("an API that is not there")
	}
	if v.Tenant(tenant1) == nil || v.Tenant("none") != nil {
		t.Error("tenants")
	}
}

func TestTiers(t *testing.T) { // ARB-11
	w := newWorld(t)
	s := w.open(w.db)
	if got := s.View().Tier("premium"); got.PerMinute != 6000 {
		t.Errorf("%+v", got)
	}
	put(t, w.db, tiers, domain.Tier{Name: "bronze", PerMinute: 60}, 0)
	put(t, w.db, tiers, domain.Tier{Name: "unlimited", PerMinute: 99}, 0)
	w.check(s.Poll(t.Context()))
	for name, want := range map[string]domain.Tier{
		"bronze": {Name: "bronze", PerMinute: 60, Version: 1}, "unlimited": {Name: "unlimited", PerMinute: 99, Version: 1},
		"gone": {Name: "standard", PerMinute: 600}, "": {Name: "standard", PerMinute: 600},
	} {
		if diff := cmp.Diff(want, s.View().Tier(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// APIs, policies and tiers follow the feed; what cannot be read whole is not applied in part.
func TestAPIsFollow(t *testing.T) {
	w := gateTown(t)
	s := w.open(w.db)
	put(t, w.db, tiers, domain.Tier{Name: "bronze", PerMinute: 60}, 0)
	w.api("late", "/late", []string{"bip"})
	w.check(s.Poll(t.Context()))
	if _, ok := s.View().API("late"); !ok || s.View().Tier("bronze").PerMinute != 60 {
		t.Fatal("what was made is not there")
	}
	before, applied := s.View(), s.Applied()
	put(t, w.db, apis, domain.API{Name: "broken", Routes: []policy.Route{{Method: "TRACE", Path: "/"}}}, 0)
	put(t, w.db, tiers, domain.Tier{Name: "silver", PerMinute: 70}, 0)
	if err := s.Poll(t.Context()); err == nil || !strings.Contains(err.Error(), "API broken") || !strings.Contains(err.Error(), "TRACE") {
		t.Errorf("%v", err)
	}
	if s.View() != before || s.Applied() != applied {
		t.Error("a part was applied")
	}
	w.local.add(w.config(w.db).MaxStaleness + 1)
	if s.Fresh() == nil {
		t.Error("a node that cannot follow calls itself fresh")
	}
	put(t, w.db, apis, domain.API{Name: "broken"}, 1)
	w.check(s.Poll(t.Context()))
	if s.View().Tier("silver").PerMinute != 70 {
		t.Error("did not go on")
	}
}

// D-69: for whom a node without its store may go on, and for how long.
func TestFreshWithin(t *testing.T) {
	w := newWorld(t)
	put(t, w.db, clients, client(1), 0)
	s := w.open(w.db)
	if _, ok := s.Known("main", "c"); ok {
		t.Error("a client that nobody asked for is known")
	}
	get(t, s)
	if c, ok := s.Known("main", "c"); !ok || c.Epoch != 1 {
		t.Error("a client that was asked for is not known")
	}
	w.local.add(s.MaxStaleness + 1)
	if s.Fresh() == nil || s.FreshWithin(0) == nil || s.FreshWithin(1) != nil {
		t.Error("goes on for another time than it was given")
	}
}
