package resourceserver

import (
	"errors"

	"github.com/postern-dev/postern/oauth"
)

// Why a request is refused. ErrToken comes wrapped together with the error of
// oauth/jwt that says more; none carries anything of the token.
var (
	ErrNoToken         = errors.New("request has no bearer token")
	ErrRequest         = errors.New("request does not carry its token in one well-formed Authorization header")
	ErrToken           = errors.New("access token is not valid here")
	ErrTooManyFailures = errors.New("too many tokens from this source failed to verify")
	ErrUnavailable     = errors.New("access token cannot be judged now")
)

// What ErrToken can be wrapped with besides the errors of oauth/jwt.
var (
	errIncomplete = errors.New("token lacks a claim that RFC 9068 requires, or its scope is malformed")
	errSymmetric  = errors.New("token is of a symmetric algorithm")
	errKeyGone    = errors.New("token was signed with a key that is no longer published")
	errRevoked    = errors.New("token was revoked")
)

// ScopeError refuses a good token that lacks scope (RFC 6750 §3.1).
type ScopeError struct {
	Required oauth.Scope // everything that is needed, held or not
}

// Error says so.
func (*ScopeError) Error() string { return "access token lacks a scope that is required here" }
