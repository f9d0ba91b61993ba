package main

import (
	"slices"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

// routeRows is a table of an API's routes, a line for each thing that a rule says.
func routeRows(a *admin.API) [][]string {
	rows := [][]string{{"METHOD", "PATH", "RULE", ""}}
	kinds := resourceKinds(a.Routes)
	for i := range a.Routes {
		method, path := a.Routes[i].Method, a.Routes[i].Path
		for _, said := range rules(&a.Routes[i], kinds, everybody(a)) {
			rows = append(rows, []string{method, path, said[0], said[1]})
			method, path = "", ""
		}
	}
	return rows
}

// everybody is who passes where a rule asks for nothing.
func everybody(a *admin.API) string {
	if len(a.Roles) > 0 {
		return "any client or role"
	}
	return "any client"
}

// rules lists what a route needs, and what it says of its parameters. kinds are those of
// which a mutating route that names no resource needs all (RULES "Guard, REST").
func rules(r *domain.Route, kinds []string, everybody string) (list [][2]string) {
	all := func(rule string, values []string) {
		for _, v := range values {
			list = append(list, [2]string{rule, v})
		}
	}
	all("scope", r.Scopes)
	all("action", r.Actions)
	all("tag", r.Tags)
	resources, children, unscoped := parameters(r)
	if r.Mutating() && len(resources) == 0 {
		for _, kind := range kinds {
			resources = append(resources, kind+": all of them")
		}
	}
	all("resource", resources)
	if len(list) == 0 {
		list = append(list, [2]string{everybody, ""})
	}
	all("child of", children)
	all("unscoped", unscoped)
	if r.Upgrade {
		list = append(list, [2]string{"upgrade", "to another protocol"})
	}
	return list
}

// parameters says which of a route's parameters name a resource, which lie in what another
// one names by the promise of the API, and which name nothing.
func parameters(r *domain.Route) (resources, children, unscoped []string) {
	for _, p := range r.Parameters {
		name := p.Name
		if p.In != "path" {
			name += " (" + string(p.In) + ")"
		}
		switch {
		case p.Kind != "":
			resources = append(resources, p.Kind+": "+name)
		case p.ChildOf != "":
			children = append(children, p.ChildOf+": "+name)
		default:
			unscoped = append(unscoped, name)
		}
	}
	return resources, children, unscoped
}

// resourceKinds are the kinds of resources that the routes name.
func resourceKinds(routes []domain.Route) []string {
	var kinds []string
	for i := range routes {
		for _, p := range routes[i].Parameters {
			if p.Kind != "" {
				kinds = append(kinds, p.Kind)
			}
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// promised reports whether a route trusts the API to keep a parameter in another one.
func promised(routes []domain.Route) bool {
	for i := range routes {
		for _, p := range routes[i].Parameters {
			if p.ChildOf != "" {
				return true
			}
		}
	}
	return false
}
