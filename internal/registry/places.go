package registry

import (
	"context"
	"maps"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
)

// places are all objects that are reached at hosts, as a transaction has left them so far.
type places struct {
	issuers []domain.Issuer
	tenants map[string]domain.Tenant // by id; only those with hosts
	apis    []domain.API
}

// places reads all issuers, tenants and APIs; within one transaction (Together) once.
func (r *Registry) places(ctx context.Context, t domain.Tables) (p *places, err error) {
	if r.known != nil && r.known.places != nil {
		return r.known.places, nil
	}
	p = &places{tenants: make(map[string]domain.Tenant)}
	if p.issuers, err = t.Issuers.List(ctx, domain.Page{}); err != nil {
		return nil, err
	}
	tenants, err := t.Tenants.List(ctx, domain.Page{})
	if err != nil {
		return nil, err
	}
	for _, tenant := range tenants {
		if len(tenant.Hosts) > 0 {
			p.tenants[tenant.ID] = tenant
		}
	}
	if p.apis, err = t.APIs.List(ctx, domain.Page{}); err != nil {
		return nil, err
	}
	if r.known != nil {
		r.known.places = p
	}
	return p, nil
}

func (k *known) changedTenant(ctx context.Context, t domain.Tables, id string) error {
	if k.places == nil {
		return nil
	}
	tenant, err := find(ctx, t.Tenants, id)
	if err != nil {
		return err
	}
	delete(k.places.tenants, id)
	if tenant != nil && len(tenant.Hosts) > 0 {
		k.places.tenants[id] = *tenant
	}
	return nil
}

// issuerPlaces lists where an issuer would be in the way of others.
func (r *Registry) issuerPlaces(p *places, issuer *domain.Issuer) []domain.Problem {
	return r.inTheWay(replace(p.issuers, *issuer), slices.Collect(maps.Values(p.tenants)), p.apis, Ref{domain.KindIssuer, issuer.Name})
}

// apiPlaces lists where an API would be.
func (r *Registry) apiPlaces(p *places, api *domain.API) []domain.Problem {
	return r.inTheWay(p.issuers, slices.Collect(maps.Values(p.tenants)), replace(p.apis, *api), Ref{domain.KindAPI, api.Name})
}

// tenantPlaces lists where a tenant would be: only who shares a host with it matters.
func (r *Registry) tenantPlaces(p *places, tenant *domain.Tenant) []domain.Problem {
	mine := make(map[string]bool)
	for _, h := range hosts(tenant) {
		mine[h] = true
	}
	var near []domain.Tenant
	for id, other := range p.tenants {
		if id != tenant.ID && slices.ContainsFunc(hosts(&other), func(h string) bool { return mine[h] }) {
			near = append(near, other)
		}
	}
	near = append(near, *tenant) // whoever comes last is told which host it is
	return r.inTheWay(p.issuers, near, p.apis, Ref{domain.KindTenant, tenant.ID})
}

func hosts(t *domain.Tenant) []string {
	var list []string
	for _, at := range t.Hosts {
		for _, h := range at {
			list = append(list, domain.Host(h))
		}
	}
	return list
}

// inTheWay lists what the object does to others, as all of them would be.
func (r *Registry) inTheWay(issuers []domain.Issuer, tenants []domain.Tenant, apis []domain.API, of Ref) []domain.Problem {
	problems := r.Overlaps(issuers, tenants)[of]
	for _, c := range r.Clashes(issuers, tenants, apis) {
		if (of == Ref{domain.KindAPI, c.API}) {
			problems = append(problems, c.Problem)
		} else if slices.Contains(c.With, of) {
			problems = append(problems, c.At(of))
		}
	}
	return problems
}

// replace is a list with v in place of what has its key.
func replace[T object](list []T, v T) []T {
	others := slices.DeleteFunc(slices.Clone(list), func(o T) bool { return o.Key() == v.Key() })
	return append(others, v)
}
