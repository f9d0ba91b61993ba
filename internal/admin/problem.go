package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/signin"
)

// problemType is what a program tells problems apart by (RFC 9457 §3.1.1). It never changes
// its meaning.
type problemType string

// The types.
const (
	malformed            problemType = "urn:postern:problem:malformed"              // 400, 408
	unauthenticated      problemType = "urn:postern:problem:unauthenticated"        // 401
	forbidden            problemType = "urn:postern:problem:forbidden"              // 403
	notFresh             problemType = "urn:postern:problem:not-fresh"              // 403
	noAdministrator      problemType = "urn:postern:problem:no-administrator"       // 403
	notFound             problemType = "urn:postern:problem:not-found"              // 404
	methodNotAllowed     problemType = "urn:postern:problem:method-not-allowed"     // 405
	conflict             problemType = "urn:postern:problem:conflict"               // 409
	exists               problemType = "urn:postern:problem:exists"                 // 409
	inUse                problemType = "urn:postern:problem:in-use"                 // 409
	declared             problemType = "urn:postern:problem:declared"               // 409
	lastAdmin            problemType = "urn:postern:problem:last-admin"             // 409
	noRotation           problemType = "urn:postern:problem:rotation"               // 409
	running              problemType = "urn:postern:problem:running"                // 409
	answerLost           problemType = "urn:postern:problem:answer-lost"            // 409, 500
	preconditionFailed   problemType = "urn:postern:problem:precondition-failed"    // 412
	tooLarge             problemType = "urn:postern:problem:too-large"              // 413
	unsupportedMediaType problemType = "urn:postern:problem:unsupported-media-type" // 415
	invalid              problemType = "urn:postern:problem:invalid"                // 422
	otherParameters      problemType = "urn:postern:problem:idempotency-key-reused" // 422
	tooMany              problemType = "urn:postern:problem:too-many-requests"      // 429
	internal             problemType = "urn:postern:problem:internal"               // 500
	provider             problemType = "urn:postern:problem:provider"               // 502
	unavailable          problemType = "urn:postern:problem:unavailable"            // 503
)

// problemTypes are all of them, with what each says.
func problemTypes() []struct {
	Type    problemType
	Status  int
	Meaning string
} {
	return []struct {
		Type    problemType
		Status  int
		Meaning string
	}{
		{malformed, http.StatusBadRequest, "The request is not well-formed: its syntax, its query string, its cursor, a header. 408 where it did not come to its end in time."},
		{unauthenticated, http.StatusUnauthorized, "There is no credential, or none that is good here."},
		{forbidden, http.StatusForbidden, "The caller may not do this; the detail says which right is missing."},
		{notFresh, http.StatusForbidden, "The caller may do this only shortly after signing in: sign in again."},
		{noAdministrator, http.StatusForbidden, "There is no administrator yet; until then only this machine is answered."},
		{notFound, http.StatusNotFound, "There is no such object, or none that the caller may see."},
		{methodNotAllowed, http.StatusMethodNotAllowed, "The path does not have this method; the header Allow lists those that it has."},
		{conflict, http.StatusConflict, "Somebody else changed the object meanwhile: read it again."},
		{exists, http.StatusConflict, "There is one of this name or id already."},
		{inUse, http.StatusConflict, "Other objects refer to it; the detail says which."},
		{declared, http.StatusConflict, "It came from a file, which is where it is changed; the detail names it."},
		{lastAdmin, http.StatusConflict, "It is the last platform administrator, and one must stay."},
		{noRotation, http.StatusConflict, "The secrets of the client do not stand so that this could be done; the detail says what can."},
		{running, http.StatusConflict, "A request with this Idempotency-Key is still running: ask again after Retry-After."},
		{answerLost, http.StatusConflict, "A request with this Idempotency-Key changed something, and there is no answer to give again: look whether what it makes is there; a new key makes another. 500 where it is the answer to the request that changed something."},
		{preconditionFailed, http.StatusPreconditionFailed, "The version that If-Match names is not the current one: read the object again."},
		{tooLarge, http.StatusRequestEntityTooLarge, "The request is too large."},
		{unsupportedMediaType, http.StatusUnsupportedMediaType, "The request is not application/json."},
		{invalid, http.StatusUnprocessableEntity, "The request is understood and wrong: `errors` lists everything that is."},
		{otherParameters, http.StatusUnprocessableEntity, "This Idempotency-Key came with other parameters before."},
		{tooMany, http.StatusTooManyRequests, "Too many attempts: wait as Retry-After says."},
		{internal, http.StatusInternalServerError, "Something failed here; the server's log says what, under the id of X-Request-Id."},
		{provider, http.StatusBadGateway, "The OpenID provider did not do what it should."},
		{unavailable, http.StatusServiceUnavailable, "This node cannot answer now: wait as Retry-After says."},
	}
}

// typeOf is the type of a problem for which nothing more is known than its status.
func typeOf(status int) problemType {
	for _, t := range problemTypes() {
		if t.Status == status {
			return t.Type
		}
	}
	if status >= http.StatusInternalServerError {
		return internal
	}
	return malformed
}

// fail is a problem.
func fail(status int, t problemType, detail string, places ...*huma.ErrorDetail) error {
	return &huma.ErrorModel{Type: string(t), Title: http.StatusText(status), Status: status, Detail: detail, Errors: places}
}

func place(at, message string) *huma.ErrorDetail {
	return &huma.ErrorDetail{Location: at, Message: message}
}

func withHeader(err error, name, value string) error {
	h := http.Header{}
	h.Set(name, value)
	return huma.ErrorWithHeaders(err, h)
}

// problem is the one function from an error to a problem (RFC 9457). What is not known
// becomes a 500 without detail, and is told in the log's line of the request.
func problem(ctx context.Context, err error) error {
	var wrong *domain.Invalid
	var model *huma.ErrorModel
	switch {
	case err == nil:
		return nil
	case errors.As(err, &model):
		return err
	case errors.Is(err, domain.ErrBehind): // whatever else it is; sent again, the request would change something again
		askedOf(ctx).exchange.Err = err
		return fail(http.StatusInternalServerError, answerLost, domain.ErrBehind.Error()+", and there is no other answer; look at what was changed, and do not send the request again")
	case errors.Is(err, domain.ErrTaken):
		return stillRunning()
	case errors.As(err, &wrong):
		details := make([]*huma.ErrorDetail, len(wrong.Problems))
		for i, p := range wrong.Problems {
			details[i] = place(p.Place(), p.Message)
		}
		return fail(http.StatusUnprocessableEntity, invalid, wrong.Object+" is not valid", details...)
	}
	if known := domainProblem(ctx, err); known != nil {
		return known
	}
	if known := signInProblem(ctx, err); known != nil {
		return known
	}
	askedOf(ctx).exchange.Err = err
	if errors.Is(err, domain.ErrStale) || errors.Is(err, context.DeadlineExceeded) {
		return withHeader(fail(http.StatusServiceUnavailable, unavailable, "this node cannot reach its store; try again"), "Retry-After", "5")
	}
	return fail(http.StatusInternalServerError, internal, "something failed here, and the server's log says why; before you send a change again, look whether it was made")
}

// domainProblem is the problem of an error of packages registry and domain, nil where it is none.
func domainProblem(ctx context.Context, err error) error {
	for _, known := range []struct {
		err    error
		status int
		kind   problemType
	}{ // an error may be several: the first counts
		{registry.ErrNotFresh, http.StatusForbidden, notFresh}, {registry.ErrForbidden, http.StatusForbidden, forbidden},
		{registry.ErrDeclared, http.StatusConflict, declared}, {registry.ErrRotating, http.StatusConflict, noRotation},
		{registry.ErrNoRotation, http.StatusConflict, noRotation}, {registry.ErrNoSecret, http.StatusConflict, noRotation},
		{registry.ErrLastAdmin, http.StatusConflict, lastAdmin}, {domain.ErrNotFound, http.StatusNotFound, notFound},
		{domain.ErrExists, http.StatusConflict, exists}, {registry.ErrInUse, http.StatusConflict, inUse}, {domain.ErrConflict, http.StatusConflict, conflict},
	} {
		switch {
		case !errors.Is(err, known.err):
		case known.status == http.StatusForbidden:
			return insufficient(ctx, fail(known.status, known.kind, err.Error()))
		case known.kind == conflict && askedOf(ctx).ifMatch: // RFC 9110 §13.1.1
			return fail(http.StatusPreconditionFailed, preconditionFailed, err.Error())
		default:
			return fail(known.status, known.kind, err.Error())
		}
	}
	return nil
}

// signInProblem is the problem of an error of package signin, nil where it is none.
func signInProblem(ctx context.Context, err error) error {
	var many *signin.TooMany
	if errors.As(err, &many) {
		return withHeader(fail(http.StatusTooManyRequests, tooMany, many.Error()), "Retry-After", strconv.Itoa(int(many.Wait.Seconds())))
	}
	if errors.Is(err, domain.ErrStale) {
		return nil
	}
	for _, known := range []struct {
		err    error
		status int
		kind   problemType
	}{
		{signin.ErrScope, http.StatusForbidden, forbidden}, {signin.ErrNone, http.StatusUnauthorized, unauthenticated}, {signin.ErrCredential, http.StatusUnauthorized, unauthenticated},
		{signin.ErrEnded, http.StatusUnauthorized, unauthenticated}, {signin.ErrPassword, http.StatusUnauthorized, unauthenticated},
		{signin.ErrTwo, http.StatusBadRequest, malformed}, {signin.ErrState, http.StatusBadRequest, malformed},
		{signin.ErrOrigin, http.StatusForbidden, forbidden}, {signin.ErrLink, http.StatusForbidden, forbidden}, {signin.ErrDenied, http.StatusForbidden, forbidden},
		{signin.ErrNobody, http.StatusForbidden, forbidden}, {signin.ErrNotAllowed, http.StatusForbidden, notFresh},
		{signin.ErrHasAdmin, http.StatusConflict, exists}, {signin.ErrNoOIDC, http.StatusNotFound, notFound}, {signin.ErrProvider, http.StatusBadGateway, provider},
	} {
		if !errors.Is(err, known.err) {
			continue
		}
		askedOf(ctx).exchange.Err = err // the log may know more than the caller
		told := known.err
		if errors.Is(err, signin.ErrDenied) { // with the provider's own word
			told = err
		}
		p := fail(known.status, known.kind, told.Error())
		if c := challengeOf(known.err); c != "" {
			return withHeader(p, "WWW-Authenticate", c)
		}
		return p
	}
	return nil
}

// challenge is what a request that a better token would have served is answered.
const challenge = `Bearer realm="postern admin"`

// challengeOf is the challenge that goes with an error of package signin, if any: with a code
// only where the request had a token (RFC 6750 §3).
func challengeOf(err error) string {
	switch {
	case errors.Is(err, signin.ErrScope):
		return challenge + `, error="insufficient_scope"`
	case errors.Is(err, signin.ErrCredential):
		return challenge + `, error="invalid_token"`
	case errors.Is(err, signin.ErrTwo):
		return challenge + `, error="invalid_request"`
	case errors.Is(err, signin.ErrNone), errors.Is(err, signin.ErrEnded), errors.Is(err, signin.ErrPassword):
		return challenge
	}
	return ""
}

// insufficient adds the challenge where it is a token that is not enough (RFC 6750 §3.1).
func insufficient(ctx context.Context, err error) error {
	if about := askedOf(ctx); about.local || about.session != nil || about.caller.Actor == "" {
		return err
	}
	return withHeader(err, "WWW-Authenticate", challenge+`, error="insufficient_scope"`)
}

// complete fills in what a problem of the framework lacks, and takes out what came in: it
// may be a secret (D-37).
func complete(ctx context.Context, p *huma.ErrorModel) {
	if p.Type == "" {
		p.Type = string(typeOf(p.Status))
	}
	if id := askedOf(ctx).exchange.ID; id != "" {
		p.Instance = "urn:uuid:" + id
	}
	for _, e := range p.Errors {
		e.Value = nil
	}
}

// writeProblem writes what problem returned.
func writeProblem(ctx context.Context, w http.ResponseWriter, err error) {
	var model *huma.ErrorModel
	if !errors.As(err, &model) {
		return
	}
	complete(ctx, model)
	var headers huma.HeadersError
	if errors.As(err, &headers) {
		for name, values := range headers.GetHeaders() {
			w.Header()[name] = values
		}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(model.Status)
	_ = json.NewEncoder(w).Encode(model) // whoever asked is gone
}
