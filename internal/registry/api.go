package registry

import (
	"context"
	"fmt"

	"github.com/postern-dev/postern/internal/domain"
)

// PutAPI makes an API or replaces it, with its defaults. ifVersion as in UpdateClient;
// nothing changed makes no change. The warnings name what nobody can call.
func (r *Registry) PutAPI(ctx context.Context, by domain.Actor, api domain.API, ifVersion int64) (domain.API, []Warning, error) {
	var done domain.API
	var warnings []Warning
	if err := r.allow("api.put", by); err != nil {
		return done, nil, err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		done, warnings = api, nil
		done.Defaults()
		old, err := find(ctx, t.APIs, api.Name)
		if err != nil {
			return nil, err
		}
		if err := keepOrigin(r, old, &done, &done.Origin); err != nil {
			return nil, err
		}
		if err := r.checkAPI(ctx, t, &done); err != nil {
			return nil, err
		}
		changes, err := put(ctx, t.APIs, old, &done, &done.Version, ifVersion)
		if err != nil || len(changes) == 0 {
			return changes, err
		}
		policies, err := t.Policies.List(ctx, domain.Page{})
		warnings = Uncallable([]domain.API{done}, policies)
		return changes, err
	})
	if err != nil {
		return done, nil, err
	}
	return done, warnings, nil
}

// checkAPI lists every problem of an API.
func (r *Registry) checkAPI(ctx context.Context, t domain.Tables, api *domain.API) error {
	var failed error
	problems := api.Problems(r.existing(ctx, t, &failed))
	if failed != nil {
		return failed
	}
	at, err := r.places(ctx, t)
	if err != nil {
		return err
	}
	problems = append(problems, r.apiPlaces(at, api)...)
	return domain.AsError(fmt.Sprintf("API %q", api.Name), problems)
}

// DeleteAPI removes an API for which no client has a rate limit of its own. ifVersion as
// in UpdateClient.
func (r *Registry) DeleteAPI(ctx context.Context, by domain.Actor, name string, ifVersion int64) error {
	if err := r.allow("api.delete", by); err != nil {
		return err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		api, err := t.APIs.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := sameVersion(ifVersion, api.Version); err != nil {
			return nil, err
		}
		if _, err := r.declared(api, api.Origin, ""); err != nil {
			return nil, err
		}
		err = unused(ctx, t, domain.Page{}, "API "+name, "take away rate limits of clients there", func(c *domain.Client) bool { _, ok := c.RateLimits[name]; return ok })
		if err != nil {
			return nil, err
		}
		return []domain.Change{change(api, "api.delete")}, t.APIs.Delete(ctx, name, api.Version)
	})
	return err
}

// GetAPI returns an API by name.
func (r *Registry) GetAPI(ctx context.Context, name string) (domain.API, error) {
	if err := r.may("api.read"); err != nil {
		return domain.API{}, err
	}
	return r.Store.Read().APIs.Get(ctx, name)
}

// ListAPIs lists APIs in the order of their names.
func (r *Registry) ListAPIs(ctx context.Context, page domain.Page) ([]domain.API, error) {
	if err := r.may("api.list"); err != nil {
		return nil, err
	}
	return r.Store.Read().APIs.List(ctx, page)
}
