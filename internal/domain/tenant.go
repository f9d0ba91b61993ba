package domain

import "github.com/postern-dev/postern/oauth"

// Kind is the kind of an object in the store.
type Kind string

// The kinds of objects.
const (
	KindTenant    Kind = "tenant"
	KindIssuer    Kind = "issuer"
	KindClient    Kind = "client"
	KindTombstone Kind = "tombstone"
	KindKey       Kind = "key"
	KindVault     Kind = "vault"
	KindAPI       Kind = "api"
	KindPolicy    Kind = "policy"
	KindTier      Kind = "tier"

	KindPerson        Kind = "person"
	KindAPIKey        Kind = "api_key"
	KindNamedResource Kind = "resource" // of the directory
)

// Tenant is an organisation whose machines come in.
type Tenant struct {
	ID        string              `json:"id" yaml:"id"`                               // a UUID
	Label     string              `json:"label" yaml:"label"`                         // for people
	Hosts     map[string][]string `json:"hosts,omitempty" yaml:"hosts"`               // issuer → hosts (host or host:port) on which this tenant, and no other, is served
	Resources map[string][]string `json:"resources,omitempty" yaml:"resources"`       // resource kind → ids that belong to the tenant
	Endpoints []string            `json:"endpoints,omitempty" yaml:"endpoints"`       // tags of the routes that are enabled for it
	Ceiling   *Ceiling            `json:"ceiling,omitempty" yaml:"ceiling,omitempty"` // what its clients may be given at most; absent: no ceiling
	Origin    string              `json:"origin,omitempty" yaml:"-"`                  // the file it was applied from, if any
	Version   int64               `json:"-" yaml:"-"`
}

// Ceiling bounds what the clients of a tenant may be given.
type Ceiling struct {
	Scopes   oauth.Scope `json:"scopes" yaml:"scopes"`     // no others; left out: none
	Policies []string    `json:"policies" yaml:"policies"` // no others; left out: none
}

// Kind is KindTenant.
func (Tenant) Kind() Kind { return KindTenant }

// Key is the id.
func (t Tenant) Key() string { return t.ID }
