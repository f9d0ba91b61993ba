package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
)

type keyBody struct{ Body Key }

func (a *api) keys(h huma.API) {
	const path = "/issuers/{issuer}/keys"
	huma.Register(h, operation("list-keys", http.MethodGet, path, "List the signing keys of an issuer"), a.listKeys)
	huma.Register(h, operation("rotate-key", http.MethodPost, path+"/rotate", "Replace a signing key"), func(ctx context.Context, in *struct {
		Issuer string `path:"issuer"`
		Body   Rotation
	}) (*keyBody, error) {
		k, err := a.as(ctx).RotateKey(ctx, actor(ctx), in.Issuer, keys.RotateOptions{Purpose: in.Body.Purpose, Now: in.Body.Now, Kill: in.Body.Kill})
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &keyBody{a.showKey(k)}, nil
	})
	huma.Register(h, operation("import-key", http.MethodPost, path+"/import", "Take over a private JWK of another system"), func(ctx context.Context, in *struct {
		Issuer string `path:"issuer"`
		Body   ImportedKey
	}) (*keyBody, error) {
		k, err := a.as(ctx).ImportKey(ctx, actor(ctx), in.Issuer, in.Body.JWK, keys.ImportOptions{Sign: in.Body.Sign, WithoutEpochUntil: in.Body.WithoutEpochUntil})
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &keyBody{a.showKey(k)}, nil
	})
}

// showKey shows a key that was just made.
func (a *api) showKey(k domain.Key) Key {
	return Key{Key: k, Signs: keys.SigningFor(k.Purpose, []domain.Key{k}, a.registry.Now()) != nil}
}

func (a *api) listKeys(ctx context.Context, in *struct {
	PageQuery
	Issuer string `path:"issuer"`
}) (*page[Key], error) {
	found, err := a.as(ctx).ListKeys(ctx, in.Issuer)
	if err != nil {
		return nil, problem(ctx, err)
	}
	now := a.registry.Now()
	return paged(&in.PageQuery, rest(&in.PageQuery, found), func(k domain.Key) (Key, int64) {
		signing := keys.SigningFor(k.Purpose, found, now)
		return Key{Key: k, Signs: signing != nil && k.ID == signing.ID}, k.Version
	}), nil
}
