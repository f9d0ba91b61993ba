package declare

import (
	"context"
	"fmt"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// Release makes an object nobody's: it stays as it is, and may be changed by other means
// than files. What no file has brought in is left alone. It returns where it came from.
func Release(ctx context.Context, reg *registry.Registry, by domain.Actor, of registry.Ref) (origin string, err error) {
	v, missing := find(ctx, reg.Store.Read(), of)
	if err := reg.Release(ctx, by, of.Kind, of.Key); err != nil {
		return "", err
	}
	if missing != nil {
		return "", missing
	}
	return originOf(v), nil
}

// find reads an object of one of the kinds that files declare.
func find(ctx context.Context, t domain.Tables, of registry.Ref) (body, error) {
	switch of.Kind {
	case domain.KindTier:
		return pointer(t.Tiers.Get(ctx, of.Key))
	case domain.KindPolicy:
		return pointer(t.Policies.Get(ctx, of.Key))
	case domain.KindIssuer:
		return pointer(t.Issuers.Get(ctx, of.Key))
	case domain.KindTenant:
		return pointer(t.Tenants.Get(ctx, of.Key))
	case domain.KindAPI:
		return pointer(t.APIs.Get(ctx, of.Key))
	case domain.KindClient:
		return pointer(t.Clients.Get(ctx, of.Key))
	}
	return nil, fmt.Errorf("files declare no %s: %w", of.Kind, domain.ErrNotFound)
}

func pointer[T any, P interface {
	*T
	body
}](v T, err error) (body, error) {
	if err != nil {
		return nil, err
	}
	return P(&v), nil
}

// originOf is where an object comes from, empty where no file has brought it in.
func originOf(v body) string { return *originIn(v) }

func originIn(v body) *string {
	switch v := v.(type) {
	case *domain.Tier:
		return &v.Origin
	case *domain.Policy:
		return &v.Origin
	case *domain.Issuer:
		return &v.Origin
	case *domain.Tenant:
		return &v.Origin
	case *domain.API:
		return &v.Origin
	case *domain.Client:
		return &v.Origin
	}
	return new(string) // there are no other kinds
}

// label is what people call the object.
func label(v body) string {
	switch v := v.(type) {
	case *domain.Policy:
		return v.Label
	case *domain.Tenant:
		return v.Label
	case *domain.API:
		return v.Label
	case *domain.Client:
		return v.Name
	}
	return ""
}
