package graphql

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// kinds of values.
type valueKind byte

const (
	isNull valueKind = iota
	isBool
	isInt
	isFloat
	isString
	isEnum
	isList
	isObject
	isVariable
)

// value is a value of an argument, from a literal or from variables.
type value struct {
	kind  valueKind
	text  string   // of a leaf; the name of a variable
	names []string // of an object's fields
	items []value  // of a list or an object
}

func (v *value) field(name string) (value, bool) {
	for i := range v.names {
		if v.names[i] == name {
			return v.items[i], true
		}
	}
	return value{}, false
}

// literal makes a value of what stands in a document.
func literal(v *ast.Value) value {
	if v == nil {
		return value{}
	}
	out := value{text: v.Raw}
	switch v.Kind {
	case ast.Variable:
		out.kind = isVariable
	case ast.IntValue:
		out.kind = isInt
	case ast.FloatValue:
		out.kind = isFloat
	case ast.StringValue, ast.BlockValue:
		out.kind = isString
	case ast.BooleanValue:
		out.kind = isBool
	case ast.NullValue:
		out = value{}
	case ast.EnumValue:
		out.kind = isEnum
	case ast.ListValue, ast.ObjectValue:
		out.kind = isList
		for _, c := range v.Children {
			out.items = append(out.items, literal(c.Value))
			if v.Kind == ast.ObjectValue {
				out.kind, out.names = isObject, append(out.names, c.Name)
			}
		}
		if v.Kind == ast.ObjectValue {
			out.kind = isObject
		}
	}
	return out
}

// hasVariable reports whether a value depends on variables.
func (v *value) hasVariable() bool {
	if v.kind == isVariable {
		return true
	}
	for i := range v.items {
		if v.items[i].hasVariable() {
			return true
		}
	}
	return false
}

// size is how many values there are in a value, those of variables in their place.
func (v *value) size(vars *given) int {
	if v.kind == isVariable {
		got, _ := vars.value(v.text)
		v = &got
	}
	n := 1
	for i := range v.items {
		n += v.items[i].size(vars)
	}
	return n
}

// id is the exact text of an id (RULES "Guard, GraphQL"): numbers are integers without
// exponent and leading zero, strings as written, and 1 and "1" are one.
func (v *value) id() (string, bool) {
	switch v.kind {
	case isInt:
		return v.text, v.text != "-0"
	case isString, isEnum:
		return v.text, v.text != ""
	}
	return "", false
}

// integer reports whether text is a number of GraphQL's Int form: no fraction, no
// exponent, no leading zero.
func integer(text string) bool {
	digits := text
	if digits != "" && digits[0] == '-' {
		digits = digits[1:]
	}
	if digits == "" || digits[0] == '0' && text != "0" {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}
