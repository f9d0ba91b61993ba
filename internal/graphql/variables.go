package graphql

import (
	"encoding/json"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/postern-dev/postern/internal/strictjson"
)

// variable is a variable that the operation declares.
type variable struct {
	name    string
	typ     *ast.Type
	initial *value // default
}

// given is the variables of a request, coerced (GraphQL §6.1.2).
type given struct {
	variables []named
	json      []byte // what is forwarded; nil: nothing
}

type named struct {
	name string
	value
}

func (g *given) value(name string) (value, bool) {
	for i := range g.variables {
		if g.variables[i].name == name {
			return g.variables[i].value, true
		}
	}
	return value{}, false
}

// coerce reads the variables of a request. Only declared ones are taken; what is
// forwarded says nothing else (RULES "Guard, GraphQL").
func (p *Plan) coerce(raw json.RawMessage) (*given, *Refusal) {
	if len(raw) == 0 {
		raw = json.RawMessage("null")
	}
	most := strictjson.Bounds{Values: p.schema.options.Limits.Values, Depth: p.schema.options.Limits.Depth + 1} // they lie in an object
	tape, err := strictjson.Lay(string(raw), most)
	if err != nil {
		return nil, unread("variables", err)
	}
	if kind := tape.Tokens[0].Kind; kind != '{' && kind != 'n' {
		return nil, &Refusal{Reason: Malformed, Detail: "variables are no JSON object"}
	}
	g := &given{variables: make([]named, 0, len(p.variables))}
	c := coercer{Tape: tape, schema: p.schema, out: make([]byte, 0, len(raw)+8)}
	places := p.places(&tape)
	for i := range p.variables {
		if refusal := c.variable(g, &p.variables[i], places[i]); refusal != nil {
			return nil, refusal
		}
	}
	if len(c.out) > 0 {
		g.json = append(c.out, '}')
	}
	return g, nil
}

// places finds the declared variables among those that are there; 0: it is not there.
func (p *Plan) places(t *strictjson.Tape) []int32 {
	places := make([]int32, len(p.variables))
	for i := int32(1); i < t.Tokens[0].Next; i = t.Tokens[i].Next {
		if v, declared := p.declared[t.Tokens[i].Name]; declared {
			places[v] = i
		}
	}
	return places
}

// coercer makes values out of JSON, and writes what is forwarded of it.
type coercer struct {
	strictjson.Tape
	schema *Schema
	out    []byte
}

func (c *coercer) variable(g *given, v *variable, at int32) *Refusal {
	refuse := func(why string) *Refusal {
		return &Refusal{Reason: BadVariables, Path: "$" + v.name, Detail: why}
	}
	if at == 0 {
		if v.initial != nil {
			g.variables = append(g.variables, named{v.name, *v.initial})
		} else if v.typ.NonNull {
			return refuse("it is required")
		}
		return nil
	}
	if len(c.out) == 0 {
		c.out = append(c.out, '{')
	} else {
		c.out = append(c.out, ',')
	}
	c.out = append(strictjson.AppendString(c.out, v.name), ':')
	val, why := c.coerce(at, v.typ)
	if why != "" {
		return refuse(why)
	}
	g.variables = append(g.variables, named{v.name, val})
	return nil
}

// coerce makes a value of the type and appends what is forwarded of it. What is wrong
// comes back as text.
func (c *coercer) coerce(at int32, t *ast.Type) (value, string) {
	if c.Tokens[at].Kind == 'n' {
		if t.NonNull {
			return value{}, "null where " + t.String() + " is needed"
		}
		c.out = append(c.out, "null"...)
		return value{}, ""
	}
	if t.Elem != nil {
		return c.list(at, t.Elem)
	}
	switch def := c.schema.ast.Types[t.NamedType]; def.Kind {
	case ast.InputObject:
		return c.object(at, def)
	case ast.Enum:
		name, _ := c.String(at) // no value has an empty name
		if def.EnumValues.ForName(name) == nil {
			return value{}, "no value of " + t.NamedType
		}
		c.out = strictjson.AppendString(c.out, name)
		return value{kind: isEnum, text: name}, ""
	default:
		return c.scalar(at, def)
	}
}

func (c *coercer) list(at int32, elem *ast.Type) (value, string) {
	out := value{kind: isList}
	c.out = append(c.out, '[')
	defer func() { c.out = append(c.out, ']') }()
	if c.Tokens[at].Kind != '[' { // one value stands for a list of it (GraphQL §3.11)
		v, why := c.coerce(at, elem)
		out.items = append(out.items, v)
		return out, why
	}
	out = c.room(isList, at)
	for i := at + 1; i < c.Tokens[at].Next; i = c.Tokens[i].Next {
		if i > at+1 {
			c.out = append(c.out, ',')
		}
		v, why := c.coerce(i, elem)
		if why != "" {
			return out, why
		}
		out.items = append(out.items, v)
	}
	return out, ""
}

func (c *coercer) object(at int32, def *ast.Definition) (value, string) {
	if c.Tokens[at].Kind != '{' {
		return value{}, "no object of " + def.Name
	}
	out := c.room(isObject, at)
	c.out = append(c.out, '{')
	for i := at + 1; i < c.Tokens[at].Next; i = c.Tokens[i].Next {
		name := c.Tokens[i].Name
		field := def.Fields.ForName(name)
		if field == nil {
			return out, "a field that " + def.Name + " does not have"
		}
		if len(out.names) > 0 {
			c.out = append(c.out, ',')
		}
		c.out = append(strictjson.AppendString(c.out, name), ':')
		v, why := c.coerce(i, field.Type)
		if why != "" {
			return out, why
		}
		out.names, out.items = append(out.names, name), append(out.items, v)
	}
	c.out = append(c.out, '}')
	return out, whole(&out, def)
}

// whole says what an object lacks.
func whole(v *value, def *ast.Definition) string {
	for _, f := range def.Fields {
		if _, has := v.field(f.Name); !has && f.Type.NonNull && f.DefaultValue == nil {
			return "field " + f.Name + " of " + def.Name + " is required"
		}
	}
	if def.Directives.ForName("oneOf") != nil && (len(v.items) != 1 || v.items[0].kind == isNull) {
		return def.Name + " takes exactly one field, which is not null"
	}
	return ""
}

// scalar takes the specification's scalars in their JSON form alone; an id is
// forwarded as a string. A scalar of the API's own takes anything.
func (c *coercer) scalar(at int32, def *ast.Definition) (value, string) {
	if k := c.Tokens[at].Kind; def.BuiltIn && (k == '[' || k == '{') {
		return value{}, "no " + def.Name // without a tree of what is in it
	}
	v := c.any(at)
	ok := true
	switch def.Name {
	case "ID":
		ok = v.kind == isInt || v.kind == isString
	case "Int":
		_, err := strconv.ParseInt(v.text, 10, 32)
		ok = v.kind == isInt && err == nil
	case "Float":
		ok = v.kind == isInt || v.kind == isFloat
	case "String":
		ok = v.kind == isString
	case "Boolean":
		ok = v.kind == isBool
	}
	if !ok {
		return v, "no " + def.Name
	}
	if def.Name == "ID" {
		c.out = strictjson.AppendString(c.out, v.text)
	} else {
		c.out = c.print(c.out, &v)
	}
	return v, ""
}

// any is a JSON value as it is.
func (c *coercer) any(at int32) value {
	switch tok := &c.Tokens[at]; tok.Kind {
	case '"':
		s, _ := c.String(at)
		return value{kind: isString, text: s}
	case '0':
		text := c.Raw(at)
		if integer(text) || text == "-0" {
			return value{kind: isInt, text: text}
		}
		return value{kind: isFloat, text: text}
	case 't', 'f':
		return value{kind: isBool, text: c.Raw(at)}
	case '[', '{':
		v := c.room(isList, at)
		if tok.Kind == '{' {
			v = c.room(isObject, at)
		}
		for i := at + 1; i < tok.Next; i = c.Tokens[i].Next {
			if v.kind == isObject {
				v.names = append(v.names, c.Tokens[i].Name)
			}
			v.items = append(v.items, c.any(i))
		}
		return v
	}
	return value{}
}

// room is a list or an object with room for all that it holds.
func (c *coercer) room(kind valueKind, at int32) value {
	n := c.Len(at)
	v := value{kind: kind, items: make([]value, 0, n)}
	if kind == isObject {
		v.names = make([]string, 0, n)
	}
	return v
}

// print writes a value that any made.
func (c *coercer) print(out []byte, v *value) []byte {
	switch v.kind {
	case isString:
		return strictjson.AppendString(out, v.text)
	case isNull:
		return append(out, "null"...)
	case isList, isObject:
		open, end := byte('['), byte(']')
		if v.kind == isObject {
			open, end = '{', '}'
		}
		out = append(out, open)
		for i := range v.items {
			if i > 0 {
				out = append(out, ',')
			}
			if v.kind == isObject {
				out = append(strictjson.AppendString(out, v.names[i]), ':')
			}
			out = c.print(out, &v.items[i])
		}
		return append(out, end)
	}
	return append(out, v.text...)
}
