package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth"
)

// ClientPath is the place of one client. (Exported, as huma does not look into
// embedded structs that are not.)
type ClientPath struct {
	Issuer string `path:"issuer"`
	ID     string `path:"id"`
}

type clientBody struct {
	ETag string `header:"ETag"`
	Body Client
}

func showClient(c domain.Client) *clientBody {
	return &clientBody{ETag: etag(c.Version), Body: Client{Client: c, Version: c.Version}}
}

type createdBody struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location" doc:"Where the client is."`
	Body     CreatedClient
}

// importedBody is a client that was made, without a secret that somebody lacks.
type importedBody struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location" doc:"Where the client is."`
	Body     Client
}

func showCreated(c domain.Client, secret oauth.Secret) *createdBody {
	return &createdBody{ETag: etag(c.Version), Location: prefix + clientURL(c.Issuer, c.ID), Body: CreatedClient{Client: Client{Client: c, Version: c.Version}, Secret: string(secret)}}
}

func (a *api) clients(h huma.API) {
	huma.Register(h, operation("list-clients", http.MethodGet, "/clients", "List clients"), a.listClients)
	create := operation("create-client", http.MethodPost, "/clients", "Create a client; its secret is in the answer and nowhere else")
	create.DefaultStatus = http.StatusCreated
	huma.Register(h, create, func(ctx context.Context, in *struct{ Body NewClient }) (*createdBody, error) {
		c, secret, err := a.as(ctx).CreateClient(ctx, actor(ctx), in.Body.spec())
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showCreated(c, secret), nil
	})
	imported := operation("import-client", http.MethodPost, "/clients/import", "Import a client of another system")
	imported.DefaultStatus = http.StatusCreated
	huma.Register(h, imported, func(ctx context.Context, in *struct{ Body ImportedClient }) (*importedBody, error) {
		c, err := a.as(ctx).ImportClient(ctx, actor(ctx), in.Body.spec(), registry.Imported{Secret: oauth.Secret(in.Body.Secret), Hash: in.Body.Hash})
		if err != nil {
			return nil, problem(ctx, err)
		}
		shown := showClient(c)
		return &importedBody{shown.ETag, prefix + clientURL(c.Issuer, c.ID), shown.Body}, nil
	})
	const one = "/issuers/{issuer}/clients/{id}"
	huma.Register(h, operation("get-client", http.MethodGet, one, "Show a client"), func(ctx context.Context, in *ClientPath) (*clientBody, error) {
		c, err := a.as(ctx).GetClient(ctx, in.Issuer, in.ID)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showClient(c), nil
	})
	huma.Register(h, operation("update-client", http.MethodPatch, one, "Change what is named, and nothing else"), a.updateClient)
	a.clientEnds(h, one)
}

// clientEnds are the operations that end a client's tokens, and what undoes one.
func (a *api) clientEnds(h huma.API, one string) {
	huma.Register(h, operation("delete-client", http.MethodDelete, one, "Delete a client; its tokens are dead"), func(ctx context.Context, in *struct {
		ClientPath
		Condition
	}) (*struct{}, error) {
		version, err := ifMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, problem(ctx, a.as(ctx).DeleteClient(ctx, actor(ctx), in.Issuer, in.ID, version))
	})
	huma.Register(h, operation("disable-client", http.MethodPost, one+"/disable", "Disable a client; its tokens are dead"), func(ctx context.Context, in *ClientPath) (*clientBody, error) {
		c, err := a.as(ctx).DisableClient(ctx, actor(ctx), in.Issuer, in.ID)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showClient(c), nil
	})
	huma.Register(h, operation("enable-client", http.MethodPost, one+"/enable", "Enable a client; tokens of before stay dead"), func(ctx context.Context, in *ClientPath) (*clientBody, error) {
		c, err := a.as(ctx).EnableClient(ctx, actor(ctx), in.Issuer, in.ID)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showClient(c), nil
	})
}

func (a *api) listClients(ctx context.Context, in *struct {
	PageQuery
	Issuer string `query:"issuer" maxLength:"64" doc:"Those of this issuer only."`
	Tenant string `query:"tenant" maxLength:"64" doc:"Those of this tenant only."`
}) (*page[Client], error) {
	list, err := a.as(ctx).ListClients(ctx, in.Issuer, in.Tenant, in.table())
	if err != nil {
		return nil, problem(ctx, err)
	}
	return paged(&in.PageQuery, list, func(c domain.Client) (Client, int64) { return Client{Client: c, Version: c.Version}, c.Version }), nil
}

func (a *api) updateClient(ctx context.Context, in *struct {
	ClientPath
	Condition
	Body Patch
}) (*clientBody, error) {
	version, err := ifMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	c, err := a.as(ctx).UpdateClient(ctx, actor(ctx), in.Issuer, in.ID, version, in.Body.apply)
	if err != nil {
		return nil, problem(ctx, err)
	}
	return showClient(c), nil
}
