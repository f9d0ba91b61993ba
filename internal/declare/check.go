package declare

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	c := &checker{reg: reg, issuers: make(map[string]domain.Issuer), tenants: make(map[string]domain.Tenant), apis: make(map[string]domain.API),
		names: make(map[registry.Ref]bool)}
	if err := c.together(ctx, objects.list); err != nil {
		return err
	}
	places := c.places(objects.list)
	for _, o := range objects.list {
		if o.bad {
			continue
		}
		found, err := c.object(ctx, o)
		if err != nil {
			return err
		}
		for _, p := range append(found, places[registry.Ref{Kind: o.Kind(), Key: o.Key()}]...) {
			problems = append(problems, o.in(p))
		}
	}
	return asError(problems)
}

// checker holds the objects to which others refer, as they would be.
type checker struct {
	reg     *registry.Registry
	issuers map[string]domain.Issuer
	tenants map[string]domain.Tenant
	apis    map[string]domain.API
	names   map[registry.Ref]bool // that exist
}

func (c *checker) together(ctx context.Context, objects []*Object) error {
	if c.reg.Store != nil {
		if err := c.stored(ctx); err != nil {
			return err
		}
	}
	for _, o := range objects {
		switch v := o.body.(type) {
		case *domain.Issuer:
			v.Defaults()
			c.issuers[v.Name] = *v
		case *domain.Tenant:
			c.tenants[v.ID] = *v
		case *domain.API:
			v.Defaults()
			c.apis[v.Name] = *v
		}
		c.names[registry.Ref{Kind: o.Kind(), Key: o.Key()}] = true
	}
	return nil
}

// stored adds what is in the store.
func (c *checker) stored(ctx context.Context) error {
	var all domain.Page
	return errors.Join(
		keep(c, c.issuers, func() ([]domain.Issuer, error) { return c.reg.ListIssuers(ctx, all) }),
		keep(c, c.tenants, func() ([]domain.Tenant, error) { return c.reg.ListTenants(ctx, all) }),
		keep(c, c.apis, func() ([]domain.API, error) { return c.reg.ListAPIs(ctx, all) }),
		keep(c, nil, func() ([]domain.Policy, error) { return c.reg.ListPolicies(ctx, all) }),
		keep(c, nil, func() ([]domain.Tier, error) { return c.reg.ListTiers(ctx, all) }),
	)
}

// keep puts what is listed into the names, and by its key into the map where there is one.
func keep[T body](c *checker, into map[string]T, list func() ([]T, error)) error {
	stored, err := list()
	for _, v := range stored {
		c.names[registry.Ref{Kind: v.Kind(), Key: v.Key()}] = true
		if into != nil {
			into[v.Key()] = v
		}
	}
	return err
}

// places lists by object who gets in whose way at some host. Of APIs those in the files are
// told; where there is none, whoever has come to its host.
func (c *checker) places(objects []*Object) map[registry.Ref][]domain.Problem {
	issuers, tenants := slices.Collect(maps.Values(c.issuers)), slices.Collect(maps.Values(c.tenants))
	apis := slices.SortedFunc(maps.Values(c.apis), func(a, b domain.API) int { return strings.Compare(a.Name, b.Name) })
	inFiles := make(map[registry.Ref]bool)
	for _, o := range objects {
		inFiles[registry.Ref{Kind: o.Kind(), Key: o.Key()}] = true
	}
	told := c.reg.Overlaps(issuers, tenants)
	for _, clash := range c.reg.Clashes(issuers, tenants, apis) {
		api := registry.Ref{Kind: domain.KindAPI, Key: clash.API}
		switch {
		case inFiles[api]:
			told[api] = append(told[api], clash.Problem)
		case inFiles[registry.Ref{Kind: domain.KindAPI, Key: clash.Other}]: // it is told
		default:
			for _, ref := range clash.With {
				told[ref] = append(told[ref], clash.At(ref))
			}
		}
	}
	return told
}

func (c *checker) exists(kind domain.Kind, key string) bool {
	return c.names[registry.Ref{Kind: kind, Key: key}]
}

func (c *checker) object(ctx context.Context, o *Object) ([]domain.Problem, error) {
	switch v := o.body.(type) {
	case *domain.Tier:
		return v.Problems(), nil
	case *domain.Policy:
		return v.Problems(), nil
	case *domain.API:
		return v.Problems(c.exists), nil
	case *domain.Issuer:
		return c.issuer(ctx, v)
	case *domain.Tenant:
		if v.ID == "" {
			return noID("a tenant"), nil
		}
		return v.Problems(), nil
	case *domain.Client:
		if v.ID == "" {
			return noID("a client"), nil
		}
		return c.client(ctx, *v)
	}
	return nil, fmt.Errorf("there is no kind %s", o.Kind())
}

func (c *checker) issuer(ctx context.Context, i *domain.Issuer) ([]domain.Problem, error) {
	problems := c.reg.IssuerProblems(i)
	if c.reg.Store == nil {
		return problems, nil
	}
	found, err := c.reg.IssuerChangeProblems(ctx, i)
	return append(problems, found...), err
}

func noID(what string) []domain.Problem {
	return []domain.Problem{{Field: "id", Message: "is missing; a file names " + what + " by a UUID of your choice (uuidgen makes one), so that applying it twice makes one"}}
}

// client takes a copy, to which it adds what the store knows of the client.
func (c *checker) client(ctx context.Context, client domain.Client) ([]domain.Problem, error) {
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
	return client.Problems(issuer, d, tenant, c.exists), nil
}
