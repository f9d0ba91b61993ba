package dialect

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth"
)

// EncodeResponse writes a token (RFC 6749 §5.1). The token type is that of the
// dialect; the scope is written where the dialect has a member for it.
func (d *Dialect) EncodeResponse(w http.ResponseWriter, resp oauth.TokenResponse) {
	x := d.prepared.borrow()
	defer d.prepared.giveBack(x)
	x.body = d.prepared.appendAnswer(x.body, resp)
	d.write(w, http.StatusOK, x.body)
}

// write sends a body with the headers that every answer of a token endpoint has
// (RFC 6749 §5.1).
func (d *Dialect) write(w http.ResponseWriter, status int, body []byte) {
	v, h := &d.prepared.headers, w.Header()
	h["Content-Type"] = v.json
	h["Cache-Control"] = v.noStore
	h["Pragma"] = v.noCache
	h["X-Content-Type-Options"] = v.noSniff
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone: there is nobody left to tell
}

// Answer is what is answered to a failure, complete.
func (d *Dialect) Answer(f oauth.Failure) Answer {
	if a, ok := d.Server.Errors[f]; ok {
		return a
	}
	return d.Server.Errors[oauth.FailureServer]
}

// Meets reports whether a request can fail this check at all in this contract.
func (d *Dialect) Meets(f oauth.Failure) bool {
	switch f {
	case oauth.FailureOrigin:
		return d.Server.RefuseOrigin
	case oauth.FailureParameterMissing:
		return d.Wire.Audience.Presence == Required || d.Wire.Scope.Presence == Required
	case oauth.FailureCredentialsConflict:
		return d.Wire.Placement != Body && d.Wire.Placement != BasicOverBody
	case oauth.FailureGrantNotAllowed:
		return d.Server.PartnerClients == PartnersRefused
	case oauth.FailureScopeMissing:
		return d.Wire.Scope.Presence == Optional
	case oauth.FailureScopeInvalid:
		return d.Wire.Scope.Presence != None
	case oauth.FailureAudienceInvalid:
		return d.Wire.Audience.Presence != None
	}
	return true
}

// EncodeError writes a failure (RFC 6749 §5.2) as this dialect answers it. An
// error that is not an *oauth.Error with a Failure is answered as
// FailureServer; nothing of its text leaves the server.
func (d *Dialect) EncodeError(w http.ResponseWriter, err error) {
	failed, ok := errors.AsType[*oauth.Error](err)
	if !ok || !slices.Contains(oauth.Failures(), failed.Failure) {
		failed = oauth.Fail(oauth.FailureServer)
	}
	a := d.Answer(failed.Failure)
	v, h := &d.prepared.headers, w.Header()
	if a.Status == http.StatusMethodNotAllowed {
		h["Allow"] = v.post // RFC 9110 §15.5.6
	}
	if a.Status == http.StatusUnauthorized && d.challenges(failed) {
		h["Www-Authenticate"] = v.challenge
	}
	if failed.RetryAfter > 0 {
		seconds := (failed.RetryAfter + time.Second - 1) / time.Second
		h["Retry-After"] = []string{strconv.FormatInt(int64(seconds), 10)}
	}
	body := strictjson.AppendString([]byte(`{"error":`), a.Code)
	body = strictjson.AppendString(append(body, `,"error_description":`...), d.explain(a, failed))
	d.write(w, a.Status, append(body, '}'))
}

// challenges reports whether a 401 carries a challenge: always where the client
// used the Authorization header (RFC 6749 §5.2), or has to.
func (d *Dialect) challenges(failed *oauth.Error) bool {
	return d.Server.Challenge == AlwaysChallenge || failed.Basic || d.Wire.Placement == Basic || d.Wire.Placement == BasicAndBody
}

// explain is the description, with the parameter concerned where it is one of
// ours (D-36) and does not stand there already. Failed authentication reads the
// same whatever the cause (D-11).
func (d *Dialect) explain(a Answer, failed *oauth.Error) string {
	name := d.ours(failed.Parameter)
	if name == "" || a.Code == oauth.InvalidClient || strings.Contains(a.Description, name) {
		return a.Description
	}
	return a.Description + ": " + name
}
