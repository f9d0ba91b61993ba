package domain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const maxLabel = 200 // bytes of what people call something

// Defaults fills what was left out, and writes the name as it is compared.
func (p *Person) Defaults() {
	p.Name = strings.ToLower(strings.TrimSpace(p.Name))
	if p.Status == "" {
		p.Status = Enabled
	}
	p.Reach.defaults(p.Role)
}

// defaults: what a platform admin may do is bounded by no reach.
func (r *Reach) defaults(role Role) {
	if role == PlatformAdmin && len(r.Tenants)+len(r.Issuers) == 0 {
		r.AllTenants, r.AllIssuers = true, true
	}
}

// Problems lists what is wrong with the person, with its defaults.
func (p *Person) Problems() []Problem {
	var list problems
	switch {
	case p.Name == "":
		list.add("name", "is missing; it is what the person signs in with, as in ann@example.com")
	case strings.ContainsFunc(p.Name, func(r rune) bool { return r <= 0x20 || r == 0x7f }):
		list.add("name", "%q holds spaces or control characters; write it as in ann@example.com", p.Name)
	}
	list.text("name", p.Name, maxLabel)
	list.text("subject", p.Subject, maxLabel)
	if p.Status != Enabled && p.Status != Disabled {
		list.add("status", "%q is neither enabled nor disabled", p.Status)
	}
	list.adminRole(p.Role, p.Reach)
	return list
}

func (p *problems) adminRole(role Role, reach Reach) {
	if !slices.Contains(Roles(), role) {
		names := make([]string, len(Roles()))
		for i, r := range Roles() {
			names[i] = string(r)
		}
		p.add("role", "%q is no role of administration; write %s", role, strings.Join(names, ", "))
	}
	p.reach("tenants", reach.AllTenants, reach.Tenants)
	p.reach("issuers", reach.AllIssuers, reach.Issuers)
	if role == PlatformAdmin && !(reach.AllTenants && reach.AllIssuers) {
		p.add("role", "%s reaches everything; say all_tenants and all_issuers, or leave the reach out", role)
	}
}

func (p *problems) reach(field string, all bool, list []string) {
	if all && len(list) > 0 {
		p.add(field, "are named, and all_%s is set; one or the other", field)
	}
	if !all && len(list) == 0 {
		p.add(field, "is empty, so there is nothing to see; name %s, or say all_%s", field, field)
	}
	p.twice(field, list)
}

func (p *problems) twice(field string, list []string) {
	for i, v := range list {
		if slices.Index(list, v) < i {
			p.add(fmt.Sprintf("%s[%d]", field, i), "%q stands there twice", v)
		}
	}
}

// Defaults fills what was left out.
func (k *APIKey) Defaults() {
	if k.Audience == AdminAudience {
		k.Reach.defaults(k.Role)
	}
}

// Problems lists what is wrong with the key by itself; api is the one of its audience, nil
// where there is none or it is for administration.
func (k *APIKey) Problems(api *API) []Problem {
	var p problems
	if k.Label == "" {
		p.add("label", "is missing; people know the key by it")
	}
	p.text("label", k.Label, maxLabel)
	if k.Expires != nil && !k.Created.Before(*k.Expires) {
		p.add("expires", "is past; such a key is worth nothing")
	}
	if k.Audience == AdminAudience {
		p.adminRole(k.Role, k.Reach)
		return p
	}
	switch {
	case api == nil:
		p.add("audience", "%q is that of no API; write %s for a key to administer with", k.Audience, AdminAudience)
	case !api.APIKeys:
		p.add("audience", "API %s takes no API keys; it must say api_keys: true", api.Name)
	default:
		if _, ok := api.Roles[string(k.Role)]; !ok {
			p.add("role", "API %s knows no role %q; it knows %s", api.Name, k.Role, strings.Join(slices.Sorted(maps.Keys(api.Roles)), ", "))
		}
	}
	if k.AllTenants == (len(k.Tenants) == 1) || len(k.Tenants) > 1 {
		p.add("tenants", "name one tenant, or say all_tenants: an API is called for one tenant, or for all")
	}
	if k.AllIssuers || len(k.Issuers) > 0 {
		p.add("issuers", "mean nothing at an API; leave them out")
	}
	return p
}

// Problems lists what is wrong with an entry of the resource directory by itself.
func (n *NamedResource) Problems() []Problem {
	var p problems
	p.kind("kind", n.ResourceKind)
	var ids problems
	ids.resourceIDs("id", "any", []string{n.ID})
	for _, problem := range ids {
		problem.Field = "id"
		p = append(p, problem)
	}
	if n.Label == "" {
		p.add("label", "is missing; people know the resource by it")
	}
	p.text("label", n.Label, maxLabel)
	return p
}
