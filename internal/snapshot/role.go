package snapshot

import (
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
)

// roleIn is a role of an API within a tenant; without one it is of all of them.
type roleIn struct{ role, tenant string }

// RoleRights are what somebody who is no client may do at the API now, by a role and within
// a tenant, which narrows it as it does a client; empty is no tenant, but all of them. It is
// not ok for a role that the API does not know. Scopes are not looked at: all that the rules
// ask for are held (ARB-07), and said says them.
func (a *API) RoleRights(v *View, role, tenant string) (rights *policy.Rights, said policy.Said, ok bool) {
	of, ok := a.Roles[role]
	if !ok {
		return nil, policy.Said{}, false
	}
	said = policy.Said{Scopes: a.scopes}
	key := roleIn{role, tenant}
	if made, ok := a.roles.Load(key); ok {
		return made.(*policy.Rights), said, true
	}
	as := domain.Client{Tenant: tenant, PlatformWide: tenant == "", Policies: of.Policies, ResourceScope: of.ResourceScope}
	held := as.Held(v.tenants[tenant], v.policies)
	held.Scopes = a.scopes
	rights = policy.Compile(held)
	a.roles.Store(key, rights)
	return rights, said, true
}

// scopesOf are the scopes that the rules of an API ask for.
func scopesOf(a *API) (list []string) {
	for i := range a.Routes {
		list = append(list, a.Routes[i].Scopes...)
	}
	if a.Schema != nil {
		list = append(list, a.Schema.Scopes()...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// withoutOurs takes the users away from an API that names an issuer of ours as theirs: there
// a token of a client would have two readings (D-54).
func (v *View) withoutOurs(a *API) {
	if a.Users == nil {
		return
	}
	for _, i := range v.issuers {
		if i.URL == a.Users.Issuer {
			a.Users = nil
			return
		}
	}
}
