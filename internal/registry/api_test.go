package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/registry"
)

// theAPI has a route, of an action, at every host of the issuer main.
func theAPI() domain.API {
	return domain.API{Name: "api", Audience: "https://api.example.com", Issuers: []string{"main"}, Path: "/v1", Upstream: "http://10.0.0.7:9000",
		Routes: []domain.Route{{Method: "GET", Path: "/studies/{study}", Actions: []string{"studies:read"}, Parameters: []policy.Parameter{{Name: "study", Kind: "study"}}}}}
}

func reader() domain.Policy {
	return domain.Policy{Name: "reader", Actions: map[string]string{"studies:read": "read studies", "sites:read": "read sites"}}
}

// must is the value of a put without an error.
func must[T any](t *testing.T) func(T, []registry.Warning, error) T {
	return func(v T, _ []registry.Warning, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// actions of the feed since it had n changes.
func (r *room) actions(t *testing.T, n int) string {
	t.Helper()
	var list []string
	for _, c := range r.feed(t)[n:] {
		list = append(list, c.Action+" "+c.Key)
	}
	return strings.Join(list, ", ")
}

// Each put and delete is one change; what stays the same is none; versions count.
func TestPutAndDelete(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	before := len(r.feed(t))
	p := must[domain.Policy](t)(r.PutPolicy(ctx, by, reader(), 0))
	tier := must[domain.Tier](t)(r.PutTier(ctx, by, domain.Tier{Name: "gold", PerMinute: 5}, 0))
	in := theAPI()
	a := must[domain.API](t)(r.PutAPI(ctx, by, in, 0))
	if a.MaxBody != 10<<20 || a.Timeouts.Answer != 30 || a.Routes[0].Parameters[0].In != policy.InPath || in.Routes[0].Parameters[0].In != "" {
		t.Errorf("defaults: %+v of %+v", a, in)
	}
	if kept, err := r.GetAPI(ctx, "api"); err != nil || cmp.Diff(a, kept) != "" {
		t.Errorf("kept %s, %v", cmp.Diff(a, kept), err)
	}
	for range 2 { // the second changes nothing
		p.Label, tier.PerMinute, in.Label = "Readers", 6, "The API"
		p = must[domain.Policy](t)(r.PutPolicy(ctx, by, p, 0))
		tier = must[domain.Tier](t)(r.PutTier(ctx, by, tier, 0))
		a = must[domain.API](t)(r.PutAPI(ctx, by, in, 0))
	}
	if p.Version != 2 || tier.Version != 2 || a.Version != 2 {
		t.Errorf("versions %d %d %d", p.Version, tier.Version, a.Version)
	}
	for name, put := range map[string]func(v int64) error{
		"policy": func(v int64) error { _, _, err := r.PutPolicy(ctx, by, p, v); return err },
		"tier":   func(v int64) error { _, _, err := r.PutTier(ctx, by, tier, v); return err },
		"api":    func(v int64) error { _, _, err := r.PutAPI(ctx, by, in, v); return err },
		"delete": func(v int64) error {
			return errors.Join(r.DeletePolicy(ctx, by, "reader", v), r.DeleteTier(ctx, by, "gold", v), r.DeleteAPI(ctx, by, "api", v))
		},
	} {
		if err := put(1); !errors.Is(err, domain.ErrConflict) {
			t.Errorf("%s of an old version: %v", name, err)
		}
	}
	if err := errors.Join(r.DeleteAPI(ctx, by, "api", 2), r.DeleteTier(ctx, by, "gold", 0), r.DeletePolicy(ctx, by, "reader", 2)); err != nil {
		t.Error(err)
	}
	want := "policy.create reader, tier.create gold, api.create api, policy.update reader, tier.update gold, api.update api, api.delete api, tier.delete gold, policy.delete reader"
	if got := r.actions(t, before); got != want {
		t.Errorf("changes\n%s, want\n%s", got, want)
	}
	for name, err := range map[string]error{
		"policy": r.DeletePolicy(ctx, by, "reader", 0), "tier": r.DeleteTier(ctx, by, "gold", 0), "api": r.DeleteAPI(ctx, by, "api", 0),
		"built-in tier": r.DeleteTier(ctx, by, "standard", 0),
	} {
		if !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("delete a %s that is not there: %v", name, err)
		}
	}
	_, _, err := r.PutAPI(ctx, by, in, 7)
	if !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a version of nothing: %v", err)
	}
}

// What is refused keeps what was there (D-112).
func TestPutRefused(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	a := must[domain.API](t)(r.PutAPI(ctx, by, theAPI(), 0))
	must[domain.Policy](t)(r.PutPolicy(ctx, by, reader(), 0))
	before := len(r.feed(t))
	broken := theAPI()
	broken.Routes = append(broken.Routes, domain.Route{Method: "GET", Path: "/studies/{other}", Parameters: []policy.Parameter{{Name: "other", Unscoped: true}}}) // D-60
	broken.Issuers, broken.RateLimits = []string{"main", "none"}, map[string]int64{"gold": 1}
	_, _, err := r.PutAPI(ctx, by, broken, 0)
	for _, field := range []string{"routes[1]", "issuers[1]", "rate_limits.gold"} {
		problem(t, err, field)
	}
	p := reader()
	p.Actions["sites:read"] = ""
	_, _, err = r.PutPolicy(ctx, by, p, 0)
	problem(t, err, "actions.sites:read")
	_, _, err = r.PutTier(ctx, by, domain.Tier{Name: "gold"}, 0)
	problem(t, err, "per_minute")
	in := spec()
	in.Policies, in.Tier, in.RateLimits = []string{"reader", "writer"}, "gold", map[string]int64{"other": 1}
	_, _, err = r.CreateClient(ctx, by, in)
	for _, field := range []string{"policies[1]", "tier", "rate_limits.other"} {
		problem(t, err, field)
	}
	if kept, err := r.GetAPI(ctx, "api"); err != nil || cmp.Diff(a, kept) != "" || len(r.feed(t)) != before {
		t.Errorf("%s, %v, %s", cmp.Diff(a, kept), err, r.actions(t, before))
	}
}

// A client's own rate limits can be changed like all else, and are kept.
func TestClientRateLimits(t *testing.T) {
	r := furnished(t)
	must[domain.API](t)(r.PutAPI(t.Context(), by, theAPI(), 0))
	r.client(t)
	for _, n := range []int64{3, 4} {
		_, err := r.UpdateClient(t.Context(), by, "main", clientID, 0, func(c *domain.Client) error {
			if c.RateLimits == nil {
				c.RateLimits = map[string]int64{}
			}
			c.RateLimits["api"] = n
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := r.GetClient(t.Context(), "main", clientID); err != nil || c.RateLimits["api"] != n {
			t.Errorf("%v, %v, want %d", c.RateLimits, err, n)
		}
	}
}

// ARB-11: tiers are configurable, and the built-in ones are there before anybody makes one.
func TestBuiltinTiers(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	in := spec()
	in.Tier = "premium"
	if _, _, err := r.CreateClient(ctx, by, in); err != nil {
		t.Fatal(err)
	}
	must[domain.Tier](t)(r.PutTier(ctx, by, domain.Tier{Name: "gold", PerMinute: 5}, 0))
	must[domain.Tier](t)(r.PutTier(ctx, by, domain.Tier{Name: "premium", PerMinute: 7}, 0))
	names := func(page domain.Page) string {
		t.Helper()
		list, err := r.ListTiers(ctx, page)
		if err != nil {
			t.Fatal(err)
		}
		var s string
		for _, tier := range list {
			s += fmt.Sprintf("%s %d.%d ", tier.Name, tier.PerMinute, tier.Version)
		}
		return strings.TrimSpace(s)
	}
	for want, page := range map[string]domain.Page{
		"gold 5.1 premium 7.1 standard 600.0 unlimited 0.0": {},
		"gold 5.1 premium 7.1":                              {Limit: 2},
		"standard 600.0":                                    {After: "premium", Limit: 1},
		"premium 7.1":                                       {Prefix: "p"},
	} {
		if got := names(page); got != want {
			t.Errorf("%+v: %s, want %s", page, got, want)
		}
	}
	// A client has it, but then the built-in one holds again.
	if err := r.DeleteTier(ctx, by, "premium", 0); err != nil {
		t.Error(err)
	}
	if got, err := r.GetTier(ctx, "premium"); err != nil || got.PerMinute != 6000 || got.Version != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := r.GetTier(ctx, "silver"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("no such tier: %v", err)
	}
}

// What others refer to is not deleted.
func TestReferredTo(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	must[domain.Policy](t)(r.PutPolicy(ctx, by, reader(), 0))
	must[domain.Tier](t)(r.PutTier(ctx, by, domain.Tier{Name: "gold", PerMinute: 5}, 0))
	must[domain.Tier](t)(r.PutTier(ctx, by, domain.Tier{Name: "silver", PerMinute: 5}, 0))
	a := theAPI()
	a.RateLimits = map[string]int64{"silver": 1}
	must[domain.API](t)(r.PutAPI(ctx, by, a, 0))
	in := spec()
	in.Policies, in.Tier, in.RateLimits = []string{"reader"}, "gold", map[string]int64{"api": 3}
	if _, _, err := r.CreateClient(ctx, by, in); err != nil {
		t.Fatal(err)
	}
	refused := map[string]error{"a policy": r.DeletePolicy(ctx, by, "reader", 0), "a tier": r.DeleteTier(ctx, by, "gold", 0),
		"a tier of an API": r.DeleteTier(ctx, by, "silver", 0), "an API": r.DeleteAPI(ctx, by, "api", 0)}
	if err := r.DeleteClient(ctx, by, "main", clientID, 0); err != nil {
		t.Fatal(err)
	}
	refused["an issuer that an API trusts"] = r.DeleteIssuer(ctx, by, "main", 0)
	for name, err := range refused {
		if !errors.Is(err, registry.ErrInUse) || !strings.Contains(err.Error(), "first") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Join(r.DeletePolicy(ctx, by, "reader", 0), r.DeleteTier(ctx, by, "gold", 0), r.DeleteAPI(ctx, by, "api", 0),
		r.DeleteTier(ctx, by, "silver", 0), r.DeleteIssuer(ctx, by, "main", 0)); err != nil {
		t.Error(err)
	}
}

// COM-12: an action can be taken from a policy that clients hold, at once; a route that
// nobody can call since is told. D-65: so are routes that never had a policy, and no routes.
func TestUncallable(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	a := theAPI()
	a.Routes = append(a.Routes, domain.Route{Method: "GET", Path: "/sites", Actions: []string{"sites:read", "sites:list"}})
	_, warnings, err := r.PutAPI(ctx, by, a, 0)
	if err != nil || len(warnings) != 3 {
		t.Fatalf("%v, %v", warnings, err)
	}
	_, warnings, err = r.PutPolicy(ctx, by, reader(), 0)
	if err != nil || warnings != nil {
		t.Fatalf("%v, %v", warnings, err)
	}
	in := spec()
	in.Policies = []string{"reader"}
	if _, _, err := r.CreateClient(ctx, by, in); err != nil {
		t.Fatal(err)
	}
	p, warnings, err := r.PutPolicy(ctx, by, domain.Policy{Name: "reader", Actions: map[string]string{"sites:read": "read sites"}}, 0)
	want := []registry.Warning{{Object: "API api", Field: "routes[0].actions[0]", Message: `no policy has the action "studies:read", so nobody can call GET /studies/{study}`}}
	if diff := cmp.Diff(want, warnings); err != nil || p.Version != 2 || diff != "" {
		t.Errorf("%v, version %d, warnings %s", err, p.Version, diff)
	}
	feed := r.feed(t)
	if last := feed[len(feed)-1]; last.Action != "policy.update" || strings.Contains(string(last.Object), "studies:read") {
		t.Errorf("nodes are told %s: %s", last.Action, last.Object)
	}
	a.Routes = nil
	if _, warnings, err = r.PutAPI(ctx, by, a, 0); err != nil || len(warnings) != 1 || warnings[0].Field != "routes" {
		t.Errorf("%v, %v", warnings, err)
	}
}
