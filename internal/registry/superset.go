package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// canGive reports whether the caller may act on a client as it is, or make one as it would
// be: it must be able to give all that the client holds (RULES "Administration"; D-101).
// Objects and ceilings are checked elsewhere: this is about the caller alone.
func (r *Registry) canGive(ctx context.Context, t domain.Tables, c *domain.Client) error {
	if r.caller == nil {
		return nil
	}
	if !r.Sees(c.Issuer, c.Tenant) { // a tenant or issuer that is hidden is absent already
		return fmt.Errorf("%w: platform_wide needs a reach of all tenants", ErrForbidden)
	}
	issuer, err := r.issuerOf(ctx, t, c)
	if err != nil {
		return err
	}
	admin := issuer != nil && issuer.Management || slices.Contains(c.Audiences, domain.AdminAudience)
	switch {
	case admin && r.caller.Role != domain.PlatformAdmin:
		return fmt.Errorf("%w: clients that administer are made and changed by a %s", ErrForbidden, domain.PlatformAdmin)
	case admin && !r.caller.Platform:
		return fmt.Errorf("clients that administer: %w", ErrNotFresh)
	case r.caller.Holds == nil:
		return nil
	}
	return r.within(ctx, t, c, r.caller.Holds)
}

// within returns an error that names all that c holds and the caller does not.
func (r *Registry) within(ctx context.Context, t domain.Tables, c, holds *domain.Client) error {
	more := beyond(c, holds)
	mine, err := r.limitsOf(ctx, t, holds)
	if err != nil {
		return err
	}
	its, err := r.limitsOf(ctx, t, c)
	if err != nil {
		return err
	}
	if more = append(more, its.beyond(mine)...); len(more) == 0 {
		return nil
	}
	return fmt.Errorf("%w: client %q has, or would have, more than client %q can give: %s", ErrForbidden, c.ID, holds.ID, strings.Join(more, "; "))
}

// beyond lists what c holds and the other one does not, on the axes that need no look-up.
func beyond(c, holds *domain.Client) []string {
	var more []string
	add := func(field string, values ...string) { more = append(more, field+" "+strings.Join(values, " ")) }
	list := func(field string, has, may []string) {
		if rest := slices.DeleteFunc(slices.Clone(has), func(s string) bool { return slices.Contains(may, s) }); len(rest) > 0 {
			add(field, rest...)
		}
	}
	switch {
	case holds.PlatformWide:
	case c.PlatformWide:
		add("platform_wide")
	case c.Tenant != holds.Tenant:
		add("tenant", c.Tenant)
	}
	list("scopes", c.Scopes, holds.Scopes)
	list("audiences", c.Audiences, holds.Audiences)
	list("policies", c.Policies, holds.Policies)
	for _, kind := range c.ResourceScope.Kinds() {
		all := holds.ResourceScope[kind].All
		if c.ResourceScope[kind].All && !all {
			add("resource_scope."+kind, "all")
		}
		if !all {
			list("resource_scope."+kind, c.ResourceScope[kind].IDs, holds.ResourceScope[kind].IDs)
		}
	}
	if holds.Partner && !c.Partner { // a partner is refused where others are not
		add("partner", "false")
	}
	return more
}

// limits are how fast and how long a client may be.
type limits struct {
	lifetime  int64            // of its tokens, in seconds
	unlimited bool             // but for what is apart
	tier      int64            // calls a minute at all APIs together, but for
	apart     map[string]int64 // those at APIs that are counted apart
}

// beyond lists where these limits allow what those do not.
func (l *limits) beyond(holds *limits) []string {
	var more []string
	if l.lifetime > holds.lifetime {
		more = append(more, fmt.Sprintf("lifetime %d, not %d at most", l.lifetime, holds.lifetime))
	}
	for _, api := range slices.Sorted(maps.Keys(holds.apart)) {
		here, apart := l.apart[api]
		if most := holds.apart[api]; apart && here > most || !apart && (l.unlimited || l.tier > most) {
			more = append(more, fmt.Sprintf("rate_limits.%s above %d", api, most))
		}
	}
	if holds.unlimited {
		return more
	}
	left := holds.tier - l.tier
	if l.unlimited || left < 0 {
		return append(more, fmt.Sprintf("tier above %d calls a minute", holds.tier))
	}
	for _, api := range slices.Sorted(maps.Keys(l.apart)) {
		// What is counted apart comes on top of the tier.
		if _, too := holds.apart[api]; too {
			continue
		}
		if left -= l.apart[api]; left < 0 {
			return append(more, fmt.Sprintf("rate_limits.%s, with the tier above %d calls a minute", api, holds.tier))
		}
	}
	return more
}

// limitsOf is what guard and token make of a client.
func (r *Registry) limitsOf(ctx context.Context, t domain.Tables, c *domain.Client) (*limits, error) {
	issuer, err := r.issuer(ctx, t, c.Issuer)
	if err != nil {
		return nil, err
	}
	tier, err := r.tier(ctx, t, c.Tier)
	if err != nil {
		return nil, err
	}
	apis, err := r.allAPIs(ctx, t)
	if err != nil {
		return nil, err
	}
	l := &limits{unlimited: tier.Unlimited, tier: tier.PerMinute, apart: make(map[string]int64)}
	if d := r.dialect(issuer); d != nil {
		l.lifetime = int64(c.TokenLifetime(d) / time.Second)
	}
	for i := range apis {
		if here, ok := apis[i].RateLimits[tier.Name]; ok {
			l.apart[apis[i].Name] = here
		}
	}
	maps.Copy(l.apart, c.RateLimits)
	return l, nil
}
