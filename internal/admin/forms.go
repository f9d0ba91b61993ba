package admin

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth"
)

// NewIssuer is what an administrator may choose of an issuer.
type NewIssuer struct {
	URL             string         `json:"url,omitempty" doc:"iss, exactly as written; its path is the prefix of all endpoints."`
	Hosts           []string       `json:"hosts,omitempty" doc:"Further hosts than that of url."`
	Environment     string         `json:"environment,omitempty" doc:"As in stage; left out: prod."`
	Dialect         string         `json:"dialect,omitempty" doc:"Left out: rfc."`
	Algorithm       string         `json:"algorithm,omitempty" doc:"Of access tokens; left out: ES256."`
	ImportedSecrets bool           `json:"imported_secrets,omitempty" doc:"Secrets not of our making may be imported."`
	KeyMaxAge       domain.Seconds `json:"key_max_age,omitempty" doc:"Seconds after which a signing key is replaced; left out: 90 days."`
	Scopes          oauth.Scope    `json:"scopes,omitempty" doc:"That exist here; left out: any may be assigned."`
	Management      bool           `json:"management,omitempty" doc:"Its tokens administer Postern, and nothing else takes them; one issuer at most."`
}

func issuerForm(i domain.Issuer) NewIssuer {
	return NewIssuer{i.URL, i.Hosts, i.Environment, i.Dialect, i.Algorithm, i.ImportedSecrets, i.KeyMaxAge, i.Scopes, i.Management}
}

func (n NewIssuer) issuer(name string) domain.Issuer {
	return domain.Issuer{Name: name, URL: n.URL, Hosts: n.Hosts, Environment: n.Environment, Dialect: n.Dialect, Algorithm: n.Algorithm,
		ImportedSecrets: n.ImportedSecrets, KeyMaxAge: n.KeyMaxAge, Scopes: n.Scopes, Management: n.Management}
}

// NewPolicy is what an administrator may choose of a policy.
type NewPolicy struct {
	Label   string            `json:"label,omitempty"`
	Actions map[string]string `json:"actions,omitempty" doc:"Action, as in studies:read: one line that says what it lets a client do."`
}

func policyForm(p domain.Policy) NewPolicy { return NewPolicy{p.Label, p.Actions} }

func (n NewPolicy) policy(name string) domain.Policy {
	return domain.Policy{Name: name, Label: n.Label, Actions: n.Actions}
}

// NewTier is what an administrator may choose of a tier.
type NewTier struct {
	PerMinute int64 `json:"per_minute,omitempty" doc:"Calls in each calendar minute."`
	Unlimited bool  `json:"unlimited,omitempty" doc:"Instead of per_minute."`
}

func tierForm(t domain.Tier) NewTier { return NewTier{t.PerMinute, t.Unlimited} }

func (n NewTier) tier(name string) domain.Tier {
	return domain.Tier{Name: name, PerMinute: n.PerMinute, Unlimited: n.Unlimited}
}

// NewAPI is what an administrator may choose of an API.
type NewAPI struct {
	Label            string                   `json:"label,omitempty"`
	Audience         string                   `json:"audience,omitempty" doc:"That its tokens must have, exactly."`
	Issuers          []string                 `json:"issuers,omitempty" doc:"By name: whose tokens it takes."`
	Hosts            []string                 `json:"hosts,omitempty" doc:"Where the gateway serves it; left out: wherever its issuers are."`
	Path             string                   `json:"path,omitempty" doc:"Below which it stands there, as in /v1; left out: the root."`
	Upstream         string                   `json:"upstream,omitempty" doc:"URL of the API itself; what follows path is appended to it."`
	AuditLog         *domain.AuditLog         `json:"audit_log,omitempty" doc:"{} in place of upstream: Postern itself answers, from the audit trail."`
	Routes           []NewRoute               `json:"routes,omitempty" doc:"Who may call what; anything else is refused."`
	GraphQL          *NewGraphQL              `json:"graphql,omitempty" doc:"Its GraphQL endpoint, if it has one."`
	Users            *domain.Users            `json:"users,omitempty" doc:"People whose tokens it takes too: JWTs of one OpenID provider."`
	APIKeys          bool                     `json:"api_keys,omitempty" doc:"It takes API keys of its audience too."`
	Roles            map[string]domain.Rights `json:"roles,omitempty" doc:"What users and API keys may do, by the role they have."`
	RateLimits       map[string]int64         `json:"rate_limits,omitempty" doc:"Tier: calls a minute here, counted apart; left out: the tier's."`
	RateLimitHeaders bool                     `json:"rate_limit_headers,omitempty" doc:"Answers to a known client tell its limit."`
	ForwardToken     bool                     `json:"forward_token,omitempty" doc:"The upstream sees the client's token."`
	IdentityToken    bool                     `json:"identity_token,omitempty" doc:"The upstream gets X-Postern-Identity, a JWT that proves whose call it is."`
	MaxBody          int64                    `json:"max_body,omitempty" doc:"Bytes of a request's body; left out: 10485760."`
	Timeouts         domain.Timeouts          `json:"timeouts,omitzero" doc:"Of the upstream, in seconds."`
	ServeStale       domain.Seconds           `json:"serve_stale,omitempty" doc:"A node that lost its store goes on for so many seconds beyond max_staleness, for clients it knows."`
}

// NewRoute is a rule of an API.
type NewRoute struct {
	Method     string         `json:"method,omitempty"`
	Path       string         `json:"path,omitempty" doc:"Below that of the API; segments are literal, {name}, or {name}:verb."`
	Scopes     []string       `json:"scopes,omitempty" doc:"OAuth scopes, all of them needed."`
	Actions    []string       `json:"actions,omitempty" doc:"All of them needed, of the client's policies."`
	Parameters []NewParameter `json:"parameters,omitempty" doc:"Every one of the path, and those of query and body that name a resource."`
	Tags       []string       `json:"tags,omitempty" doc:"Endpoints that must be enabled for the tenant, all of them."`
	Upgrade    bool           `json:"upgrade,omitempty" doc:"May become another protocol, as WebSocket does."`
}

// NewParameter says what a parameter of a route means: one of kind, child_of and unscoped.
type NewParameter struct {
	Name     string       `json:"name,omitempty"`
	In       policy.Place `json:"in,omitempty" enum:"path,query,body" doc:"Left out: path."`
	Kind     string       `json:"kind,omitempty" doc:"It names a resource of this kind."`
	ChildOf  string       `json:"child_of,omitempty" doc:"It names something that lies in what this other parameter names: the upstream's promise."`
	Unscoped bool         `json:"unscoped,omitempty" doc:"It names nothing of any kind."`
}

// NewGraphQL is a GraphQL endpoint and its rules.
type NewGraphQL struct {
	Path          string           `json:"path,omitempty" doc:"Below that of the API, as in /graphql."`
	Schema        string           `json:"schema,omitempty" doc:"SDL, with its rules as directives."`
	Rules         []graphql.Rule   `json:"rules,omitempty" doc:"Beside the schema, by coordinate."`
	Responses     domain.Responses `json:"responses,omitempty" enum:"pass,check" doc:"Whether answers to @checkable fields are looked into; left out: pass."`
	Introspection bool             `json:"introspection,omitempty" doc:"For clients with the action graphql:introspect."`
	Batching      int              `json:"batching,omitempty" doc:"Requests in one array at most; left out: none."`
	Get           bool             `json:"get,omitempty" doc:"Queries by GET too."`
	Limits        graphql.Limits   `json:"limits,omitzero" doc:"Of documents."`
}

func apiForm(o domain.API) NewAPI {
	n := NewAPI{
		AuditLog: o.AuditLog, Users: o.Users, APIKeys: o.APIKeys, Roles: o.Roles, Label: o.Label, Audience: o.Audience, Issuers: o.Issuers, Hosts: o.Hosts, Path: o.Path, Upstream: o.Upstream, RateLimits: o.RateLimits,
		RateLimitHeaders: o.RateLimitHeaders, ForwardToken: o.ForwardToken, IdentityToken: o.IdentityToken, MaxBody: o.MaxBody, Timeouts: o.Timeouts, ServeStale: o.ServeStale,
	}
	for _, r := range o.Routes {
		route := NewRoute{Method: r.Method, Path: r.Path, Scopes: r.Scopes, Actions: r.Actions, Tags: r.Tags, Upgrade: r.Upgrade}
		for _, p := range r.Parameters {
			route.Parameters = append(route.Parameters, NewParameter(p))
		}
		n.Routes = append(n.Routes, route)
	}
	if g := o.GraphQL; g != nil {
		n.GraphQL = &NewGraphQL{g.Path, g.Schema, g.Rules, g.Responses, g.Introspection, g.Batching, g.Get, g.Limits}
	}
	return n
}

func (n NewAPI) api(name string) domain.API {
	o := domain.API{
		Name: name, AuditLog: n.AuditLog, Users: n.Users, APIKeys: n.APIKeys, Roles: n.Roles, Label: n.Label, Audience: n.Audience, Issuers: n.Issuers, Hosts: n.Hosts, Path: n.Path, Upstream: n.Upstream, RateLimits: n.RateLimits,
		RateLimitHeaders: n.RateLimitHeaders, ForwardToken: n.ForwardToken, IdentityToken: n.IdentityToken, MaxBody: n.MaxBody, Timeouts: n.Timeouts, ServeStale: n.ServeStale,
	}
	for _, r := range n.Routes {
		route := domain.Route{Method: r.Method, Path: r.Path, Scopes: r.Scopes, Actions: r.Actions, Tags: r.Tags, Upgrade: r.Upgrade}
		for _, p := range r.Parameters {
			route.Parameters = append(route.Parameters, policy.Parameter(p))
		}
		o.Routes = append(o.Routes, route)
	}
	if g := n.GraphQL; g != nil {
		o.GraphQL = &domain.GraphQL{Path: g.Path, Schema: g.Schema, Rules: g.Rules, Responses: g.Responses, Introspection: g.Introspection, Batching: g.Batching, Get: g.Get, Limits: g.Limits}
	}
	return o
}

// patched is the form with the members that the patch names: each is judged by itself, so
// that every problem is told; null sets one back to what it is when left out.
func patched[F any](p Patch, object string, old F) (F, error) {
	var now F
	err := p.each(object, []string{"name"}, func(_ string, document []byte) error {
		var one F
		return strictjson.Unmarshal(document, &one)
	})
	if err != nil {
		return now, err
	}
	text, err := json.Marshal(old)
	if err != nil {
		return now, err
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &members); err != nil {
		return now, err
	}
	maps.Copy(members, p)
	if text, err = json.Marshal(members); err != nil {
		return now, err
	}
	if err := strictjson.Unmarshal(text, &now); err != nil {
		return now, fmt.Errorf("put the change together: %w", err)
	}
	return now, nil
}
