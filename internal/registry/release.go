package registry

import (
	"context"
	"fmt"

	"github.com/postern-dev/postern/internal/domain"
)

// Release makes an object that came from a file free of it: it is changed here from then on,
// until a file with it is applied again. What came from no file is left as it is.
func (r *Registry) Release(ctx context.Context, by domain.Actor, kind domain.Kind, key string) error {
	if err := r.allow("object.release", by); err != nil {
		return err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		switch kind {
		case domain.KindTenant:
			return release(ctx, t.Tenants, key, func(v *domain.Tenant) (*string, int64) { return &v.Origin, v.Version })
		case domain.KindIssuer:
			return release(ctx, t.Issuers, key, func(v *domain.Issuer) (*string, int64) { return &v.Origin, v.Version })
		case domain.KindAPI:
			return release(ctx, t.APIs, key, func(v *domain.API) (*string, int64) { return &v.Origin, v.Version })
		case domain.KindPolicy:
			return release(ctx, t.Policies, key, func(v *domain.Policy) (*string, int64) { return &v.Origin, v.Version })
		case domain.KindTier:
			return release(ctx, t.Tiers, key, func(v *domain.Tier) (*string, int64) { return &v.Origin, v.Version })
		case domain.KindClient:
			return release(ctx, t.Clients, key, func(v *domain.Client) (*string, int64) { return &v.Origin, v.Version })
		}
		return nil, fmt.Errorf("a %s comes from no file", kind)
	})
	return err
}

func release[T object](ctx context.Context, table domain.Table[T], key string, of func(*T) (*string, int64)) ([]domain.Change, error) {
	v, err := table.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	origin, version := of(&v)
	if *origin == "" {
		return nil, nil
	}
	*origin = ""
	_, err = table.Put(ctx, v, version)
	return []domain.Change{change(v, string(v.Kind())+".release")}, err
}
