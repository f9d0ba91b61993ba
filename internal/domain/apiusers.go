package domain

// Users are people whose tokens an API takes beside those of clients (ARB-07). What their
// tokens say of a client, a scope or a type of token means nothing: whose they are is proven
// by `iss`, the key and `aud` (D-54).
type Users struct {
	Issuer      string `json:"issuer" yaml:"issuer"`               // `iss` of the OpenID provider, exactly; never that of an issuer of ours
	Audience    string `json:"audience" yaml:"audience"`           // that a token must have, exactly
	JWKSURI     string `json:"jwks_uri,omitempty" yaml:"jwks_uri"` // where the provider publishes its keys: https, or http to this machine
	JWKS        string `json:"jwks,omitempty" yaml:"jwks"`         // instead of jwks_uri: the key set itself (RFC 7517 §5)
	Type        string `json:"typ,omitempty" yaml:"typ"`           // that a token must have; left out: not looked at
	RoleClaim   string `json:"role_claim" yaml:"role_claim"`       // names the role: a string, or an array of one
	TenantClaim string `json:"tenant_claim" yaml:"tenant_claim"`   // names the tenant, by its id
}

// Rights are what somebody who is no client may do at an API, within a tenant.
type Rights struct {
	Policies      []string      `json:"policies,omitempty" yaml:"policies"`             // names of policies
	ResourceScope ResourceScope `json:"resource_scope,omitempty" yaml:"resource_scope"` // where; what lies outside of the tenant is not meant
	Tier          string        `json:"tier,omitempty" yaml:"tier"`                     // left out: standard
}

// AuditLog says that Postern itself answers an API, from its audit trail (ARB-17): GET / and
// GET /export read it, POST /events adds a product's own events (ARB-18).
type AuditLog struct{}

// The paths that an API with an audit log may have routes for, below its own.
const (
	AuditLogSearch = "/"
	AuditLogExport = "/export"
	AuditLogEvents = "/events"
)

// EventActionPrefix begins the action that lets a client add events of a name, as in
// `events:dlp_block`.
const EventActionPrefix = "events:"
