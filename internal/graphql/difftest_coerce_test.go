package graphql_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Values after coercion are nil, bool, string (IDs too, and names of enum values as
// word), json.Number, []any and map[string]any; what is absent is absent.

type word string

// coercer makes values out of what was written; bare leaves out the defaults of the
// schema, so that only what was sent is there.
type coercer struct{ bare bool }

// values of variables, those that are there.
type values map[string]any

// variables does what the specification says in §6.1.2.
func (c coercer) variables(o *operation, raw []byte) (values, error) {
	given := map[string]any{}
	if len(raw) > 0 {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&given); err != nil {
			return nil, err
		}
	}
	vars := values{}
	for _, v := range o.variables {
		value, there := given[v.name]
		var err error
		switch {
		case !there && v.def != nil:
			vars[v.name], err = c.literal(v.def, v.typ, nil)
		case !there && v.typ.nonNull:
			err = errors.New("missing")
		case there:
			vars[v.name], err = c.json(value, v.typ)
		}
		if err != nil {
			return nil, fmt.Errorf("$%s: %w", v.name, err)
		}
	}
	return vars, nil
}

var errValue = errors.New("does not fit")

func (c coercer) json(v any, r *reference) (any, error) {
	if v == nil {
		return nil, refuseNull(r)
	}
	if r.of != nil {
		items, ok := v.([]any)
		if !ok {
			items = []any{v} // §3.11: one item stands for a list of one
		}
		return coerceItems(items, func(item any) (any, error) { return c.json(item, r.of) })
	}
	if r.named.name == "Json" {
		return v, nil
	}
	if r.named.class == input {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, errValue
		}
		return coerceObject(r.named, func(name string) (*any, error) {
			if value, there := m[name]; there {
				return &value, nil
			}
			return nil, nil
		}, c.json, c.bare, len(m))
	}
	switch v := v.(type) {
	case string:
		return scalarValue(r.named, map[bool]string{true: "e", false: `"`}[r.named.class == enum], v)
	case bool:
		return scalarValue(r.named, "t", strconv.FormatBool(v))
	case json.Number:
		return scalarValue(r.named, "1", v.String())
	}
	return nil, errValue
}

func refuseNull(r *reference) error {
	if r.nonNull {
		return errValue
	}
	return nil
}

func coerceItems[T any](items []T, item func(T) (any, error)) (any, error) {
	list := []any{}
	for _, v := range items {
		value, err := item(v)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, nil
}

// coerceObject takes the members that get returns (nil: absent), and defaults.
func coerceObject[T any](t *definition, get func(string) (*T, error), coerce func(T, *reference) (any, error), bare bool, members int) (any, error) {
	m := map[string]any{}
	for _, a := range t.inputs {
		value, err := get(a.name)
		if err != nil {
			return nil, err
		}
		switch {
		case value != nil:
			members--
			m[a.name], err = coerce(*value, a.typ)
		case a.literal != "" && bare:
		case a.literal != "":
			m[a.name], err = coerceDefault(a)
		case a.typ.nonNull:
			err = errValue
		}
		if err != nil {
			return nil, err
		}
	}
	if members != 0 {
		return nil, errors.New("unknown member")
	}
	return m, nil
}

func coerceDefault(a *argument) (any, error) {
	c := coercer{}
	p := &parser{text: a.literal}
	p.next()
	return c.literal(p.literal(), a.typ, nil)
}

// absent is a variable without a value.
var errAbsent = errors.New("absent")

// literal returns errAbsent for a variable that has no value.
func (c coercer) literal(l *literal, r *reference, vars values) (any, error) {
	if l.kind == "$" {
		return c.variable(l.text, r, vars)
	}
	if l.kind == "n" {
		return nil, refuseNull(r)
	}
	if r.of != nil {
		items := []*literal{l}
		if l.kind == "[" {
			items = l.list
		}
		return coerceItems(items, func(item *literal) (any, error) {
			v, err := c.literal(item, r.of, vars)
			if errors.Is(err, errAbsent) {
				return nil, refuseNull(r.of)
			}
			return v, err
		})
	}
	if r.named.name == "Json" {
		return c.free(l, vars), nil
	}
	if r.named.class != input {
		return scalarValue(r.named, l.kind, l.text)
	}
	if l.kind != "{" {
		return nil, errValue
	}
	return c.object(l, r, vars)
}

func (c coercer) variable(name string, r *reference, vars values) (any, error) {
	v, there := vars[name]
	switch {
	case !there && !c.bare:
		return nil, errAbsent
	case v == nil && c.bare:
		return nil, nil // it was written, and that counts
	case v == nil:
		return nil, refuseNull(r)
	}
	return v, nil
}

func (c coercer) object(l *literal, r *reference, vars values) (any, error) {
	get := func(name string) (*(*literal), error) {
		i := slices.IndexFunc(l.fields, func(f named) bool { return f.name == name })
		if i < 0 {
			return nil, nil
		}
		if v := l.fields[i].value; v.kind != "$" || c.bare {
			return &v, nil
		} else if _, there := vars[v.text]; there {
			return &v, nil
		}
		return nil, nil
	}
	members := len(l.fields)
	for _, f := range l.fields {
		if v := f.value; v.kind == "$" && !c.bare {
			if _, there := vars[v.text]; !there {
				members--
			}
		}
	}
	return coerceObject(r.named, get, func(v *literal, r *reference) (any, error) { return c.literal(v, r, vars) }, c.bare, members)
}

// free is a value of an own scalar.
func (c coercer) free(l *literal, vars values) any {
	switch l.kind {
	case "$":
		return vars[l.text]
	case "[":
		list := []any{}
		for _, item := range l.list {
			list = append(list, c.free(item, vars))
		}
		return list
	case "{":
		m := map[string]any{}
		for _, f := range l.fields {
			m[f.name] = c.free(f.value, vars)
		}
		return m
	case "t":
		return l.text == "true"
	case "n":
		return nil
	case "1":
		return json.Number(l.text)
	}
	return l.text
}

func scalarValue(t *definition, kind, text string) (any, error) {
	switch {
	case t.class == enum:
		if kind == "e" && slices.ContainsFunc(t.values, func(v *enumValue) bool { return v.name == text }) {
			return word(text), nil
		}
	case t.name == "ID" && (kind == `"` || kind == "1"):
		return text, nil
	case t.name == "String" && kind == `"`:
		return text, nil
	case t.name == "Int" && kind == "1":
		if n, err := strconv.ParseInt(text, 10, 32); err == nil {
			return json.Number(strconv.FormatInt(n, 10)), nil
		}
	case t.name == "Boolean" && kind == "t":
		return text == "true", nil
	}
	return nil, errValue
}

// args are the arguments of a field: those that are there, and defaults.
func (c coercer) args(f *field, given []named, vars values) (values, error) {
	args := values{}
	for _, a := range f.args {
		i := slices.IndexFunc(given, func(n named) bool { return n.name == a.name })
		err := errAbsent
		var value any
		if i >= 0 {
			value, err = c.literal(given[i].value, a.typ, vars)
		}
		if errors.Is(err, errAbsent) {
			if a.literal == "" || c.bare {
				if a.literal == "" && a.typ.nonNull {
					return nil, errValue
				}
				continue
			}
			value, err = coerceDefault(a)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		args[a.name] = value
	}
	return args, nil
}
