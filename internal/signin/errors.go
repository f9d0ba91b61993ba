package signin

import (
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// What a caller is told. None of the texts says whether a name exists. In the comments: the
// HTTP status of each.
var (
	ErrNone       = errors.New("there is no credential: sign in, or send Authorization: Bearer with an API key or a token of the management issuer") // 401
	ErrCredential = errors.New("the credential is not good here")                                                                                    // 401
	ErrEnded      = errors.New("the session has ended: sign in again")                                                                               // 401
	ErrPassword   = errors.New("the name or the password is wrong")                                                                                  // 401
	ErrTwo        = errors.New("two credentials at once: send one")                                                                                  // 400
	ErrOrigin     = errors.New("a request of a session that changes something must come from a page of this server")                                 // 403
	ErrLink       = errors.New("this link is not good: it was used, is older than its time, or was never made")                                      // 403
	ErrNotAllowed = errors.New("only a platform admin who signed in a short while ago may invite people")                                            // 403
	ErrHasAdmin   = errors.New("there is an administrator already: ask them for an invitation, or run `postern admin recover` on the machine")       // 409
	ErrNoOIDC     = errors.New("no OpenID provider is configured: sign in with a password")                                                          // 404
	ErrState      = errors.New("this sign-in was not begun in this browser under this host name, or more than ten minutes ago: begin again")         // 400
	ErrProvider   = errors.New("the OpenID provider did not do what it should; the server's log says what")                                          // 502
	ErrDenied     = errors.New("the OpenID provider refused the sign-in")                                                                            // 403
	ErrNobody     = errors.New("the OpenID provider knows you and Postern does not: ask an administrator to add you under your verified e-mail")     // 403
)

// ErrScope is an ErrCredential that was one, for something else.
var ErrScope = fmt.Errorf("%w: the token has none of the scopes %s, %s, %s, %s", ErrCredential,
	domain.ScopePlatform, domain.ScopeIntegrations, domain.ScopeSecrets, domain.ScopeAudit)

// TooMany is the error of a caller who has to wait (429).
type TooMany struct {
	Wait time.Duration // whole seconds, at least one
}

// Error says how long.
func (e *TooMany) Error() string { return "too many attempts: try again in " + e.Wait.String() }

func tooMany(wait time.Duration) error {
	return &TooMany{Wait: max(time.Second, (wait + time.Second - 1).Truncate(time.Second))}
}

// deniedError is ErrDenied with the provider's word for why (RFC 6749 §4.1.2.1).
type deniedError struct{ code string }

func (e *deniedError) Error() string {
	if e.code == "" {
		return ErrDenied.Error()
	}
	return ErrDenied.Error() + ": " + e.code
}

func (e *deniedError) Unwrap() error { return ErrDenied }
