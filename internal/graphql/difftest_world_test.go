package graphql_test

import (
	"fmt"
	"slices"
)

// drafter draws annotated schemas.
type drafter struct {
	*source
	m       *model
	objects []*definition
	ifaces  []*definition
	unions  []*definition
	enums   []*definition
	inputs  []*definition
	scalars map[string]*definition
	keys    map[string]*reference
	n       int
}

func drawModel(s *source) *model {
	d := &drafter{source: s, m: &model{byName: map[string]*definition{}}, scalars: map[string]*definition{}, keys: map[string]*reference{}}
	d.m.kinds = kindWords[:1+s.below(3)]
	d.types()
	d.scopings()
	d.m.query = d.add("Query", object)
	for _, t := range d.ifaces {
		d.fill(t, 1+s.below(3))
	}
	for _, t := range d.objects {
		d.inherit(t)
		d.fill(t, 2+s.below(4))
	}
	d.roots()
	return d.m
}

// types draws what types there are, without the fields of objects and interfaces.
func (d *drafter) types() {
	for _, n := range []string{"ID", "String", "Int", "Boolean"} {
		d.scalars[n] = &definition{name: n, class: scalar}
		d.m.byName[n] = d.scalars[n]
	}
	d.scalars["Json"] = d.add("Json", scalar)
	d.scalars["Json"].demand = d.demand(5)
	for i := range 2 {
		d.enums = append(d.enums, d.enum(i))
	}
	for i := range d.below(3) {
		d.inputs = append(d.inputs, d.add(fmt.Sprint("In", i), input))
	}
	for i, t := range d.inputs {
		d.fillInput(i, t)
	}
	for i := range d.below(3) {
		d.ifaces = append(d.ifaces, d.add(fmt.Sprint("I", i), iface))
	}
	for i := range 3 + d.below(4) {
		d.objects = append(d.objects, d.add(fmt.Sprint("T", i), object))
	}
	for i := range d.below(3) {
		u := d.add(fmt.Sprint("U", i), union)
		for len(u.members) == 0 {
			u.members = some(d.source, d.objects, 40)
		}
		d.unions = append(d.unions, u)
	}
}

func (d *drafter) add(name string, c class) *definition {
	t := &definition{name: name, class: c}
	d.m.types = append(d.m.types, t)
	d.m.byName[name] = t
	return t
}

func (d *drafter) enum(i int) *definition {
	t := d.add(fmt.Sprint("E", i), enum)
	t.demand = d.demand(5)
	for v := range 2 + d.below(2) {
		t.values = append(t.values, &enumValue{name: fmt.Sprintf("V%d%d", i, v), demand: d.demand(10)})
	}
	return t
}

// demand draws what stands on the action axis, so many times of a hundred.
func (d *drafter) demand(p int) demand {
	if !d.percent(p) {
		return nil
	}
	all := []clause{{}, {scopes: true, any: d.alternatives(scopeWords)}, {any: d.alternatives(actionWords)}}
	switch n := d.below(20); {
	case n < 8:
		return demand(all[:1])
	case n < 16:
		return demand(all[2:])
	case n < 18:
		return demand(all[1:2])
	}
	return demand(all[1:])
}

func (d *drafter) alternatives(words []string) [][]string {
	var any [][]string
	for range 1 + d.below(2) {
		one := some(d.source, words, 30)
		if len(one) == 0 {
			one = []string{pick(d.source, words)}
		}
		any = append(any, one)
	}
	return any
}

// scopings decides what belongs to what, and which interfaces objects have.
func (d *drafter) scopings() {
	for _, t := range d.ifaces {
		t.demand = d.demand(20)
		if d.percent(25) {
			k := pick(d.source, d.m.kinds)
			t.scoped = &scoping{k, k + "Id"}
		}
	}
	for i, t := range d.objects {
		t.demand = d.demand(65)
		switch n := d.below(20); {
		case n < 10 || i == 0:
			k := pick(d.source, d.m.kinds)
			t.scoped = &scoping{k, pick(d.source, []string{"id", k + "Id"})}
		case n < 12:
			t.unscoped = true
		}
		for _, f := range some(d.source, d.ifaces, 40) {
			clash := f.scoped != nil && (t.unscoped || t.scoped != nil && t.scoped.kind == f.scoped.kind)
			if !clash {
				t.ifaces, f.members = append(t.ifaces, f), append(f.members, t)
			}
		}
	}
	for _, f := range d.ifaces {
		if len(f.members) == 0 {
			t := d.add("Of"+f.name, object)
			t.ifaces, f.members = []*definition{f}, []*definition{t}
			d.objects = append(d.objects, t)
		}
	}
}

// inherit gives an object the fields of its interfaces, with demands of its own.
func (d *drafter) inherit(t *definition) {
	for _, i := range t.ifaces {
		for _, f := range i.fields {
			if t.field(f.name) == nil {
				own := *f
				own.demand = d.demand(30)
				own.quiet, own.args = d.percent(20), nil
				for _, a := range f.args {
					same := *a
					same.quiet = d.percent(15)
					own.args = append(own.args, &same)
				}
				t.fields = append(t.fields, &own)
			}
		}
	}
}

// fill gives a type its key and so many fields.
func (d *drafter) fill(t *definition, count int) {
	if t.scoped != nil && t.field(t.scoped.by) == nil {
		if d.keys[t.scoped.by] == nil { // one type, as interfaces share them
			d.keys[t.scoped.by] = &reference{named: d.scalars[pick(d.source, []string{"ID", "ID", "ID", "String"})], nonNull: d.percent(80)}
		}
		t.fields = append(t.fields, &field{name: t.scoped.by, typ: d.keys[t.scoped.by], demand: d.answer(t)})
	}
	for range count {
		t.fields = append(t.fields, d.field(t))
	}
}

// answer is a demand wherever there is none on the type, save now and then.
func (d *drafter) answer(t *definition) demand {
	if len(t.demand) > 0 {
		return d.demand(25)
	}
	return d.demand(96)
}

// composite draws what a field may return that is no leaf.
func (d *drafter) composite() *definition {
	n := d.below(10)
	switch {
	case n < 2 && len(d.ifaces) > 0:
		return pick(d.source, d.ifaces)
	case n < 4 && len(d.unions) > 0:
		return pick(d.source, d.unions)
	}
	if d.m.query != nil && d.percent(10) {
		return d.m.query
	}
	return pick(d.source, d.objects)
}

func (d *drafter) leaf() *definition {
	if d.percent(20) {
		return pick(d.source, d.enums)
	}
	return d.scalars[pick(d.source, []string{"ID", "ID", "String", "String", "Int", "Boolean", "Json"})]
}

func (d *drafter) wrap(t *definition, listed int) *reference {
	r := &reference{named: t, nonNull: d.percent(50)}
	if d.percent(listed) {
		r = &reference{of: r, nonNull: d.percent(50)}
	}
	return r
}

func (d *drafter) field(t *definition) *field {
	d.n++
	f := &field{name: fmt.Sprint("f", d.n), demand: d.answer(t)}
	if d.percent(50) {
		f.typ = d.wrap(d.composite(), 45)
		d.promise(f, 40, 5)
		f.checkable = !f.unscoped && d.percent(50)
	} else {
		f.typ = d.wrap(d.leaf(), 15)
		if len(t.scopings()) > 0 || t.unscoped {
			d.promise(f, 5, 10)
		} else {
			d.promise(f, 45, 25)
		}
	}
	if d.percent(35) {
		f.args = d.args(1 + d.below(3))
	}
	return f
}

func (d *drafter) promise(f *field, unscoped, whole int) {
	switch n := d.below(100); {
	case n < unscoped:
		f.unscoped = true
	case n < unscoped+whole:
		f.whole = true
		f.kinds = some(d.source, d.m.kinds, 60)
	}
}

func (d *drafter) roots() {
	for _, k := range d.m.kinds { // each kind can be pinned somewhere
		f := d.field(d.m.query)
		f.typ, f.whole, f.kinds = d.wrap(pick(d.source, d.ofKind(k)), 30), false, nil
		f.args = []*argument{d.scopedBy(k, nil)}
		for _, a := range d.args(d.below(3)) {
			if a.name != f.args[0].name {
				f.args = append(f.args, a)
			}
		}
		d.m.query.fields = append(d.m.query.fields, f)
	}
	d.fill(d.m.query, 3+d.below(4))
	if d.percent(40) {
		d.m.mutation = d.add("Mutation", object)
		for range 1 + d.below(4) {
			f := d.field(d.m.mutation)
			if f.args == nil || d.percent(50) {
				f.args = d.args(1 + d.below(3))
			}
			d.m.mutation.fields = append(d.m.mutation.fields, f)
		}
	}
}

// ofKind lists the objects of a kind, or all if it has none.
func (d *drafter) ofKind(kind string) []*definition {
	var of []*definition
	for _, t := range d.objects {
		if slices.ContainsFunc(t.scopings(), func(s scoping) bool { return s.kind == kind }) {
			of = append(of, t)
		}
	}
	if of == nil {
		return d.objects
	}
	return of
}
