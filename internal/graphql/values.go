package graphql

import (
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// values is "Values of Correct Type" (GraphQL §5.6.1), without the library's leniency
// (it takes {} for a scalar) and without its price (it lists an enum for every value).
func (s *Schema) values(observers *core.Events, wrong func(*ast.Position, string)) {
	observers.OnValue(func(_ *core.Walker, v *ast.Value) {
		if v.Definition != nil && v.ExpectedType != nil && !s.fits(v) {
			wrong(v.Position, "a value of another type")
		}
	})
}

// fits looks at one value; what it holds is looked at by itself.
func (s *Schema) fits(v *ast.Value) bool {
	def := v.Definition
	switch {
	case v.Kind == ast.Variable:
		return true // VariablesInAllowedPosition
	case v.Kind == ast.NullValue:
		return !v.ExpectedType.NonNull
	case custom(def):
		return true
	case v.Kind == ast.ListValue:
		return v.ExpectedType.Elem != nil
	}
	switch def.Kind {
	case ast.Enum:
		_, has := s.enums[def.Name][v.Raw]
		return has && v.Kind == ast.EnumValue
	case ast.InputObject:
		return v.Kind == ast.ObjectValue && filled(v, def)
	}
	text := v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	switch def.Name {
	case "Int":
		return v.Kind == ast.IntValue && number(v.Raw, 32)
	case "Float":
		return v.Kind == ast.IntValue || v.Kind == ast.FloatValue
	case "ID":
		return text || v.Kind == ast.IntValue && number(v.Raw, 64)
	case "String":
		return text
	case "Boolean":
		return v.Kind == ast.BooleanValue
	}
	return false
}

func number(raw string, bits int) bool {
	_, err := strconv.ParseInt(raw, 10, bits)
	return err == nil
}

// filled: an input object has the fields it needs, and no others.
func filled(v *ast.Value, def *ast.Definition) bool {
	for _, c := range v.Children {
		if def.Fields.ForName(c.Name) == nil {
			return false
		}
	}
	for _, f := range def.Fields {
		if f.Type.NonNull && f.DefaultValue == nil && v.Children.ForName(f.Name) == nil {
			return false
		}
	}
	return def.Directives.ForName("oneOf") == nil || len(v.Children) == 1 && v.Children[0].Value.Kind != ast.NullValue
}

// possible is "Fragment Spread Is Possible" (GraphQL §5.5.2.3); each pair of types is
// looked at once in a document.
func (s *Schema) possible(observers *core.Events, wrong func(*ast.Position, string)) {
	known := map[[2]string]bool{}
	check := func(parent *ast.Definition, condition string, at *ast.Position) {
		if parent == nil || condition == "" {
			return
		}
		pair := [2]string{parent.Name, condition}
		meet, has := known[pair]
		if !has {
			meet = s.meet(s.types[parent.Name], s.types[condition])
			known[pair] = meet
		}
		if !meet {
			wrong(at, "a fragment that can never apply")
		}
	}
	observers.OnInlineFragment(func(_ *core.Walker, f *ast.InlineFragment) { check(f.ObjectDefinition, f.TypeCondition, f.Position) })
	observers.OnFragmentSpread(func(_ *core.Walker, f *ast.FragmentSpread) {
		if f.Definition != nil {
			check(f.ObjectDefinition, f.Definition.TypeCondition, f.Position)
		}
	})
}

// meet reports whether an object can be of both types. A type that is none of ours to
// select from is refused by other rules.
func (s *Schema) meet(a, b *typeRule) bool {
	if a == nil || b == nil {
		return true
	}
	if len(a.possible) > len(b.possible) {
		a, b = b, a
	}
	for _, t := range a.possible {
		if b.covers(t) {
			return true
		}
	}
	return false
}
