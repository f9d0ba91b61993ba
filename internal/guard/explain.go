package guard

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

// ExplainRequest is a call that a client might make.
type ExplainRequest struct {
	Issuer, Client, API string // by name, id, name

	Method string
	Path   string // below that of the API, escaped
	Query  string // as it would stand in the URL
	Header http.Header
	Body   []byte

	// Scopes is what the client would ask the token for; nil: all that it may. A scope
	// that binds a token to a resource has to be asked for.
	Scopes *oauth.Scope
}

// Explanation is what would become of the call.
type Explanation struct {
	Verdict
	// Missing is all that the client lacks for it, in the order in which it is looked
	// for. It is empty where the call is refused for something else.
	Missing []*Refusal

	Rights  *policy.Rights    // of the client, whatever its token says; nil: it is not known
	Said    policy.Said       // what its token would say
	Touches []policy.Resource // what has to be held for it, whoever asks

	PerMinute int64 // its limit there; zero: none, or it is not known
}

// ScopeRefused is why nothing could be called: no token is issued for such a scope.
const ScopeRefused Reason = "scope_refused"

// Explain judges a call that nobody makes, by the steps of Judge. There is no token: the
// client is taken for one that has just got its own. There is no host: neither is it asked
// whether it serves this client. Nothing is spent.
func (g *Guard) Explain(ctx context.Context, e ExplainRequest) Explanation {
	c := call{guard: g, r: e.request(ctx), place: snapshot.APIPlace{View: g.Snapshot.View()}, now: g.Snapshot.Now(), explains: true}
	c.Err = c.explain(&e)
	out := Explanation{Verdict: c.Verdict, Missing: c.lacks, Rights: c.rights, Said: c.said, Touches: c.touches}
	if c.Client != nil {
		if _, perMinute, limited := limitOf(c.place.View, c.API, c.Client); limited {
			out.PerMinute = perMinute
		}
	}
	return out
}

func (e *ExplainRequest) request(ctx context.Context) *http.Request {
	r := &http.Request{
		Method: e.Method, URL: &url.URL{Path: e.Path, RawQuery: e.Query}, Header: e.Header,
		Body: io.NopCloser(bytes.NewReader(e.Body)), ContentLength: int64(len(e.Body)),
	}
	return r.WithContext(ctx)
}

func (c *call) explain(e *ExplainRequest) error {
	api, ok := c.place.View.API(e.API)
	if !ok {
		return &Refusal{Reason: NoAPI}
	}
	c.place, c.API = snapshot.APIPlace{View: c.place.View, API: api, Rest: e.Path}, api
	if err := c.checkFresh(); err != nil {
		return err
	}
	at := slices.IndexFunc(api.Issuers, func(i *snapshot.Issuer) bool { return i.Name == e.Issuer })
	if at < 0 {
		return invalid(errNoIssuer)
	}
	c.Issuer, c.Claims.ClientID = api.Issuers[at], e.Client
	client, err := c.lookUp()
	if err != nil {
		return err
	}
	if err := standing(client, api, c.now); err != nil {
		return err
	}
	if err := c.know(client); err != nil {
		return err
	}
	c.rights = client.Rights(c.place.View)
	if err := c.ask(e.Scopes); err != nil {
		return err
	}
	c.hold()
	return c.judgeRequest()
}

// ask finds out what the token would say.
func (c *call) ask(scopes *oauth.Scope) error {
	grant := domain.Grant{Scope: c.Client.Scopes}
	if scopes != nil {
		var err error
		request := &oauth.TokenRequest{GrantType: oauth.ClientCredentials, Scope: *scopes}
		if grant, err = c.Client.Grant(c.Issuer.Dialect, c.Tenant, request); err != nil {
			return &Refusal{Reason: ScopeRefused, Missing: scopes.String(), Err: err}
		}
	}
	server := &c.Issuer.Dialect.Server
	c.said.Resources = make(policy.ResourceScope, len(server.Scope.Bindings))
	for i := range server.Scope.Bindings {
		c.said.Resources[server.Scope.Bindings[i].Kind] = policy.Resources{}
	}
	for i := range server.Claims {
		claim := &server.Claims[i]
		if claim.From == dialect.ClaimScope && claim.Name == "scope" {
			c.said.Scopes = grant.Scope
		}
		if kind, binds := claim.From.BindingKind(); binds && len(grant.Bindings[kind]) == 1 {
			c.said.Resources[kind] = policy.Resources{IDs: grant.Bindings[kind]}
		}
	}
	return nil
}

// lackEach tells of everything that a call needs and its client lacks.
func (c *call) lackEach(need *policy.Need) {
	tell := func(one policy.Need) {
		if d := c.rights.Decide(&one, &c.said); !d.Allowed {
			c.lacks = append(c.lacks, c.refusal(d))
		}
	}
	for i := range need.Endpoints {
		tell(policy.Need{Endpoints: need.Endpoints[i : i+1]})
	}
	for i := range need.Scopes {
		tell(policy.Need{Scopes: need.Scopes[i : i+1]})
	}
	for i := range need.Actions {
		tell(policy.Need{Actions: need.Actions[i : i+1]})
	}
	for i := range need.Resources {
		tell(policy.Need{Resources: need.Resources[i : i+1]})
	}
}
