package registry

import (
	"context"
	"fmt"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// CreateAPIKey makes an API key and returns its text, here and never again (D-104). Of spec
// only what an administrator may choose is taken (D-74): label, audience, role, reach and
// expiry.
func (r *Registry) CreateAPIKey(ctx context.Context, by domain.Actor, spec domain.APIKey) (domain.APIKey, oauth.Secret, error) {
	if err := r.allow("api_key.create", by); err != nil {
		return domain.APIKey{}, "", err
	}
	s := secret.Generate()
	done := domain.APIKey{
		ID: domain.NewUUID(), Label: spec.Label, Audience: spec.Audience, Role: spec.Role, Reach: spec.Reach, Expires: spec.Expires,
		Created: r.now(), LastFour: string(s[len(s)-4:]),
	}
	done.Hash = r.Vault.Peppers.HashAPIKey(done.ID, s)
	done.Defaults()
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		if err := r.checkAPIKey(ctx, t, &done); err != nil {
			return nil, err
		}
		var err error
		done.Version, err = t.APIKeys.Put(ctx, done, 0)
		return []domain.Change{change(done, "api_key.create")}, err
	})
	if err != nil {
		return domain.APIKey{}, "", err
	}
	return done, secret.APIKey(done.ID, s), nil
}

// checkAPIKey lists every problem of an API key.
func (r *Registry) checkAPIKey(ctx context.Context, t domain.Tables, k *domain.APIKey) error {
	apis, err := r.allAPIs(ctx, t)
	if err != nil {
		return err
	}
	var api *domain.API
	for i := range apis {
		if a := &apis[i]; a.Audience == k.Audience && (api == nil || a.APIKeys) {
			api = a
		}
	}
	problems, err := r.reachProblems(ctx, t, k.Reach)
	if err != nil {
		return err
	}
	return domain.AsError(fmt.Sprintf("API key %q", k.Label), append(k.Problems(api), problems...))
}

// DeleteAPIKey removes an API key: from then on it is worth nothing. ifVersion as in
// UpdateClient.
func (r *Registry) DeleteAPIKey(ctx context.Context, by domain.Actor, id string, ifVersion int64) error {
	if err := r.allow("api_key.delete", by); err != nil {
		return err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		k, err := t.APIKeys.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := sameVersion(ifVersion, k.Version); err != nil {
			return nil, err
		}
		return []domain.Change{change(k, "api_key.delete")}, t.APIKeys.Delete(ctx, id, k.Version)
	})
	return err
}

// GetAPIKey returns an API key by id; its hash is in no JSON.
func (r *Registry) GetAPIKey(ctx context.Context, id string) (domain.APIKey, error) {
	if err := r.may("api_key.read"); err != nil {
		return domain.APIKey{}, err
	}
	return r.Store.Read().APIKeys.Get(ctx, id)
}

// ListAPIKeys lists API keys in the order of their ids.
func (r *Registry) ListAPIKeys(ctx context.Context, page domain.Page) ([]domain.APIKey, error) {
	if err := r.may("api_key.list"); err != nil {
		return nil, err
	}
	return r.Store.Read().APIKeys.List(ctx, page)
}
