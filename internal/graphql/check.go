package graphql

import (
	"slices"

	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/strictjson"
)

// genericErrors stand for whatever an upstream says: its words may tell of objects
// that nobody checked.
const genericErrors = `"errors":[{"message":"the upstream reported an error"}]`

// CheckResponse reads the answer to Document(true) and returns what may be passed on:
// every object of a scoped type lies in the client's scope, the hidden aliases are
// gone, errors and extensions are replaced by a generic error, and what is sent is
// what was parsed (RULES "Guard, GraphQL", D-88). The error is a *Refusal: of the whole
// answer, Outside or BadAnswer.
func (p *Plan) CheckResponse(body []byte, rights *policy.Rights, said *policy.Said) ([]byte, error) {
	if p.answer == nil {
		return nil, &Refusal{Reason: BadAnswer, Detail: "the API does not check answers"}
	}
	tape, err := strictjson.Lay(string(body), strictjson.Bounds{}) // how long it may be is the caller's to say
	if err != nil {
		return nil, &Refusal{Reason: BadAnswer, Detail: err.Error()}
	}
	c := checker{Tape: tape, schema: p.schema, rights: rights, said: said, out: make([]byte, 0, len(body))}
	if refusal := c.envelope(p.answer); refusal != nil {
		return nil, refusal
	}
	return c.out, nil
}

type checker struct {
	strictjson.Tape
	schema *Schema
	out    []byte
	rights *policy.Rights
	said   *policy.Said
	need   policy.Need
	passed []policy.Resource // of late, so that one resource is asked for once
}

func bad(why string) *Refusal { return &Refusal{Reason: BadAnswer, Detail: why} }

// envelope reads data, errors and extensions (GraphQL §7.1).
func (c *checker) envelope(s *shape) *Refusal {
	root := c.Tokens[0]
	if root.Kind != '{' {
		return bad("no object")
	}
	data, errs := int32(0), false
	for i := int32(1); i < root.Next; i = c.Tokens[i].Next {
		switch c.Tokens[i].Name {
		case "data":
			data = i
		case "errors":
			errs = true
		case "extensions":
		default:
			return bad("a member that no answer has")
		}
	}
	c.out = append(c.out, '{')
	if errs {
		c.out = append(c.out, genericErrors...)
	}
	if data == 0 {
		if !errs {
			return bad("neither data nor errors")
		}
		c.out = append(c.out, '}')
		return nil
	}
	if errs {
		c.out = append(c.out, ',')
	}
	c.out = append(c.out, `"data":`...)
	if c.Tokens[data].Kind == '[' {
		return bad("data is no object")
	}
	refusal := c.value(data, s)
	c.out = append(c.out, '}')
	return refusal
}

// value reads what stands in a place: null, lists and objects of its types, or a leaf.
func (c *checker) value(i int32, s *shape) *Refusal {
	t := &c.Tokens[i]
	switch {
	case t.Kind == 'n':
		c.out = append(c.out, "null"...)
		return nil
	case s != nil && s.opaque:
		c.copy(i)
		return nil
	case t.Kind == '[':
		c.out = append(c.out, '[')
		for e := i + 1; e < t.Next; e = c.Tokens[e].Next {
			if e > i+1 {
				c.out = append(c.out, ',')
			}
			if refusal := c.value(e, s); refusal != nil {
				return refusal
			}
		}
		c.out = append(c.out, ']')
		return nil
	case s == nil && t.Kind != '{':
		c.out = append(c.out, c.Raw(i)...)
		return nil
	case s == nil || t.Kind != '{':
		return bad("an object where a leaf was asked for, or the other way round")
	}
	return c.object(i, s)
}

// copy writes a value of any kind without its white space.
func (c *checker) copy(i int32) {
	t := &c.Tokens[i]
	if t.Kind != '[' && t.Kind != '{' {
		c.out = append(c.out, c.Raw(i)...)
		return
	}
	c.out = append(c.out, t.Kind)
	for e := i + 1; e < t.Next; e = c.Tokens[e].Next {
		if e > i+1 {
			c.out = append(c.out, ',')
		}
		if t.Kind == '{' {
			c.out = append(strictjson.AppendString(c.out, c.Tokens[e].Name), ':')
		}
		c.copy(e)
	}
	c.out = append(c.out, t.Kind+2) // } and ] stand two after { and [
}

// object checks an object and writes it without the hidden members. Whatever was not
// asked for refuses the answer.
func (c *checker) object(i int32, s *shape) *Refusal {
	of, refusal := c.typeOf(i, s)
	if refusal != nil {
		return refusal
	}
	keys := 0
	c.out = append(c.out, '{')
	first := true
	for m, at := i+1, 0; m < c.Tokens[i].Next; m = c.Tokens[m].Next {
		name := c.Tokens[m].Name
		place := of.place(name, at)
		if place < 0 {
			k := slices.IndexFunc(of.keys, func(k keyCheck) bool { return k.alias == name })
			switch {
			case k >= 0:
				keys++
				if refusal := c.key(&of.keys[k], m); refusal != nil {
					return refusal
				}
			case s.alias == "" || name != s.alias:
				return bad("a member that was not asked for")
			}
			continue
		}
		at = place + 1
		if !first {
			c.out = append(c.out, ',')
		}
		first = false
		c.out = append(append(append(c.out, '"'), name...), '"', ':') // a name of the document, which needs no escape
		if refusal := c.value(m, of.shapes[place]); refusal != nil {
			return refusal
		}
	}
	c.out = append(c.out, '}')
	if keys != len(of.keys) {
		return bad("an object of a scoped type without its key")
	}
	return nil
}

// place finds a member; answers come in the order of the question, as a rule.
func (t *shapeType) place(name string, hint int) int {
	if hint < len(t.names) && t.names[hint] == name {
		return hint
	}
	return slices.Index(t.names, name)
}

// typeOf is the type of an object, by its hidden __typename where several may stand.
func (c *checker) typeOf(i int32, s *shape) (*shapeType, *Refusal) {
	if s.alias == "" {
		return s.types[0], nil
	}
	for m := i + 1; m < c.Tokens[i].Next; m = c.Tokens[m].Next {
		if c.Tokens[m].Name == s.alias {
			is, _ := c.String(m) // no type has an empty name
			for _, t := range s.types {
				if is == t.name {
					return t, nil
				}
			}
			return nil, bad("an object of a type that cannot stand there")
		}
	}
	return nil, bad("an object that does not tell its type")
}

// key holds an object's key against the client's scope. A null, missing or odd one
// refuses.
func (c *checker) key(k *keyCheck, i int32) *Refusal {
	v := value{}
	if text, ok := c.String(i); ok {
		v = value{kind: isString, text: text}
	} else if raw := c.Raw(i); integer(raw) {
		v = value{kind: isInt, text: raw}
	}
	id, ok := v.id()
	if !ok {
		return bad("an object whose key is no id")
	}
	if k.promise {
		return nil
	}
	r := policy.Resource{Kind: c.schema.kinds[k.kind], ID: id}
	if slices.Contains(c.passed, r) {
		return nil
	}
	c.need.Resources = append(c.need.Resources[:0], r)
	if d := c.rights.Decide(&c.need, c.said); !d.Allowed {
		return &Refusal{Reason: Outside, Detail: r.Kind + " " + id}
	}
	if len(c.passed) < 8 {
		c.passed = append(c.passed, r)
	}
	return nil
}
