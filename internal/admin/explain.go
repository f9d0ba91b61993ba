package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/oauth"
)

// Explainer judges a call that nobody makes, as the guard would.
type Explainer interface {
	Explain(ctx context.Context, e guard.ExplainRequest) guard.Explanation
}

// Call is a call that a client might make: a GraphQL document, or a method and a path.
type Call struct {
	Issuer string  `json:"issuer"`
	Client string  `json:"client"`
	API    string  `json:"api"`
	Scope  *string `json:"scope,omitempty" doc:"What it would ask the token for; left out: all that it may, but nothing that binds the token to a resource."`

	Query         string          `json:"query,omitempty" doc:"A GraphQL document."`
	OperationName string          `json:"operation_name,omitempty"`
	Variables     json.RawMessage `json:"variables,omitempty"`

	Method      string `json:"method,omitempty"`
	Path        string `json:"path,omitempty" doc:"Below that of the API, escaped, with its query string."`
	ContentType string `json:"content_type,omitempty"`
	Body        string `json:"body,omitempty"`
}

// Explained is what would become of the call.
type Explained struct {
	Allowed bool         `json:"allowed"`
	Reason  guard.Reason `json:"reason,omitempty" doc:"Why not."`
	Why     string       `json:"why,omitempty" doc:"The same in words."`
	At      *Place       `json:"at,omitempty" doc:"Where in the GraphQL document."`
	Lacks   []Lack       `json:"lacks,omitempty" doc:"Everything that would have to be granted, the reason first."`
	Holds   Holds        `json:"holds"`
	Grant   *Grant       `json:"grant,omitempty" doc:"The least that lets the call pass; left out where no grant does."`

	Touches  []Resource `json:"touches,omitempty" doc:"What has to be held for the call, whoever makes it."`
	Forwards *Forwarded `json:"forwards,omitempty" doc:"What the API would get; left out where Postern itself answers, from the audit trail."`
}

// Place is where something stands in a GraphQL document.
type Place struct {
	Path       string `json:"path,omitempty" doc:"Fields down to the place, as the document names them."`
	Coordinate string `json:"coordinate,omitempty" doc:"Of the schema."`
	Line       int    `json:"line,omitempty"`
	Column     int    `json:"column,omitempty"`
}

// Lack is one thing that is lacking: an endpoint of the tenant, a scope, an action, a
// resource, or one of some alternatives.
type Lack struct {
	Place
	Endpoint     string        `json:"endpoint,omitempty"`
	Scope        string        `json:"scope,omitempty"`
	Action       string        `json:"action,omitempty"`
	Resource     *Resource     `json:"resource,omitempty"`
	Alternatives []Alternative `json:"alternatives,omitempty" doc:"Each would do."`
}

// Alternative is what a rule asks for, all together.
type Alternative struct {
	Scopes  []string `json:"scopes,omitempty"`
	Actions []string `json:"actions,omitempty"`
}

// Resource is one resource, or every one of its kind.
type Resource struct {
	Kind string `json:"kind"`
	ID   string `json:"id,omitempty"`
	All  bool   `json:"all,omitempty"`
}

// Forwarded is what an API gets.
type Forwarded struct {
	Method  string `json:"method"`
	URL     string `json:"url"`
	Body    string `json:"body,omitempty"`
	Checked bool   `json:"checked" doc:"Every object in the answer is held against what the client may reach."`
}

func (a *api) explain(h huma.API) {
	op := operation("explain", http.MethodPost, "/explain", "Judge a call that nobody makes: nothing is spent, sent or recorded")
	huma.Register(h, op, func(ctx context.Context, in *struct{ Body Call }) (*struct{ Body Explained }, error) {
		o, err := a.about(ctx, &in.Body)
		if err != nil {
			return nil, problem(ctx, err)
		}
		request, err := in.Body.request(&o.api)
		if err != nil {
			return nil, problem(ctx, err)
		}
		out := o.tell(a.explainer.Explain(ctx, request))
		return &struct{ Body Explained }{out}, nil
	})
}

// request is the call as the guard takes it.
func (c *Call) request(api *domain.API) (guard.ExplainRequest, error) {
	e := guard.ExplainRequest{Issuer: c.Issuer, Client: c.Client, API: c.API, Method: c.Method, Header: http.Header{}}
	var problems []domain.Problem
	wrong := func(field, format string, args ...any) {
		problems = append(problems, domain.Problem{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if c.Scope != nil {
		scope, err := oauth.ParseScope(*c.Scope)
		if e.Scopes = &scope; err != nil {
			wrong("scope", "%v", err)
		}
	}
	switch {
	case c.Query == "" && c.Path == "":
		wrong("query", "is missing, and so is path; send a GraphQL document, or a method and a path")
	case c.Query != "" && c.Path+c.Method+c.Body+c.ContentType != "":
		wrong("query", "stands beside a path, method or body; send a GraphQL document, or a method and a path")
	case c.Query != "" && api.GraphQL == nil:
		wrong("query", "is a GraphQL document, but API %q has no GraphQL endpoint; send a method and a path", api.Name)
	case c.Query == "" && (c.Variables != nil || c.OperationName != ""):
		wrong("query", "is missing; variables and operation_name go with a GraphQL document")
	case c.Query == "" && c.Method == "":
		wrong("method", "is missing, as in GET")
	}
	if err := domain.AsError("the call", problems); err != nil {
		return e, err
	}
	if c.Query != "" {
		return e, c.operation(api, &e)
	}
	e.Path, e.Query, _ = strings.Cut(c.Path, "?")
	if e.Body = []byte(c.Body); c.ContentType != "" {
		e.Header.Set("Content-Type", c.ContentType)
	}
	return e, nil
}

// operation makes the call one of the API's GraphQL endpoint.
func (c *Call) operation(api *domain.API, e *guard.ExplainRequest) (err error) {
	e.Method, e.Path = http.MethodPost, api.GraphQL.Path
	e.Header.Set("Content-Type", "application/json")
	e.Body, err = json.Marshal(struct {
		Query         string          `json:"query"`
		OperationName string          `json:"operationName,omitempty"`
		Variables     json.RawMessage `json:"variables,omitempty"`
	}{c.Query, c.OperationName, c.Variables})
	return err
}

// Explain asks what would become of a call.
func (c *Conn) Explain(ctx context.Context, call Call) (out Explained, err error) {
	err = c.call(ctx, http.MethodPost, "/explain", 0, call, &out)
	return out, err
}
