package registry

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// PutTier makes a tier or replaces it; under the name of a built-in one it takes that
// one's place (ARB-11). ifVersion as in UpdateClient; nothing changed makes no change.
// What it says holds for its clients at once.
func (r *Registry) PutTier(ctx context.Context, by domain.Actor, tier domain.Tier, ifVersion int64) (domain.Tier, []Warning, error) {
	var done domain.Tier
	if err := r.allow("tier.put", by); err != nil {
		return done, nil, err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		done = tier
		old, err := find(ctx, t.Tiers, tier.Name)
		if err != nil {
			return nil, err
		}
		if err := keepOrigin(r, old, &done, &done.Origin); err != nil {
			return nil, err
		}
		if err := domain.AsError(fmt.Sprintf("tier %q", tier.Name), done.Problems()); err != nil {
			return nil, err
		}
		return put(ctx, t.Tiers, old, &done, &done.Version, ifVersion)
	})
	return done, nil, err
}

// DeleteTier removes a tier that no client has and no API names; one that stands in the
// place of a built-in one always, as then that holds again. ifVersion as in UpdateClient.
func (r *Registry) DeleteTier(ctx context.Context, by domain.Actor, name string, ifVersion int64) error {
	if err := r.allow("tier.delete", by); err != nil {
		return err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		_, built := domain.BuiltinTier(name)
		tier, err := t.Tiers.Get(ctx, name)
		if err != nil {
			if built {
				return nil, fmt.Errorf("tier %s is built in, and in its place none was made: %w", name, err)
			}
			return nil, err
		}
		if err := sameVersion(ifVersion, tier.Version); err != nil {
			return nil, err
		}
		if _, err := r.declared(tier, tier.Origin, ""); err != nil {
			return nil, err
		}
		if !built {
			if err := tierUnused(ctx, t, name); err != nil {
				return nil, err
			}
		}
		return []domain.Change{change(tier, "tier.delete")}, t.Tiers.Delete(ctx, name, tier.Version)
	})
	return err
}

func tierUnused(ctx context.Context, t domain.Tables, name string) error {
	apis, err := t.APIs.List(ctx, domain.Page{})
	if err != nil {
		return err
	}
	for _, a := range apis {
		if _, ok := a.RateLimits[name]; ok {
			return fmt.Errorf("tier %s %w: API %s has a rate limit for it; take that away first", name, ErrInUse, a.Name)
		}
	}
	return unused(ctx, t, domain.Page{}, "tier "+name, "give its clients another", func(c *domain.Client) bool { return c.Tier == name })
}

// GetTier returns a tier by name, a built-in one too.
func (r *Registry) GetTier(ctx context.Context, name string) (domain.Tier, error) {
	if err := r.may("tier.read"); err != nil {
		return domain.Tier{}, err
	}
	tier, err := find(ctx, r.Store.Read().Tiers, name)
	if err != nil {
		return domain.Tier{}, err
	}
	if tier != nil {
		return *tier, nil
	}
	if built, ok := domain.BuiltinTier(name); ok {
		return built, nil
	}
	return domain.Tier{}, fmt.Errorf("tier %q: %w", name, domain.ErrNotFound)
}

// ListTiers lists tiers in the order of their names, the built-in ones, which have
// version 0, among them.
func (r *Registry) ListTiers(ctx context.Context, page domain.Page) ([]domain.Tier, error) {
	if err := r.may("tier.list"); err != nil {
		return nil, err
	}
	list, err := r.Store.Read().Tiers.List(ctx, page)
	if err != nil {
		return nil, err
	}
	for _, built := range domain.BuiltinTiers() {
		there := slices.ContainsFunc(list, func(t domain.Tier) bool { return t.Name == built.Name })
		if !there && built.Name > page.After && strings.HasPrefix(built.Name, page.Prefix) {
			list = append(list, built)
		}
	}
	slices.SortFunc(list, func(a, b domain.Tier) int { return cmp.Compare(a.Name, b.Name) })
	if page.Limit > 0 && len(list) > page.Limit {
		list = list[:page.Limit]
	}
	return list, nil
}
