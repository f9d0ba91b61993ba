package graphql

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// argument makes an argument of a field from what every owner of the field says.
func (l *loader) argument(f *fieldRule, owners []string, def *ast.ArgumentDefinition) *slotRule {
	a := l.slot(def.Name, def.Type, def.DefaultValue)
	for _, owner := range owners {
		at := owner + "." + f.def.Name + "(" + def.Name + ":)"
		l.declare(a, at, l.of(at))
	}
	return a
}

// inputFields makes the fields of an input object.
func (l *loader) inputFields(in *inputRule) {
	for _, def := range in.def.Fields {
		f := l.slot(def.Name, def.Type, def.DefaultValue)
		at := in.name + "." + def.Name
		l.declare(f, at, l.of(at))
		in.fields = append(in.fields, f)
	}
	l.children(in.name, in.fields)
}

func (l *loader) slot(name string, typ *ast.Type, value *ast.Value) *slotRule {
	def := l.schema.ast.Types[typ.Name()]
	a := &slotRule{name: name, typ: typ, value: value, kind: -1, object: l.schema.inputs[def.Name], opaque: custom(def)}
	for _, wants := range l.schema.enums[def.Name] {
		if len(wants) > 0 {
			a.enum = l.schema.enums[def.Name]
		}
	}
	a.idLike = a.object == nil && (def.Name == "ID" || idName(name))
	a.wants = slices.Clone(l.of(def.Name).wants)
	return a
}

// idName reports whether a name promises ids.
func idName(name string) bool {
	for _, word := range []string{"id", "ids", "uuid", "uuids", "guid", "guids"} {
		if strings.EqualFold(name, word) {
			return true
		}
		upper, title := strings.ToUpper(word), strings.ToUpper(word[:1])+word[1:]
		plural := strings.TrimSuffix(upper, "S") + "s"
		if hasSuffix(name, title, upper, plural, "_"+word, "_"+upper, "_"+title) {
			return true
		}
	}
	return false
}

func hasSuffix(s string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(s, suffix) })
}

// declare adds what is said at one coordinate of an argument or input field.
func (l *loader) declare(a *slotRule, coordinate string, say *statement) {
	a.wants = add(a.wants, say.wants...)
	a.exempt = a.exempt || say.unscoped
	a.paging = a.paging || say.paging
	a.child = a.child || say.childOf != ""
	if say.scopedBy != "" {
		k := l.schema.kind(say.scopedBy)
		if a.kind >= 0 && a.kind != k {
			l.problem(coordinate, say.at, "@scopedBy is another kind than at an interface of the type")
		}
		a.kind = k
	}
	switch {
	case a.object != nil && (say.scopedBy != "" || say.childOf != ""):
		l.problem(coordinate, say.at, "@scopedBy and @childOf stand on what holds ids, not on an input object: declare its fields")
	case len(say.contradictions()) == 0 && (a.kind >= 0 && (a.exempt || a.child) || a.exempt && a.child):
		l.problem(coordinate, say.at, "what is said here contradicts what an interface of the type says")
	}
	if say.childOf != "" {
		a.parent = &slotRule{name: say.childOf} // the real one is found by children
	}
}

// children finds the parents: siblings that name a resource, in the end.
func (l *loader) children(coordinate string, siblings []*slotRule) {
	by := map[string]*slotRule{}
	for _, a := range siblings {
		by[a.name] = a
	}
	for _, a := range siblings {
		if a.child {
			a.parent = by[a.parent.name]
		}
	}
	for _, a := range siblings {
		steps := 0
		for p := a; p != nil && p.child && steps <= len(siblings); steps++ {
			if p = p.parent; p == nil || (!p.child && p.kind < 0) || steps == len(siblings) {
				l.problem(coordinate+"("+a.name+":)", nil, "@childOf: its arg is no sibling that names a resource by @scopedBy")
				a.child = false
				break
			}
		}
	}
}

// watch marks what has to be looked at in values, through input objects that may
// contain each other.
func (l *loader) watch() {
	names := slices.Sorted(maps.Keys(l.schema.inputs))
	for changed := true; changed; {
		changed = false
		for _, name := range names {
			in := l.schema.inputs[name]
			was := in.watched
			in.watched = false
			for _, f := range in.fields {
				f.watched = watched(f)
				in.watched = in.watched || f.watched
			}
			changed = changed || was != in.watched
		}
	}
}

func watched(a *slotRule) bool {
	return a.kind >= 0 || a.child || len(a.wants) > 0 || a.enum != nil || (a.opaque && !a.exempt) || (a.object != nil && a.object.watched)
}

// meaning sums up the arguments of a field: the first id-like one of which nothing is
// said, the kinds they may pin, and whether they have to be looked at.
func (l *loader) meaning(args []*slotRule) (undeclared string, pins kindSet, slots bool) {
	type visit struct {
		in   *inputRule
		free bool
	}
	seen := map[visit]bool{}
	var look func(list []*slotRule, path string, exempt bool)
	look = func(list []*slotRule, path string, exempt bool) {
		for _, a := range list {
			at := path + a.name
			a.watched = watched(a)
			slots = slots || a.watched
			if a.kind >= 0 {
				pins |= 1 << a.kind
			}
			free := exempt || a.exempt
			if undeclared == "" && a.idLike && a.kind < 0 && !a.child && !free {
				undeclared = at
			}
			if v := (visit{a.object, free}); a.object != nil && !seen[v] {
				seen[v] = true
				look(a.object.fields, at+".", free)
			}
		}
	}
	look(args, "", false)
	return undeclared, pins, slots
}
