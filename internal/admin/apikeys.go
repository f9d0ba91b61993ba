package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// APIKey is an API key as the API shows it.
type APIKey struct {
	domain.APIKey
	Version int64 `json:"version" doc:"For If-Match."`
}

// NewAPIKey is what an administrator may choose of an API key (D-74: nothing else).
type NewAPIKey struct {
	Label      string      `json:"label,omitempty" doc:"For people."`
	Audience   string      `json:"audience,omitempty" doc:"Of the one API that takes it; left out: urn:postern:admin, for administration."`
	Role       domain.Role `json:"role,omitempty" doc:"Of administration (platform-admin, integration-manager, tenant-developer, auditor), or one that the API knows."`
	AllTenants bool        `json:"all_tenants,omitempty"`
	Tenants    []string    `json:"tenants,omitempty" doc:"By id; at an API: one."`
	AllIssuers bool        `json:"all_issuers,omitempty"`
	Issuers    []string    `json:"issuers,omitempty" doc:"By name."`
	Expires    *time.Time  `json:"expires,omitempty" doc:"From then on it is worth nothing."`
}

func (n NewAPIKey) spec() domain.APIKey {
	k := domain.APIKey{Label: n.Label, Audience: n.Audience, Role: n.Role, Expires: n.Expires,
		Reach: domain.Reach{AllTenants: n.AllTenants, Tenants: n.Tenants, AllIssuers: n.AllIssuers, Issuers: n.Issuers}}
	if k.Audience == "" {
		k.Audience = domain.AdminAudience
	}
	return k
}

// CreatedAPIKey is an API key with its text, which is shown here and never again.
type CreatedAPIKey struct {
	APIKey
	Key         string `json:"key,omitempty" doc:"The key itself, pak_…; shown this once."`
	SecretShown bool   `json:"secret_shown,omitempty" doc:"This answer was given before, with the key; it is not shown again."`
}

func showAPIKey(k domain.APIKey) (APIKey, int64) { return APIKey{k, k.Version}, k.Version }

type madeAPIKey struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     CreatedAPIKey
}

func (a *api) apiKeys(h huma.API) {
	type r = registry.Registry
	register(a, h, noun[domain.APIKey, APIKey]{"api-key", "api-keys", showAPIKey, (*r).ListAPIKeys, (*r).GetAPIKey, (*r).DeleteAPIKey})
	create := operation("create-api-key", http.MethodPost, "/api-keys", "Make an API key; it is in the answer and nowhere else")
	create.DefaultStatus = http.StatusCreated
	huma.Register(h, create, func(ctx context.Context, in *struct{ Body NewAPIKey }) (*madeAPIKey, error) {
		k, text, err := a.as(ctx).CreateAPIKey(ctx, actor(ctx), in.Body.spec())
		if err != nil {
			return nil, problem(ctx, err)
		}
		shown, _ := showAPIKey(k)
		return &madeAPIKey{etag(k.Version), prefix + "/api-keys/" + segment(k.ID), CreatedAPIKey{APIKey: shown, Key: string(text)}}, nil
	})
}
