package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// UnreachableError says that no server answers.
type UnreachableError struct {
	Where string // its socket, or its address
	Err   error
}

// Error names the place, and the cause where that is not simply that nobody is there.
func (e *UnreachableError) Error() string {
	switch {
	case errors.Is(e.Err, context.DeadlineExceeded):
		return e.Where + " did not answer in time"
	case errors.Is(e.Err, fs.ErrNotExist), errors.Is(e.Err, fs.ErrPermission), errors.Is(e.Err, syscall.ECONNREFUSED):
		return "no running postern at " + e.Where
	}
	return fmt.Sprintf("no postern can be reached at %s: %v", e.Where, e.Err)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *UnreachableError) Hint() string {
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(e.Err, context.DeadlineExceeded):
		return "it may have done what was asked all the same: look before you ask again"
	case errors.Is(e.Err, fs.ErrPermission):
		return "only the user that postern runs as, and root, may use its socket"
	case errors.As(e.Err, &certificate):
		return "its certificate is of no authority that this machine trusts, or for another name; the variable SSL_CERT_FILE names a file of authorities to trust"
	case errors.Is(e.Err, http.ErrSchemeMismatch):
		return "what listens there speaks no TLS: see that the address is that of a listener with tls, or of the proxy before it"
	case strings.Contains(e.Where, "://"):
		return "see that the server runs, and that a listener of its has the surface admin at this address"
	}
	return "start it with `postern serve` or `postern dev --data DIR`, and name the same directory with --data"
}

// ForeignError says that something answers, and not as the admin API does.
type ForeignError struct {
	Where    string // its socket, or its address
	Status   int
	Location string // where it sends us; we do not go (D-113)
	Err      error  // why its answer cannot be read; may be nil
}

// Error names the place, and what came.
func (e *ForeignError) Error() string {
	text := fmt.Sprintf("what answers at %s is not the admin API of a postern: HTTP %d", e.Where, e.Status)
	if e.Location != "" {
		text += fmt.Sprintf(" to %q", e.Location)
	}
	return text
}

// Unwrap returns the cause.
func (e *ForeignError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *ForeignError) Hint() string {
	return "see that the address is that of a listener with the surface admin, and that a proxy before it passes /api/admin/ on"
}

// unreachable is the error of a request that got no answer.
func (c *Conn) unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if outer, ok := errors.AsType[*url.Error](err); ok { // whose text is a URL of ours that nobody typed
		err = outer.Err
	}
	return &UnreachableError{Where: c.where, Err: err}
}
