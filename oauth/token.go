package oauth

import (
	"fmt"
	"log/slog"
	"time"
)

// ClientCredentials is the grant type of RFC 6749 §4.4.
const ClientCredentials = "client_credentials"

// Secret is a client secret or another value that must never be seen. However it is
// printed, logged or marshalled, it says [redacted].
type Secret string

const redacted = "[redacted]"

// String, GoString, LogValue, MarshalText and Format all say [redacted].
func (Secret) String() string               { return redacted }
func (Secret) GoString() string             { return redacted }
func (Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Secret) Format(s fmt.State, _ rune)   { _, _ = s.Write([]byte(redacted)) }

// Credentials are what a client presented to authenticate (RFC 6749 §2.3.1).
type Credentials struct {
	ID     string
	Secret Secret
	// Basic says that they came in the Authorization header and are as they
	// stood there, not yet URL-decoded.
	Basic bool
}

// TokenRequest is a token request (RFC 6749 §4.4.2, RFC 8707 §2).
type TokenRequest struct {
	GrantType   string
	Credentials Credentials
	Scope       Scope // nil: omitted
	// ScopeError says that the scope sent is malformed: judged where scope is
	// judged, after credentials.
	ScopeError error
	Audience   string // empty: omitted
}

// TokenResponse is a successful answer (RFC 6749 §5.1).
type TokenResponse struct {
	AccessToken Secret
	TokenType   string
	ExpiresIn   time.Duration // whole seconds on the wire; zero where the server did not say
	Scope       Scope
	// ScopeChanged says that Scope is not what was asked for, so that RFC 6749
	// §5.1 requires it in the answer.
	ScopeChanged bool
}
