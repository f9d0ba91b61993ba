package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// API is an API with its rules ready to match, and the issuers that it trusts.
type API struct {
	domain.API
	Table   *policy.Table
	Schema  *graphql.Schema // of its GraphQL endpoint; nil where it has none
	Issuers []*Issuer       // hides the names
	Realm   string          // of challenges (RFC 6750 §3): the name

	scopes []string  // that its rules ask for
	roles  *sync.Map // roleIn → *policy.Rights, by the view that the API stands in
}

// Trusts returns the issuer with this URL, which is `iss`, nil where the API trusts none
// that has it.
func (a *API) Trusts(url string) *Issuer {
	for _, i := range a.Issuers {
		if i.URL == url {
			return i
		}
	}
	return nil
}

// APIPlace is what a host and a path lead to.
type APIPlace struct {
	View *View // in which it was found
	API  *API
	Rest string // the path below that of the API, which begins with /

	claims []claim
}

// claim is that a host is a tenant's, under an issuer.
type claim struct{ issuer, tenant string }

// Serves reports whether a client of the issuer is served at the host. A host that is a
// tenant's under an issuer of the API serves clients of that tenant only, and those of no
// tenant, which are of all.
func (p *APIPlace) Serves(i *Issuer, c *domain.Client) bool {
	if len(p.claims) == 0 || c.PlatformWide {
		return true
	}
	for _, by := range p.claims {
		if by.issuer == i.Name {
			return by.tenant == c.Tenant
		}
	}
	return slices.ContainsFunc(p.claims, func(by claim) bool { return by.tenant == c.Tenant })
}

// ServesTenant is Serves for somebody who is no client: of the tenant, or of all of them.
func (p *APIPlace) ServesTenant(tenant string) bool {
	return len(p.claims) == 0 || tenant == "" || slices.ContainsFunc(p.claims, func(by claim) bool { return by.tenant == tenant })
}

// apiMount is an API at a host.
type apiMount struct {
	path   string
	api    *API
	claims []claim
}

// API returns an API by name.
func (v *View) API(name string) (*API, bool) {
	a, ok := v.apis[name]
	return a, ok
}

// APIs lists the APIs by name.
func (v *View) APIs() []*API {
	list := make([]*API, 0, len(v.apis))
	for _, a := range v.apis {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *API) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// FindAPI finds the API by exact host and the longest path that ends at a segment. known
// says whether any API stands at the host.
func (v *View) FindAPI(host, escapedPath string) (p APIPlace, found, known bool) {
	mounts, known := v.places[domain.Host(host)]
	path := plainPath(escapedPath)
	for i := range mounts {
		m := &mounts[i]
		if len(path) > len(m.path) && path[:len(m.path)] == m.path && path[len(m.path)] == '/' {
			return APIPlace{View: v, API: m.api, Rest: path[len(m.path):], claims: m.claims}, true, true
		}
		if m.api.AuditLog != nil && path == m.path { // ARB-17: with and without the last slash
			return APIPlace{View: v, API: m.api, Rest: "/", claims: m.claims}, true, true
		}
	}
	return APIPlace{}, false, known
}

func (v *View) addAPIs(earlier *View, rows []domain.API) error {
	for _, row := range rows {
		table, err := policy.NewTable(row.Routes)
		if err != nil {
			return fmt.Errorf("API %s: %w", row.Name, err)
		}
		a := &API{API: row, Table: table, Realm: row.Name, roles: new(sync.Map)}
		v.withoutOurs(a)
		if err := a.addSchema(earlier); err != nil {
			return err
		}
		for _, name := range row.Issuers {
			if i, ok := v.issuers[name]; ok { // tokens of one that is not there are nobody's
				a.Issuers = append(a.Issuers, i)
			}
		}
		a.scopes = scopesOf(a)
		v.apis[a.Name] = a
		for _, host := range v.hostsOf(a) {
			v.places[host] = append(v.places[host], apiMount{path: row.Path, api: a, claims: v.claims(host, a)})
		}
	}
	for _, mounts := range v.places {
		slices.SortFunc(mounts, func(a, b apiMount) int {
			return cmp.Or(cmp.Compare(len(b.path), len(a.path)), cmp.Compare(a.api.Name, b.api.Name))
		})
	}
	return nil
}

// hostsOf are the hosts where the API stands: its own, or those of its issuers and of
// their tenants.
func (v *View) hostsOf(a *API) []string {
	var hosts []string
	for _, h := range a.Hosts {
		hosts = append(hosts, domain.Host(h))
	}
	if len(hosts) > 0 {
		return hosts
	}
	for host, mounts := range v.hosts {
		if slices.ContainsFunc(mounts, func(m mount) bool { return slices.Contains(a.Issuers, m.issuer) }) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// claims are those on the host under the issuers of the API.
func (v *View) claims(host string, a *API) []claim {
	var list []claim
	for _, m := range v.hosts[host] {
		if m.tenant != "" && slices.Contains(a.Issuers, m.issuer) {
			list = append(list, claim{m.issuer.Name, m.tenant})
		}
	}
	return list
}
