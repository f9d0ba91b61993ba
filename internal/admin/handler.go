package admin

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/request"
	"github.com/postern-dev/postern/oauth"
)

// maxBody bounds a request, in bytes: the files of one apply.
const maxBody = 16 << 20

// api is the operations over a registry.
type api struct {
	registry  *registry.Registry
	explainer Explainer
}

// newHandler returns the admin API. It is put together at the first request: most
// nodes never see one, and its schemas take room.
func newHandler(r *registry.Registry, e Explainer) http.Handler {
	build := sync.OnceValue(func() http.Handler {
		mux := http.NewServeMux()
		c := huma.DefaultConfig("Postern admin API", "1")
		c.DocsPath, c.SchemasPath = "", ""
		c.CreateHooks = nil // no $schema members in answers
		strict(&c)
		a := &api{registry: r, explainer: e}
		h := humago.New(mux, c)
		a.clients(h)
		a.rotation(h)
		a.objects(h)
		a.tenants(h)
		a.keys(h)
		a.apply(h)
		a.explain(h)
		return onlyJSON(mux)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { build().ServeHTTP(w, req) })
}

// operation is what all operations have in common.
func operation(id, method, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: "/api/admin" + path, Summary: summary, MaxBodyBytes: maxBody,
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
	}
}

// problem is the one function from an error to a problem (RFC 9457). What is not known
// becomes a 500 without detail, and is told in the log's line of the request.
func problem(ctx context.Context, err error) error {
	var invalid *domain.Invalid
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		details := make([]error, len(invalid.Problems))
		for i, p := range invalid.Problems {
			details[i] = &huma.ErrorDetail{Location: p.Place(), Message: p.Message}
		}
		return huma.Error422UnprocessableEntity(invalid.Object+" is not valid", details...)
	case errors.Is(err, domain.ErrNotFound):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, domain.ErrExists), errors.Is(err, domain.ErrConflict), errors.Is(err, registry.ErrInUse):
		return huma.Error409Conflict(err.Error())
	}
	if ex, ok := ctx.Value(exchangeKey{}).(*request.Exchange); ok {
		ex.Err = err
	}
	return huma.Error500InternalServerError("the change could not be made; the server's log says why")
}

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

// etag is the tag of a version; what is built in has none.
func etag(version int64) string {
	if version == 0 {
		return ""
	}
	return `"` + strconv.FormatInt(version, 10) + `"`
}

// ifMatch reads a version; none, or `*`, is any.
func ifMatch(header string) (int64, error) {
	if header == "" || header == "*" {
		return 0, nil
	}
	v, err := strconv.ParseInt(strings.Trim(header, `"`), 10, 64)
	if err != nil || v < 1 {
		return 0, huma.Error400BadRequest("If-Match is no ETag of ours: send back the one that came with the object")
	}
	return v, nil
}

type createdBody struct {
	ETag string `header:"ETag"`
	Body CreatedClient
}

func showCreated(c domain.Client, secret oauth.Secret) *createdBody {
	return &createdBody{ETag: etag(c.Version), Body: CreatedClient{Client: Client{Client: c, Version: c.Version}, Secret: string(secret)}}
}

func (a *api) clients(h huma.API) {
	huma.Register(h, operation("list-clients", http.MethodGet, "/clients", "List clients"), a.listClients)
	create := operation("create-client", http.MethodPost, "/clients", "Create a client; its secret is in the answer and nowhere else")
	create.DefaultStatus = http.StatusCreated
	huma.Register(h, create, func(ctx context.Context, in *struct{ Body NewClient }) (*createdBody, error) {
		c, secret, err := a.registry.CreateClient(ctx, actor(ctx), in.Body.spec())
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showCreated(c, secret), nil
	})
	imported := operation("import-client", http.MethodPost, "/clients/import", "Import a client of another system")
	imported.DefaultStatus = http.StatusCreated
	huma.Register(h, imported, func(ctx context.Context, in *struct{ Body ImportedClient }) (*clientBody, error) {
		c, err := a.registry.ImportClient(ctx, actor(ctx), in.Body.spec(), registry.Imported{Secret: oauth.Secret(in.Body.Secret), Hash: in.Body.Hash})
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showClient(c), nil
	})
	const one = "/issuers/{issuer}/clients/{id}"
	huma.Register(h, operation("get-client", http.MethodGet, one, "Show a client"), func(ctx context.Context, in *ClientPath) (*clientBody, error) {
		c, err := a.registry.GetClient(ctx, in.Issuer, in.ID)
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
		IfMatch string `header:"If-Match"`
	}) (*struct{}, error) {
		version, err := ifMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, problem(ctx, a.registry.DeleteClient(ctx, actor(ctx), in.Issuer, in.ID, version))
	})
	huma.Register(h, operation("disable-client", http.MethodPost, one+"/disable", "Disable a client; its tokens are dead"), func(ctx context.Context, in *ClientPath) (*clientBody, error) {
		c, err := a.registry.DisableClient(ctx, actor(ctx), in.Issuer, in.ID)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showClient(c), nil
	})
	huma.Register(h, operation("enable-client", http.MethodPost, one+"/enable", "Enable a client; tokens of before stay dead"), func(ctx context.Context, in *ClientPath) (*clientBody, error) {
		c, err := a.registry.EnableClient(ctx, actor(ctx), in.Issuer, in.ID)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return showClient(c), nil
	})
}

func (a *api) listClients(ctx context.Context, in *struct {
	PageQuery
	Issuer string `query:"issuer"`
	Tenant string `query:"tenant"`
}) (*page[Client], error) {
	list, err := a.registry.ListClients(ctx, in.Issuer, in.Tenant, domain.Page{After: in.After, Limit: in.Limit + 1})
	if err != nil {
		return nil, problem(ctx, err)
	}
	return paged(list, in.Limit, func(c domain.Client) (Client, int64) { return Client{Client: c, Version: c.Version}, c.Version }), nil
}

func (a *api) updateClient(ctx context.Context, in *struct {
	ClientPath
	IfMatch string `header:"If-Match"`
	Body    Patch
}) (*clientBody, error) {
	version, err := ifMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	c, err := a.registry.UpdateClient(ctx, actor(ctx), in.Issuer, in.ID, version, in.Body.apply)
	if err != nil {
		return nil, problem(ctx, err)
	}
	return showClient(c), nil
}
