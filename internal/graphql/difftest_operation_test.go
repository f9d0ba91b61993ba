package graphql_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// request is a generated operation with its variables.
type request struct {
	query, name string
	variables   string
	defect      string // why nobody may have it; "" if it is good
}

// writer writes documents that are valid in a schema.
type writer struct {
	*source
	m         *model
	g         *grant
	names     map[string]string // response name → what it stands for
	fragments []*written
	variables map[string]*given
	now       *written // what is being written
	n         int
	silent    bool // no variables now
}

// written is an operation or a fragment, and what it uses.
type written struct {
	name, text string
	on         *definition
	variables  map[string]bool
	spreads    []*written
	open       bool // still being written
}

// given is a variable, with its value as JSON, "" if it is left out.
type given struct{ typ, def, json string }

func drawRequest(s *source, m *model, g *grant) request {
	w := &writer{source: s, m: m, g: g, names: map[string]string{}, variables: map[string]*given{}}
	count := pick(s, []int{1, 1, 1, 1, 2, 3})
	var operations []*written
	for i := range count {
		o := &written{variables: map[string]bool{}, on: m.query}
		if m.mutation != nil && s.percent(30) {
			o.on = m.mutation
		}
		if count > 1 || s.percent(50) {
			o.name = fmt.Sprint("Op", i)
		}
		w.now = o
		o.text = w.set(o.on, 4)
		operations = append(operations, o)
	}
	chosen := pick(s, operations)
	r := request{name: chosen.name, variables: w.values(chosen)}
	if count == 1 && s.percent(50) {
		r.name = ""
	}
	r.query = w.document(operations)
	if s.percent(4) {
		w.spoil(&r)
	}
	return r
}

func (w *writer) document(operations []*written) string {
	var parts []string
	for _, o := range operations {
		kind := map[bool]string{true: "mutation", false: "query"}[o.on == w.m.mutation]
		head := kind + " " + o.name
		var declared []string
		for _, v := range slices.Sorted(maps.Keys(o.uses(nil))) {
			d := "$" + v + ": " + w.variables[v].typ
			if def := w.variables[v].def; def != "" {
				d += " = " + def
			}
			declared = append(declared, d)
		}
		if declared != nil {
			head += "(" + strings.Join(declared, ", ") + ")"
		} else if o.name == "" && kind == "query" && w.percent(50) {
			head = ""
		}
		parts = append(parts, head+o.text)
	}
	for _, f := range w.fragments {
		parts = append(parts, "fragment "+f.name+" on "+f.on.name+f.text)
	}
	for i := range parts { // in any order
		j := i + w.below(len(parts)-i)
		parts[i], parts[j] = parts[j], parts[i]
	}
	return strings.Join(parts, pick(w.source, []string{" ", "\n", "\n# a comment { } \"\n", ",,"}))
}

// uses are the variables that an operation or fragment needs, with all it reaches.
func (o *written) uses(into map[string]bool) map[string]bool {
	if into == nil {
		into = map[string]bool{}
	}
	maps.Copy(into, o.variables)
	for _, f := range o.spreads {
		f.uses(into)
	}
	return into
}

func (w *writer) values(o *written) string {
	members := []string{}
	for _, v := range slices.Sorted(maps.Keys(o.uses(nil))) {
		if value := w.variables[v].json; value != "" {
			members = append(members, fmt.Sprintf("%q:%s", v, value))
		}
	}
	if len(members) == 0 && w.percent(50) {
		return ""
	}
	return "{" + strings.Join(members, ",") + "}"
}

// set writes a selection set on a type.
func (w *writer) set(t *definition, depth int) string {
	var parts []string
	for range 1 + w.below(4) {
		n := w.below(20)
		switch {
		case depth > 0 && n < 3:
			on := pick(w.source, w.overlapping(t))
			head := "... on " + on.name
			if on == t && w.percent(30) {
				head = "..."
			}
			parts = append(parts, head+w.directives()+w.set(on, depth-1))
		case depth > 0 && n < 6:
			if f := w.fragment(t, depth-1); f != nil {
				parts = append(parts, "..."+pick(w.source, []string{"", " "})+f.name+w.directives())
			}
		case n < 8 || len(t.fields) == 0:
			parts = append(parts, w.answerTo("__typename", "__typename|String!")+"__typename"+w.directives())
		default:
			parts = append(parts, w.field(t, depth)...)
		}
	}
	if len(parts) == 0 {
		parts = []string{w.answerTo("__typename", "__typename|String!") + "__typename"}
	}
	sep := pick(w.source, []string{" ", "\n", ", ", " # c\n"})
	return " { " + strings.Join(parts, sep) + " }"
}

// overlapping lists the types that a fragment may stand on.
func (w *writer) overlapping(t *definition) []*definition {
	var all []*definition
	for _, o := range w.m.types {
		if slices.ContainsFunc(o.possible(), func(p *definition) bool { return slices.Contains(t.possible(), p) }) {
			all = append(all, o)
		}
	}
	return all
}

func (w *writer) fragment(t *definition, depth int) *written {
	for _, f := range w.fragments {
		if !f.open && w.percent(30) && slices.Contains(w.overlapping(t), f.on) {
			w.now.spreads = append(w.now.spreads, f)
			return f
		}
	}
	if len(w.fragments) > 6 {
		return nil
	}
	f := &written{name: fmt.Sprint("F", len(w.fragments)), on: pick(w.source, w.overlapping(t)), variables: map[string]bool{}, open: true}
	w.fragments = append(w.fragments, f)
	w.now.spreads = append(w.now.spreads, f)
	before := w.now
	w.now = f
	f.text = w.set(f.on, depth)
	w.now, f.open = before, false
	return f
}

func (w *writer) field(t *definition, depth int) []string {
	f := pick(w.source, t.fields)
	for range 5 {
		if w.likely(t, f) || w.percent(4) {
			break
		}
		f = pick(w.source, t.fields)
	}
	back := f.typ.base()
	if !back.leaf() && depth <= 0 {
		return nil
	}
	args := w.args(f)
	text := w.answerTo(f.name, f.name+args+"|"+f.typ.String()) + f.name + args + w.directives()
	if !back.leaf() {
		text += w.set(back, depth-1)
	}
	return []string{text}
}

// answerTo finds a response name that stands for nothing else, with a colon if it is
// an alias.
func (w *writer) answerTo(name, means string) string {
	if w.percent(25) {
		alias := pick(w.source, []string{"a", "b", "id", "studyId", "siteId", "__typename", "data"})
		if w.names[alias] == "" || w.names[alias] == means {
			w.names[alias] = means
			return alias + ": "
		}
	}
	if w.names[name] == "" || w.names[name] == means {
		w.names[name] = means
		return ""
	}
	w.n++
	alias := fmt.Sprint("z", w.n)
	w.names[alias] = means
	return alias + " : "
}

func (w *writer) directives() string {
	if !w.percent(8) {
		return ""
	}
	value := pick(w.source, []string{"true", "false"})
	if w.percent(60) {
		value = w.variable("Boolean!", w.m.byName["Boolean"], "", value)
	}
	return pick(w.source, []string{" @skip(if: ", " @include(if: "}) + value + ")"
}

// variable declares one that is given such a value.
func (w *writer) variable(typ string, of *definition, def, value string) string {
	w.n++
	name := fmt.Sprint("v", w.n)
	w.variables[name] = &given{typ: typ, def: def, json: value}
	w.now.variables[name] = true
	return "$" + name
}

// text writes a string in one of the ways that there are.
func (w *writer) text(s string) string {
	quoted, _ := json.Marshal(s)
	switch w.below(5) {
	case 0:
		return `"""` + s + `"""`
	case 1:
		return "\"\"\"\n    " + s + "\n  \"\"\""
	case 2:
		if s != "" {
			return fmt.Sprintf(`"\u%04x%s"`, s[0], s[1:])
		}
	}
	return string(quoted)
}
