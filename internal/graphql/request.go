package graphql

import (
	"encoding/json"
	"strings"

	"github.com/postern-dev/postern/internal/strictjson"
)

// Request is what a client sent.
type Request struct {
	Query         string
	OperationName string
	Variables     json.RawMessage
}

// ReadRequest reads a body of the form {query, variables, operationName}. A member
// twice, or of another type, is refused (D-85), and so are arrays of requests; a member
// of another name too, as persisted queries need one (D-84). Empty extensions are
// taken and not forwarded. The error is a *Refusal.
func ReadRequest(body []byte) (Request, error) {
	members, err := strictjson.Object(body)
	if err != nil {
		return Request{}, &Refusal{Reason: Malformed, Detail: "body: " + err.Error()}
	}
	return request(members)
}

// ReadParameters reads the query of a GET (D-82): query, variables and operationName,
// each at most once, and nothing else. Whether GET is turned on, and that it carries
// no mutation (Plan.Mutation), is the mouth's business. The error is a *Refusal.
func ReadParameters(query map[string][]string) (r Request, err error) {
	for name, values := range query {
		if len(values) != 1 {
			return r, &Refusal{Reason: Malformed, Detail: "a parameter more than once"}
		}
		switch value := values[0]; name {
		case "query":
			r.Query = value
		case "operationName":
			r.OperationName = value
		case "variables":
			r.Variables = json.RawMessage(value)
		default:
			return r, &Refusal{Reason: NotSupported, Detail: "a parameter that is not query, variables or operationName"}
		}
	}
	if _, has := query["query"]; !has {
		return r, &Refusal{Reason: Malformed, Detail: "there is no query"}
	}
	return r, nil
}

// ReadBatch reads an array of requests (D-81), at most max. A body that is no array
// is one request. The error is a *Refusal.
func ReadBatch(body []byte, max int) (requests []Request, batch bool, err error) {
	if strings.HasPrefix(strings.TrimLeft(string(body[:min(len(body), 64)]), " \t\r\n"), "[") {
		requests, err = readArray(body, max)
		return requests, true, err
	}
	one, err := ReadRequest(body)
	if err != nil {
		return nil, false, err
	}
	return []Request{one}, false, nil
}

func readArray(body []byte, max int) ([]Request, error) {
	if err := strictjson.Check(body); err != nil {
		return nil, &Refusal{Reason: Malformed, Detail: "body: " + err.Error()}
	}
	text := string(body)
	var requests []Request
	tokens := tape(text)
	for i := 1; i < len(tokens); i = tokens[i].next {
		if len(requests) == max {
			return nil, &Refusal{Reason: TooComplex, Detail: "past the limit of requests in a batch"}
		}
		one, err := ReadRequest([]byte(text[tokens[i].start:tokens[i].end]))
		if err != nil {
			return nil, err
		}
		requests = append(requests, one)
	}
	if len(requests) == 0 {
		return nil, &Refusal{Reason: Malformed, Detail: "an empty batch"}
	}
	return requests, nil
}

func request(members []strictjson.RawMember) (r Request, err error) {
	has := false
	for i := range members {
		switch m := &members[i]; m.Name {
		case "query":
			r.Query, err = m.Text()
			has = true
		case "operationName":
			if string(m.Value) != "null" {
				r.OperationName, err = m.Text()
			}
		case "variables":
			if c := m.Value[0]; c != '{' && c != 'n' {
				return r, &Refusal{Reason: Malformed, Detail: "variables are no JSON object"}
			}
			r.Variables = m.Value
		case "extensions":
			err = extensions(m.Value)
		default:
			return r, &Refusal{Reason: NotSupported, Detail: "a member that is not query, variables or operationName"}
		}
		if err != nil {
			break
		}
	}
	if err == nil && !has {
		err = &Refusal{Reason: Malformed, Detail: "there is no query"}
	}
	if _, ok := err.(*Refusal); err != nil && !ok { //nolint:errorlint // made here, bare
		err = &Refusal{Reason: Malformed, Detail: "query and operationName are strings"}
	}
	return r, err
}

// extensions may be there, but say nothing.
func extensions(raw json.RawMessage) error {
	if string(raw) == "null" {
		return nil
	}
	if members, err := strictjson.Object(raw); err != nil || len(members) > 0 {
		return &Refusal{Reason: NotSupported, Detail: "extensions, as persisted queries need them"}
	}
	return nil
}

// Body is what is forwarded: query, operationName and variables, and nothing else.
func (n *Need) Body(check bool) []byte {
	p := n.plan
	doc := p.Document(check)
	out := make([]byte, 0, len(doc)+len(doc)/16+len(n.Variables)+len(p.name)+64)
	out = strictjson.AppendString(append(out, `{"query":`...), doc)
	if p.name != "" {
		out = strictjson.AppendString(append(out, `,"operationName":`...), p.name)
	}
	if n.Variables != nil {
		out = append(append(out, `,"variables":`...), n.Variables...)
	}
	return append(out, '}')
}
