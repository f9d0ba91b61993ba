package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
)

// NamedResource is an entry of the resource directory, as the API shows it.
type NamedResource struct {
	domain.NamedResource
	Version int64 `json:"version" doc:"For If-Match, and in put-resources."`
}

// NewNamedResource is an entry to make, or to put in the place of one.
type NewNamedResource struct {
	Kind    string `json:"kind,omitempty" doc:"As in resource scopes: study."`
	ID      string `json:"id,omitempty"`
	Label   string `json:"label,omitempty" doc:"What people know it by."`
	Tenant  string `json:"tenant,omitempty" doc:"By id; left out: of none."`
	Version int64  `json:"version,omitempty" minimum:"0" doc:"That it is to replace; left out: any, or none."`
}

// NewNamedResources are the entries of one put: all are put, or none.
type NewNamedResources struct {
	Resources []NewNamedResource `json:"resources" nullable:"false" minItems:"1" maxItems:"500"`
}

// NamedResources are the entries as they are now.
type NamedResources struct {
	Resources []NamedResource `json:"resources" nullable:"false"`
}

func showResource(n domain.NamedResource) (NamedResource, int64) {
	return NamedResource{n, n.Version}, n.Version
}

// ResourcePath is the place of one entry.
type ResourcePath struct {
	Kind string `path:"kind"`
	ID   string `path:"id"`
}

func (a *api) directory(h huma.API) {
	huma.Register(h, operation("list-resources", http.MethodGet, "/resources", "List the resource directory: what ids mean"), func(ctx context.Context, in *struct {
		PageQuery
		Kind   string `query:"kind" maxLength:"64" doc:"Those of this kind only."`
		Tenant string `query:"tenant" maxLength:"64" doc:"Those of this tenant only."`
	}) (*page[NamedResource], error) {
		list, err := a.as(ctx).ListResources(ctx, in.Kind, in.Tenant, in.table())
		if err != nil {
			return nil, problem(ctx, err)
		}
		return paged(&in.PageQuery, list, showResource), nil
	})
	huma.Register(h, operation("find-resources", http.MethodGet, "/resources/search", "Find entries whose label or id holds a text"), func(ctx context.Context, in *struct {
		PageQuery
		Text string `query:"text" required:"true" minLength:"1" maxLength:"200" doc:"In any case."`
	}) (*page[NamedResource], error) {
		list, err := a.as(ctx).FindResources(ctx, in.Text, in.table())
		if err != nil {
			return nil, problem(ctx, err)
		}
		return paged(&in.PageQuery, list, showResource), nil
	})
	huma.Register(h, operation("put-resources", http.MethodPut, "/resources", "Make up to 500 entries, or replace them: all or none"), a.putResources)
	const one = "/resources/{kind}/{id}"
	huma.Register(h, operation("get-resource", http.MethodGet, one, "Show an entry"), func(ctx context.Context, in *ResourcePath) (*objectBody[NamedResource], error) {
		n, err := a.as(ctx).GetResource(ctx, in.Kind, in.ID)
		if err != nil {
			return nil, problem(ctx, err)
		}
		shown, version := showResource(n)
		return &objectBody[NamedResource]{ETag: etag(version), Body: shown}, nil
	})
	huma.Register(h, operation("delete-resource", http.MethodDelete, one, "Delete an entry; what clients hold stays"), func(ctx context.Context, in *struct {
		ResourcePath
		Condition
	}) (*struct{}, error) {
		version, err := ifMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, problem(ctx, a.as(ctx).DeleteResource(ctx, actor(ctx), in.Kind, in.ID, version))
	})
}

func (a *api) putResources(ctx context.Context, in *struct{ Body NewNamedResources }) (*objectBody[NamedResources], error) {
	if askedOf(ctx).ifMatch {
		return nil, fail(http.StatusBadRequest, malformed, "If-Match is about one object; here each entry has a version of its own")
	}
	list := make([]domain.NamedResource, len(in.Body.Resources))
	for i, n := range in.Body.Resources {
		list[i] = domain.NamedResource{ResourceKind: n.Kind, ID: n.ID, Label: n.Label, Tenant: n.Tenant, Version: n.Version}
	}
	done, err := a.as(ctx).PutResources(ctx, actor(ctx), list)
	if err != nil {
		return nil, problem(ctx, err)
	}
	return &objectBody[NamedResources]{Body: NamedResources{all(done, showResource)}}, nil
}
