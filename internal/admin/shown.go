package admin

import (
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// Issuer is an issuer as the API shows it.
type Issuer struct {
	domain.Issuer
	Version  int64              `json:"version" doc:"For If-Match."`
	Warnings []registry.Warning `json:"warnings,omitempty" doc:"After a change: what it took from clients."`
}

// Tenant is a tenant as the API shows it.
type Tenant struct {
	domain.Tenant
	Version int64 `json:"version" doc:"For If-Match."`
}

// API is an API as the API shows it.
type API struct {
	domain.API
	Version  int64              `json:"version" doc:"For If-Match."`
	Warnings []registry.Warning `json:"warnings,omitempty" doc:"After a change: what nobody can call."`
}

// Policy is a policy as the API shows it.
type Policy struct {
	domain.Policy
	Version  int64              `json:"version" doc:"For If-Match."`
	Warnings []registry.Warning `json:"warnings,omitempty" doc:"After a change: what nobody can call since."`
}

// Tier is a tier as the API shows it.
type Tier struct {
	domain.Tier
	Version  int64              `json:"version" doc:"For If-Match; 0: it is built in."`
	Warnings []registry.Warning `json:"warnings,omitempty"`
}

func showIssuer(v domain.Issuer) (Issuer, int64) {
	return Issuer{Issuer: v, Version: v.Version}, v.Version
}
func showTenant(v domain.Tenant) (Tenant, int64) { return Tenant{v, v.Version}, v.Version }
func showAPI(v domain.API) (API, int64)          { return API{API: v, Version: v.Version}, v.Version }
func showTier(v domain.Tier) (Tier, int64)       { return Tier{Tier: v, Version: v.Version}, v.Version }

func showPolicy(v domain.Policy) (Policy, int64) {
	if v.Actions == nil { // the document says: an object, never null
		v.Actions = map[string]string{}
	}
	return Policy{Policy: v, Version: v.Version}, v.Version
}
