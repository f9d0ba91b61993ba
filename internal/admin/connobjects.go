package admin

import (
	"context"
	"net/http"
	"net/url"
)

// listAll reads a list page by page.
func listAll[T any](ctx context.Context, c *Conn, path string, q url.Values) ([]T, error) {
	all := []T{}
	q.Set("limit", "500")
	for {
		var page struct {
			Items []T    `json:"items"`
			Next  string `json:"next"`
		}
		if err := c.call(ctx, http.MethodGet, path+"?"+q.Encode(), 0, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, nil
		}
		q.Set("cursor", page.Next)
	}
}

func getOne[T any](ctx context.Context, c *Conn, many, key string) (out T, err error) {
	err = c.call(ctx, http.MethodGet, "/"+many+"/"+segment(key), 0, nil, &out)
	return out, err
}

func (c *Conn) remove(ctx context.Context, many, key string, version int64) error {
	return c.call(ctx, http.MethodDelete, "/"+many+"/"+segment(key), version, nil, nil)
}

// ListIssuers lists the issuers.
func (c *Conn) ListIssuers(ctx context.Context) ([]Issuer, error) {
	return listAll[Issuer](ctx, c, "/issuers", url.Values{})
}

// GetIssuer shows an issuer.
func (c *Conn) GetIssuer(ctx context.Context, name string) (Issuer, error) {
	return getOne[Issuer](ctx, c, "issuers", name)
}

// DeleteIssuer deletes an issuer that has no clients; version as in UpdateClient.
func (c *Conn) DeleteIssuer(ctx context.Context, name string, version int64) error {
	return c.remove(ctx, "issuers", name, version)
}

// ListTenants lists the tenants.
func (c *Conn) ListTenants(ctx context.Context) ([]Tenant, error) {
	return listAll[Tenant](ctx, c, "/tenants", url.Values{})
}

// GetTenant shows a tenant by its id.
func (c *Conn) GetTenant(ctx context.Context, id string) (Tenant, error) {
	return getOne[Tenant](ctx, c, "tenants", id)
}

// DeleteTenant deletes a tenant that has no clients; version as in UpdateClient.
func (c *Conn) DeleteTenant(ctx context.Context, id string, version int64) error {
	return c.remove(ctx, "tenants", id, version)
}

// ListAPIs lists the APIs.
func (c *Conn) ListAPIs(ctx context.Context) ([]API, error) {
	return listAll[API](ctx, c, "/apis", url.Values{})
}

// GetAPI shows an API.
func (c *Conn) GetAPI(ctx context.Context, name string) (API, error) {
	return getOne[API](ctx, c, "apis", name)
}

// DeleteAPI deletes an API for which no client has a rate limit of its own; version as in UpdateClient.
func (c *Conn) DeleteAPI(ctx context.Context, name string, version int64) error {
	return c.remove(ctx, "apis", name, version)
}

// ListPolicies lists the policies.
func (c *Conn) ListPolicies(ctx context.Context) ([]Policy, error) {
	return listAll[Policy](ctx, c, "/policies", url.Values{})
}

// GetPolicy shows a policy.
func (c *Conn) GetPolicy(ctx context.Context, name string) (Policy, error) {
	return getOne[Policy](ctx, c, "policies", name)
}

// DeletePolicy deletes a policy that no client holds; version as in UpdateClient.
func (c *Conn) DeletePolicy(ctx context.Context, name string, version int64) error {
	return c.remove(ctx, "policies", name, version)
}

// ListTiers lists the tiers, the built-in ones among them.
func (c *Conn) ListTiers(ctx context.Context) ([]Tier, error) {
	return listAll[Tier](ctx, c, "/tiers", url.Values{})
}

// GetTier shows a tier.
func (c *Conn) GetTier(ctx context.Context, name string) (Tier, error) {
	return getOne[Tier](ctx, c, "tiers", name)
}

// DeleteTier deletes a tier that nothing names; version as in UpdateClient.
func (c *Conn) DeleteTier(ctx context.Context, name string, version int64) error {
	return c.remove(ctx, "tiers", name, version)
}
