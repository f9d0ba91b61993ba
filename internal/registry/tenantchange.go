package registry

import (
	"context"

	"github.com/postern-dev/postern/internal/domain"
)

// UpdateTenant changes a tenant that is there. f puts other values in place of members and
// changes nothing within one; what it does to the id is undone. ifVersion as in
// UpdateClient, warnings as of PutTenant.
func (r *Registry) UpdateTenant(ctx context.Context, by domain.Actor, id string, ifVersion int64, f func(*domain.Tenant) error) (domain.Tenant, []Warning, error) {
	var old, done domain.Tenant
	if err := r.allow("tenant.update", by); err != nil {
		return done, nil, err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		var err error
		if old, err = t.Tenants.Get(ctx, id); err != nil {
			return nil, err
		}
		if err := sameVersion(ifVersion, old.Version); err != nil {
			return nil, err
		}
		done = old
		if err := f(&done); err != nil {
			return nil, err
		}
		done.ID = old.ID
		if err := keepOrigin(r, &old, &done, &done.Origin); err != nil {
			return nil, err
		}
		if err := r.checkTenant(ctx, t, &old, &done); err != nil {
			return nil, err
		}
		return put(ctx, t.Tenants, &old, &done, &done.Version, ifVersion)
	})
	if err != nil {
		return done, nil, err
	}
	warnings, err := r.tenantWarnings(ctx, &old, &done)
	return done, warnings, err
}
