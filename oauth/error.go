package oauth

import (
	"fmt"
	"time"
)

// Failure names the check that a token request failed. The order of the
// constants is the order in which the checks are made, in every dialect.
type Failure string

// The closed list of failures. A dialect chooses the answer to each, never the
// order.
const (
	FailureMethod               Failure = "method"                 // not POST
	FailureOrigin               Failure = "origin"                 // sent by a browser where that is refused
	FailureQueryString          Failure = "query_string"           // something stands in the query string
	FailureContentType          Failure = "content_type"           // absent, or none of the accepted ones
	FailureMalformedBody        Failure = "malformed_body"         // cannot be read, or too large
	FailureDuplicateParameter   Failure = "duplicate_parameter"    // RFC 6749 §3.2
	FailureGrantTypeMissing     Failure = "grant_type_missing"     //
	FailureGrantTypeUnsupported Failure = "grant_type_unsupported" // RFC 6749 §5.2
	FailureParameterMissing     Failure = "parameter_missing"      // one that the dialect requires of every client
	FailureCredentialsMissing   Failure = "credentials_missing"    //
	FailureCredentialsMalformed Failure = "credentials_malformed"  //
	FailureCredentialsConflict  Failure = "credentials_conflict"   // two sets that differ, or two methods where one is allowed
	FailureCredentialsWrong     Failure = "credentials_wrong"      // unknown, wrong, disabled, deleted, of another issuer: all alike
	FailureTooManyAttempts      Failure = "too_many_attempts"      // guessing limits
	FailureGrantNotAllowed      Failure = "grant_not_allowed"      // RFC 6749 §5.2 unauthorized_client
	FailureScopeMissing         Failure = "scope_missing"          // one that only this client must send
	FailureScopeInvalid         Failure = "scope_invalid"          // malformed, or not granted
	FailureAudienceInvalid      Failure = "audience_invalid"       // RFC 8707 §2
	FailureUnavailable          Failure = "unavailable"            // this node cannot decide now
	FailureServer               Failure = "server_error"           //
)

// Failures lists every Failure in the order of the checks.
func Failures() []Failure {
	return []Failure{
		FailureMethod, FailureOrigin, FailureQueryString, FailureContentType, FailureMalformedBody,
		FailureDuplicateParameter, FailureGrantTypeMissing, FailureGrantTypeUnsupported, FailureParameterMissing,
		FailureCredentialsMissing, FailureCredentialsMalformed, FailureCredentialsConflict, FailureCredentialsWrong,
		FailureTooManyAttempts, FailureGrantNotAllowed, FailureScopeMissing, FailureScopeInvalid,
		FailureAudienceInvalid, FailureUnavailable, FailureServer,
	}
}

// The error codes of RFC 6749 §5.2, RFC 8707 §2, and of RFC 6749 §4.1.2.1,
// which we use at the token endpoint too where nothing else fits.
const (
	InvalidRequest         = "invalid_request"
	InvalidClient          = "invalid_client"
	UnauthorizedClient     = "unauthorized_client"
	UnsupportedGrantType   = "unsupported_grant_type"
	InvalidScope           = "invalid_scope"
	InvalidTarget          = "invalid_target"
	TemporarilyUnavailable = "temporarily_unavailable"
	ServerError            = "server_error"
)

// Error is a protocol failure. A server sets Failure, and its dialect chooses
// what is answered; a client finds Status, Code and Description as they came.
type Error struct {
	Failure    Failure
	Parameter  string        // the parameter concerned: one of ours, never text that came in
	Basic      bool          // the client tried the Authorization header (RFC 6749 §5.2: then the challenge is required)
	RetryAfter time.Duration // whole seconds on the wire; zero: not said
	Err        error         // the cause, for the log; never on the wire

	Status      int    // HTTP status, on the client's side
	Code        string // `error`, on the client's side
	Description string // `error_description`, on the client's side
}

// Fail returns the error of a failed check.
func Fail(f Failure) *Error { return &Error{Failure: f} }

// FailWith returns the error of a failed check with the parameter it concerns.
func FailWith(f Failure, parameter string) *Error { return &Error{Failure: f, Parameter: parameter} }

// Error says what failed, without any secret.
func (e *Error) Error() string {
	s := string(e.Failure)
	if s == "" {
		s = e.Code
		if s == "" {
			s = "token endpoint answer"
		}
		if e.Description != "" {
			s += ": " + e.Description
		}
		if e.Status != 0 {
			s += fmt.Sprintf(" (HTTP %d)", e.Status)
		}
	}
	if e.Parameter != "" {
		s += " (" + e.Parameter + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
