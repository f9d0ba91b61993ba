package registry

import (
	"context"
	"fmt"

	"github.com/postern-dev/postern/internal/domain"
)

// Release makes an object that came from a file free of it: it is changed here from then on,
// until a file with it is applied again. What came from no file is left as it is. It returns
// where the object came from.
func (r *Registry) Release(ctx context.Context, by domain.Actor, kind domain.Kind, key string) (origin string, err error) {
	if err := r.allow("object.release", by); err != nil {
		return "", err
	}
	_, err = r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		switch kind {
		case domain.KindTenant:
			return release(ctx, t.Tenants, key, &origin, func(v *domain.Tenant) (*string, int64) { return &v.Origin, v.Version })
		case domain.KindIssuer:
			return release(ctx, t.Issuers, key, &origin, func(v *domain.Issuer) (*string, int64) { return &v.Origin, v.Version })
		case domain.KindAPI:
			return release(ctx, t.APIs, key, &origin, func(v *domain.API) (*string, int64) { return &v.Origin, v.Version })
		case domain.KindPolicy:
			return release(ctx, t.Policies, key, &origin, func(v *domain.Policy) (*string, int64) { return &v.Origin, v.Version })
		case domain.KindTier:
			return release(ctx, t.Tiers, key, &origin, func(v *domain.Tier) (*string, int64) { return &v.Origin, v.Version })
		case domain.KindClient:
			return release(ctx, t.Clients, key, &origin, func(v *domain.Client) (*string, int64) { return &v.Origin, v.Version })
		}
		return nil, fmt.Errorf("files declare no %s: %w", kind, domain.ErrNotFound)
	})
	if err != nil {
		return "", err
	}
	return origin, nil
}

// release takes the origin away from an object, and puts it into was.
func release[T object](ctx context.Context, table domain.Table[T], key string, was *string, of func(*T) (*string, int64)) ([]domain.Change, error) {
	v, err := table.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	origin, version := of(&v)
	if *was = *origin; *was == "" {
		return nil, nil
	}
	*origin = ""
	_, err = table.Put(ctx, v, version)
	return []domain.Change{change(v, string(v.Kind())+".release")}, err
}
