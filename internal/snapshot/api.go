package snapshot

import (
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
)

// API is an API with its rules ready to match, and the issuers that it trusts.
type API struct {
	domain.API
	Table   *policy.Table
	Issuers []*Issuer // hides the names
	Realm   string    // of challenges (RFC 6750 §3): the name
}

// APIPlace is what a host and a path lead to.
type APIPlace struct {
	View   *View // in which it was found
	API    *API
	Tenant string // id of the tenant whose host it is; empty where the host is everybody's
	Rest   string // the path below that of the API
}
