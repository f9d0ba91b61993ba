package graphql_test

import (
	"fmt"
	"slices"
)

// args draws the arguments of a field, or the fields of an input object.
func (d *drafter) args(count int) []*argument {
	var all []*argument
	for range count {
		if a := d.argument(all); !slices.ContainsFunc(all, func(b *argument) bool { return a.name == b.name }) {
			all = append(all, a)
		}
	}
	return all
}

func (d *drafter) argument(beside []*argument) *argument {
	d.n++
	var a *argument
	switch n := d.below(20); {
	case n < 7:
		a = d.scopedBy(pick(d.source, d.m.kinds), beside)
	case n < 9:
		a = d.childOf(beside)
	case n < 10: // looks like an id, and says nothing
		a = &argument{name: fmt.Sprintf("x%dId", d.n), typ: d.wrap(d.scalars[pick(d.source, []string{"ID", "String", "Int"})], 20)}
	case n < 11:
		a = &argument{name: fmt.Sprintf("n%dIds", d.n), typ: d.wrap(d.scalars["ID"], 50), unscoped: true}
	case n < 13:
		a = &argument{name: fmt.Sprint("first", d.n), typ: d.wrap(d.scalars["Int"], 0), paging: true}
	case n < 14:
		a = &argument{name: fmt.Sprint("after", d.n), typ: &reference{named: d.scalars["ID"]}, paging: true, unscoped: d.percent(70)}
	case n < 17 && len(d.inputs) > 0:
		a = &argument{name: fmt.Sprint("in", d.n), typ: d.wrap(pick(d.source, d.inputs), 25)}
		a.typ.nonNull = a.typ.nonNull && d.percent(40)
		a.unscoped = d.percent(25)
	default:
		a = &argument{name: fmt.Sprint("text", d.n), typ: d.wrap(d.leaf(), 15), unscoped: d.percent(30)}
		if a.typ.base().name == "ID" {
			a.unscoped = true
		}
	}
	a.demand = d.demand(8)
	return a
}

// scopedBy draws an argument that names resources of a kind.
func (d *drafter) scopedBy(kind string, beside []*argument) *argument {
	a := &argument{name: kind + "Id", scopedBy: kind}
	if slices.ContainsFunc(beside, func(b *argument) bool { return b.name == a.name }) {
		a.name = fmt.Sprint(kind, d.n)
	}
	a.typ = d.wrap(d.scalars[pick(d.source, []string{"ID", "ID", "ID", "ID", "String", "Int"})], 30)
	if d.percent(12) {
		a.literal = `"2"`
		if a.typ.base().name == "Int" {
			a.literal = "2"
		}
		if a.typ.of != nil {
			a.literal = "[" + a.literal + "]"
		}
		if !a.typ.nonNull && d.percent(15) {
			a.literal = "null"
		}
	}
	return a
}

// childOf draws an argument that names something in what another one names.
func (d *drafter) childOf(beside []*argument) *argument {
	for _, b := range beside {
		if b.scopedBy != "" {
			return &argument{name: fmt.Sprintf("c%dId", d.n), typ: d.wrap(d.scalars["ID"], 20), childOf: b.name}
		}
	}
	return d.scopedBy(pick(d.source, d.m.kinds), beside)
}

func (d *drafter) fillInput(i int, t *definition) {
	t.demand = d.demand(8)
	t.inputs = d.args(2 + d.below(3))
	for _, a := range t.inputs {
		a.paging = false
		if a.idLike() && !a.declared() && d.percent(60) {
			a.unscoped = true
		}
		if a.typ.base().class == input { // only lists and null end a recursion
			a.typ = &reference{named: a.typ.base()}
			if d.percent(40) {
				a.typ = &reference{of: &reference{named: a.typ.named, nonNull: true}}
			}
		}
	}
	if d.percent(40) {
		t.inputs = append(t.inputs, &argument{name: "not", typ: &reference{named: t}})
	}
	if len(t.inputs) == 0 {
		t.inputs = append(t.inputs, &argument{name: fmt.Sprint("text", i), typ: &reference{named: d.scalars["String"]}})
	}
}
