package admin

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/request"
	"github.com/postern-dev/postern/internal/signin"
)

// Prefix is what the paths of the API begin with.
const Prefix = prefix + "/"

const (
	prefix      = "/api/admin"
	maxBody     = 16 << 20         // bytes of a request: the files of one apply
	maxRoleBody = 1 << 20          // bytes of one by any other role than a platform admin: only files are longer
	maxOpenBody = 64 << 10         // bytes of one that needs no credential: nobody makes us hold more
	readTimeout = 60 * time.Second // for the body of a request
)

// Config is what the admin API works with.
type Config struct {
	Registry  *registry.Registry
	Explainer Explainer
	SignIn    *signin.SignIn // knows callers over the network; nil: nobody but the socket is answered
	Records   domain.Records // answers that an Idempotency-Key asks for again
	Audit     Audit
	Trusted   *request.Proxies // proxies whose X-Forwarded-For is believed
	Log       *slog.Logger     // gets a line for each request
}

// api is the operations over a registry. Nothing in it changes once it is put together.
type api struct {
	Config
	registry  *registry.Registry
	explainer Explainer

	mux      *http.ServeMux
	document []byte              // OpenAPI, as JSON
	page     []byte              // the same to read
	open     map[string]bool     // patterns of mux that ask for no credential
	bare     map[string]bool     // patterns of mux that take no content
	creating map[string]creation // patterns of mux that take an Idempotency-Key
}

// New returns the admin API for both ways in: the socket (Serve) and the surface `admin` of
// a listener. It is put together at the first request: most nodes never see one, and its
// schemas take room.
func New(c Config) http.Handler {
	build := sync.OnceValue(func() *api { return newAPI(c) })
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { build().ServeHTTP(w, req) })
}

func newAPI(c Config) *api {
	a := &api{Config: c, registry: c.Registry, explainer: c.Explainer, mux: http.NewServeMux(), open: map[string]bool{}, bare: map[string]bool{}, creating: map[string]creation{}}
	config := huma.DefaultConfig("Postern admin API", "1")
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil // no $schema members in answers
	config.RejectUnknownQueryParameters = true
	strict(&config)
	h := humago.New(a.mux, config)
	a.clients(h)
	a.rotation(h)
	a.overlap(h)
	a.objects(h)
	a.tenants(h)
	a.sessions(h)
	a.people(h)
	a.recovery(h)
	a.apiKeys(h)
	a.directory(h)
	a.keys(h)
	a.apply(h)
	a.explain(h)
	a.audit(h)
	a.describe(h)
	return a
}

// as is the registry for whoever makes the request.
func (a *api) as(ctx context.Context) *registry.Registry { return a.registry.As(caller(ctx)) }
