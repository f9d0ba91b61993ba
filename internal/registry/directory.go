package registry

import (
	"context"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// MaxResources is how many entries of the directory are put at once.
const MaxResources = 500

// PutResources makes entries of the resource directory, or replaces them: all or none, at
// most MaxResources. A Version is the one that the caller has seen, 0 any. An entry of a
// tenant that the caller may not see is not replaced: domain.ErrExists (D-102).
func (r *Registry) PutResources(ctx context.Context, by domain.Actor, list []domain.NamedResource) ([]domain.NamedResource, error) {
	if err := r.allow("resource.put", by); err != nil {
		return nil, err
	}
	if len(list) > MaxResources {
		return nil, &domain.Invalid{Object: "resources", Problems: []domain.Problem{{Field: "resources", Message: fmt.Sprintf("are %d; at most %d at once", len(list), MaxResources)}}}
	}
	var done []domain.NamedResource
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		done = nil
		if err := r.checkResources(ctx, t, list); err != nil {
			return nil, err
		}
		var changes []domain.Change
		for _, n := range list {
			changed, err := r.putResource(ctx, t, &n)
			if err != nil {
				return nil, err
			}
			changes, done = append(changes, changed...), append(done, n)
		}
		return changes, nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// checkResources lists every problem of the entries.
func (r *Registry) checkResources(ctx context.Context, t domain.Tables, list []domain.NamedResource) error {
	var problems []domain.Problem
	seen, tenants := make(map[string]int), make(map[string]*domain.Tenant)
	for i := range list {
		n := &list[i]
		at := fmt.Sprintf("resources[%d].", i)
		for _, p := range n.Problems() {
			p.Field = at + p.Field
			problems = append(problems, p)
		}
		if first, twice := seen[n.Key()]; twice {
			problems = append(problems, domain.Problem{Field: at + "id", Message: fmt.Sprintf("%s %q is resources[%d] too", n.ResourceKind, n.ID, first)})
		} else {
			seen[n.Key()] = i
		}
		switch tenant, err := cached(ctx, tenants, t.Tenants, n.Tenant); {
		case err != nil:
			return err
		case n.Tenant == "" && !r.seesTenant(""):
			return fmt.Errorf("%w: a resource of no tenant needs a reach of all tenants; name its tenant", ErrForbidden)
		case n.Tenant != "" && (tenant == nil || !r.seesTenant(n.Tenant)):
			problems = append(problems, domain.Problem{Field: at + "tenant", Message: fmt.Sprintf("there is no tenant %q", n.Tenant)})
		}
	}
	return domain.AsError("resources", problems)
}

func (r *Registry) putResource(ctx context.Context, t domain.Tables, n *domain.NamedResource) ([]domain.Change, error) {
	old, err := find(ctx, t.Directory, n.Key())
	if err != nil {
		return nil, err
	}
	var have int64
	action := "resource.create"
	switch {
	case old == nil && n.Version != 0:
		return nil, absent(n.Kind(), n.Key())
	case old == nil:
	case !r.seesTenant(old.Tenant):
		return nil, fmt.Errorf("%s %q: %w", n.Kind(), n.Key(), domain.ErrExists)
	default:
		have, action = old.Version, "resource.update"
		if err := sameVersion(n.Version, have); err != nil {
			return nil, fmt.Errorf("%s %q: %w", n.Kind(), n.Key(), err)
		}
		if n.Version = have; *n == *old {
			return nil, nil
		}
	}
	n.Version, err = t.Directory.Put(ctx, *n, have)
	return []domain.Change{change(*n, action)}, err
}

// DeleteResource removes an entry of the directory; what clients hold stays. ifVersion as
// in UpdateClient.
func (r *Registry) DeleteResource(ctx context.Context, by domain.Actor, kind, id string, ifVersion int64) error {
	if err := r.allow("resource.delete", by); err != nil {
		return err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		n, err := r.resource(ctx, t, kind, id)
		if err != nil {
			return nil, err
		}
		if err := sameVersion(ifVersion, n.Version); err != nil {
			return nil, err
		}
		return []domain.Change{change(n, "resource.delete")}, t.Directory.Delete(ctx, n.Key(), n.Version)
	})
	return err
}

// dropResources removes the entries of a tenant.
func dropResources(ctx context.Context, t domain.Tables, tenant string) ([]domain.Change, error) {
	list, err := walked(ctx, t.Directory, domain.Page{}, func(n *domain.NamedResource) bool { return n.Tenant == tenant })
	if err != nil {
		return nil, err
	}
	var changes []domain.Change
	for _, n := range list {
		if err := t.Directory.Delete(ctx, n.Key(), n.Version); err != nil {
			return nil, err
		}
		changes = append(changes, change(n, "resource.delete"))
	}
	return changes, nil
}

func (r *Registry) seesResource(n *domain.NamedResource) bool { return r.seesTenant(n.Tenant) }

func (r *Registry) resource(ctx context.Context, t domain.Tables, kind, id string) (domain.NamedResource, error) {
	key := domain.NamedResourceKey(kind, id)
	n, err := t.Directory.Get(ctx, key)
	return shown(n, err, r.seesResource, key)
}

// GetResource returns an entry of the directory.
func (r *Registry) GetResource(ctx context.Context, kind, id string) (domain.NamedResource, error) {
	if err := r.may("resource.read"); err != nil {
		return domain.NamedResource{}, err
	}
	return r.resource(ctx, r.Store.Read(), kind, id)
}

// ListResources lists the directory in the order of keys: of one kind or, where that is
// empty, all; of one tenant or, where that is empty, all. page.Prefix is that of ids and
// needs a kind; page.After is a key (domain.NamedResourceKey).
func (r *Registry) ListResources(ctx context.Context, kind, tenant string, page domain.Page) ([]domain.NamedResource, error) {
	if err := r.may("resource.list"); err != nil {
		return nil, err
	}
	if kind != "" {
		page.Prefix = domain.NamedResourceKey(kind, page.Prefix)
	} else if page.Prefix != "" {
		return nil, &domain.Invalid{Object: "list of resources", Problems: []domain.Problem{{Field: "prefix", Message: "is of ids of one kind; name the kind too"}}}
	}
	return walked(ctx, r.Store.Read().Directory, page, func(n *domain.NamedResource) bool {
		return (tenant == "" || n.Tenant == tenant) && r.seesResource(n)
	})
}

// FindResources lists entries whose label or id holds the text, whatever its case.
// page.After is a key.
func (r *Registry) FindResources(ctx context.Context, text string, page domain.Page) ([]domain.NamedResource, error) {
	if err := r.may("resource.find"); err != nil {
		return nil, err
	}
	text = strings.ToLower(text)
	return walked(ctx, r.Store.Read().Directory, page, func(n *domain.NamedResource) bool {
		return r.seesResource(n) && (strings.Contains(strings.ToLower(n.Label), text) || strings.Contains(strings.ToLower(n.ID), text))
	})
}
