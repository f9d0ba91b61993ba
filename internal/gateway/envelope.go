package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// The codes of GraphQL errors (`extensions.code`).
const (
	forbidden    = "FORBIDDEN"
	badRequest   = "BAD_REQUEST"
	invalidQuery = "GRAPHQL_VALIDATION_FAILED"
	tooComplex   = "TOO_COMPLEX"
	notSupported = "NOT_SUPPORTED"
	badAnswer    = "BAD_ANSWER"
)

// envelope is what a GraphQL client reads of a refusal (GraphQL §7.1): errors, and no
// `data` at all, since nothing was executed (TRI-09).
type envelope struct {
	Errors [1]graphQLError `json:"errors"`
}

type graphQLError struct {
	Message    string     `json:"message"`
	Path       []string   `json:"path,omitempty"`
	Locations  []location `json:"locations,omitempty"`
	Extensions extensions `json:"extensions"`
}

type location struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

type extensions struct {
	Code      string `json:"code"`
	RequestID string `json:"request_id"`
}

// answerToGraphQL is what a refusal says at a GraphQL endpoint. What is about the document,
// its variables or the client's rights is HTTP 200; what is about the request is as
// elsewhere, in the same envelope. All else is not for the envelope.
func answerToGraphQL(r *guard.Refusal) (refusal, bool) {
	if a, ok := missing(r); ok {
		return refusal{http.StatusOK, forbidden, a.description}, true
	}
	if code, description := ofDocument(r); code != "" {
		return refusal{http.StatusOK, code, description}, true
	}
	a := answerTo(r)
	switch r.Reason {
	case guard.BodyType:
		a.description = "send the body as application/json, not compressed"
	case guard.BodyMalformed:
		a.description = "send one JSON object of query, variables and operationName, each once"
	case guard.Parameter:
		a.description = "send the parameter " + clip(r.Missing) + " once, and not empty"
	}
	a.code = badRequest
	return a, a.status == http.StatusBadRequest || a.status == http.StatusRequestEntityTooLarge || a.status == http.StatusUnsupportedMediaType
}

// ofDocument tells what is wrong with a document, or with the answer to it. Nothing here
// comes from the schema (D-93).
func ofDocument(r *guard.Refusal) (code, description string) {
	switch r.Reason {
	case guard.GraphQLMalformed:
		return badRequest, "the document, or its variables, cannot be read"
	case guard.GraphQLNoOperation:
		return badRequest, "the document has no such operation, or has several: name the one to execute as operationName"
	case guard.GraphQLBadVariables:
		if strings.HasPrefix(r.Path, "$") {
			return badRequest, "the variable " + clip(r.Path) + " does not fit its type"
		}
		return badRequest, "a value here does not fit its type: an id is a string that is not empty, or an integer"
	case guard.GraphQLInvalid:
		return invalidQuery, "the document is not valid in the schema of this API"
	case guard.GraphQLTooComplex:
		return tooComplex, "the request is larger, deeper or wider than this API takes"
	case guard.GraphQLNotSupported:
		return notSupported, "this API takes no subscriptions, no persisted queries and no mutations by GET"
	case guard.GraphQLIntrospection:
		return notSupported, "this API does not tell its schema"
	case guard.GraphQLUnanswered:
		return forbidden, "no rule lets anybody ask for this"
	case guard.GraphQLUndeclared:
		return forbidden, "no rule says what this value names"
	case guard.GraphQLOutside:
		return forbidden, "the answer holds what this client may not see; ask for less"
	case guard.GraphQLBadAnswer:
		return badAnswer, "the API gave no answer that could be checked"
	}
	return "", ""
}

const maxPath = 1 << 10 // bytes of the path told back

// envelopeOf is the body for a refusal, of the one request that it is about.
func envelopeOf(a refusal, r *guard.Refusal, requestID string) []byte {
	e := graphQLError{Message: a.description, Extensions: extensions{a.code, requestID}}
	if r.Item > 0 {
		e.Message = "request " + strconv.Itoa(r.Item) + " of the batch: " + e.Message
	}
	if r.Path != "" && r.Path[0] != '$' && len(r.Path) <= maxPath {
		e.Path = strings.Split(r.Path, ".")
	}
	if r.Line > 0 {
		e.Locations = []location{{r.Line, r.Column}}
	}
	text, _ := json.Marshal(envelope{[1]graphQLError{e}}) // strings and numbers only
	return text
}

// cause is what the log should know beside the reason.
func (c *call) cause(err error) error {
	r, ok := errors.AsType[*guard.Refusal](err)
	switch {
	case ok && c.verdict.GraphQL != nil:
		return errors.New(clip(r.Error())) // it may hold a part of the document
	case ok:
		return r.Err
	case errors.Is(err, resourceserver.ErrToken), errors.Is(err, resourceserver.ErrUnavailable):
		return err // which says more than the answer does, and nothing of the token
	}
	return nil
}
