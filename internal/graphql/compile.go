package graphql

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/postern-dev/postern/internal/policy"
)

// compile turns what is said into rules.
func (l *loader) compile() {
	s := l.schema
	l.kinds()
	if len(s.kinds) > maxKinds {
		l.problem("", nil, "the schema names more than 64 resource kinds")
		return
	}
	names := slices.Sorted(maps.Keys(s.ast.Types))
	for _, name := range names {
		switch def := s.ast.Types[name]; def.Kind {
		case ast.Object, ast.Interface, ast.Union:
			s.types[name] = l.composite(def)
		case ast.InputObject:
			s.inputs[name] = &inputRule{name: name, def: def}
		case ast.Enum:
			s.enums[name] = l.enum(def)
		}
	}
	for _, name := range names {
		if in := s.inputs[name]; in != nil {
			l.inputFields(in)
		}
	}
	l.watch()
	for _, name := range names {
		if t := s.types[name]; t != nil {
			l.fields(t)
		}
	}
	l.containers(names)
	s.introspect = s.want([]policy.Need{{Actions: []string{Introspect}}})
	s.all = allOf(s.kinds)
	s.everything = []source{{kinds: s.allKinds(), pin: -1}}
}

// kinds lists every kind that is named anywhere.
func (l *loader) kinds() {
	set := map[string]bool{}
	for _, s := range l.said {
		for _, r := range s.scoped {
			set[r.Scoped] = true
		}
		for _, k := range s.kinds {
			set[k] = true
		}
		if s.scopedBy != "" {
			set[s.scopedBy] = true
		}
	}
	l.schema.kinds = slices.Sorted(maps.Keys(set))
}

func (s *Schema) kind(name string) int { return slices.Index(s.kinds, name) }

func (l *loader) enum(def *ast.Definition) map[string][]int {
	rules := make(map[string][]int, len(def.EnumValues))
	for _, v := range def.EnumValues {
		rules[v.Name] = l.of(def.Name + "." + v.Name).wants
	}
	return rules
}

// composite makes a type, without its fields.
func (l *loader) composite(def *ast.Definition) *typeRule {
	said := l.of(def.Name)
	t := &typeRule{name: def.Name, def: def, unscoped: said.unscoped, builtin: def.BuiltIn, fields: map[string]*fieldRule{}, set: map[*typeRule]struct{}{}}
	for _, name := range append([]string{def.Name}, def.Interfaces...) {
		say := l.of(name)
		t.wants = add(t.wants, say.wants...)
		t.answered = t.answered || say.answered
		for _, r := range say.scoped {
			l.scope(t, name, r)
		}
	}
	if t.unscoped && len(t.scopings) > 0 && said.scoped == nil {
		l.problem(def.Name, said.at, "@unscoped, but an interface of the type is scoped")
	}
	return t
}

// scope adds a scoping, whose key must be a field that needs no argument.
func (l *loader) scope(t *typeRule, name string, r Rule) {
	key := l.schema.ast.Types[name].Fields.ForName(r.By)
	if key == nil || key.Type.Elem != nil || !l.schema.ast.Types[key.Type.NamedType].IsLeafType() || slices.ContainsFunc(key.Arguments, required) {
		if t.name == name {
			l.problem(name, l.of(name).at, "@scoped by "+strconv.Quote(r.By)+": there is no such field that holds one id and needs no argument")
		}
		return
	}
	k := l.schema.kind(r.Scoped)
	for _, have := range t.scopings {
		if have.kind == k && have.by == r.By {
			return
		}
	}
	t.scopings = append(t.scopings, scoping{kind: k, by: r.By, alias: l.schema.prefix + t.name + "_" + strconv.Itoa(len(t.scopings))})
}

func required(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil }

// fields makes the fields of a type. Interfaces and unions have none: what is
// selected there is judged on the object types.
func (l *loader) fields(t *typeRule) {
	s := l.schema
	for _, p := range s.ast.PossibleTypes[t.name] {
		if p.Kind == ast.Object {
			t.possible = append(t.possible, s.types[p.Name])
			t.set[s.types[p.Name]] = struct{}{}
		}
	}
	if t.def.Kind != ast.Object || t.builtin {
		return
	}
	for _, def := range t.def.Fields {
		if !strings.HasPrefix(def.Name, "__") {
			t.fields[def.Name] = l.field(t, def)
		}
	}
}

func (l *loader) field(t *typeRule, def *ast.FieldDefinition) *fieldRule {
	s := l.schema
	f := &fieldRule{coordinate: t.name + "." + def.Name, def: def, answered: t.answered,
		mutation: t.def == s.ast.Mutation, result: s.types[def.Type.Name()]}
	owners := []string{t.name}
	for _, name := range t.def.Interfaces {
		if s.ast.Types[name].Fields.ForName(def.Name) != nil {
			owners = append(owners, name)
		}
	}
	for _, owner := range owners {
		l.merge(f, l.of(owner+"."+def.Name))
	}
	if f.unscoped && f.wholeScope {
		f.unscoped = false // the sterner of two interfaces
	}
	for _, a := range def.Arguments {
		f.args = append(f.args, l.argument(f, owners, a))
	}
	l.children(f.coordinate, f.args)
	f.undeclared, f.pins, f.slots = l.meaning(f.args)
	l.leaf(f)
	f.refused = s.refuses(t, def)
	return f
}

// merge adds what one owner of a field says of it.
func (l *loader) merge(f *fieldRule, say *statement) {
	f.wants = add(f.wants, say.wants...)
	f.answered = f.answered || say.answered
	f.unscoped = f.unscoped || say.unscoped
	f.checkable = f.checkable || say.checkable
	if !say.wholeScope {
		return
	}
	f.wholeScope = true
	for _, k := range say.kinds {
		f.whole |= 1 << l.schema.kind(k)
	}
	if say.kinds == nil {
		f.whole |= l.schema.allKinds()
		if len(l.schema.kinds) == 0 {
			l.problem(f.coordinate, say.at, "@wholeScope, but the schema names no kind")
		}
	}
}

func (s *Schema) allKinds() kindSet {
	if len(s.kinds) == maxKinds {
		return ^kindSet(0)
	}
	return 1<<len(s.kinds) - 1
}

// leaf adds what the type of a leaf says.
func (l *loader) leaf(f *fieldRule) {
	if f.result != nil {
		return
	}
	def := l.schema.ast.Types[f.def.Type.Name()]
	f.opaque = custom(def)
	f.wants = add(f.wants, l.of(def.Name).wants...)
	for _, v := range def.EnumValues { // any of them may come back
		f.wants = add(f.wants, l.of(def.Name+"."+v.Name).wants...)
	}
}

// refuses says why nobody may have a field, whatever is said of it.
func (s *Schema) refuses(t *typeRule, def *ast.FieldDefinition) string {
	if result := s.types[def.Type.Name()]; result != nil && result.builtin {
		return "it returns a type of introspection"
	}
	root := t.def == s.ast.Query || t.def == s.ast.Mutation
	if root && (def.Name == "_entities" || def.Name == "_service") { // D-80
		return "the roots of federation are not for clients"
	}
	return ""
}

func custom(def *ast.Definition) bool { return def.Kind == ast.Scalar && !def.BuiltIn }

// containers finds what plain types may contain: the kinds of the scoped types that
// are reached through plain types alone.
func (l *loader) containers(names []string) {
	for changed := true; changed; {
		changed = false
		for _, name := range names {
			t := l.schema.types[name]
			if t == nil || !t.plain() {
				continue
			}
			was := t.carries
			for _, f := range t.fields {
				t.carries |= carried(f.result)
			}
			changed = changed || was != t.carries
		}
	}
}

// carried is what a field that returns this may bring.
func carried(result *typeRule) (k kindSet) {
	if result == nil {
		return 0
	}
	for _, t := range result.possible {
		for _, sc := range t.scopings {
			k |= 1 << sc.kind
		}
		k |= t.carries
	}
	return k
}
