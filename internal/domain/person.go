package domain

import (
	"slices"
	"time"
)

// Role is what an administrator may do; registry holds the table.
type Role string

// The roles (RULES "Administration").
const (
	PlatformAdmin      Role = "platform-admin"
	IntegrationManager Role = "integration-manager" // clients of its tenants and issuers, with policies and tiers that are there
	TenantDeveloper    Role = "tenant-developer"    // secrets of the clients of its tenants
	Auditor            Role = "auditor"             // reads, and changes nothing
)

// Roles lists the roles, the widest first.
func Roles() []Role { return []Role{PlatformAdmin, IntegrationManager, TenantDeveloper, Auditor} }

// Reach is where a role holds. *All* is a word of its own, never an empty list.
type Reach struct {
	AllTenants bool     `json:"all_tenants,omitempty"` // platform-wide clients too
	Tenants    []string `json:"tenants,omitempty"`     // by id
	AllIssuers bool     `json:"all_issuers,omitempty"`
	Issuers    []string `json:"issuers,omitempty"` // by name
}

// Tenant reports whether the role holds for what is of the tenant; empty is what is of none.
func (r Reach) Tenant(id string) bool {
	return r.AllTenants || id != "" && slices.Contains(r.Tenants, id)
}

// Issuer reports whether the role holds at the issuer.
func (r Reach) Issuer(name string) bool { return r.AllIssuers || slices.Contains(r.Issuers, name) }

// Caller is who asks for something, and how far that goes. How it was recognised is the
// business of signin; what it may do is decided by registry.
type Caller struct {
	Actor Actor
	Role  Role
	Reach
	// Platform: it may change what belongs to no client (policies, APIs, issuers, keys,
	// tiers, tenants, people): the machine's own user, a platform admin who signed in a
	// short while ago, or a token with the scope admin:platform.
	Platform bool
	// Holds is what it may give at most, where it is a client itself (D-101); nil: what
	// there is.
	Holds *Client
}

// Local is the caller on the machine itself, over the socket.
func Local(by Actor) Caller {
	return Caller{Actor: by, Role: PlatformAdmin, Reach: Reach{AllTenants: true, AllIssuers: true}, Platform: true}
}

// AdminAudience is the audience of the management issuer's tokens, and of the API keys
// that are good for administration (DESIGN §10).
const AdminAudience = "urn:postern:admin"

// The scopes of the management issuer: which role a token of its clients has.
const (
	ScopePlatform     = "admin:platform" // Caller.Platform too
	ScopeIntegrations = "admin:integrations"
	ScopeSecrets      = "admin:secrets"
	ScopeAudit        = "admin:audit"
)

// ScopeRole is the role that a scope of the management issuer stands for.
func ScopeRole(scope string) (Role, bool) {
	switch scope {
	case ScopePlatform:
		return PlatformAdmin, true
	case ScopeIntegrations:
		return IntegrationManager, true
	case ScopeSecrets:
		return TenantDeveloper, true
	case ScopeAudit:
		return Auditor, true
	}
	return "", false
}

// Person is somebody who administers.
type Person struct {
	ID      string     `json:"id"`   // a UUID
	Name    string     `json:"name"` // to sign in with, as in ann@example.com; unique, lower case
	Role    Role       `json:"role"` // what they may do
	Reach              // and where
	Status  Status     `json:"status"`            // disabled: signs in no more
	Subject string     `json:"subject,omitempty"` // `sub` at the OpenID provider; empty until the first sign-in there
	Epoch   int64      `json:"epoch"`             // only grows; raised by whatever must end their sessions
	Created time.Time  `json:"created"`
	Changed *time.Time `json:"password_changed,omitempty"` // absent: no password
	Version int64      `json:"-"`
	// Password is an argon2id string. It is in no JSON; a store keeps it apart.
	Password string `json:"-"`
}

// Kind is KindPerson.
func (Person) Kind() Kind { return KindPerson }

// Key is the id.
func (p Person) Key() string { return p.ID }

// Sensitive is what a store keeps apart from the JSON.
func (p Person) Sensitive() map[string]string {
	if p.Password == "" {
		return nil
	}
	return map[string]string{"password": p.Password}
}

// SetSensitive puts back what Sensitive gave.
func (p *Person) SetSensitive(m map[string]string) { p.Password = m["password"] }

// APIKey is a long-lived credential with a role: for administration, or at one API (ARB-07).
type APIKey struct {
	ID       string     `json:"id"`       // a UUID; part of the key
	Label    string     `json:"label"`    // for people
	Audience string     `json:"audience"` // AdminAudience, or the audience of the one API that takes it
	Role     Role       `json:"role"`     // of administration, or one that the API knows
	Reach               // at an API: one tenant, or all
	LastFour string     `json:"last_four"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires,omitempty"` // from then on it is worth nothing
	Version  int64      `json:"-"`
	Hash     string     `json:"-"` // as package secret writes it; in no JSON
}

// Kind is KindAPIKey.
func (APIKey) Kind() Kind { return KindAPIKey }

// Key is the id.
func (k APIKey) Key() string { return k.ID }

// Sensitive is what a store keeps apart from the JSON.
func (k APIKey) Sensitive() map[string]string { return map[string]string{"hash": k.Hash} }

// SetSensitive puts back what Sensitive gave.
func (k *APIKey) SetSensitive(m map[string]string) { k.Hash = m["hash"] }

// NamedResource is an entry of the resource directory: what an id means, so that people
// pick studies and teams by name. It gives nobody any right.
type NamedResource struct {
	ResourceKind string `json:"kind"`
	ID           string `json:"id"`
	Label        string `json:"label"`
	Tenant       string `json:"tenant,omitempty"` // by id; empty: of none
	Version      int64  `json:"-"`
}

// Kind is KindNamedResource.
func (NamedResource) Kind() Kind { return KindNamedResource }

// Key is the resource kind and the id.
func (n NamedResource) Key() string { return NamedResourceKey(n.ResourceKind, n.ID) }

// NamedResourceKey is the key of an entry of the directory in the store.
func NamedResourceKey(kind, id string) string { return kind + "/" + id }
