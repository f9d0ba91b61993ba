package graphql_test

import "slices"

// The first reference: what came back, and what was touched on the way, against what
// is held. It does not look at the document.

// judge holds what one field touches against the grant.
func (x *execution) judge(n *node, f *field, args, sent values) {
	stands := len(f.demand) + len(n.typ.demand)
	for _, i := range n.typ.ifaces {
		stands += len(i.demand)
		if g := i.field(f.name); g != nil {
			stands += len(g.demand)
			x.meet(g.demand, i.name+"."+f.name)
		}
		x.meet(i.demand, i.name)
	}
	x.meet(n.typ.demand, n.typ.name)
	x.meet(f.demand, n.typ.name+"."+f.name)
	if stands == 0 {
		x.touch("%s.%s: no answer", n.typ.name, f.name)
	}
	x.meet(f.typ.base().demand, f.typ.base().name)
	x.sent(f.args, sent)
	x.reveals(n, f, name(f, args))
}

func (x *execution) meet(d demand, what string) {
	if !d.met(x.g) {
		x.touch("%s: demand", what)
	}
}

// sent judges arguments and what is in them.
func (x *execution) sent(of []*argument, given values) {
	for _, a := range of {
		if value, there := given[a.name]; there {
			x.meet(a.demand, a.name)
			x.sentValue(a.typ.base(), value)
		}
	}
}

func (x *execution) sentValue(t *definition, value any) {
	x.meet(t.demand, t.name) // of null and of no items too
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			x.sentValue(t, item)
		}
	case map[string]any:
		x.sent(t.inputs, v)
	case word:
		i := slices.IndexFunc(t.values, func(e *enumValue) bool { return e.name == string(v) })
		x.meet(t.values[i].demand, string(v))
	}
}

// reveals judges ids that were sent and, of a leaf or a mutation, what the answer tells.
func (x *execution) reveals(n *node, f *field, by *naming) {
	for k, ids := range by.asked {
		for _, id := range ids {
			if !x.g.holds(k, id) {
				x.touch("%s %s was sent", k, id)
			}
		}
	}
	if f.whole {
		x.every(x.kindsOf(f), f.name)
	}
	mutation := n.typ == x.m.mutation
	if f.unscoped || f.whole || !f.typ.base().leaf() && !mutation {
		return
	}
	switch {
	case by.undeclared:
		x.every(x.m.kinds, "undeclared of "+f.name)
	case len(by.kinds) > 0 && len(by.pins) == 0:
		x.every(by.kinds, "left out of "+f.name)
	case len(by.pins) > 0 || n.typ.unscoped || len(n.keys) > 0:
	default:
		x.container(n, f)
	}
}

// container judges a leaf of a container: a total tells of all that it may contain, or
// that what it is a part of may contain.
func (x *execution) container(n *node, f *field) {
	kinds := contains(n.typ)
	switch {
	case len(kinds) > 0:
		x.every(n.open(), f.name)
	case n.silent:
	case len(n.inside) == 0 && len(n.pins) == 0 && len(n.wholes) == 0:
		x.every(x.m.kinds, f.name+" of nothing")
	default:
		x.every(n.wholes, f.name+" of what was not named")
		x.every(n.beside, f.name+" beside what is not pinned")
	}
}

func (x *execution) every(kinds []string, what string) {
	for _, k := range kinds {
		if !x.g.all(k) {
			x.touch("%s: all %s", what, k)
		}
	}
}

// judgeObject judges an object that came back.
func (x *execution) judgeObject(n *node) {
	x.meet(n.typ.demand, n.typ.name)
	for _, i := range n.typ.ifaces {
		x.meet(i.demand, i.name)
	}
	inside := n.promised && slices.ContainsFunc(n.inside, func(p place) bool { return x.g.holds(p.kind, p.id) || x.g.all(p.kind) })
	for k, id := range n.keys {
		if !(inside && len(n.pins[k]) == 0) && !x.g.all(k) && (id == "" || !x.g.holds(k, id)) {
			x.outside = append(x.outside, n.typ.name+" of "+k+" "+id)
		}
	}
}

// contains lists the kinds of the scoped objects that may stand in a type, through
// types that are plain.
func contains(t *definition) []string {
	var kinds []string
	reached := []*definition{t}
	for i := 0; i < len(reached); i++ {
		for _, f := range reached[i].fields {
			for _, o := range f.typ.base().possible() {
				s := o.scopings()
				for _, s := range s {
					kinds = append(kinds, s.kind)
				}
				if len(s) == 0 && o.plain() && !slices.Contains(reached, o) {
					reached = append(reached, o)
				}
			}
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}
