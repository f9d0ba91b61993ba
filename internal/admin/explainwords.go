package admin

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
)

// Why a token of the client would be worth nothing at the API. Outside that is
// guard.TokenInvalid, the same to all (D-72).
const (
	ClientDisabled   guard.Reason = "client_disabled"
	clientEnded      guard.Reason = "client_ended"
	issuerNotTrusted guard.Reason = "issuer_not_trusted"
	audienceMissing  guard.Reason = "audience_missing"
)

// why is the reason of a refusal, by its name and in words.
func (o *objects) why(e *guard.Explanation) (guard.Reason, string) {
	reason := e.Reason()
	r, ok := errors.AsType[*guard.Refusal](e.Err)
	if !ok {
		if reason == guard.TokenInvalid {
			reason = o.standing()
		}
		return reason, o.tokenWords(reason)
	}
	text := o.words(r)
	if engine, ok := errors.AsType[*graphql.Refusal](r.Err); ok && engine.Detail != "" {
		text += ": " + engine.Detail
	} else if r.Err != nil && !ok {
		text += ": " + r.Err.Error()
	}
	return reason, text
}

// standing is what keeps the tokens of the client from the API.
func (o *objects) standing() guard.Reason {
	switch {
	case !slices.Contains(o.api.Issuers, o.client.Issuer):
		return issuerNotTrusted
	case o.client.Status != domain.Enabled:
		return ClientDisabled
	case !slices.Contains(o.client.Audiences, o.api.Audience):
		return audienceMissing
	}
	return clientEnded
}

func (o *objects) tokenWords(reason guard.Reason) string {
	switch reason {
	case issuerNotTrusted:
		return fmt.Sprintf("the API takes no tokens of issuer %s, but of %s", o.client.Issuer, strings.Join(o.api.Issuers, ", "))
	case ClientDisabled:
		return "the client is disabled: it gets no token, and those it has are worth nothing"
	case clientEnded:
		return "the client is past its end (valid_until): it gets no token, and those it has are worth nothing"
	case audienceMissing:
		return fmt.Sprintf("the client gets no tokens for this API: %s is not among its audiences", o.api.Audience)
	}
	return "it cannot be judged now; the server's log says why"
}

// words says what a refusal is about, without its cause.
func (o *objects) words(r *guard.Refusal) string {
	if len(r.Alternatives) > 0 {
		return "it needs " + alternativesText(r.Alternatives)
	}
	switch r.Reason {
	case guard.EndpointDisabled:
		return fmt.Sprintf("the endpoint %q is not enabled for the tenant", r.Missing)
	case guard.ScopeMissing:
		return fmt.Sprintf("it needs the scope %q", r.Missing)
	case guard.ActionMissing:
		return fmt.Sprintf("it needs the action %q", r.Missing)
	case guard.ResourceOutside:
		return "it touches " + resourceWords(r.Resource) + ", which the client may not reach"
	case guard.ScopeRefused:
		return "no token is issued for the scope that was asked for"
	}
	if text := documentWords(r.Reason); text != "" {
		return text
	}
	return o.requestWords(r)
}

func documentWords(reason guard.Reason) string {
	switch reason {
	case guard.GraphQLMalformed:
		return "the document, or its variables, cannot be read"
	case guard.GraphQLTooComplex:
		return "the request is past one of the limits of this API (graphql.limits)"
	case guard.GraphQLInvalid:
		return "the document is not valid in the schema of this API"
	case guard.GraphQLNoOperation:
		return "there is no such operation in the document, or there are several and none is named"
	case guard.GraphQLNotSupported:
		return "it is nothing that passes here, whoever asks"
	case guard.GraphQLIntrospection:
		return "introspection is not turned on for this API"
	case guard.GraphQLUnanswered:
		return "nobody may have this field, as its rules lack an answer"
	case guard.GraphQLBadVariables:
		return "the variables do not fit their types"
	case guard.GraphQLUndeclared:
		return "nobody may send this value"
	}
	return ""
}

func (o *objects) requestWords(r *guard.Refusal) string {
	switch r.Reason {
	case guard.NoRoute:
		return "no rule of this API lets anybody pass there"
	case guard.PathAmbiguous, guard.QueryAmbiguous:
		return "the path, or its query, can be read in two ways"
	case guard.Parameter:
		return fmt.Sprintf("the parameter %q, which a rule reads, is not there exactly once", r.Missing)
	case guard.BodyType:
		return "the rule reads the body: it must be application/json or a form"
	case guard.BodyMalformed:
		return "the body cannot be read"
	case guard.EventRefused:
		return "the body holds something that is no event"
	case guard.BodyTooLarge:
		return "the body is too large"
	case guard.MethodOverride:
		return fmt.Sprintf("%q would give the method another meaning", r.Missing)
	case guard.QueryRefused:
		return "a GraphQL call has no query string"
	}
	return "it cannot be judged now"
}

func resourceWords(r policy.Resource) string {
	if r.All {
		return "all of kind " + r.Kind
	}
	return r.Kind + " " + r.ID
}

func alternativesText(list []policy.Need) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = strings.Join(append(slices.Clone(n.Scopes), n.Actions...), " and ")
	}
	return "one of: " + strings.Join(texts, "; ")
}
