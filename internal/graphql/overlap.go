package graphql

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// maxCompared bounds how many fields are looked at to find those that overlap.
const maxCompared = 20000

// overlap is FieldsInSetCanMerge (GraphQL §5.3.2) in another shape: the library's
// compares each pair of fields, so that a document of overlapping fields costs the
// square of its length and more. Here all fields that merge are compared with the
// first of them, level by level; what this costs is counted.
type overlap struct {
	schema    *ast.Schema
	fragments map[string]*fragment
	compared  int
	refusal   *Refusal
}

// group is the fields of one response name.
type group struct {
	name   string
	fields []*ast.Field
}

// check looks at the selection sets that merge. With names, fields of one response name
// must also be the same field with the same arguments; without, their types must have
// the same shape, which fields of different object types need too.
func (o *overlap) check(sets []ast.SelectionSet, names bool) {
	if o.refusal != nil {
		return
	}
	for _, g := range o.collect(sets) {
		if !names {
			o.shape(g.fields)
			o.check(below(g.fields), false)
			continue
		}
		for _, same := range o.parents(g.fields) {
			o.same(same)
			o.check(below(same), true)
		}
		if len(g.fields) > 1 {
			o.shape(g.fields)
			o.check(below(g.fields), false)
		}
		if o.refusal != nil {
			return
		}
	}
}

// collect groups the fields of the sets by response name, fragments expanded, each
// fragment once.
func (o *overlap) collect(sets []ast.SelectionSet) []*group {
	var groups []*group
	by := map[string]*group{}
	var seen []*fragment
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, sel := range set {
			if o.compared++; o.compared > maxCompared {
				o.refuse(tooComplex("overlapping fields", sel.GetPosition()))
				return
			}
			switch sel := sel.(type) {
			case *ast.Field:
				g := by[sel.Alias]
				if g == nil {
					g = &group{name: sel.Alias}
					by[sel.Alias] = g
					groups = append(groups, g)
				}
				g.fields = append(g.fields, sel)
			case *ast.InlineFragment:
				walk(sel.SelectionSet)
			case *ast.FragmentSpread:
				if f := o.fragments[sel.Name]; !slices.Contains(seen, f) {
					seen = append(seen, f)
					walk(f.def.SelectionSet)
				}
			}
		}
	}
	for _, set := range sets {
		walk(set)
	}
	return groups
}

func below(fields []*ast.Field) (sets []ast.SelectionSet) {
	for _, f := range fields {
		if len(f.SelectionSet) > 0 {
			sets = append(sets, f.SelectionSet)
		}
	}
	return sets
}

// parents parts fields into those that may stand in one object: the fields of each
// object type with those of all interfaces.
func (o *overlap) parents(fields []*ast.Field) [][]*ast.Field {
	var abstract []*ast.Field
	var names []string
	objects := map[string][]*ast.Field{}
	for _, f := range fields {
		if f.ObjectDefinition.Kind != ast.Object {
			abstract = append(abstract, f)
			continue
		}
		if objects[f.ObjectDefinition.Name] == nil {
			names = append(names, f.ObjectDefinition.Name)
		}
		objects[f.ObjectDefinition.Name] = append(objects[f.ObjectDefinition.Name], f)
	}
	if len(names) == 0 {
		return [][]*ast.Field{abstract}
	}
	var parts [][]*ast.Field
	for _, name := range names {
		o.compared += len(abstract)
		parts = append(parts, slices.Concat(abstract, objects[name]))
	}
	return parts
}

func (o *overlap) same(fields []*ast.Field) {
	first := fields[0]
	for _, f := range fields[1:] {
		if f.Name != first.Name || !sameArguments(f.Arguments, first.Arguments) {
			o.refuse(invalid(f.Position, "another field, or another argument, under the same name"))
		}
	}
}

func (o *overlap) shape(fields []*ast.Field) {
	first := fields[0].Definition.Type
	for _, f := range fields[1:] {
		if !o.sameShape(first, f.Definition.Type) {
			o.refuse(invalid(f.Position, "another type under the same name"))
		}
	}
}

// sameShape is SameResponseShape (GraphQL §5.3.2) for the types alone.
func (o *overlap) sameShape(a, b *ast.Type) bool {
	for ; a.Elem != nil && b.Elem != nil; a, b = a.Elem, b.Elem {
		if a.NonNull != b.NonNull {
			return false
		}
	}
	if a.NonNull != b.NonNull || a.Elem != nil || b.Elem != nil {
		return false
	}
	leaf := o.schema.Types[a.NamedType].IsLeafType() || o.schema.Types[b.NamedType].IsLeafType()
	return !leaf || a.NamedType == b.NamedType
}

func (o *overlap) refuse(r *Refusal) {
	if o.refusal == nil {
		o.refusal = r
	}
}

func sameArguments(a, b ast.ArgumentList) bool {
	if len(a) != len(b) {
		return false
	}
	for _, arg := range a {
		other := b.ForName(arg.Name)
		if other == nil || !sameValue(arg.Value, other.Value) {
			return false
		}
	}
	return true
}

func sameValue(a, b *ast.Value) bool {
	if a.Kind != b.Kind || a.Raw != b.Raw || len(a.Children) != len(b.Children) {
		return false
	}
	x, y := a.Children, b.Children
	if a.Kind == ast.ObjectValue { // the order of its fields means nothing
		x, y = slices.Clone(x), slices.Clone(y)
		byName := func(p, q *ast.ChildValue) int { return strings.Compare(p.Name, q.Name) }
		slices.SortStableFunc(x, byName)
		slices.SortStableFunc(y, byName)
	}
	for i := range x {
		if x[i].Name != y[i].Name || !sameValue(x[i].Value, y[i].Value) {
			return false
		}
	}
	return true
}
