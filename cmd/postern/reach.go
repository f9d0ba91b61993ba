package main

import (
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// reachFlags say where a role holds. Empty is as in clientFlags.
type reachFlags struct {
	AllTenants *bool    `name:"all-tenants" negatable:"" help:"The role holds for every tenant, and for platform-wide clients."`
	Tenant     []string `name:"tenant" sep:"none" placeholder:"ID" help:"A tenant for which it holds; repeat for more."`
	AllIssuers *bool    `name:"all-issuers" negatable:"" help:"The role holds at every issuer."`
	Issuer     []string `name:"issuer" sep:"none" placeholder:"NAME" help:"An issuer at which it holds; repeat for more."`
}

func (f reachFlags) patch(p *patcher) {
	p.flag("all_tenants", f.AllTenants)
	p.list("tenants", f.Tenant)
	p.flag("all_issuers", f.AllIssuers)
	p.list("issuers", f.Issuer)
}

// reachRows tell where a role holds.
func reachRows(rows *[][]string, r domain.Reach) {
	field(rows, "tenants", reachText(r.AllTenants, r.Tenants))
	field(rows, "issuers", reachText(r.AllIssuers, r.Issuers))
}

func reachText(all bool, list []string) string {
	switch {
	case all:
		return "all"
	case len(list) == 0:
		return "none"
	}
	return strings.Join(list, " ")
}
