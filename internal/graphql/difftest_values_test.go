package graphql_test

import (
	"fmt"
	"strings"
)

// args writes the arguments of a field, "" if there are none.
func (w *writer) args(f *field) string {
	var parts []string
	for _, a := range f.args {
		if !a.required() && w.percent(35) {
			continue
		}
		parts = append(parts, a.name+": "+w.value(a, a.typ, a.literal != ""))
	}
	if parts == nil {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func (a *argument) required() bool { return a.typ.nonNull && a.literal == "" }

// value writes a value for a place of such a type: a literal, or a variable.
func (w *writer) value(a *argument, r *reference, hasDefault bool) string {
	if w.percent(30) {
		return w.asVariable(a, r, hasDefault)
	}
	return w.literal(a, r, false, 0)
}

func (w *writer) asVariable(a *argument, r *reference, hasDefault bool) string {
	typ := r.String()
	value := w.literal(a, r, true, 0)
	switch {
	case !r.nonNull && w.percent(20): // stricter than it need be
		typ += "!"
		if value == "null" {
			return "null"
		}
		return w.variable(typ, r.base(), "", value)
	case !r.nonNull && w.percent(30):
		return w.variable(typ, r.base(), "", pick(w.source, []string{"", "", "null"}))
	case w.percent(25): // with a default, which may stand for it
		typ = strings.TrimSuffix(typ, "!")
		def := w.quiet(a, r)
		if w.percent(50) && value != "null" {
			return w.variable(typ, r.base(), def, value)
		}
		return w.variable(typ, r.base(), def, "")
	case r.nonNull && hasDefault && w.percent(50): // left out, the default of the place stands
		return w.variable(strings.TrimSuffix(typ, "!"), r.base(), "", "")
	}
	return w.variable(typ, r.base(), "", value)
}

// quiet writes a literal without variables in it.
func (w *writer) quiet(a *argument, r *reference) string {
	before := w.silent
	w.silent = true
	defer func() { w.silent = before }()
	strict := *r
	strict.nonNull = true
	return w.literal(a, &strict, false, 0)
}

// literal writes a value as GraphQL, or as JSON.
func (w *writer) literal(a *argument, r *reference, asJSON bool, depth int) string {
	switch {
	case !r.nonNull && w.percent(8):
		return "null"
	case r.of != nil && w.percent(12) && r.of.of == nil:
		strict := *r.of
		strict.nonNull = true
		return w.literal(a, &strict, asJSON, depth) // one stands for a list of one
	case r.of != nil:
		var items []string
		for range pick(w.source, []int{0, 1, 1, 1, 2, 2, 3}) {
			if !asJSON && !w.silent && w.percent(15) {
				items = append(items, w.variable(r.of.String(), r.base(), "", w.literal(a, r.of, true, depth)))
				continue
			}
			items = append(items, w.literal(a, r.of, asJSON, depth))
		}
		return "[" + strings.Join(items, ",") + "]"
	case r.named.class == input:
		return w.object(r.named, asJSON, depth)
	case r.named.class == enum:
		v := pick(w.source, r.named.values).name
		if asJSON {
			return `"` + v + `"`
		}
		return v
	}
	return w.scalar(a, r.named, asJSON)
}

func (w *writer) object(t *definition, asJSON bool, depth int) string {
	var parts []string
	for _, a := range t.inputs {
		if !a.required() && (depth > 1 && a.typ.base().class == input || w.percent(40)) {
			continue
		}
		if asJSON {
			parts = append(parts, fmt.Sprintf("%q:%s", a.name, w.literal(a, a.typ, true, depth+1)))
			continue
		}
		if !w.silent && w.percent(15) {
			parts = append(parts, a.name+":"+w.asVariable(a, a.typ, a.literal != ""))
			continue
		}
		parts = append(parts, a.name+":"+w.literal(a, a.typ, false, depth+1))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (w *writer) scalar(a *argument, t *definition, asJSON bool) string {
	quote := w.text
	if asJSON {
		quote = func(s string) string { return fmt.Sprintf("%q", s) }
	}
	switch t.name {
	case "Json":
		return w.json(quote, asJSON)
	case "Boolean":
		return pick(w.source, []string{"true", "false"})
	case "Int":
		if a.scopedBy != "" {
			return w.id(a, []string{"1", "2", "3"})
		}
		return fmt.Sprint(w.below(12) - 1)
	case "ID":
		id := w.id(a, idWords)
		if w.percent(40) && (id == "1" || id == "2" || id == "3") {
			return id
		}
		return quote(id)
	}
	if a.scopedBy != "" {
		return quote(w.id(a, idWords))
	}
	return quote(pick(w.source, []string{"", "x", "a word"}))
}

// json writes a value of an own scalar, sometimes one that may hold ids.
func (w *writer) json(quote func(string) string, asJSON bool) string {
	name := "id"
	if asJSON {
		name = `"id"`
	}
	switch w.below(10) {
	case 0:
		return "[1,[" + quote("2") + "]]"
	case 1:
		return "{" + name + ":" + quote("2") + "}"
	case 2:
		return "true"
	case 3:
		return "3"
	}
	return quote("x")
}

// id draws one that is held, most of the time.
func (w *writer) id(a *argument, of []string) string {
	id := pick(w.source, of)
	for range 6 {
		if a.scopedBy == "" || w.g.holds(a.scopedBy, id) || w.percent(3) {
			break
		}
		id = pick(w.source, of)
	}
	return id
}

// spoil makes a request wrong in a way that nobody may have.
func (w *writer) spoil(r *request) {
	r.defect = pick(w.source, []string{"unused fragment", "cycle", "unknown field", "unknown type", "undefined variable", "no such operation",
		"unknown directive", "subscription", "two anonymous", "syntax", "unused variable"})
	end := strings.LastIndex(r.query, "}")
	first := strings.Index(r.query, "{ ")
	switch r.defect {
	case "unused fragment":
		r.query += " fragment Lost on Query { __typename }"
	case "cycle":
		r.query += " query Round { ...R1 } fragment R1 on Query { ...R2 } fragment R2 on Query { ...R1 }"
	case "unknown field":
		r.query = r.query[:end] + " nowhere }" + r.query[end+1:]
	case "unknown type":
		r.query += " query Lost { ... on Nothing { __typename } }"
	case "undefined variable":
		r.query = r.query[:first+1] + " __typename @skip(if: $lost) " + r.query[first+1:]
	case "no such operation":
		r.name = "Lost"
	case "unknown directive":
		r.query = r.query[:first+1] + " __typename @lost " + r.query[first+1:]
	case "subscription":
		r.query, r.name = "subscription S { __typename }", ""
	case "two anonymous":
		r.query += " { __typename } { __typename }"
	case "syntax":
		r.query = r.query[:end]
	case "unused variable":
		r.query += " query Lost($lost: Int) { __typename }"
	}
}
