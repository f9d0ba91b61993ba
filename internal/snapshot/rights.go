package snapshot

import (
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
)

// compiled is the rights of a client by one view.
type compiled struct {
	view   uint64
	rights *policy.Rights
}

// Rights are what the client holds now: by its row, and by what the view says of its
// tenant and of its policies (COM-12). They are made once for each view.
func (c *Client) Rights(v *View) *policy.Rights {
	if made := c.rights.Load(); made != nil && made.view == v.number {
		return made.rights
	}
	rights := policy.Compile(v.held(&c.Client))
	c.rights.Store(&compiled{v.number, rights})
	return rights
}

// held is what a client holds. A client whose tenant is not there holds nothing.
func (v *View) held(c *domain.Client) policy.Held {
	h := policy.Held{Scopes: c.Scopes, Resources: c.ResourceScope, EveryEndpoint: c.PlatformWide}
	names := c.Policies
	if !c.PlatformWide {
		tenant := v.tenants[c.Tenant]
		if tenant == nil {
			return policy.Held{}
		}
		if tenant.Ceiling != nil {
			h.Scopes = within(h.Scopes, tenant.Ceiling.Scopes)
			names = within(names, tenant.Ceiling.Policies)
		}
		h.Resources, h.Endpoints = ofTenant(c.ResourceScope, tenant), tenant.Endpoints
	}
	for _, name := range names {
		if p, ok := v.policies[name]; ok {
			h.Policies = append(h.Policies, p)
		}
	}
	return h
}

// within is those of the list that stand in the other one too.
func within(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !slices.Contains(other, s) })
}

// ofTenant is what of the scope still is the tenant's. All of a kind that the tenant lists is
// what it lists, one by one: what touches all there are, whosever they are, is not for it. Of a
// kind that it does not list it has no ids to give, and all of it stays all.
func ofTenant(scope policy.ResourceScope, t *domain.Tenant) policy.ResourceScope {
	left := make(policy.ResourceScope, len(scope))
	for kind, held := range scope {
		ids, lists := t.Resources[kind]
		switch {
		case held.All && !lists:
			left[kind] = policy.Resources{All: true}
		case held.All && len(ids) > 0:
			left[kind] = policy.Resources{IDs: ids}
		case !held.All:
			if some := within(held.IDs, ids); len(some) > 0 {
				left[kind] = policy.Resources{IDs: some}
			}
		}
	}
	return left
}

func (v *View) addPolicy(row domain.Policy) {
	p := policy.Policy{Name: row.Name}
	for action := range row.Actions {
		p.Actions = append(p.Actions, action)
	}
	v.policies[p.Name] = p
}
