package dialect

import (
	"strings"
	"time"

	"github.com/postern-dev/postern/oauth"
)

// Schema is the version of the file format that this package reads.
const Schema = 1

// Dialect is the wire contract of one kind of token endpoint. After Load every
// field is filled: what the file leaves out holds the RFC's value.
type Dialect struct {
	Schema int    `yaml:"schema"` // version of this format: 1
	Name   string `yaml:"name"`   // lower case, digits, `-`
	Title  string `yaml:"title"`  // one line for people
	Source string `yaml:"source"` // where the contract is described
	Wire   Wire   `yaml:"wire"`
	Server Server `yaml:"server"`
	Admin  Admin  `yaml:"admin"`
	Client Client `yaml:"client"`

	prepared *prepared
}

// Wire is what both ends must agree on.
type Wire struct {
	Path      string          `yaml:"path"`      // of the token endpoint below the issuer's prefix, e.g. /oauth2/token
	Encodings []Encoding      `yaml:"encodings"` // of the request body that are accepted; a client writes the first. Left out: form
	Placement Placement       `yaml:"placement"` // where credentials stand. Left out: basic_or_body
	Audience  AudienceParam   `yaml:"audience"`
	Scope     ScopeParam      `yaml:"scope"`
	Response  []ResponseField `yaml:"response"`   // members of the answer, in order. Left out: access_token, token_type, expires_in, scope when changed
	TokenType string          `yaml:"token_type"` // as it is spelt in the answer. Left out: Bearer
}

// Encoding is how a request body is written.
type Encoding string

// The encodings.
const (
	Form      Encoding = "form"      // application/x-www-form-urlencoded
	JSON      Encoding = "json"      // application/json, an object of strings
	Multipart Encoding = "multipart" // multipart/form-data
)

// Placement is where a client puts its credentials (RFC 6749 §2.3.1).
type Placement string

// The placements.
const (
	BasicOrBody   Placement = "basic_or_body"   // one of them; both at once are refused
	Body          Placement = "body"            // body only; an Authorization header is refused
	Basic         Placement = "basic"           // Authorization header only; client_secret in the body is refused
	BasicOverBody Placement = "basic_over_body" // with both, the header wins and the body's copy is not looked at
	BasicAndBody  Placement = "basic_and_body"  // both required, and equal
)

// Presence says whether a parameter is part of the contract.
type Presence string

// The presences.
const (
	Optional Presence = "optional" // the default
	Required Presence = "required"
	None     Presence = "none" // ignored like any unknown parameter
)

// AudienceParam is the parameter that names the API a token is for.
type AudienceParam struct {
	Presence Presence `yaml:"presence"` // left out: optional
	Name     string   `yaml:"name"`     // left out: resource (RFC 8707)
}

// ScopeParam is the scope parameter.
type ScopeParam struct {
	Presence Presence `yaml:"presence"` // left out: optional
	Fixed    string   `yaml:"fixed"`    // the only scope there is, exactly so; left out: whatever the client was given
}

// ResponseField is one member of the answer.
type ResponseField struct {
	Name string         `yaml:"name"`
	From ResponseSource `yaml:"from"` // left out: as the name
	As   ValueType      `yaml:"as"`   // left out: number for expires_in, string for the others
	When When           `yaml:"when"` // left out: always
}

// ResponseSource is where the value of a member of the answer comes from.
type ResponseSource string

// The sources.
const (
	FromAccessToken ResponseSource = "access_token"
	FromTokenType   ResponseSource = "token_type"
	FromExpiresIn   ResponseSource = "expires_in"
	FromScope       ResponseSource = "scope"
)

// ValueType is a JSON type.
type ValueType string

// The value types.
const (
	String ValueType = "string"
	Number ValueType = "number"
)

// When says when a member of the answer is there.
type When string

// The conditions.
const (
	Always  When = "always"
	Changed When = "changed" // only where the scope is not the one asked for
)

// Server is what a server decides for itself.
type Server struct {
	Errors         map[oauth.Failure]Answer `yaml:"errors"`          // what is answered to each failure; left out: the RFC's
	Realm          string                   `yaml:"realm"`           // of the Basic challenge; left out: token
	Challenge      Challenge                `yaml:"challenge"`       // when a 401 carries a challenge; left out: basic_used
	Scope          ServerScope              `yaml:"scope"`           //
	Typ            string                   `yaml:"typ"`             // of the token's header; left out: at+jwt (RFC 9068 §2.1)
	Claims         []Claim                  `yaml:"claims"`          // besides iss, aud, sub, client_id, iat, exp, jti; left out: scope where there is one (RFC 9068 §2.2.3)
	Algorithms     []string                 `yaml:"algorithms"`      // that an issuer may sign with; left out: ES256 EdDSA RS256 PS256
	Lifetime       Lifetime                 `yaml:"lifetime"`        //
	RefuseOrigin   bool                     `yaml:"refuse_origin"`   // requests with an Origin header are refused
	MaxBody        int                      `yaml:"max_body"`        // bytes of a request body; left out: 16384, which is the most there can be
	PartnerClients PartnerClients           `yaml:"partner_clients"` // left out: allowed
}

// Answer is what is answered to a failure. A zero field is the RFC's.
type Answer struct {
	Status      int    `yaml:"status"`
	Code        string `yaml:"code"`
	Description string `yaml:"description"`
}

// Challenge says when a 401 carries WWW-Authenticate.
type Challenge string

// The conditions of a challenge.
const (
	BasicUsed       Challenge = "basic_used" // only where the client used the Authorization header (RFC 6749 §5.2)
	AlwaysChallenge Challenge = "always"
)

// ServerScope says what scope means to the server.
type ServerScope struct {
	Omitted  OmittedScope `yaml:"omitted"`  // left out: all_assigned
	Bindings []Binding    `yaml:"bindings"` // scope tokens that name a resource
}

// OmittedScope is what a request without scope gets.
type OmittedScope string

// The meanings of an omitted scope.
const (
	AllAssigned OmittedScope = "all_assigned"
	NoScope     OmittedScope = "none"
)

// Binding is a form of scope token that binds the token to a resource.
type Binding struct {
	Pattern string `yaml:"pattern"` // e.g. team_{id:hex24}: literal text and one {id:CLASS}, the whole token
	Kind    string `yaml:"kind"`    // the resource kind
	Max     int    `yaml:"max"`     // of this kind in one request; left out: 1

	prefix, suffix string
	class          idClass
}

// Claim is one claim of the access token.
type Claim struct {
	Name  string      `yaml:"name"`
	From  ClaimSource `yaml:"from"`
	Value string      `yaml:"value"` // a constant, instead of From
	Empty Empty       `yaml:"empty"` // when there is no value; left out: omit
}

// ClaimSource is where the value of a claim comes from: one of the constants, or
// `binding:<kind>`, the resource id that a binding scope named.
type ClaimSource string

// The sources of claims.
const (
	ClaimClientID    ClaimSource = "client_id"
	ClaimTenantID    ClaimSource = "tenant_id"
	ClaimScope       ClaimSource = "scope"
	ClaimAudience    ClaimSource = "audience"
	ClaimTier        ClaimSource = "tier"
	ClaimEnvironment ClaimSource = "environment"
	bindingPrefix                = "binding:"
)

// Empty says what becomes of a claim without a value.
type Empty string

// The choices.
const (
	Omit Empty = "omit"
	Null Empty = "null"
)

// Lifetime of access tokens, in seconds.
type Lifetime struct {
	Default int  `yaml:"default"` // left out: 3600
	Max     int  `yaml:"max"`     // that a client may be given; left out: 86400, which is the most there can be
	Fixed   bool `yaml:"fixed"`   // no client may have another than the default
}

// MaxLifetime is the longest any access token of ours lives.
const MaxLifetime = 24 * time.Hour

// PartnerClients says what becomes of clients marked as partner integrations.
type PartnerClients string

// The choices.
const (
	PartnersAllowed PartnerClients = "allowed"
	PartnersRefused PartnerClients = "refused"
)

// Admin is what a form that creates clients says and asks.
type Admin struct {
	Warning string `yaml:"warning"`
	Ask     []Ask  `yaml:"ask"`
}

// Ask is something that a form asks for.
type Ask string

// What there is to ask.
const (
	AskScopeBinding  Ask = "scope_binding"
	AskAudience      Ask = "audience"
	AskPolicies      Ask = "policies"
	AskResourceScope Ask = "resource_scope"
	AskTier          Ask = "tier"
)

// Client is what a client decides for itself.
type Client struct {
	RefreshFraction float64 `yaml:"refresh_fraction"` // a token is renewed when less than this part of its life is left; left out: 0.1
	MaxBody         int     `yaml:"max_body"`         // bytes of an answer that are read; left out: 65536
}

// idClass is the form of an id in a binding: hexN, uuid, digits, name.
type idClass string

// Bind reports the resource that a scope token names, if one of the dialect's bindings matches
// the whole of it.
func (d *Dialect) Bind(token string) (b *Binding, id string, ok bool) {
	for i := range d.Server.Scope.Bindings {
		b := &d.Server.Scope.Bindings[i]
		if id, ok := b.match(token); ok {
			return b, id, true
		}
	}
	return nil, "", false
}

// BindingKind is the resource kind of a source `binding:<kind>`.
func (s ClaimSource) BindingKind() (kind string, ok bool) {
	return strings.CutPrefix(string(s), bindingPrefix)
}

// Token is the scope token that names the resource with this id.
func (b *Binding) Token(id string) string { return b.prefix + id + b.suffix }
