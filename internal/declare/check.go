package declare

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth/dialect"
)

// Check lists every problem at once: of form, of each object by itself, and of
// all of them together with what is in the store already. A registry without a
// Store has nothing there: then the files must be complete. The error is an
// *Error, or that of the store.
func Check(ctx context.Context, reg *registry.Registry, objects Objects) error {
	c := newChecker(reg)
	if err := c.read(ctx, objects.list); err != nil {
		return err
	}
	return c.check(ctx, objects, Options{TakeOver: true}, nil)
}

// checker holds what is there, and the objects to which others refer, as they would be.
type checker struct {
	reg     *registry.Registry
	stored  map[registry.Ref]body // all but clients, and of those the declared ones
	issuers map[string]domain.Issuer
	tenants map[string]domain.Tenant
	apis    map[string]domain.API
	names   map[registry.Ref]bool // that exist
}

func newChecker(reg *registry.Registry) *checker {
	return &checker{reg: reg, stored: make(map[registry.Ref]body), issuers: make(map[string]domain.Issuer), tenants: make(map[string]domain.Tenant),
		apis: make(map[string]domain.API), names: make(map[registry.Ref]bool)}
}

// check lists the problems; what is surplus will not be there any more.
func (c *checker) check(ctx context.Context, objects Objects, o Options, surplus []surplus) error {
	c.together(objects.list, o)
	places := c.places(objects.list) // what is deleted goes last
	c.without(surplus)
	problems := slices.Clone(objects.problems)
	for _, one := range objects.list {
		if one.bad || c.left(one, o) {
			continue
		}
		found, err := c.object(ctx, one)
		if err != nil {
			return err
		}
		found = append(c.foreign(one, o), found...)
		for _, p := range append(found, places[registry.Ref{Kind: one.Kind(), Key: one.Key()}]...) {
			problems = append(problems, one.in(p))
		}
	}
	return asError(append(problems, fileProblems(objects.list, o)...))
}

// left reports whether the object is left as it is: that of a set, where no set is applied.
func (c *checker) left(one *Object, o Options) bool {
	old := c.stored[registry.Ref{Kind: one.Kind(), Key: one.Key()}]
	return o.Set == "" && !o.TakeOver && old != nil && originOf(old) != ""
}

// foreign tells of what belongs to another set.
func (c *checker) foreign(one *Object, o Options) []domain.Problem {
	old := c.stored[registry.Ref{Kind: one.Kind(), Key: one.Key()}]
	if old == nil || o.TakeOver {
		return nil
	}
	set, file := whose(originOf(old))
	if set == "" || set == o.Set {
		return nil
	}
	return []domain.Problem{{Message: fmt.Sprintf("declares %s %s for set %s, but it belongs to set %s (%s); keep it in one of them, or say --take-over to make it %s's", one.Kind(), one.Key(), o.Set, set, file, o.Set)}}
}

// fileProblems tells of names of files that are no places within a set (D-108, D-109).
func fileProblems(objects []*Object, o Options) []Problem {
	var problems []Problem
	told := make(map[string]bool)
	for _, one := range objects {
		if o.Set == "" || told[one.File] {
			continue
		}
		told[one.File] = true
		if !fs.ValidPath(one.File) || len(one.File) > 512 || strings.ContainsFunc(one.File, func(r rune) bool { return !unicode.IsPrint(r) }) {
			problems = append(problems, Problem{File: fmt.Sprintf("%q", one.File), Message: "is no name of a file in a directory: write it relative to that, with /, without .. and control characters"})
		}
	}
	return problems
}

// without forgets what will be deleted, so that nothing refers to it.
func (c *checker) without(list []surplus) {
	for _, s := range list {
		ref := registry.Ref{Kind: s.Kind(), Key: s.Key()}
		if _, built := domain.BuiltinTier(ref.Key); built && ref.Kind == domain.KindTier {
			continue
		}
		delete(c.names, ref)
		switch ref.Kind {
		case domain.KindIssuer:
			delete(c.issuers, ref.Key)
		case domain.KindTenant:
			delete(c.tenants, ref.Key)
		}
	}
}

// together puts the declared objects in the place of those that are there.
func (c *checker) together(objects []*Object, o Options) {
	for _, one := range objects {
		if c.left(one, o) {
			continue
		}
		switch v := one.body.(type) {
		case *domain.Issuer:
			v.Defaults()
			c.issuers[v.Name] = *v
		case *domain.Tenant:
			c.tenants[v.ID] = *v
		case *domain.API:
			v.Defaults()
			c.apis[v.Name] = *v
		}
		c.names[registry.Ref{Kind: one.Kind(), Key: one.Key()}] = true
	}
}

// read reads what is in the store, of clients those that are declared.
func (c *checker) read(ctx context.Context, objects []*Object) error {
	if c.reg.Store == nil {
		return nil
	}
	var clients []string
	for _, o := range objects {
		if o.Kind() == domain.KindClient {
			clients = append(clients, o.Key())
		}
	}
	var all domain.Page
	return errors.Join(
		keep(c, c.issuers, func() ([]domain.Issuer, error) { return c.reg.ListIssuers(ctx, all) }, func(v *domain.Issuer) body { return v }),
		keep(c, c.tenants, func() ([]domain.Tenant, error) { return c.reg.ListTenants(ctx, all) }, func(v *domain.Tenant) body { return v }),
		keep(c, c.apis, func() ([]domain.API, error) { return c.reg.ListAPIs(ctx, all) }, func(v *domain.API) body { return v }),
		keep(c, nil, func() ([]domain.Policy, error) { return c.reg.ListPolicies(ctx, all) }, func(v *domain.Policy) body { return v }),
		keep(c, nil, func() ([]domain.Tier, error) { return c.reg.ListTiers(ctx, all) }, madeTier),
		gather(ctx, c.reg.Store.Read().Clients, clients, func(v domain.Client) {
			c.stored[registry.Ref{Kind: domain.KindClient, Key: v.Key()}] = &v
		}),
	)
}

// madeTier is a tier that is in the store, nil for one that is built in.
func madeTier(v *domain.Tier) body {
	if v.Version == 0 {
		return nil
	}
	return v
}

// keep puts what is listed into the names, and by its key into the map where there is one.
func keep[T object](c *checker, into map[string]T, list func() ([]T, error), asBody func(*T) body) error {
	all, err := list()
	for i, v := range all {
		ref := registry.Ref{Kind: v.Kind(), Key: v.Key()}
		c.names[ref] = true
		if b := asBody(&all[i]); b != nil {
			c.stored[ref] = b
		}
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
		return c.client(*v), nil
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
func (c *checker) client(client domain.Client) []domain.Problem {
	if old, ok := c.stored[registry.Ref{Kind: domain.KindClient, Key: client.Key()}].(*domain.Client); ok {
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
	return client.Problems(issuer, d, tenant, c.exists)
}
