package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth"
)

// NewTenant is what an administrator may choose of a tenant.
type NewTenant struct {
	Label     string              `json:"label,omitempty"`
	Hosts     map[string][]string `json:"hosts,omitempty" doc:"Issuer: hosts on which this tenant, and no other, is served."`
	Resources map[string][]string `json:"resources,omitempty" doc:"Resource kind: ids that belong to the tenant."`
	Endpoints []string            `json:"endpoints,omitempty" doc:"Tags of the routes that are enabled for it."`
	Ceiling   *NewCeiling         `json:"ceiling,omitempty" doc:"What its clients may be given at most; left out: no ceiling."`
}

// NewCeiling bounds what the clients of a tenant may be given.
type NewCeiling struct {
	Scopes   oauth.Scope `json:"scopes,omitempty" doc:"No others; left out: none."`
	Policies []string    `json:"policies,omitempty" doc:"No others; left out: none."`
}

func (n NewTenant) onto(t *domain.Tenant) {
	t.Label, t.Hosts, t.Resources, t.Endpoints, t.Ceiling = n.Label, n.Hosts, n.Resources, n.Endpoints, (*domain.Ceiling)(n.Ceiling)
}

// replace puts all of it in the place of a tenant, which is no longer that of a file.
func (n NewTenant) replace(t *domain.Tenant) error {
	n.onto(t)
	t.Origin = ""
	return nil
}

// ChangedTenant is a tenant, and what its change took from its clients.
type ChangedTenant struct {
	Tenant
	Warnings []registry.Warning `json:"warnings,omitempty" doc:"Clients that hold more than they can use since this change."`
}

type changedTenant struct {
	ETag string `header:"ETag"`
	Body ChangedTenant
}

func (a *api) tenants(h huma.API) {
	const path = "/tenants/{key}"
	huma.Register(h, operation("put-tenant", http.MethodPut, path, "Make a tenant, or replace all of it"), func(ctx context.Context, in *struct {
		ObjectPath
		Condition
		Body NewTenant
	}) (*putBody[ChangedTenant], error) {
		version, err := ifMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		if in.IfMatch != "" { // RFC 9110 §13.1.1: there must be one
			out, err := a.changeTenant(ctx, in.Key, version, in.Body.replace)
			return putTenant(out, nil, noneToMatch(err, in.IfMatch))
		}
		_, before := a.as(ctx).GetTenant(ctx, in.Key)
		t := domain.Tenant{ID: in.Key}
		in.Body.onto(&t)
		t, warnings, err := a.as(ctx).PutTenant(ctx, actor(ctx), t, 0)
		out, err := showChanged(ctx, t, warnings, err)
		return putTenant(out, before, err)
	})
	huma.Register(h, operation("update-tenant", http.MethodPatch, path, "Change what is named, and nothing else"), func(ctx context.Context, in *struct {
		ObjectPath
		Condition
		Body Patch
	}) (*changedTenant, error) {
		version, err := ifMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return a.changeTenant(ctx, in.Key, version, in.Body.applyTenant)
	})
}

// putTenant is the answer to a put; before is what reading the tenant before it said.
func putTenant(t *changedTenant, before, err error) (*putBody[ChangedTenant], error) {
	if err != nil {
		return nil, err
	}
	return &putBody[ChangedTenant]{putStatus(before, t.ETag), t.ETag, t.Body}, nil
}

func (a *api) changeTenant(ctx context.Context, id string, version int64, f func(*domain.Tenant) error) (*changedTenant, error) {
	t, warnings, err := a.as(ctx).UpdateTenant(ctx, actor(ctx), id, version, f)
	return showChanged(ctx, t, warnings, err)
}

func showChanged(ctx context.Context, t domain.Tenant, warnings []registry.Warning, err error) (*changedTenant, error) {
	if err != nil {
		return nil, problem(ctx, err)
	}
	return &changedTenant{ETag: etag(t.Version), Body: ChangedTenant{Tenant: Tenant{t, t.Version}, Warnings: warnings}}, nil
}

// applyTenant changes the tenant as the patch says.
func (p Patch) applyTenant(t *domain.Tenant) error {
	return p.each(fmt.Sprintf("the change of tenant %q", t.ID), []string{"id"}, func(name string, document []byte) error {
		var one NewTenant
		if err := strictjson.Unmarshal(document, &one); err != nil {
			return err
		}
		now := *t
		one.onto(&now)
		switch name {
		case "label":
			t.Label = now.Label
		case "hosts":
			t.Hosts = now.Hosts
		case "resources":
			t.Resources = now.Resources
		case "endpoints":
			t.Endpoints = now.Endpoints
		case "ceiling":
			t.Ceiling = now.Ceiling
		}
		return nil
	})
}

// UpdateTenant changes what the patch names. With a version other than 0 only where it is
// still the current one.
func (c *Conn) UpdateTenant(ctx context.Context, id string, version int64, p Patch) (out ChangedTenant, err error) {
	err = c.call(ctx, http.MethodPatch, "/tenants/"+segment(id), version, p, &out)
	return out, err
}
