package guard

import (
	"errors"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// Verdict is what was found out about a call, as far as it was judged, and whether it
// may pass.
type Verdict struct {
	API    *snapshot.API    // nil: there is none at this host and path
	Issuer *snapshot.Issuer // nil: the token is nobody's that this API trusts
	Client *snapshot.Client // nil: no client is known by a good token
	Actor  *Actor           // nil: who calls is a client, or not known
	Tenant *domain.Tenant   // of the client or actor; nil: of all of them, or not known
	Claims resourceserver.Claims
	Limit  Limit
	Route  *policy.Route // nil: none was chosen

	GraphQL *GraphQLCall    // nil: the call is not for a GraphQL endpoint
	Events  *[]ProductEvent // that a call of an audit log adds; nil: it adds none

	Path     string // what is forwarded, below the path of the API; in its one form, escaped
	RawQuery string // what is forwarded

	Scopes    oauth.Scope          // said by the token and held now
	Resources policy.ResourceScope // said by the token and held now

	Err error // nil: the call may pass; else a *Refusal or an error of oauth/resourceserver
}

// Limit is where the client stands in this minute.
type Limit struct {
	Known     bool  // false: the client is not known, or not limited
	PerMinute int64 // the whole limit, of all nodes
	Remaining int64 // on this node
	Reset     int64 // Unix seconds at which the next minute begins
}

// Reason is why a call is refused, as it stands in logs, metrics and activity.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	WrongHost        Reason = "wrong_host"        // no API is served at this host
	NoAPI            Reason = "no_api"            // nothing at this path
	Stale            Reason = "stale"             // this node has lost touch with its store
	TokenMissing     Reason = "token_missing"     //
	TokenMalformed   Reason = "token_malformed"   // two, or not in one well-formed Authorization header
	TooManyFailures  Reason = "too_many_failures" // of this source: its tokens are not looked at for now
	TokenInvalid     Reason = "token_invalid"     // forged, expired, revoked, of another issuer, API, tenant: all alike (D-72)
	Unavailable      Reason = "unavailable"       // this node cannot judge now
	RateLimited      Reason = "rate_limited"      //
	MethodOverride   Reason = "method_override"   // a header that gives the method another meaning
	PathAmbiguous    Reason = "path_ambiguous"    // a path with two readings
	QueryAmbiguous   Reason = "query_ambiguous"   // a query with two readings
	NoRoute          Reason = "no_route"          // no rule lets anybody pass here
	UpgradeRefused   Reason = "upgrade_refused"   // to another protocol
	QueryRefused     Reason = "query_refused"     // a query string beside a GraphQL body, or with more than a GraphQL request in it
	BodyType         Reason = "body_type"         // neither JSON nor form, where a rule reads the body
	BodyTooLarge     Reason = "body_too_large"    //
	BodyMalformed    Reason = "body_malformed"    // where a rule reads it
	Parameter        Reason = "parameter"         // one that a rule uses is not there exactly once
	EndpointDisabled        = Reason(policy.EndpointDisabled)
	ScopeMissing            = Reason(policy.ScopeMissing)
	ActionMissing           = Reason(policy.ActionMissing)
	ResourceOutside         = Reason(policy.ResourceOutside)
)

// Refusal is the error of a call that is refused for something else than its token.
type Refusal struct {
	Reason     Reason
	Missing    string          // the tag, scope, action, or the name of the parameter or header
	Resource   policy.Resource // the one outside
	Scopes     oauth.Scope     // that the route requires, where one is missing
	RetryAfter time.Duration   // zero: not said
	Err        error           // the cause, for the log; never on the wire

	Place                      // in a GraphQL document
	Alternatives []policy.Need // of a rule with several: each would do; for explain
}

// Error names the reason, and what is missing.
func (r *Refusal) Error() string {
	s := "call refused: " + string(r.Reason)
	if r.Missing != "" {
		s += " (" + r.Missing + ")"
	}
	if r.Coordinate != "" {
		s += " at " + r.Coordinate
	}
	if r.Err != nil {
		s += ": " + r.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// Reason is why the call is refused; empty where it may pass.
func (v *Verdict) Reason() Reason {
	if v.Err == nil {
		return ""
	}
	if r, ok := errors.AsType[*Refusal](v.Err); ok {
		return r.Reason
	}
	switch {
	case errors.Is(v.Err, resourceserver.ErrNoToken):
		return TokenMissing
	case errors.Is(v.Err, resourceserver.ErrRequest):
		return TokenMalformed
	case errors.Is(v.Err, resourceserver.ErrTooManyFailures):
		return TooManyFailures
	case errors.Is(v.Err, resourceserver.ErrToken):
		return TokenInvalid
	}
	return Unavailable
}
