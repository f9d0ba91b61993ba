package graphql

import (
	"encoding/json"
	"errors"

	"github.com/postern-dev/postern/internal/strictjson"
)

// Request is what a client sent.
type Request struct {
	Query         string
	OperationName string
	Variables     json.RawMessage
}

// ReadRequests reads a body of the form {query, variables, operationName}, or an array of
// at most max of these (D-81). A member twice, or of another type, is refused (D-85); a
// member of another name too, as persisted queries need one (D-84). Empty extensions are
// taken and not forwarded. The error is a *Refusal.
func (s *Schema) ReadRequests(body []byte, max int) (requests []Request, batch bool, err error) {
	tape, err := strictjson.Lay(string(body), strictjson.Bounds{Values: s.options.Limits.Values})
	if err != nil {
		return nil, false, unread("body", err)
	}
	root := &tape.Tokens[0]
	if root.Kind != '[' {
		one, err := readRequest(&tape, 0)
		return []Request{one}, false, err
	}
	for i := int32(1); i < root.Next; i = tape.Tokens[i].Next {
		if len(requests) == max {
			return nil, true, &Refusal{Reason: TooComplex, Detail: "past the limit of requests in a batch"}
		}
		one, err := readRequest(&tape, i)
		if err != nil {
			return nil, true, err
		}
		requests = append(requests, one)
	}
	if len(requests) == 0 {
		return nil, true, &Refusal{Reason: Malformed, Detail: "an empty batch"}
	}
	return requests, true, nil
}

// unread is why JSON of a client is not read.
func unread(what string, err error) *Refusal {
	switch {
	case errors.Is(err, strictjson.ErrValues):
		return tooComplex("values", nil)
	case errors.Is(err, strictjson.ErrDepth):
		return tooComplex("depth", nil)
	}
	return &Refusal{Reason: Malformed, Detail: what + ": " + err.Error()}
}

func readRequest(t *strictjson.Tape, at int32) (r Request, err error) {
	root, has := &t.Tokens[at], false
	if root.Kind != '{' {
		return r, &Refusal{Reason: Malformed, Detail: "body: " + strictjson.ErrNotObject.Error()}
	}
	for i := at + 1; i < root.Next; i = t.Tokens[i].Next {
		text := true
		switch m := &t.Tokens[i]; m.Name {
		case "query":
			r.Query, text = t.String(i)
			has = true
		case "operationName":
			if m.Kind != 'n' {
				r.OperationName, text = t.String(i)
			}
		case "variables":
			if m.Kind != '{' && m.Kind != 'n' {
				return r, &Refusal{Reason: Malformed, Detail: "variables are no JSON object"}
			}
			r.Variables = json.RawMessage(t.Raw(i))
		case "extensions": // may be there, but say nothing
			if m.Kind != 'n' && (m.Kind != '{' || t.Len(i) > 0) {
				return r, &Refusal{Reason: NotSupported, Detail: "extensions, as persisted queries need them"}
			}
		default:
			return r, &Refusal{Reason: NotSupported, Detail: "a member that is not query, variables or operationName"}
		}
		if !text {
			return r, &Refusal{Reason: Malformed, Detail: "query and operationName are strings"}
		}
	}
	if !has {
		return r, &Refusal{Reason: Malformed, Detail: "there is no query"}
	}
	return r, nil
}

// Body is what is forwarded: query, operationName and variables, and nothing else.
func (n *Need) Body(check bool) []byte {
	head := n.plan.plain.head
	if check {
		head = n.plan.checked.head
	}
	out := append(make([]byte, 0, len(head)+len(n.Variables)+16), head...)
	if n.Variables != nil {
		out = append(append(out, `,"variables":`...), n.Variables...)
	}
	return append(out, '}')
}

// form is a document as it is forwarded.
type form struct {
	document string
	head     string // of the body, up to the variables: the same for every request
}

func (p *Plan) form(document string) form {
	head := strictjson.AppendString([]byte(`{"query":`), document)
	if p.name != "" {
		head = strictjson.AppendString(append(head, `,"operationName":`...), p.name)
	}
	return form{document, string(head)}
}
