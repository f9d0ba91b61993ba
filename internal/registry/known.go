package registry

import (
	"context"

	"github.com/postern-dev/postern/internal/domain"
)

// known is what was read in a transaction (Together) and still holds: what many clients
// refer to is read once for all of them.
type known struct {
	places  *places
	clients map[string][]string // keys by tenant
	exists  map[Ref]bool
	issuers map[string]*domain.Issuer
	tenants map[string]*domain.Tenant
	tiers   map[string]*domain.Tier
	apis    []domain.API // nil: not read
}

func newKnown() *known {
	return &known{exists: make(map[Ref]bool), issuers: make(map[string]*domain.Issuer), tenants: make(map[string]*domain.Tenant), tiers: make(map[string]*domain.Tier)}
}

// changed forgets what no longer holds.
func (k *known) changed(ctx context.Context, t domain.Tables, changes []domain.Change) error {
	for _, c := range changes {
		if c.Kind == domain.KindClient {
			k.clients = nil
			continue
		}
		delete(k.exists, Ref{c.Kind, c.Key})
		switch c.Kind {
		case domain.KindIssuer:
			delete(k.issuers, c.Key)
			k.places = nil
		case domain.KindAPI:
			k.places, k.apis = nil, nil
		case domain.KindTier:
			delete(k.tiers, c.Key)
		case domain.KindTenant:
			delete(k.tenants, c.Key)
			if err := k.changedTenant(ctx, t, c.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// cached is what find finds; where there is a map, once.
func cached[T any](ctx context.Context, seen map[string]*T, table domain.Table[T], key string) (*T, error) {
	if v, ok := seen[key]; ok {
		return v, nil
	}
	v, err := find(ctx, table, key)
	if err == nil && seen != nil {
		seen[key] = v
	}
	return v, err
}

// issuerOf is the issuer of a client, nil where there is none, or none that the caller may
// see. It is not to be changed.
func (r *Registry) issuerOf(ctx context.Context, t domain.Tables, c *domain.Client) (*domain.Issuer, error) {
	if !r.everywhere() && !r.caller.Issuer(c.Issuer) {
		return nil, nil //nolint:nilnil // absence is no error here
	}
	return r.issuer(ctx, t, c.Issuer)
}

// issuer is one whoever sees it, nil where there is none. It is not to be changed.
func (r *Registry) issuer(ctx context.Context, t domain.Tables, name string) (*domain.Issuer, error) {
	var seen map[string]*domain.Issuer
	if r.known != nil {
		seen = r.known.issuers
	}
	return cached(ctx, seen, t.Issuers, name)
}

// tier is one of that name, also a built-in one; the zero tier where there is none.
func (r *Registry) tier(ctx context.Context, t domain.Tables, name string) (domain.Tier, error) {
	var seen map[string]*domain.Tier
	if r.known != nil {
		seen = r.known.tiers
	}
	tier, err := cached(ctx, seen, t.Tiers, name)
	if err != nil || tier != nil {
		return orZero(tier), err
	}
	built, _ := domain.BuiltinTier(name)
	return built, nil
}

func orZero[T any](v *T) (zero T) {
	if v == nil {
		return zero
	}
	return *v
}

// allAPIs are the APIs, not to be changed.
func (r *Registry) allAPIs(ctx context.Context, t domain.Tables) ([]domain.API, error) {
	if r.known != nil && r.known.apis != nil {
		return r.known.apis, nil
	}
	list, err := t.APIs.List(ctx, domain.Page{})
	if err == nil && r.known != nil {
		r.known.apis = append([]domain.API{}, list...)
	}
	return list, err
}

// tenantOf is the tenant of a client, as issuerOf; nil too where it is of none.
func (r *Registry) tenantOf(ctx context.Context, t domain.Tables, c *domain.Client) (*domain.Tenant, error) {
	if c.Tenant == "" || !r.seesTenant(c.Tenant) {
		return nil, nil //nolint:nilnil // absence is no error here
	}
	var seen map[string]*domain.Tenant
	if r.known != nil {
		seen = r.known.tenants
	}
	return cached(ctx, seen, t.Tenants, c.Tenant)
}

// existing tells which issuers, APIs, policies and tiers there are, each looked for
// once. What keeps it from looking is in failed; then nothing exists.
func (r *Registry) existing(ctx context.Context, t domain.Tables, failed *error) domain.Exists {
	seen := make(map[Ref]bool)
	if r.known != nil {
		seen = r.known.exists
	}
	return func(kind domain.Kind, key string) bool {
		at := Ref{kind, key}
		there, found := seen[at]
		if !found {
			var err error
			if there, err = has(ctx, t, at); err != nil {
				*failed = err
				return false
			}
			seen[at] = there
		}
		return there
	}
}
