package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
)

// PutPolicy makes a policy or replaces it. ifVersion as in UpdateClient; nothing changed
// makes no change. An action taken from it is gone for its clients at once (COM-12), as
// every call looks at the policy: the warnings name what nobody can call since.
func (r *Registry) PutPolicy(ctx context.Context, by domain.Actor, policy domain.Policy, ifVersion int64) (domain.Policy, []Warning, error) {
	var done domain.Policy
	var warnings []Warning
	if err := r.allow("policy.put", by); err != nil {
		return done, nil, err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		done, warnings = policy, nil
		old, err := find(ctx, t.Policies, policy.Name)
		if err != nil {
			return nil, err
		}
		if err := keepOrigin(r, old, &done, &done.Origin); err != nil {
			return nil, err
		}
		if err := domain.AsError(fmt.Sprintf("policy %q", policy.Name), done.Problems()); err != nil {
			return nil, err
		}
		changes, err := put(ctx, t.Policies, old, &done, &done.Version, ifVersion)
		if err != nil || old == nil || len(changes) == 0 {
			return changes, err
		}
		warnings, err = lost(ctx, t, *old, done)
		return changes, err
	})
	if err != nil {
		return done, nil, err
	}
	return done, warnings, nil
}

// lost warns of what could be called as long as the policy was the old one.
func lost(ctx context.Context, t domain.Tables, old, now domain.Policy) ([]Warning, error) {
	policies, err := t.Policies.List(ctx, domain.Page{})
	if err != nil {
		return nil, err
	}
	granted, taken := actions(replace(policies, now)), make(map[string]bool)
	for action := range old.Actions {
		taken[action] = !granted[action]
	}
	if !slices.Contains(slices.Collect(maps.Values(taken)), true) {
		return nil, nil
	}
	apis, err := t.APIs.List(ctx, domain.Page{})
	if err != nil {
		return nil, err
	}
	return ungranted(apis, taken), nil
}

// DeletePolicy removes a policy that no client holds. ifVersion as in UpdateClient.
func (r *Registry) DeletePolicy(ctx context.Context, by domain.Actor, name string, ifVersion int64) error {
	if err := r.allow("policy.delete", by); err != nil {
		return err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		policy, err := t.Policies.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := sameVersion(ifVersion, policy.Version); err != nil {
			return nil, err
		}
		if _, err := r.declared(policy, policy.Origin, ""); err != nil {
			return nil, err
		}
		err = unused(ctx, t, domain.Page{}, "policy "+name, "take it from those that hold it", func(c *domain.Client) bool { return slices.Contains(c.Policies, name) })
		if err != nil {
			return nil, err
		}
		return []domain.Change{change(policy, "policy.delete")}, t.Policies.Delete(ctx, name, policy.Version)
	})
	return err
}

// GetPolicy returns a policy by name.
func (r *Registry) GetPolicy(ctx context.Context, name string) (domain.Policy, error) {
	if err := r.may("policy.read"); err != nil {
		return domain.Policy{}, err
	}
	return r.Store.Read().Policies.Get(ctx, name)
}

// ListPolicies lists policies in the order of their names.
func (r *Registry) ListPolicies(ctx context.Context, page domain.Page) ([]domain.Policy, error) {
	if err := r.may("policy.list"); err != nil {
		return nil, err
	}
	return r.Store.Read().Policies.List(ctx, page)
}
