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
	if err := strictjson.Check(body); err != nil {
		return nil, &Refusal{Reason: BadAnswer, Detail: err.Error()}
	}
	c := checker{schema: p.schema, text: string(body), rights: rights, said: said}
	c.tokens = tape(c.text)
	c.out = make([]byte, 0, len(body))
	if refusal := c.envelope(p.answer); refusal != nil {
		return nil, refusal
	}
	return c.out, nil
}

type checker struct {
	schema *Schema
	text   string
	tokens []token
	out    []byte
	rights *policy.Rights
	said   *policy.Said
	need   policy.Need
	passed []policy.Resource // of late, so that one resource is asked for once
}

func bad(why string) *Refusal { return &Refusal{Reason: BadAnswer, Detail: why} }

// envelope reads data, errors and extensions (GraphQL §7.1).
func (c *checker) envelope(s *shape) *Refusal {
	if c.tokens[0].kind != '{' {
		return bad("no object")
	}
	data, errs := 0, false
	for i := 1; i < len(c.tokens); i = c.tokens[i+1].next {
		switch c.raw(i) {
		case `"data"`:
			data = i + 1
		case `"errors"`:
			errs = true
		case `"extensions"`:
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
	if c.tokens[data].kind == '[' {
		return bad("data is no object")
	}
	refusal := c.value(data, s)
	c.out = append(c.out, '}')
	return refusal
}

func (c *checker) raw(i int) string { return c.text[c.tokens[i].start:c.tokens[i].end] }

// value reads what stands in a place: null, lists and objects of its types, or a leaf.
func (c *checker) value(i int, s *shape) *Refusal {
	t := c.tokens[i]
	switch {
	case t.kind == 'n':
		c.out = append(c.out, "null"...)
		return nil
	case s != nil && s.opaque:
		c.copy(i)
		return nil
	case t.kind == '[':
		c.out = append(c.out, '[')
		for e := i + 1; e < t.next; e = c.tokens[e].next {
			if e > i+1 {
				c.out = append(c.out, ',')
			}
			if refusal := c.value(e, s); refusal != nil {
				return refusal
			}
		}
		c.out = append(c.out, ']')
		return nil
	case s == nil && t.kind != '{':
		c.out = append(c.out, c.raw(i)...)
		return nil
	case s == nil || t.kind != '{':
		return bad("an object where a leaf was asked for, or the other way round")
	}
	return c.object(i, s)
}

// copy writes a value of any kind without its white space.
func (c *checker) copy(i int) {
	t := c.tokens[i]
	switch t.kind {
	case '[', '{':
		c.out = append(c.out, t.kind)
		name := t.kind == '{'
		for e := i + 1; e < t.next; e = c.tokens[e].next {
			if e > i+1 && (t.kind == '[' || name) {
				c.out = append(c.out, ',')
			}
			c.copy(e)
			if t.kind == '{' && name {
				c.out = append(c.out, ':')
			}
			name = t.kind == '{' && !name
		}
		c.out = append(c.out, t.kind+2)
	default:
		c.out = append(c.out, c.raw(i)...)
	}
}

// object checks an object and writes it without the hidden members. Whatever was not
// asked for refuses the answer.
func (c *checker) object(i int, s *shape) *Refusal {
	of, refusal := c.typeOf(i, s)
	if refusal != nil {
		return refusal
	}
	keys := 0
	c.out = append(c.out, '{')
	first := true
	for m, at := i+1, 0; m < c.tokens[i].next; m = c.tokens[m+1].next {
		name := c.raw(m)
		name = name[1 : len(name)-1]
		place := of.place(name, at)
		if place < 0 {
			k := slices.IndexFunc(of.keys, func(k keyCheck) bool { return k.alias == name })
			switch {
			case k >= 0:
				keys++
				if refusal := c.key(&of.keys[k], m+1); refusal != nil {
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
		c.out = append(append(c.out, c.raw(m)...), ':')
		if refusal := c.value(m+1, of.shapes[place]); refusal != nil {
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
func (c *checker) typeOf(i int, s *shape) (*shapeType, *Refusal) {
	if s.alias == "" {
		return s.types[0], nil
	}
	for m := i + 1; m < c.tokens[i].next; m = c.tokens[m+1].next {
		if name := c.raw(m); name[1:len(name)-1] == s.alias {
			is := c.raw(m + 1)
			for _, t := range s.types {
				if len(is) == len(t.name)+2 && is[1:len(is)-1] == t.name {
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
func (c *checker) key(k *keyCheck, i int) *Refusal {
	t := c.tokens[i]
	v := value{}
	switch {
	case t.kind == '"':
		text, _ := str(c.text, t)
		v = value{kind: isString, text: text}
	case t.kind == '0' && integer(c.raw(i)):
		v = value{kind: isInt, text: c.raw(i)}
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
