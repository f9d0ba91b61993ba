package main

import (
	"cmp"
	"slices"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

// credentialRows tell whom an API takes beside clients, and what they may do (ARB-07).
func credentialRows(rows *[][]string, a *admin.API) {
	if a.APIKeys {
		field(rows, "api keys", "those for its audience")
	}
	if u := a.Users; u != nil {
		field(rows, "users", "of "+u.Issuer)
		field(rows, "users' audience", u.Audience)
		field(rows, "users' keys", cmp.Or(u.JWKSURI, "written down in the API (jwks)"))
		field(rows, "users' typ", u.Type)
		field(rows, "users' role", "the claim "+u.RoleClaim)
		field(rows, "users' tenant", "the claim "+u.TenantClaim)
	}
	for _, name := range sortedKeys(a.Roles) {
		block(rows, "role "+name, rightsLines(a.Roles[name]))
	}
}

// rightsLines tell what a role may do, and where.
func rightsLines(r domain.Rights) (lines []string) {
	for _, name := range slices.Sorted(slices.Values(r.Policies)) {
		lines = append(lines, "policy "+name)
	}
	for _, kind := range r.ResourceScope.Kinds() {
		lines = append(lines, kind+": "+resourceText(r.ResourceScope[kind]))
	}
	return append(lines, "tier "+cmp.Or(r.Tier, domain.DefaultTier))
}
