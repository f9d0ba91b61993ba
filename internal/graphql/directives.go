package graphql

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// ownDirectives are the directives that carry rules. Where they may stand is in
// places; here they may stand everywhere, so that every misplaced one is told.
const ownDirectives = `
directive @authenticated repeatable on EVERYWHERE
directive @requiresScopes(scopes: [[String!]!]!) repeatable on EVERYWHERE
directive @policy(policies: [[String!]!]!) repeatable on EVERYWHERE
directive @scoped(kind: String!, by: String! = "id") repeatable on EVERYWHERE
directive @scopedBy(kind: String!) repeatable on EVERYWHERE
directive @childOf(arg: String!) repeatable on EVERYWHERE
directive @unscoped repeatable on EVERYWHERE
directive @wholeScope(kinds: [String!]) repeatable on EVERYWHERE
directive @checkable repeatable on EVERYWHERE
directive @paging repeatable on EVERYWHERE
`

const everywhere = "SCALAR | OBJECT | FIELD_DEFINITION | ARGUMENT_DEFINITION | INTERFACE | UNION | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION"

func parseOwn() ast.DirectiveDefinitionList {
	doc, err := parser.ParseSchema(&ast.Source{Input: strings.ReplaceAll(ownDirectives, "EVERYWHERE", everywhere)})
	if err != nil {
		panic("own directives: " + err.Error()) // a constant: the tests read it
	}
	return doc.Directives
}

// adopt takes our own definitions in place of those in the schema, and drops every
// directive that is not ours, where it is defined and where it stands: a rule under
// another name is no rule (D-94). What is left of the specification's own is what
// the prelude defines.
func (l *loader) adopt(doc *ast.SchemaDocument) {
	own := parseOwn()
	var kept ast.DirectiveDefinitionList
	for _, d := range doc.Directives {
		if mine := own.ForName(d.Name); mine != nil {
			if !compatible(mine, d) {
				l.problem("@"+d.Name, d.Position, "the schema defines this directive in another way than Postern reads it: its arguments must be "+arguments(mine))
			}
		} else if d.Position != nil && d.Position.Src != nil && d.Position.Src.BuiltIn {
			kept = append(kept, d)
		}
	}
	doc.Directives = append(kept, own...)
	doc.DirectiveExtensions = nil
	known := func(d *ast.Directive) bool { return d.Name == "oneOf" || own.ForName(d.Name) != nil }
	for _, s := range slices.Concat(doc.Schema, doc.SchemaExtension) {
		s.Directives = nil
	}
	for _, def := range slices.Concat(doc.Definitions, doc.Extensions) {
		if !def.BuiltIn {
			keep(def, known)
		}
	}
}

func keep(def *ast.Definition, known func(*ast.Directive) bool) {
	filter := func(list ast.DirectiveList) ast.DirectiveList {
		return slices.DeleteFunc(list, func(d *ast.Directive) bool { return !known(d) })
	}
	def.Directives = filter(def.Directives)
	for _, f := range def.Fields {
		f.Directives = filter(f.Directives)
		for _, a := range f.Arguments {
			a.Directives = filter(a.Directives)
		}
	}
	for _, v := range def.EnumValues {
		v.Directives = filter(v.Directives)
	}
}

// compatible reports whether theirs takes the same arguments. The innermost type may
// be a scalar of another name (federation__Policy), nullability may differ.
func compatible(mine, theirs *ast.DirectiveDefinition) bool {
	if len(mine.Arguments) != len(theirs.Arguments) {
		return false
	}
	for _, a := range mine.Arguments {
		b := theirs.Arguments.ForName(a.Name)
		if b == nil || lists(a.Type) != lists(b.Type) {
			return false
		}
	}
	return true
}

func lists(t *ast.Type) int {
	n := 0
	for ; t.Elem != nil; t = t.Elem {
		n++
	}
	return n
}

func arguments(d *ast.DirectiveDefinition) string {
	if len(d.Arguments) == 0 {
		return "none"
	}
	var s []string
	for _, a := range d.Arguments {
		s = append(s, a.Name+": "+a.Type.String())
	}
	return strings.Join(s, ", ")
}

// ruleOf reads one of our directives. What is wrong with it comes back as text.
func ruleOf(d *ast.Directive) (r Rule, wrong string) {
	text := func(name string) string {
		a := d.Arguments.ForName(name)
		if a == nil {
			return ""
		}
		if a.Value.Kind != ast.StringValue && a.Value.Kind != ast.BlockValue || a.Value.Raw == "" {
			wrong = "argument " + name + " of @" + d.Name + " must be a string that is not empty"
		}
		return a.Value.Raw
	}
	switch d.Name {
	case "authenticated":
		r.Authenticated = true
	case "requiresScopes":
		r.RequiresScopes, wrong = orOfAnds(d, "scopes")
	case "policy":
		r.Policy, wrong = orOfAnds(d, "policies")
	case "scoped":
		r.Scoped, r.By = text("kind"), text("by")
	case "scopedBy":
		r.ScopedBy = text("kind")
	case "childOf":
		r.ChildOf = text("arg")
	case "unscoped":
		r.Unscoped = true
	case "wholeScope":
		r.WholeScope = true
		r.Kinds, wrong = kindsOf(d)
	case "checkable":
		r.Checkable = true
	case "paging":
		r.Paging = true
	}
	return r, wrong
}

func kindsOf(d *ast.Directive) ([]string, string) {
	a := d.Arguments.ForName("kinds")
	if a == nil || a.Value.Kind == ast.NullValue {
		return nil, ""
	}
	kinds, ok := texts(a.Value)
	if !ok {
		return nil, "argument kinds of @wholeScope must be a list of strings that is not empty"
	}
	return kinds, ""
}

func orOfAnds(d *ast.Directive, name string) (all [][]string, wrong string) {
	wrong = "argument " + name + " of @" + d.Name + " must be a list of lists of strings, none of them empty"
	a := d.Arguments.ForName(name)
	if a == nil || a.Value.Kind != ast.ListValue || len(a.Value.Children) == 0 {
		return nil, wrong
	}
	for _, c := range a.Value.Children {
		list, ok := texts(c.Value)
		if !ok {
			return nil, wrong
		}
		all = append(all, list)
	}
	return all, ""
}

func texts(v *ast.Value) ([]string, bool) {
	var list []string
	for _, c := range v.Children {
		if c.Value.Kind != ast.StringValue || c.Value.Raw == "" {
			return nil, false
		}
		list = append(list, c.Value.Raw)
	}
	return list, v.Kind == ast.ListValue && len(list) > 0
}
