package admin

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// Exported is what is there, as files that apply reads back.
type Exported struct {
	Files []File `json:"files"`
}

// Exporting says what is exported.
type Exporting struct {
	Kind   []string `query:"kind" enum:"tier,policy,issuer,tenant,api,client" doc:"Left out: all."`
	Issuer string   `query:"issuer" doc:"Of issuers, APIs and clients those of this one only."`
	Tenant string   `query:"tenant" doc:"Of tenants and clients those of this one only."`
}

// Releasing names an object that is to be nobody's.
type Releasing struct {
	Kind string `json:"kind" enum:"tier,policy,issuer,tenant,api,client"`
	Key  string `json:"key" doc:"Its name; of a tenant, its id; of a client, issuer/id."`
}

// Released tells where the object came from.
type Released struct {
	Origin string `json:"origin,omitempty" doc:"Absent: it was nobody's."`
}

// declared are the operations on what files declare, but apply.
func (a *api) declared(h huma.API) {
	export := operation("export", http.MethodGet, "/export", "Write what is there as files that apply reads back; no secret is in them")
	huma.Register(h, export, func(ctx context.Context, in *Exporting) (*struct{ Body Exported }, error) {
		reg := a.as(ctx)
		if err := reg.May(registry.Operation{Name: registry.Export}); err != nil {
			return nil, problem(ctx, err)
		}
		selection := declare.Selection{Issuer: in.Issuer, Tenant: in.Tenant}
		for _, k := range in.Kind {
			selection.Kinds = append(selection.Kinds, domain.Kind(k))
		}
		files, err := declare.Export(ctx, reg, selection)
		if err != nil {
			return nil, problem(ctx, err)
		}
		out := Exported{Files: make([]File, len(files))}
		for i, f := range files {
			out.Files[i] = File{Name: f.Name, Content: string(f.Content)}
		}
		return &struct{ Body Exported }{out}, nil
	})
	release := operation("release", http.MethodPost, "/release", "Let an object that came from a file be changed by other means again; it stays as it is")
	huma.Register(h, release, func(ctx context.Context, in *struct{ Body Releasing }) (*struct{ Body Released }, error) {
		origin, err := a.as(ctx).Release(ctx, actor(ctx), domain.Kind(in.Body.Kind), in.Body.Key)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &struct{ Body Released }{Released{Origin: origin}}, nil
	})
}

// Export writes what is there as files.
func (c *Conn) Export(ctx context.Context, e Exporting) ([]File, error) {
	q := url.Values{}
	for name, value := range map[string]string{"issuer": e.Issuer, "tenant": e.Tenant} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(e.Kind) > 0 {
		q.Set("kind", strings.Join(e.Kind, ","))
	}
	var out Exported
	err := c.exchange(ctx, http.MethodGet, "/export?"+q.Encode(), 0, nil, &out)
	return out.Files, err
}

// Release makes an object nobody's and returns where it came from.
func (c *Conn) Release(ctx context.Context, kind domain.Kind, key string) (origin string, err error) {
	var out Released
	err = c.call(ctx, http.MethodPost, "/release", 0, Releasing{Kind: string(kind), Key: key}, &out)
	return out.Origin, err
}
