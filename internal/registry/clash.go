package registry

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth"
)

// Clash is where an API gets in the way of an endpoint of an issuer, which goes before
// it, or of another API at the same place, or trusts the issuer that administers.
type Clash struct {
	API     string         // by name
	Problem domain.Problem // of the API
	With    []Ref          // whose host it is: issuers and tenants
	Other   string         // the other API, if it is one
}

// At is the same problem as whoever brought the two together is told.
func (c Clash) At(of Ref) domain.Problem {
	field := "url"
	switch {
	case of.Kind == domain.KindTenant:
		field = "hosts"
	case strings.HasPrefix(c.Problem.Field, "issuers"):
		field = "management"
	}
	return domain.Problem{Field: field, Message: fmt.Sprintf("is in the way of API %s: %s %s", c.API, c.Problem.Place(), c.Problem.Message)}
}

// Clashes lists where APIs get in the way, each with the first host at which they do
// (RULES: any overlap fails). It looks at all objects together, as they would be.
func (r *Registry) Clashes(issuers []domain.Issuer, tenants []domain.Tenant, apis []domain.API) []Clash {
	f := stage{scenes: make(map[string]*scene), matched: make(map[match][]int), told: make(map[string]bool)}
	f.issuers(issuers, tenants)
	for i := range apis {
		f.api(&apis[i])
		f.trusts(&apis[i], issuers)
	}
	for _, host := range slices.Sorted(maps.Keys(f.scenes)) {
		s := f.scenes[host]
		f.samePath(host, s)
		for _, at := range s.issuers {
			for _, path := range r.endpoints(at.issuer) {
				f.endpoint(host, s, at, path)
			}
		}
	}
	return f.found
}

// stage is all hosts, who stands there, and what was found.
type stage struct {
	scenes  map[string]*scene // by host
	matched map[match][]int   // routes
	told    map[string]bool
	found   []Clash
}

// scene is who stands at one host.
type scene struct {
	issuers []standing
	apis    []*ready
}

// standing is an issuer at a host, which is a tenant's if tenant is not empty.
type standing struct {
	issuer *domain.Issuer
	tenant string
}

func (s standing) refs() []Ref {
	list := []Ref{{domain.KindIssuer, s.issuer.Name}}
	if s.tenant != "" {
		list = append(list, Ref{domain.KindTenant, s.tenant})
	}
	return list
}

// ready is an API with its routes.
type ready struct {
	*domain.API
	table *policy.Table // nil where the routes are no rules, which is told elsewhere
}

type match struct {
	api  *ready
	rest string
}

func (f *stage) at(host string) *scene {
	s, ok := f.scenes[host]
	if !ok {
		s = &scene{}
		f.scenes[host] = s
	}
	return s
}

func (f *stage) issuers(issuers []domain.Issuer, tenants []domain.Tenant) {
	byName := make(map[string]*domain.Issuer, len(issuers))
	stand := func(host string, at standing) {
		s := f.at(host)
		if !slices.ContainsFunc(s.issuers, func(o standing) bool { return o.issuer == at.issuer }) {
			s.issuers = append(s.issuers, at)
		}
	}
	for i := range issuers {
		byName[issuers[i].Name] = &issuers[i]
		for _, host := range issuers[i].AllHosts() {
			stand(host, standing{issuer: &issuers[i]})
		}
	}
	for _, t := range tenants {
		for name, hosts := range t.Hosts {
			for _, h := range hosts {
				if issuer := byName[name]; issuer != nil {
					stand(domain.Host(h), standing{issuer, t.ID})
				}
			}
		}
	}
}

// api puts an API where it stands: at its own hosts, or wherever its issuers do.
func (f *stage) api(a *domain.API) {
	one := &ready{API: a}
	one.table, _ = policy.NewTable(a.Routes)
	for _, h := range a.Hosts {
		if s := f.at(domain.Host(h)); !slices.Contains(s.apis, one) {
			s.apis = append(s.apis, one)
		}
	}
	if len(a.Hosts) > 0 {
		return
	}
	for _, s := range f.scenes {
		if slices.ContainsFunc(s.issuers, func(at standing) bool { return slices.Contains(a.Issuers, at.issuer.Name) }) {
			s.apis = append(s.apis, one)
		}
	}
}

// trusts tells where an API takes the tokens that administer.
func (f *stage) trusts(a *domain.API, issuers []domain.Issuer) {
	for _, i := range issuers {
		if at := slices.Index(a.Issuers, i.Name); i.Management && at >= 0 {
			problem := domain.Problem{Field: fmt.Sprintf("issuers[%d]", at), Message: fmt.Sprintf("%s is the management issuer: its tokens administer, and no API takes them", i.Name)}
			f.tell(Clash{API: a.Name, Problem: problem, With: []Ref{{domain.KindIssuer, i.Name}}}, i.Name)
		}
	}
}

// samePath tells APIs of one path at the host.
func (f *stage) samePath(host string, s *scene) {
	var with []Ref
	for _, at := range s.issuers {
		with = append(with, at.refs()...)
	}
	for i, a := range s.apis {
		for _, b := range s.apis[:i] {
			if a.Path == b.Path {
				f.tell(Clash{a.Name, pathProblem(host, a, b), with, b.Name}, b.Name)
				f.tell(Clash{b.Name, pathProblem(host, b, a), with, a.Name}, a.Name)
			}
		}
	}
}

func pathProblem(host string, a, other *ready) domain.Problem {
	return domain.Problem{Field: "path", Message: fmt.Sprintf("%s%s belongs to API %s too; give one of them another path, or other hosts", host, cmp.Or(a.Path, "/"), other.Name)}
}

// tell adds a clash, once for each route and each issuer or API on the other side of it.
func (f *stage) tell(c Clash, other string) {
	key := c.API + "\x00" + c.Problem.Field + "\x00" + other
	if !f.told[key] {
		f.told[key] = true
		f.found = append(f.found, c)
	}
}

// endpoint tells what a request to an endpoint of the issuer would choose: routes, and
// the GraphQL endpoint.
func (f *stage) endpoint(host string, s *scene, at standing, path string) {
	var api *ready // the one at the longest path
	for _, a := range s.apis {
		below := path == a.Path || strings.HasPrefix(path, a.Path+"/")
		if below && a.table != nil && (api == nil || len(a.Path) > len(api.Path)) {
			api = a
		}
	}
	if api == nil {
		return
	}
	rest := strings.TrimPrefix(path, api.Path)
	hides := func(field, what string) {
		message := fmt.Sprintf("%s would hide behind %s%s, an endpoint of issuer %s; give one of them another path or host", what, host, path, at.issuer.Name)
		f.tell(Clash{API: api.Name, Problem: domain.Problem{Field: field, Message: message}, With: at.refs()}, at.issuer.Name)
	}
	for _, i := range f.match(api, rest) {
		hides(fmt.Sprintf("routes[%d]", i), api.Routes[i].Method+" "+api.Routes[i].Path)
	}
	if api.GraphQL != nil && api.GraphQL.Path == cmp.Or(rest, "/") {
		hides("graphql.path", api.GraphQL.Path)
	}
}

// match is the routes that some method chooses for the path.
func (f *stage) match(api *ready, rest string) []int {
	key := match{api, rest}
	list, known := f.matched[key]
	if known {
		return list
	}
	if normal, err := policy.Normalise(cmp.Or(rest, "/")); err == nil {
		for i := range api.Routes {
			m, ok := api.table.Match(api.Routes[i].Method, normal)
			if ok && m.Route().Method == api.Routes[i].Method && m.Route().Path == api.Routes[i].Path {
				list = append(list, i)
			}
		}
	}
	f.matched[key] = list
	return list
}

// endpoints are the paths at which an issuer answers itself.
func (r *Registry) endpoints(issuer *domain.Issuer) []string {
	prefix := issuer.Prefix()
	var list []string
	if d := r.dialect(issuer); d != nil {
		list = append(list, prefix+d.Wire.Path)
	}
	list = append(list, prefix+domain.JWKSPath, prefix+domain.IdentityJWKSPath, prefix+oauth.MetadataPath)
	if prefix != "" {
		list = append(list, oauth.MetadataPath+prefix) // RFC 8414 §3.1
	}
	return list
}
