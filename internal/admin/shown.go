package admin

import "github.com/postern-dev/postern/internal/domain"

// Issuer is an issuer as the API shows it.
type Issuer struct {
	domain.Issuer
	Version int64 `json:"version"` // for If-Match
}

// Tenant is a tenant as the API shows it.
type Tenant struct {
	domain.Tenant
	Version int64 `json:"version"` // for If-Match
}

func showIssuer(v domain.Issuer) (Issuer, int64) { return Issuer{v, v.Version}, v.Version }
func showTenant(v domain.Tenant) (Tenant, int64) { return Tenant{v, v.Version}, v.Version }
