package domain

import (
	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// Route is a rule of an API: who may call what a method and a path choose.
type Route = policy.Route

// API is a protected resource server, and how the gateway stands before it.
type API struct {
	Name             string            `json:"name" yaml:"name"`                                       // lower case, digits, `-`; never changes
	Label            string            `json:"label,omitempty" yaml:"label"`                           // for people
	Audience         string            `json:"audience" yaml:"audience"`                               // that its tokens must have, exactly
	Issuers          []string          `json:"issuers" yaml:"issuers"`                                 // by name: whose tokens it takes
	Hosts            []string          `json:"hosts,omitempty" yaml:"hosts"`                           // where the gateway serves it (host or host:port); left out: wherever its issuers are, hosts of tenants too
	Path             string            `json:"path,omitempty" yaml:"path"`                             // below which it stands there, as in /v1; left out: the root
	Upstream         string            `json:"upstream" yaml:"upstream"`                               // URL of the API itself; what follows `path` is appended to it
	AuditLog         *AuditLog         `json:"audit_log,omitempty" yaml:"audit_log"`                   // `{}` in place of upstream: Postern itself answers, from the audit trail
	Routes           []Route           `json:"routes,omitempty" yaml:"routes"`                         // who may call what; anything else is refused
	GraphQL          *GraphQL          `json:"graphql,omitempty" yaml:"graphql"`                       // its GraphQL endpoint, if it has one
	Users            *Users            `json:"users,omitempty" yaml:"users"`                           // people whose tokens it takes too: JWTs of one OpenID provider
	APIKeys          bool              `json:"api_keys,omitempty" yaml:"api_keys"`                     // it takes API keys of its audience too
	Roles            map[string]Rights `json:"roles,omitempty" yaml:"roles"`                           // what users and API keys may do, by the role they have; their scopes are not looked at
	RateLimits       map[string]int64  `json:"rate_limits,omitempty" yaml:"rate_limits"`               // tier → calls a minute here, counted apart; left out: the tier's
	RateLimitHeaders bool              `json:"rate_limit_headers,omitempty" yaml:"rate_limit_headers"` // answers to a known client tell its limit (X-RateLimit-…)
	ForwardToken     bool              `json:"forward_token,omitempty" yaml:"forward_token"`           // the upstream sees the client's token
	IdentityToken    bool              `json:"identity_token,omitempty" yaml:"identity_token"`         // the upstream gets X-Postern-Identity, a JWT of a minute that proves whose call it is
	MaxBody          int64             `json:"max_body,omitempty" yaml:"max_body"`                     // bytes of a request's body; left out: 10485760
	Timeouts         Timeouts          `json:"timeouts,omitzero" yaml:"timeouts"`                      // of the upstream
	ServeStale       Seconds           `json:"serve_stale,omitempty" yaml:"serve_stale"`               // a node that lost its store goes on for so long beyond max_staleness, for clients it knows; left out: 503 at once
	Origin           string            `json:"origin,omitempty" yaml:"-"`                              // the file it was applied from, if any
	Version          int64             `json:"-" yaml:"-"`
}

// GraphQL is a GraphQL endpoint and the rules that its schema carries (DESIGN §6).
type GraphQL struct {
	Path          string         `json:"path" yaml:"path"`                             // below that of the API, as in /graphql
	Schema        string         `json:"schema,omitempty" yaml:"schema"`               // SDL, with its rules as directives
	SchemaFile    string         `json:"-" yaml:"schema_file"`                         // instead of schema, in files: the name of a file beside this one (.graphql, .graphqls or .gql)
	Rules         []graphql.Rule `json:"rules,omitempty" yaml:"rules"`                 // beside the schema, by coordinate
	Responses     Responses      `json:"responses,omitempty" yaml:"responses"`         // pass or check: whether answers to @checkable fields are looked into; left out: pass
	Introspection bool           `json:"introspection,omitempty" yaml:"introspection"` // for clients with the action graphql:introspect
	Batching      int            `json:"batching,omitempty" yaml:"batching"`           // requests in one array at most, up to 100; left out: none
	Get           bool           `json:"get,omitempty" yaml:"get"`                     // queries by GET too
	Limits        graphql.Limits `json:"limits,omitzero" yaml:"limits"`                // of documents
}

// Responses says what becomes of answers.
type Responses string

// The choices.
const (
	PassResponses  Responses = "pass"
	CheckResponses Responses = "check"
)

// Timeouts are how long the gateway waits for an upstream.
type Timeouts struct {
	Connect Seconds `json:"connect,omitempty" yaml:"connect"` // for a connection; left out: 5s
	Answer  Seconds `json:"answer,omitempty" yaml:"answer"`   // from the end of the request to the headers of the answer; left out: 30s
	Idle    Seconds `json:"idle,omitempty" yaml:"idle"`       // for the next byte of a body, in either direction; left out: 60s
}

// Kind is KindAPI.
func (API) Kind() Kind { return KindAPI }

// Key is the name.
func (a API) Key() string { return a.Name }

// Policy is a named set of actions that clients can hold.
type Policy struct {
	Name    string            `json:"name" yaml:"name"`             // letters, digits and `:._-`; never changes
	Label   string            `json:"label,omitempty" yaml:"label"` // for people
	Actions map[string]string `json:"actions" yaml:"actions"`       // action, as in studies:read → one line that says what it lets a client do
	Origin  string            `json:"origin,omitempty" yaml:"-"`    // the file it was applied from, if any
	Version int64             `json:"-" yaml:"-"`
}

// Kind is KindPolicy.
func (Policy) Kind() Kind { return KindPolicy }

// Key is the name.
func (o Policy) Key() string { return o.Name }

// Tier is how many calls a minute a client may make.
type Tier struct {
	Name      string `json:"name" yaml:"name"`                       // lower case, digits, `-`; never changes
	PerMinute int64  `json:"per_minute,omitempty" yaml:"per_minute"` // calls in each calendar minute
	Unlimited bool   `json:"unlimited,omitempty" yaml:"unlimited"`   // instead of per_minute
	Origin    string `json:"origin,omitempty" yaml:"-"`              // the file it was applied from, if any
	Version   int64  `json:"-" yaml:"-"`
}

// Kind is KindTier.
func (Tier) Kind() Kind { return KindTier }

// Key is the name.
func (t Tier) Key() string { return t.Name }

// DefaultTier is the tier of clients for which none was chosen.
const DefaultTier = "standard"

// BuiltinTiers are there without being made; a Tier of the same name takes the place
// of one (ARB-11).
func BuiltinTiers() []Tier {
	return []Tier{{Name: DefaultTier, PerMinute: 600}, {Name: "premium", PerMinute: 6000}, {Name: "unlimited", Unlimited: true}}
}

// BuiltinTier returns the built-in tier of that name.
func BuiltinTier(name string) (Tier, bool) {
	for _, t := range BuiltinTiers() {
		if t.Name == name {
			return t, true
		}
	}
	return Tier{}, false
}
