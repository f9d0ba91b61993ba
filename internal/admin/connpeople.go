package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/postern-dev/postern/internal/signin"
)

// WhoAmI tells who the other side takes us for.
func (c *Conn) WhoAmI(ctx context.Context) (out signin.SignedIn, err error) {
	err = c.call(ctx, http.MethodGet, "/whoami", 0, nil, &out)
	return out, err
}

// CreatePerson makes somebody who administers.
func (c *Conn) CreatePerson(ctx context.Context, n NewPerson) (out Person, err error) {
	err = c.call(ctx, http.MethodPost, "/people", 0, n, &out)
	return out, err
}

// InvitePerson makes a link by which somebody sets a password.
func (c *Conn) InvitePerson(ctx context.Context, id string) (out NewLink, err error) {
	err = c.call(ctx, http.MethodPost, "/people/"+segment(id)+"/invite", 0, nil, &out)
	return out, err
}

// ListPeople lists those who administer.
func (c *Conn) ListPeople(ctx context.Context) ([]Person, error) {
	return listAll[Person](ctx, c, "/people", url.Values{})
}

// UpdatePerson changes what the patch names; version as in UpdateClient.
func (c *Conn) UpdatePerson(ctx context.Context, id string, version int64, p Patch) (out Person, err error) {
	err = c.call(ctx, http.MethodPatch, "/people/"+segment(id), version, p, &out)
	return out, err
}

// DeletePerson deletes somebody; version as in UpdateClient.
func (c *Conn) DeletePerson(ctx context.Context, id string, version int64) error {
	return c.remove(ctx, "people", id, version)
}

// CreateAPIKey makes an API key.
func (c *Conn) CreateAPIKey(ctx context.Context, n NewAPIKey) (out CreatedAPIKey, err error) {
	err = c.call(ctx, http.MethodPost, "/api-keys", 0, n, &out)
	return out, err
}

// ListAPIKeys lists the API keys.
func (c *Conn) ListAPIKeys(ctx context.Context) ([]APIKey, error) {
	return listAll[APIKey](ctx, c, "/api-keys", url.Values{})
}

// GetAPIKey shows an API key.
func (c *Conn) GetAPIKey(ctx context.Context, id string) (APIKey, error) {
	return getOne[APIKey](ctx, c, "api-keys", id)
}

// DeleteAPIKey ends an API key; version as in UpdateClient.
func (c *Conn) DeleteAPIKey(ctx context.Context, id string, version int64) error {
	return c.remove(ctx, "api-keys", id, version)
}

// ListResources lists the directory: of a kind and a tenant; empty means any.
func (c *Conn) ListResources(ctx context.Context, kind, tenant string) ([]NamedResource, error) {
	q := url.Values{}
	for name, value := range map[string]string{"kind": kind, "tenant": tenant} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return listAll[NamedResource](ctx, c, "/resources", q)
}

// FindResources lists the entries whose label or id holds the text.
func (c *Conn) FindResources(ctx context.Context, text string) ([]NamedResource, error) {
	return listAll[NamedResource](ctx, c, "/resources/search", url.Values{"text": {text}})
}

// PutResources makes entries of the directory, or replaces them: at most 500, all or none.
func (c *Conn) PutResources(ctx context.Context, list []NewNamedResource) ([]NamedResource, error) {
	var out NamedResources
	err := c.call(ctx, http.MethodPut, "/resources", 0, NewNamedResources{list}, &out)
	return out.Resources, err
}

// DeleteResource deletes an entry of the directory; version as in UpdateClient.
func (c *Conn) DeleteResource(ctx context.Context, kind, id string, version int64) error {
	return c.remove(ctx, "resources/"+segment(kind), id, version)
}

// PutTenant makes a tenant, or replaces all of it; version as in UpdateClient.
func (c *Conn) PutTenant(ctx context.Context, id string, version int64, n NewTenant) (out ChangedTenant, err error) {
	err = c.call(ctx, http.MethodPut, "/tenants/"+segment(id), version, n, &out)
	return out, err
}

// put makes an object, or replaces all of it.
func put[T any](ctx context.Context, c *Conn, many, key string, version int64, n any) (out T, err error) {
	err = c.call(ctx, http.MethodPut, "/"+many+"/"+segment(key), version, n, &out)
	return out, err
}

// update changes what the patch names.
func update[T any](ctx context.Context, c *Conn, many, key string, version int64, p Patch) (out T, err error) {
	err = c.call(ctx, http.MethodPatch, "/"+many+"/"+segment(key), version, p, &out)
	return out, err
}

// PutIssuer makes an issuer, or replaces all of it; version as in UpdateClient.
func (c *Conn) PutIssuer(ctx context.Context, name string, version int64, n NewIssuer) (Issuer, error) {
	return put[Issuer](ctx, c, "issuers", name, version, n)
}

// UpdateIssuer changes what the patch names; version as in UpdateClient.
func (c *Conn) UpdateIssuer(ctx context.Context, name string, version int64, p Patch) (Issuer, error) {
	return update[Issuer](ctx, c, "issuers", name, version, p)
}

// PutPolicy makes a policy, or replaces all of it; version as in UpdateClient.
func (c *Conn) PutPolicy(ctx context.Context, name string, version int64, n NewPolicy) (Policy, error) {
	return put[Policy](ctx, c, "policies", name, version, n)
}

// UpdatePolicy changes what the patch names; version as in UpdateClient.
func (c *Conn) UpdatePolicy(ctx context.Context, name string, version int64, p Patch) (Policy, error) {
	return update[Policy](ctx, c, "policies", name, version, p)
}

// PutTier makes a tier, or replaces all of it; version as in UpdateClient.
func (c *Conn) PutTier(ctx context.Context, name string, version int64, n NewTier) (Tier, error) {
	return put[Tier](ctx, c, "tiers", name, version, n)
}
