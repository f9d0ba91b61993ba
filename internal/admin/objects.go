package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
)

// PageQuery chooses a page of a list. (Exported as ClientPath is.)
type PageQuery struct {
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	After string `query:"after" doc:"Cursor of the page before."`
}

type page[S any] struct {
	Body struct {
		Items []S    `json:"items"`
		Next  string `json:"next,omitempty" doc:"Cursor of the next page; absent on the last."`
	}
}

// paged shows the first of a list; one more than limit says that there is a next page.
func paged[T interface{ Key() string }, S any](list []T, limit int, show func(T) (S, int64)) *page[S] {
	var p page[S]
	p.Body.Items = make([]S, 0, len(list))
	for i, v := range list {
		if i == limit {
			p.Body.Next = list[i-1].Key()
			break
		}
		shown, _ := show(v)
		p.Body.Items = append(p.Body.Items, shown)
	}
	return &p
}

// ObjectPath is the place of one object that is known by one word.
type ObjectPath struct {
	Key string `path:"key" doc:"Its name; of a tenant, its id."`
}

type objectBody[S any] struct {
	ETag string `header:"ETag"`
	Body S
}

// noun is a kind of objects that are known by one word: how they are kept, and how they
// are shown, with their version.
type noun[T, S any] struct {
	one, many string
	show      func(T) (S, int64)
	list      func(context.Context, domain.Page) ([]T, error)
	get       func(context.Context, string) (T, error)
	remove    func(context.Context, domain.Actor, string, int64) error
}

func (a *api) objects(h huma.API) {
	r := a.registry
	register(h, noun[domain.Issuer, Issuer]{"issuer", "issuers", showIssuer, r.ListIssuers, r.GetIssuer, r.DeleteIssuer})
	register(h, noun[domain.Tenant, Tenant]{"tenant", "tenants", showTenant, r.ListTenants, r.GetTenant, r.DeleteTenant})
	register(h, noun[domain.API, API]{"api", "apis", showAPI, a.listAPIs, r.GetAPI, r.DeleteAPI})
	register(h, noun[domain.Policy, Policy]{"policy", "policies", showPolicy, r.ListPolicies, r.GetPolicy, r.DeletePolicy})
	register(h, noun[domain.Tier, Tier]{"tier", "tiers", showTier, r.ListTiers, r.GetTier, r.DeleteTier})
}

// listAPIs leaves out schemas, which may be megabytes each: who shows an API sees its own.
func (a *api) listAPIs(ctx context.Context, page domain.Page) ([]domain.API, error) {
	list, err := a.registry.ListAPIs(ctx, page)
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
func register[T interface{ Key() string }, S any](h huma.API, n noun[T, S]) {
	path := "/" + n.many + "/{key}"
	huma.Register(h, operation("list-"+n.many, http.MethodGet, "/"+n.many, "List "+n.many), func(ctx context.Context, in *PageQuery) (*page[S], error) {
		list, err := n.list(ctx, domain.Page{After: in.After, Limit: in.Limit + 1})
		if err != nil {
			return nil, problem(ctx, err)
		}
		return paged(list, in.Limit, n.show), nil
	})
	huma.Register(h, operation("get-"+n.one, http.MethodGet, path, "Show one of the "+n.many), func(ctx context.Context, in *ObjectPath) (*objectBody[S], error) {
		v, err := n.get(ctx, in.Key)
		if err != nil {
			return nil, problem(ctx, err)
		}
		shown, version := n.show(v)
		return &objectBody[S]{ETag: etag(version), Body: shown}, nil
	})
	huma.Register(h, operation("delete-"+n.one, http.MethodDelete, path, "Delete one of the "+n.many+" that nothing uses"), func(ctx context.Context, in *struct {
		ObjectPath
		IfMatch string `header:"If-Match"`
	}) (*struct{}, error) {
		version, err := ifMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, problem(ctx, n.remove(ctx, actor(ctx), in.Key, version))
	})
}
