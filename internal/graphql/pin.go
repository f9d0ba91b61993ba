package graphql

import (
	"slices"

	"github.com/postern-dev/postern/internal/policy"
)

// pin is a field whose arguments have to be looked at in each request.
type pin struct {
	rule    *fieldRule
	args    value // as an object
	lenient bool  // lies in what pins its parent by promise: pinning nothing needs nothing more
	fixed   *found
	refused *Refusal // of fixed
	spot    int
}

// found is what the arguments of a field turned out to carry.
type found struct {
	resources []policy.Resource // every one that they name, and all of every kind where they pin nothing
	wants     []int             // rules of the arguments, input fields and enum values that are there
	pinned    kindSet
	promise   bool // what comes back lies in what is named: a child is, or the field says so
}

// look goes through the arguments of one field.
type look struct {
	schema *Schema
	vars   *given
	found  found
	counts []count
	odd    bool // pins nothing: an id is null or missing beside others, or a child has no parent
	hidden bool // something that may hold ids that nobody could see
	bad    bool // an id that is no id
	stack  []*inputRule
}

// count says how often something that names is there.
type count struct {
	slot           *slotRule
	found, missing int
}

// resolve looks at the arguments of a field.
func (p *pin) resolve(s *Schema, vars *given) (*found, *Refusal) {
	k := look{schema: s, vars: vars}
	k.siblings(p.rule.args, &p.args, false, false)
	switch {
	case k.hidden:
		return nil, &Refusal{Reason: Undeclared, Detail: "a value of the API's own scalar that may hold ids: declare its argument"}
	case k.bad:
		return nil, &Refusal{Reason: BadVariables, Detail: "an id is a string that is not empty, or an integer"}
	}
	child := 0
	for _, c := range k.counts {
		if c.found > 0 && c.missing > 0 {
			k.odd = true
		}
		if c.found > 0 && c.slot.kind >= 0 {
			k.found.pinned |= 1 << c.slot.kind
		}
		if c.found > 0 && c.slot.child {
			child++
		}
	}
	k.found.promise = child > 0 || p.rule.unscoped && k.found.pinned != 0
	if k.odd || p.rule.undeclared != "" {
		k.found.pinned, k.found.promise = 0, false
	}
	if k.found.pinned == 0 && !p.lenient {
		k.found.pinned = p.rule.pins
		for i, kind := range s.kinds {
			if p.rule.pins.has(i) {
				k.found.resources = append(k.found.resources, policy.Resource{Kind: kind, All: true})
			}
		}
	}
	return &k.found, nil
}

// siblings looks at the arguments of a field, or at the fields of one input object.
// free: something around them is declared unscoped; again: they stand in an input
// object of the same type.
func (k *look) siblings(rules []*slotRule, object *value, free, again bool) {
	var named []*slotRule
	for _, a := range rules {
		if !a.watched {
			continue
		}
		v, has := object.field(a.name)
		if has {
			k.found.wants = add(k.found.wants, a.wants...)
		}
		if v.kind == isVariable {
			v, has = k.vars.value(v.text)
		}
		if !has && a.value != nil {
			v = literal(a.value)
		}
		if k.slot(a, &v, free || a.exempt, again) {
			named = append(named, a)
		}
	}
	for _, a := range named {
		if a.child && !slices.Contains(named, a.parent) {
			k.odd = true
		}
	}
}

// slot looks at one value, and reports whether it names something.
func (k *look) slot(a *slotRule, v *value, free, again bool) (names bool) {
	if a.kind >= 0 || a.child {
		n := k.ids(a, v)
		if !again {
			k.count(a, n > 0)
		}
		names = n > 0
	}
	if a.enum != nil {
		k.each(v, func(e *value) { k.found.wants = add(k.found.wants, a.enum[e.text]...) })
	}
	if a.opaque && a.kind < 0 && !a.child && !free && !k.flat(v, lists(a.typ)) {
		k.hidden = true
	}
	if a.object != nil && a.object.watched {
		again = again || slices.Contains(k.stack, a.object)
		k.stack = append(k.stack, a.object)
		k.each(v, func(o *value) {
			if o.kind == isObject {
				k.siblings(a.object.fields, o, free, again)
			}
		})
		k.stack = k.stack[:len(k.stack)-1]
	}
	return names
}

func (k *look) count(a *slotRule, found bool) {
	i := slices.IndexFunc(k.counts, func(c count) bool { return c.slot == a })
	if i < 0 {
		i = len(k.counts)
		k.counts = append(k.counts, count{slot: a})
	}
	if found {
		k.counts[i].found++
	} else {
		k.counts[i].missing++
	}
}

// ids takes the ids out of a value and its lists, and returns how many there are.
func (k *look) ids(a *slotRule, v *value) (n int) {
	k.each(v, func(e *value) {
		id, ok := e.id()
		switch {
		case e.kind == isNull:
			k.odd = k.odd || v.kind == isList
		case !ok:
			k.bad = true
		default:
			n++
			if a.kind >= 0 {
				k.found.resources = append(k.found.resources, policy.Resource{Kind: k.schema.kinds[a.kind], ID: id})
			}
		}
	})
	return n
}

// each calls f for a value, or for what its lists hold, variables resolved.
func (k *look) each(v *value, f func(*value)) {
	switch v.kind {
	case isList:
		for i := range v.items {
			k.each(&v.items[i], f)
		}
	case isVariable:
		got, _ := k.vars.value(v.text)
		k.each(&got, f)
	default:
		f(v)
	}
}

// flat reports whether a value holds nothing but leaves, below as many lists as its
// type says.
func (k *look) flat(v *value, lists int) bool {
	if v.kind == isVariable {
		got, _ := k.vars.value(v.text)
		v = &got
	}
	if v.kind == isList && lists > 0 {
		return !slices.ContainsFunc(v.items, func(e value) bool { return !k.flat(&e, lists-1) })
	}
	return v.kind != isList && v.kind != isObject
}
