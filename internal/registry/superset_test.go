package registry_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

// What clients are drawn from.
var (
	scopeWords    = []string{"a", "b", "c"}
	audienceWords = []string{"https://api.example.com", "https://two.example.com"}
	policyWords   = []string{"reader", "writer"}
	resourceWords = []string{"s1", "s2", "s3"}
	tierWords     = []string{"slow", "standard", "unlimited"}
	apiWords      = []string{"api", "two"}
	tenantWords   = []string{"", tenantID, otherTenant}
	issuerWords   = []string{"main", "other"}
)

func subset(t *rapid.T, label string, of []string) []string {
	var list []string
	for _, v := range of {
		if rapid.Bool().Draw(t, label+" "+v) {
			list = append(list, v)
		}
	}
	return list
}

// drawRights draws what a client may hold on every axis.
func drawRights(t *rapid.T, label string) domain.Client {
	c := domain.Client{
		Issuer: rapid.SampledFrom(issuerWords).Draw(t, label+" issuer"), Name: label,
		Tenant: rapid.SampledFrom(tenantWords).Draw(t, label+" tenant"),
		Scopes: oauth.Scope(subset(t, label+" scope", scopeWords)), Policies: subset(t, label+" policy", policyWords),
		Audiences: append(subset(t, label+" audience", audienceWords[1:]), audienceWords[0]),
		Tier:      rapid.SampledFrom(tierWords).Draw(t, label+" tier"),
		Lifetime:  rapid.SampledFrom([]domain.Seconds{0, 60, 3600}).Draw(t, label+" lifetime"),
		Partner:   rapid.Bool().Draw(t, label+" partner"),
	}
	c.PlatformWide = c.Tenant == ""
	if ids := subset(t, label+" study", resourceWords); rapid.Bool().Draw(t, label+" all studies") {
		c.ResourceScope = domain.ResourceScope{"study": {All: true}}
	} else if len(ids) > 0 {
		c.ResourceScope = domain.ResourceScope{"study": {IDs: ids}}
	}
	for _, api := range subset(t, label+" own limit at", apiWords) {
		if c.RateLimits == nil {
			c.RateLimits = make(map[string]int64)
		}
		c.RateLimits[api] = rapid.SampledFrom([]int64{1, 100, 500, 10_000}).Draw(t, label+" limit at "+api)
	}
	return c
}

// drawLike draws a client that on most axes is as another one: of two drawn apart hardly any
// is within the other.
func drawLike(t *rapid.T, label string, other domain.Client) domain.Client {
	c := drawRights(t, label)
	if other.Name == "" {
		return c
	}
	like := func(axis string, take func()) {
		if rapid.IntRange(0, 4).Draw(t, label+" has its own "+axis) > 0 {
			take()
		}
	}
	like("tenant", func() { c.Tenant, c.PlatformWide = other.Tenant, other.PlatformWide })
	like("scopes", func() { c.Scopes = other.Scopes })
	like("audiences", func() { c.Audiences = other.Audiences })
	like("policies", func() { c.Policies = other.Policies })
	like("studies", func() { c.ResourceScope = other.ResourceScope })
	like("tier", func() { c.Tier = other.Tier })
	like("limits", func() { c.RateLimits = other.RateLimits })
	like("lifetime", func() { c.Lifetime = other.Lifetime })
	like("partner", func() { c.Partner = other.Partner })
	return c
}

// can lists all that a client can do, each with how much, found by asking for it: what token
// and guard make of the client, not what registry compares.
func (r *town) can(t *rapid.T, c domain.Client) map[string]int64 {
	issuer, err := r.GetIssuer(t.Context(), c.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := dialect.Builtin().Get(issuer.Dialect)
	all := map[string]int64{}
	if c.PlatformWide {
		for _, tenant := range tenantWords {
			all["act for "+tenant] = 1
		}
	} else {
		all["act for "+c.Tenant] = 1
	}
	for _, s := range scopeWords {
		if g, err := c.Grant(d, nil, &oauth.TokenRequest{Scope: oauth.Scope{s}}); err == nil {
			all["scope "+s], all["lifetime"] = 1, int64(g.Lifetime/time.Second)
		}
	}
	if g, err := c.Grant(d, nil, &oauth.TokenRequest{}); err == nil {
		all["lifetime"] = int64(g.Lifetime / time.Second)
		for _, a := range g.Audience {
			all["audience "+a] = 1
		}
	}
	for _, p := range c.Policies {
		all["policy "+p] = 1
	}
	for _, id := range append(slices.Clone(resourceWords), "made later") {
		if c.ResourceScope.Holds("study", id) {
			all["study "+id] = 1
		}
	}
	if !c.Partner {
		all["be no partner"] = 1
	}
	return all
}

// load is how many calls a minute somebody makes, at each of apiWords and at an API of which
// there was no talk.
type load [3]int64

// bears reports whether a client may make these calls, counted as guard counts them.
func (r *town) bears(t *rapid.T, c *domain.Client, apis []domain.API, l load) bool {
	tier, err := r.GetTier(t.Context(), c.Tier)
	if err != nil {
		t.Fatal(err)
	}
	together := l[2]
	for i, api := range apis {
		limit, apart := c.RateLimits[api.Name]
		if !apart {
			limit, apart = api.RateLimits[c.Tier]
		}
		if !apart {
			together += l[i]
		} else if l[i] > limit {
			return false
		}
	}
	return tier.Unlimited || together <= tier.PerMinute
}

// faster is a load that one client bears and the other does not, if any.
func (r *town) faster(t *rapid.T, one, other *domain.Client) []string {
	apis, err := r.ListAPIs(t.Context(), domain.Page{}) // in the order of apiWords
	if err != nil || len(apis) != len(apiWords) {
		t.Fatal(apis, err)
	}
	of := func(label string) int64 {
		return rapid.SampledFrom([]int64{0, 1, 2, 50, 51, 100, 499, 500, 550, 599, 600, 601, 10_000, 10_001}).Draw(t, label)
	}
	for range 20 {
		l := load{of("api"), of("two"), of("else")}
		if r.bears(t, one, apis, l) && !r.bears(t, other, apis, l) {
			return []string{fmt.Sprintf("calls %v", l)}
		}
	}
	return nil
}

// more is what one can do and the other cannot.
func more(one, other map[string]int64) []string {
	var list []string
	for _, what := range slices.Sorted(maps.Keys(one)) {
		if one[what] > other[what] {
			list = append(list, fmt.Sprintf("%s: %d, not %d", what, one[what], other[what]))
		}
	}
	return list
}

// D-101: what a management client makes, changes or gets a secret of can do nothing that it
// could not give, before and after; whatever it does, and in whatever order.
func TestSuperset(t *testing.T) {
	r := peopled(t)
	r.superset(t)
	made, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		holds := drawRights(rt, "holder")
		caller := domain.Caller{Actor: by, Role: rapid.SampledFrom([]domain.Role{domain.IntegrationManager, domain.TenantDeveloper, domain.PlatformAdmin}).Draw(rt, "role"),
			Reach: domain.Reach{AllTenants: true, AllIssuers: true}, Holds: &holds}
		could := r.can(rt, holds)
		err := r.Together(rt.Context(), by, func(in *registry.Registry) error {
			as := in.As(caller)
			for range rapid.IntRange(1, 4).Draw(rt, "acts") {
				before, after, err := r.act(rt, in, as, holds)
				switch {
				case errors.Is(err, registry.ErrForbidden):
					refused++
					continue
				case err != nil:
					continue // no such client under this issuer or tenant
				}
				made++
				for when, c := range map[string]*domain.Client{"before": before, "after": after} {
					if c == nil {
						continue
					}
					too := append(more(r.can(rt, *c), could), r.faster(rt, c, &holds)...)
					if len(too) > 0 {
						rt.Fatalf("%s, it could do more than could be given: %s\nholder %+v\nclient %+v", when, strings.Join(too, "; "), holds, *c)
					}
				}
			}
			return errBack
		})
		if !errors.Is(err, errBack) {
			rt.Fatal(err)
		}
	})
	if made == 0 || refused == 0 {
		t.Errorf("%d acts done and %d refused: this shows nothing", made, refused)
	}
}

// act does something as a caller with a client that is there, or a new one.
func (r *town) act(t *rapid.T, in, as *registry.Registry, holds domain.Client) (before, after *domain.Client, err error) {
	ctx := t.Context()
	if rapid.Bool().Draw(t, "new") {
		c, _, err := as.CreateClient(ctx, by, drawLike(t, "client", holds))
		return nil, &c, err
	}
	place := rapid.SampledFrom(places).Draw(t, "place")
	key := r.at[place.name]
	old, err := in.UpdateClient(ctx, by, place.issuer, key, 0, func(c *domain.Client) error { // by somebody who may
		*c = drawLike(t, "there", holds)
		c.Tenant, c.PlatformWide = place.tenant, place.tenant == ""
		if c.Tenant == "" {
			c.ResourceScope = nil
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var now domain.Client
	switch rapid.SampledFrom([]string{"update", "rotate", "replace", "enable", "disable", "complete"}).Draw(t, "what") {
	case "update":
		now, err = as.UpdateClient(ctx, by, place.issuer, key, 0, func(c *domain.Client) error { *c = drawLike(t, "change", holds); return nil })
	case "rotate":
		if _, err := in.CancelRotation(ctx, by, place.issuer, key); err != nil && !errors.Is(err, registry.ErrNoRotation) {
			return nil, nil, err
		}
		now, _, err = as.StartRotation(ctx, by, place.issuer, key, 0)
	case "replace":
		now, _, err = as.ReplaceSecrets(ctx, by, place.issuer, key, false)
	case "enable":
		now, err = as.EnableClient(ctx, by, place.issuer, key)
	case "disable":
		now, err = as.DisableClient(ctx, by, place.issuer, key)
	case "complete":
		now, err = as.CompleteRotation(ctx, by, place.issuer, key, false)
	}
	return &old, &now, err
}

// superset makes what clients are drawn from.
func (r *town) superset(t *testing.T) {
	t.Helper()
	two := theAPI()
	two.Name, two.Path, two.RateLimits = "two", "/two", map[string]int64{"standard": 50, "slow": 1}
	_, _, errA := r.PutAPI(t.Context(), by, two, 0)
	writer := reader()
	writer.Name = "writer"
	_, _, errP := r.PutPolicy(t.Context(), by, writer, 0)
	var errT error
	for _, id := range []string{tenantID, otherTenant} {
		_, _, err := r.PutTenant(t.Context(), by, domain.Tenant{ID: id, Label: "T", Resources: map[string][]string{"study": resourceWords}}, 0)
		errT = errors.Join(errT, err)
	}
	if err := errors.Join(errA, errP, errT); err != nil {
		t.Fatal(err)
	}
}
