package domain

import (
	"slices"

	"github.com/postern-dev/postern/internal/policy"
)

// Held is what the client holds: by its row, by what its tenant may have and give, and by
// what its policies say (COM-12). tenant is that of the row, nil where there is none: then a
// client that is of one holds nothing. Policies that are not there bring nothing. Nodes
// decide by it, and so does whoever asks what was held at another time.
func (c *Client) Held(tenant *Tenant, policies map[string]policy.Policy) policy.Held {
	h := policy.Held{Scopes: c.Scopes, Resources: c.ResourceScope, EveryEndpoint: c.PlatformWide}
	names := c.Policies
	if !c.PlatformWide {
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
		if p, ok := policies[name]; ok {
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
func ofTenant(scope policy.ResourceScope, t *Tenant) policy.ResourceScope {
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

// Compiled is the policy as decisions take it.
func (o *Policy) Compiled() policy.Policy {
	p := policy.Policy{Name: o.Name, Actions: make([]string, 0, len(o.Actions))}
	for action := range o.Actions {
		p.Actions = append(p.Actions, action)
	}
	return p
}
