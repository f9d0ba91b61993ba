package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/postern-dev/postern/internal/domain"
)

// Warning is what a change of one object does to another.
type Warning struct {
	Object  string `json:"object"` // e.g. client "billing"
	Field   string `json:"field"`
	Message string `json:"message"`
}

// maxWarnings is how many warnings are gathered.
const maxWarnings = 100

// PutTenant makes a tenant or replaces it. ifVersion as in UpdateClient; nothing
// changed makes no change. What is taken from a tenant is gone for its clients
// at once (COM-12), as every grant looks at the tenant: the warnings name those
// that hold more than they can still use.
func (r *Registry) PutTenant(ctx context.Context, by domain.Actor, tenant domain.Tenant, ifVersion int64) (domain.Tenant, []Warning, error) {
	if err := r.allow("tenant.put", by); err != nil {
		return tenant, nil, err
	}
	if tenant.ID == "" && ifVersion == 0 {
		tenant.ID = domain.NewUUID()
	}
	var done domain.Tenant
	var old *domain.Tenant
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		done = tenant
		var err error
		if old, err = find(ctx, t.Tenants, tenant.ID); err != nil {
			return nil, err
		}
		if err := keepOrigin(r, old, &done, &done.Origin); err != nil {
			return nil, err
		}
		if err := r.checkTenant(ctx, t, old, &done); err != nil {
			return nil, err
		}
		return put(ctx, t.Tenants, old, &done, &done.Version, ifVersion)
	})
	if err != nil || old == nil {
		return done, nil, err
	}
	warnings, err := r.tenantWarnings(ctx, old, &done)
	return done, warnings, err
}

// tenantWarnings looks at the clients only where something that they can hold has changed.
func (r *Registry) tenantWarnings(ctx context.Context, old, tenant *domain.Tenant) ([]Warning, error) {
	if same(old.Resources, tenant.Resources) && same(old.Ceiling, tenant.Ceiling) {
		return nil, nil
	}
	return r.warnings(ctx, func(t domain.Tables, f func(domain.Client) bool) error { return r.eachClientOf(ctx, t, tenant.ID, f) })
}

// eachClientOf is eachClient for those of a tenant. Whose a client is stands in itself only:
// all are read for it, within one transaction (Together) once.
func (r *Registry) eachClientOf(ctx context.Context, t domain.Tables, tenant string, f func(domain.Client) bool) error {
	if r.known == nil {
		return eachClient(ctx, t, domain.Page{}, func(c domain.Client) bool { return c.Tenant != tenant || f(c) })
	}
	if r.known.clients == nil {
		all := make(map[string][]string)
		err := eachClient(ctx, t, domain.Page{}, func(c domain.Client) bool {
			all[c.Tenant] = append(all[c.Tenant], c.Key())
			return true
		})
		if err != nil {
			return err
		}
		r.known.clients = all
	}
	for _, key := range r.known.clients[tenant] {
		c, err := t.Clients.Get(ctx, key)
		if err != nil {
			return err
		}
		if !f(c) {
			return nil
		}
	}
	return nil
}

// object is what objects of every kind have in common.
type object interface {
	Kind() domain.Kind
	Key() string
}

// put writes an object where it is new or another than the old one.
func put[T interface {
	domain.Tenant | domain.Issuer | domain.API | domain.Policy | domain.Tier
	object
}](ctx context.Context, table domain.Table[T], old, v *T, version *int64, ifVersion int64) ([]domain.Change, error) {
	var err error
	kind := string((*v).Kind())
	switch {
	case old == nil && ifVersion != 0:
		return nil, fmt.Errorf("%s %q: %w", kind, (*v).Key(), domain.ErrNotFound)
	case old == nil:
		*version, err = table.Put(ctx, *v, 0)
		return []domain.Change{change(*v, kind+".create")}, err
	}
	have := versionOf(*old)
	if err := sameVersion(ifVersion, have); err != nil {
		return nil, err
	}
	if same(*old, *v) {
		*version = have
		return nil, nil
	}
	*version, err = table.Put(ctx, *v, have)
	return []domain.Change{change(*v, kind+".update")}, err
}

func versionOf(v any) int64 {
	switch v := v.(type) {
	case domain.Tenant:
		return v.Version
	case domain.Issuer:
		return v.Version
	case domain.API:
		return v.Version
	case domain.Policy:
		return v.Version
	case domain.Tier:
		return v.Version
	}
	return 0
}

func originOf(v any) string {
	switch v := v.(type) {
	case domain.Tenant:
		return v.Origin
	case domain.Issuer:
		return v.Origin
	case domain.API:
		return v.Origin
	case domain.Policy:
		return v.Origin
	case domain.Tier:
		return v.Origin
	}
	return ""
}

// keepOrigin puts into now the origin that it may have; ErrDeclared where the object is
// changed in a file. Of what is asked for only files count (D-74).
func keepOrigin[T object](r *Registry, old, now *T, origin *string) (err error) {
	was := ""
	if old != nil {
		was = originOf(*old)
	}
	*origin, err = r.declared(*now, was, *origin)
	return err
}

// checkTenant lists every problem of a tenant; old is nil where it is new.
func (r *Registry) checkTenant(ctx context.Context, t domain.Tables, old, tenant *domain.Tenant) error {
	problems := tenant.Problems()
	if len(tenant.Hosts) > 0 && (old == nil || !same(old.Hosts, tenant.Hosts)) { // else it comes in nobody's way
		at, err := r.places(ctx, t)
		if err != nil {
			return err
		}
		problems = append(problems, r.tenantPlaces(at, tenant)...)
	}
	return domain.AsError(fmt.Sprintf("tenant %q", tenant.Label), problems)
}

// DeleteTenant removes a tenant that has no clients, and what the directory says of it.
// ifVersion as in UpdateClient.
func (r *Registry) DeleteTenant(ctx context.Context, by domain.Actor, id string, ifVersion int64) error {
	if err := r.allow("tenant.delete", by); err != nil {
		return err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		tenant, err := t.Tenants.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := sameVersion(ifVersion, tenant.Version); err != nil {
			return nil, err
		}
		if _, err := r.declared(tenant, tenant.Origin, ""); err != nil {
			return nil, err
		}
		err = unused(ctx, t, domain.Page{}, fmt.Sprintf("tenant %q", tenant.Label), itsClients, func(c *domain.Client) bool { return c.Tenant == id })
		if err != nil {
			return nil, err
		}
		changes, err := dropResources(ctx, t, id)
		if err != nil {
			return nil, err
		}
		return append(changes, change(tenant, "tenant.delete")), t.Tenants.Delete(ctx, id, tenant.Version)
	})
	return err
}

// ErrInUse is returned where what is to be deleted is what other objects refer to.
var ErrInUse = errors.New("is still in use")

// unused returns ErrInUse, with what to do first, where a client of the page is one of
// those that are looked for.
func unused(ctx context.Context, t domain.Tables, page domain.Page, object, first string, of func(*domain.Client) bool) error {
	var inUse error
	err := eachClient(ctx, t, page, func(c domain.Client) bool {
		if of(&c) {
			inUse = fmt.Errorf("%s %w: by client %q of issuer %s; %s first", object, ErrInUse, c.ID, c.Issuer, first)
		}
		return inUse == nil
	})
	return errors.Join(err, inUse)
}

// itsClients is what must be done before what clients belong to is deleted.
const itsClients = "delete its clients"

// warnings names what is wrong now with clients that were right before.
func (r *Registry) warnings(ctx context.Context, each func(domain.Tables, func(domain.Client) bool) error) ([]Warning, error) {
	var list []Warning
	t := r.Store.Read()
	var failed error
	exists := r.existing(ctx, t, &failed)
	err := each(t, func(c domain.Client) bool {
		err := r.clientProblems(ctx, t, &c, exists)
		var invalid *domain.Invalid
		if errors.As(err, &invalid) {
			for _, p := range invalid.Problems {
				list = append(list, Warning{Object: fmt.Sprintf("client %q of issuer %s", c.ID, c.Issuer), Field: p.Field, Message: p.Message})
			}
		} else if err != nil {
			failed = err
		}
		return failed == nil && len(list) < maxWarnings
	})
	return list, errors.Join(err, failed)
}

// GetTenant returns a tenant by id.
func (r *Registry) GetTenant(ctx context.Context, id string) (domain.Tenant, error) {
	if err := r.may("tenant.read"); err != nil {
		return domain.Tenant{}, err
	}
	tenant, err := r.Store.Read().Tenants.Get(ctx, id)
	return shown(tenant, err, func(*domain.Tenant) bool { return r.seesTenant(id) }, id)
}

// ListTenants lists tenants in the order of their ids.
func (r *Registry) ListTenants(ctx context.Context, page domain.Page) ([]domain.Tenant, error) {
	if err := r.may("tenant.list"); err != nil {
		return nil, err
	}
	return listed(ctx, r, r.Store.Read().Tenants, page, func(t *domain.Tenant) bool { return r.seesTenant(t.ID) })
}
