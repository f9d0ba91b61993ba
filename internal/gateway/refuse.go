package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// retryAfter is how long a client is told to wait where this node cannot judge.
const retryAfter = 5 * time.Second

// refusal is an answer of ours.
type refusal struct {
	status      int
	code        string
	description string
}

// body is its JSON.
type body struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	RequestID   string `json:"request_id,omitempty"` // where the cause is behind the gateway
}

// refuse answers a call that err refuses. It is the one place where verdicts become
// bytes; what is wrong with a token is answered by package resourceserver (RFC 6750 §3).
func (c *call) refuse(err error) {
	c.stamp()
	reason := reasonOf(err)
	c.ex.Reason, c.ex.Err = string(reason), c.cause(err)
	realm := ""
	if c.verdict.API != nil {
		realm = c.verdict.API.Realm
	}
	r, ok := errors.AsType[*guard.Refusal](err)
	if !ok {
		resourceserver.Refuse(c.ex, realm, err)
		return
	}
	a, text := c.answerTo(r)
	text = append(text, '\n')
	h := c.ex.Header()
	h.Set("Cache-Control", "no-store")
	if a.status == http.StatusForbidden {
		h.Set("WWW-Authenticate", challenge(realm, r))
	}
	if r.RetryAfter > 0 || a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", seconds(r.RetryAfter))
	}
	if reason == guard.BodyTooLarge || reason == guard.BodyMalformed || reason == ClientTimeout {
		h.Set("Connection", "close") // the rest of the body is nobody's
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("X-Content-Type-Options", "nosniff")
	c.ex.WriteHeader(a.status)
	_, _ = c.ex.Write(text) // a client that is gone needs no answer
}

// answerTo is the answer to a refusal, and its body.
func (c *call) answerTo(r *guard.Refusal) (refusal, []byte) {
	if c.verdict.GraphQL != nil {
		if a, ok := answerToGraphQL(r); ok {
			return a, envelopeOf(a, r, c.ex.ID)
		}
	}
	a := answerTo(r)
	b := body{Error: a.code, Description: a.description}
	if a.status == http.StatusBadGateway || a.status == http.StatusGatewayTimeout {
		b.RequestID = c.ex.ID
	}
	text, _ := json.Marshal(b) // strings only
	return a, text
}

// reasonOf is the word for logs, metrics and activity.
func reasonOf(err error) guard.Reason {
	v := guard.Verdict{Err: err}
	return v.Reason()
}

// seconds are whole ones, at least one (RFC 9110 §10.2.3).
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}

// challenge asks for more than the token gives (RFC 6750 §3.1).
func challenge(realm string, r *guard.Refusal) string {
	s := `Bearer realm="` + realm + `", error="insufficient_scope"`
	if r.Reason == guard.ScopeMissing {
		s += `, scope="` + r.Scopes.String() + `"`
	}
	return s
}

const invalidRequest = "invalid_request"

// answerTo says what is wrong, and no more than the client itself said or may know.
func answerTo(r *guard.Refusal) refusal {
	if a, ok := missing(r); ok {
		return a
	}
	switch r.Reason {
	case guard.WrongHost:
		return refusal{http.StatusMisdirectedRequest, invalidRequest, "no API is served at this host; check the host of the URL"}
	case guard.NoAPI:
		return refusal{http.StatusNotFound, invalidRequest, "nothing is served at this path; check the path of the URL"}
	case guard.NoRoute:
		return refusal{http.StatusNotFound, "not_found", "the API has no such endpoint; check the method and the path"}
	case guard.RateLimited:
		return refusal{http.StatusTooManyRequests, "rate_limited", "too many calls in this minute; wait as long as Retry-After says"}
	case guard.Stale, guard.Unavailable, Revoked: // what is revoked and what only cannot be judged now look alike here: the next call is told which
		return refusal{http.StatusServiceUnavailable, "temporarily_unavailable", "the call cannot be judged now; try again later"}
	case Loop:
		return refusal{http.StatusLoopDetected, "loop_detected", "the API's upstream leads back to the gateway; whoever runs it must name the API itself"}
	case guard.BodyTooLarge:
		return refusal{http.StatusRequestEntityTooLarge, invalidRequest, "the body is larger than this API takes"}
	case guard.BodyType:
		return refusal{http.StatusUnsupportedMediaType, invalidRequest, "send the body as application/json or application/x-www-form-urlencoded"}
	case ClientTimeout:
		return refusal{http.StatusRequestTimeout, invalidRequest, "the body did not arrive in time"}
	case ConnectTimeout, AnswerTimeout, IdleTimeout:
		return refusal{http.StatusGatewayTimeout, "gateway_timeout", "the API did not answer in time"}
	case UpstreamUnreachable, UpstreamCut, UpstreamMalformed:
		return refusal{http.StatusBadGateway, "bad_gateway", "the API gave no answer that could be passed on"}
	}
	return ambiguous(r)
}

// missing is what a client that is known lacks.
func missing(r *guard.Refusal) (refusal, bool) {
	description := ""
	switch r.Reason {
	case guard.EndpointDisabled:
		description = "the endpoint " + clip(r.Missing) + " is not enabled for this client's tenant"
	case guard.ScopeMissing:
		description = "the call needs the scope " + clip(r.Missing)
	case guard.ActionMissing:
		description = "the call needs the action " + clip(r.Missing) + ", which no policy of this client holds"
	case guard.RoleUnknown:
		description = "the role of this user or API key is none that this API knows"
	case guard.ResourceOutside:
		description = "this client may not act on " + clip(r.Resource.Kind) + " " + clip(r.Resource.ID)
		if r.Resource.All {
			description = "the call needs a client that may act on every " + clip(r.Resource.Kind)
		}
	default:
		return refusal{}, false
	}
	return refusal{http.StatusForbidden, "insufficient_scope", description}, true
}

// ambiguous is a request that has two readings, or none.
func ambiguous(r *guard.Refusal) refusal {
	description := ""
	switch r.Reason {
	case guard.PathAmbiguous:
		description = "the path can be read in more than one way; write it without dot segments, empty segments and escapes of / \\ ;"
	case guard.QueryAmbiguous:
		description = "the query can be read in more than one way"
	case guard.MethodOverride:
		description = "the method is that of the request line; leave out the header that overrides it"
	case guard.QueryRefused:
		description = "send query, operationName and variables in the body, without a query string; or by GET, and nothing else"
	case guard.UpgradeRefused:
		description = "this endpoint does not change to another protocol"
	case guard.BodyMalformed:
		description = "the body cannot be read as what its headers say"
	case guard.EventRefused:
		if wrong, ok := errors.AsType[*guard.EventError](r.Err); ok {
			description = wrong.Error() // of our own words
		}
	case guard.Parameter:
		description = "the parameter " + clip(r.Missing) + " decides who may call: send it exactly once, and not empty"
	default:
		return refusal{http.StatusInternalServerError, "server_error", "the call cannot be answered"}
	}
	return refusal{http.StatusBadRequest, invalidRequest, description}
}

const maxTold = 200 // bytes of a text that came in

// clip keeps an answer short.
func clip(s string) string {
	if len(s) <= maxTold {
		return s
	}
	return strings.ToValidUTF8(s[:maxTold], "") + "…"
}
