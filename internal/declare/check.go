package declare

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth/dialect"
)

// Check lists every problem at once: of form, of each object by itself, and of
// all of them together with what is in the store already. A registry without a
// Store has nothing there: then the files must be complete. The error is an
// *Error, or that of the store.
func Check(ctx context.Context, reg *registry.Registry, objects Objects) error {
	problems := slices.Clone(objects.problems)
	c := &checker{reg: reg, issuers: make(map[string]domain.Issuer), tenants: make(map[string]domain.Tenant)}
	if err := c.together(ctx, objects.list); err != nil {
		return err
	}
	overlaps := reg.Overlaps(slices.Collect(maps.Values(c.issuers)), slices.Collect(maps.Values(c.tenants)))
	for _, o := range objects.list {
		if o.bad {
			continue
		}
		found, err := c.object(ctx, o)
		if err != nil {
			return err
		}
		for _, p := range append(found, overlaps[registry.Ref{Kind: o.Kind(), Key: o.Key()}]...) {
			problems = append(problems, o.in(p))
		}
	}
	return asError(problems)
}

// checker holds issuers and tenants as they would be.
type checker struct {
	reg     *registry.Registry
	issuers map[string]domain.Issuer
	tenants map[string]domain.Tenant
}

func (c *checker) together(ctx context.Context, objects []*Object) error {
	if c.reg.Store != nil {
		issuers, err := c.reg.ListIssuers(ctx, domain.Page{})
		if err != nil {
			return err
		}
		for _, i := range issuers {
			c.issuers[i.Name] = i
		}
		tenants, err := c.reg.ListTenants(ctx, domain.Page{})
		if err != nil {
			return err
		}
		for _, t := range tenants {
			c.tenants[t.ID] = t
		}
	}
	for _, o := range objects {
		switch {
		case o.Issuer != nil:
			o.Issuer.Defaults()
			c.issuers[o.Issuer.Name] = *o.Issuer
		case o.Tenant != nil:
			c.tenants[o.Tenant.ID] = *o.Tenant
		}
	}
	return nil
}

func (c *checker) object(ctx context.Context, o *Object) ([]domain.Problem, error) {
	switch {
	case o.Issuer != nil && c.reg.Store == nil:
		return c.reg.IssuerProblems(o.Issuer), nil
	case o.Issuer != nil:
		found, err := c.reg.IssuerChangeProblems(ctx, o.Issuer)
		return append(c.reg.IssuerProblems(o.Issuer), found...), err
	case o.Tenant != nil && o.Tenant.ID == "":
		return noID("a tenant"), nil
	case o.Tenant != nil:
		return o.Tenant.Problems(), nil
	case o.Client.ID == "":
		return noID("a client"), nil
	}
	return c.client(ctx, o)
}

func noID(what string) []domain.Problem {
	return []domain.Problem{{Field: "id", Message: "is missing; a file names " + what + " by a UUID of your choice (uuidgen makes one), so that applying it twice makes one"}}
}

func (c *checker) client(ctx context.Context, o *Object) ([]domain.Problem, error) {
	client := *o.Client // with what the store knows of it
	if c.reg.Store != nil {
		old, err := c.reg.GetClient(ctx, client.Issuer, client.ID)
		if err != nil && !errors.Is(err, domain.ErrNotFound) {
			return nil, err
		}
		client.Imported = old.Imported
	}
	var issuer *domain.Issuer
	var d *dialect.Dialect
	if i, ok := c.issuers[client.Issuer]; ok {
		issuer = &i
		d, _ = c.reg.Dialects.Get(i.Dialect)
	}
	var tenant *domain.Tenant
	if t, ok := c.tenants[client.Tenant]; ok {
		tenant = &t
	}
	client.Defaults(d)
	return client.Problems(issuer, d, tenant, func(domain.Kind, string) bool { return true }), nil
}
