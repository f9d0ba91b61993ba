package admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// ObjectPath is the place of one object that is known by one word.
type ObjectPath struct {
	Key string `path:"key" doc:"Its name; of a tenant, its id."`
}

// Condition is the version that a change goes for. (Exported as ClientPath is.)
type Condition struct {
	IfMatch string `header:"If-Match" doc:"The ETag of what you have seen, or * for any: else 412."`
}

type objectBody[S any] struct {
	ETag string `header:"ETag" doc:"Of this version, for If-Match; what is built in has none."`
	Body S
}

// putBody is an object that was put.
type putBody[S any] struct {
	Status int
	ETag   string `header:"ETag" doc:"Of this version, for If-Match."`
	Body   S
}

// putStatus is 201 where a put made what was not there (RFC 9110 §9.3.4): before is what reading
// it said, tag that of what is there now.
func putStatus(before error, tag string) int {
	if errors.Is(before, domain.ErrNotFound) && tag == etag(1) {
		return http.StatusCreated
	}
	return http.StatusOK
}

// noun is a kind of objects that are known by one word: how they are kept, and how they
// are shown, with their version.
type noun[T, S any] struct {
	one, many string
	show      func(T) (S, int64)
	list      func(*registry.Registry, context.Context, domain.Page) ([]T, error)
	get       func(*registry.Registry, context.Context, string) (T, error)
	remove    func(*registry.Registry, context.Context, domain.Actor, string, int64) error
}

func (a *api) objects(h huma.API) {
	type r = registry.Registry
	issuers := noun[domain.Issuer, Issuer]{"issuer", "issuers", showIssuer, (*r).ListIssuers, (*r).GetIssuer, (*r).DeleteIssuer}
	apis := noun[domain.API, API]{"api", "apis", showAPI, listAPIs, (*r).GetAPI, (*r).DeleteAPI}
	policies := noun[domain.Policy, Policy]{"policy", "policies", showPolicy, (*r).ListPolicies, (*r).GetPolicy, (*r).DeletePolicy}
	tiers := noun[domain.Tier, Tier]{"tier", "tiers", showTier, (*r).ListTiers, (*r).GetTier, (*r).DeleteTier}
	register(a, h, noun[domain.Tenant, Tenant]{"tenant", "tenants", showTenant, (*r).ListTenants, (*r).GetTenant, (*r).DeleteTenant})
	register(a, h, issuers)
	register(a, h, apis)
	register(a, h, policies)
	register(a, h, tiers)
	writable(a, h, issuers, form[domain.Issuer, Issuer, NewIssuer]{issuerForm, NewIssuer.issuer, (*r).PutIssuer, func(s *Issuer) *[]registry.Warning { return &s.Warnings }})
	writable(a, h, apis, form[domain.API, API, NewAPI]{apiForm, NewAPI.api, (*r).PutAPI, func(s *API) *[]registry.Warning { return &s.Warnings }})
	writable(a, h, policies, form[domain.Policy, Policy, NewPolicy]{policyForm, NewPolicy.policy, (*r).PutPolicy, func(s *Policy) *[]registry.Warning { return &s.Warnings }})
	writable(a, h, tiers, form[domain.Tier, Tier, NewTier]{tierForm, NewTier.tier, (*r).PutTier, func(s *Tier) *[]registry.Warning { return &s.Warnings }})
}

// listAPIs leaves out schemas, which may be megabytes each: who shows an API sees its own.
func listAPIs(r *registry.Registry, ctx context.Context, page domain.Page) ([]domain.API, error) {
	list, err := r.ListAPIs(ctx, page)
	for i := range list {
		if g := list[i].GraphQL; g != nil {
			short := *g
			short.Schema = ""
			list[i].GraphQL = &short
		}
	}
	return list, err
}

// register adds the operations that all nouns have.
func register[T interface{ Key() string }, S any](a *api, h huma.API, n noun[T, S]) {
	path := "/" + n.many + "/{key}"
	huma.Register(h, operation("list-"+n.many, http.MethodGet, "/"+n.many, "List "+n.many), func(ctx context.Context, in *PageQuery) (*page[S], error) {
		list, err := n.list(a.as(ctx), ctx, in.table())
		if err != nil {
			return nil, problem(ctx, err)
		}
		return paged(in, list, n.show), nil
	})
	huma.Register(h, operation("get-"+n.one, http.MethodGet, path, "Show one of the "+n.many), func(ctx context.Context, in *ObjectPath) (*objectBody[S], error) {
		v, err := n.get(a.as(ctx), ctx, in.Key)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showObject(n, v), nil
	})
	huma.Register(h, operation("delete-"+n.one, http.MethodDelete, path, "Delete one of the "+n.many+" that nothing uses"), func(ctx context.Context, in *struct {
		ObjectPath
		Condition
	}) (*struct{}, error) {
		version, err := ifMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, problem(ctx, n.remove(a.as(ctx), ctx, actor(ctx), in.Key, version))
	})
}

func showObject[T, S any](n noun[T, S], v T) *objectBody[S] {
	shown, version := n.show(v)
	return &objectBody[S]{ETag: etag(version), Body: shown}
}

// form is how objects of a kind are written: F is what an administrator may choose of one
// (D-74: nothing else).
type form[T, S, F any] struct {
	of       func(T) F
	object   func(f F, key string) T
	put      func(*registry.Registry, context.Context, domain.Actor, T, int64) (T, []registry.Warning, error)
	warnings func(*S) *[]registry.Warning
}

// putObject keeps the object and shows it.
func putObject[T, S, F any](ctx context.Context, a *api, n noun[T, S], f form[T, S, F], v T, version int64) (*objectBody[S], error) {
	done, warnings, err := f.put(a.as(ctx), ctx, actor(ctx), v, version)
	if err != nil {
		return nil, problem(ctx, err)
	}
	out := showObject(n, done)
	*f.warnings(&out.Body) = warnings
	return out, nil
}

// putWhole is a put of all of an object, under a condition.
func putWhole[T, S, F any](ctx context.Context, a *api, n noun[T, S], f form[T, S, F], v T, key, condition string) (*putBody[S], error) {
	version, err := ifMatch(condition)
	if err != nil {
		return nil, err
	}
	old, before := n.get(a.as(ctx), ctx, key)
	if condition != "" && version == 0 { // of what must be there (RFC 9110 §13.1.1)
		if before != nil {
			return nil, noneToMatch(problem(ctx, before), condition)
		}
		_, version = n.show(old)
	}
	out, err := putObject(ctx, a, n, f, v, version)
	if err != nil {
		return nil, noneToMatch(err, condition)
	}
	return &putBody[S]{putStatus(before, out.ETag), out.ETag, out.Body}, nil
}

// writable adds the operations that put and patch objects.
func writable[T, S, F any](a *api, h huma.API, n noun[T, S], f form[T, S, F]) {
	path := "/" + n.many + "/{key}"
	huma.Register(h, operation("put-"+n.one, http.MethodPut, path, "Make one of the "+n.many+", or replace all of it"), func(ctx context.Context, in *struct {
		ObjectPath
		Condition
		Body F
	}) (*putBody[S], error) {
		return putWhole(ctx, a, n, f, f.object(in.Body, in.Key), in.Key, in.IfMatch)
	})
	huma.Register(h, operation("update-"+n.one, http.MethodPatch, path, "Change what is named, and nothing else"), func(ctx context.Context, in *struct {
		ObjectPath
		Condition
		Body Patch
	}) (*objectBody[S], error) {
		version, err := ifMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		old, err := n.get(a.as(ctx), ctx, in.Key)
		if err != nil {
			return nil, problem(ctx, err)
		}
		changed, err := patched(in.Body, "the change of "+n.one+" "+in.Key, f.of(old))
		if err != nil {
			return nil, problem(ctx, err)
		}
		if version == 0 { // of what was read: whatever came meanwhile is not undone
			_, version = n.show(old)
		}
		return putObject(ctx, a, n, f, f.object(changed, in.Key), version)
	})
}

// noneToMatch makes the 404 of a put a 412: without If-Match it would have made the object.
func noneToMatch(err error, ifMatch string) error {
	var model *huma.ErrorModel
	if ifMatch != "" && errors.As(err, &model) && model.Status == http.StatusNotFound {
		return fail(http.StatusPreconditionFailed, preconditionFailed, "If-Match asks for a version of what is not there; leave it out to make it")
	}
	return err
}
