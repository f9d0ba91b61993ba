package graphql_test

import (
	"fmt"
	"maps"
	"slices"
)

// The second reference: the rules of the package's doc comment, one after another,
// by plain recursion over what was sent, for each object type that may stand there.

// verdict is what the rules say of an operation.
type ruling struct {
	m        *model
	g        *grant
	doc      *document
	op       *operation
	vars     values
	sentVars values
	checks   bool     // Options.CheckResponses
	open     bool     // Options.Introspection
	refused  []string // why; none: allowed
	check    bool     // allowed if the answer is checked
}

// where is what is known of a container in which a field stands, and of what it returns.
type where struct {
	inside   bool            // it lies in a scoped object, or a pinned field returned it
	promised bool            // what it contains lies in that too
	around   bool            // so says a word in a scoped object, whatever arguments name
	pins     map[string]bool // kinds that are pinned
	may      map[string]bool // kinds that other arguments would have pinned
	beside   []string        // kinds that a container contains of which this is a part, not pinned this time
	named    map[string]bool // kinds that arguments may name
	checked  bool            // its objects are looked at
	chosen   bool            // an argument chose what is in it
}

func (r *ruling) refuse(format string, args ...any) {
	r.refused = append(r.refused, fmt.Sprintf(format, args...))
}

func (r *ruling) judge() {
	root := r.m.query
	if r.op.kind == "mutation" {
		root = r.m.mutation
	}
	r.set(root, r.op.selections, where{})
}

func (r *ruling) set(t *definition, set []*selection, w where) {
	for _, s := range set {
		switch {
		case s.field != "":
			r.field(t, s, w)
		case s.spread != "":
			if f := r.doc.fragments[s.spread]; slices.Contains(r.m.byName[f.on].possible(), t) {
				r.set(t, f.selections, w)
			}
		case s.on == "" || slices.Contains(r.m.byName[s.on].possible(), t):
			r.set(t, s.selections, w)
		}
	}
}

func (r *ruling) field(t *definition, s *selection, w where) {
	switch s.field {
	case "__typename":
		return
	case "__schema", "__type":
		if !r.open || !r.g.action("graphql:introspect") {
			r.refuse("introspection")
		}
		return
	}
	f := t.field(s.field)
	args, err := coercer{}.args(f, s.args, r.vars)
	if err != nil {
		r.refuse("%s: %v", f.name, err)
		return
	}
	sent, _ := coercer{bare: true}.args(f, s.args, r.sentVars)
	r.actions(t, f, sent)
	below := r.resources(t, f, name(f, args), w, s)
	for _, o := range f.typ.base().possible() {
		r.set(o, s.selections, below(o))
	}
}

// actions is the action axis.
func (r *ruling) actions(t *definition, f *field, sent values) {
	stands := r.must(t.demand, t.name) + r.must(f.demand, f.name)
	for _, i := range t.ifaces {
		stands += r.must(i.demand, i.name)
		if above := i.field(f.name); above != nil {
			stands += r.must(above.demand, i.name+"."+f.name)
		}
	}
	if stands == 0 {
		r.refuse("%s.%s: unanswered on the action axis", t.name, f.name)
	}
	back := f.typ.base()
	r.must(back.demand, back.name)
	for _, o := range back.possible() {
		r.must(o.demand, o.name)
		for _, i := range o.ifaces {
			r.must(i.demand, i.name)
		}
	}
	for _, v := range back.values {
		r.must(v.demand, v.name)
	}
	x := &execution{g: r.g}
	x.sent(f.args, sent)
	r.refused = append(r.refused, x.touched...)
}

func (r *ruling) must(d demand, what string) int {
	if !d.met(r.g) {
		r.refuse("%s: demand", what)
	}
	return len(d)
}

func (r *ruling) all(kinds []string, why string) {
	for _, k := range kinds {
		if !r.g.all(k) {
			r.refuse("%s: all %s", why, k)
		}
	}
}

// resources is the where axis; what it returns says where the objects of the field
// stand, by type.
func (r *ruling) resources(t *definition, f *field, by *naming, w where, s *selection) func(*definition) where {
	scoped := len(t.scopings()) > 0
	r.named(t, f, by, f.unscoped && (scoped || w.around) && !by.undeclared)
	if f.typ.base().leaf() {
		r.leaf(t, f, by, w)
		return nil
	}
	direct, pass := r.promise(t, f, by, w)
	for _, c := range []*where{&direct, &pass} {
		c.chosen = chooses(f, s) || t.plain() && w.chosen
		c.checked = r.checks && !c.chosen && (f.checkable || t.plain() && w.checked)
	}
	for _, o := range f.typ.base().possible() {
		r.returned(f, o, direct)
		r.count(f, o, s.selections, direct)
	}
	return func(o *definition) where {
		in := pass
		switch {
		case len(o.scopings()) > 0 || o.unscoped || o == r.m.query || o == r.m.mutation:
			return where{}
		case len(contains(o)) == 0:
			in.inside, in.beside = in.inside || f.unscoped, nil
			if !f.unscoped && !f.whole && len(by.kinds) == 0 { // a part of what it stands in
				in.inside = !by.undeclared && (scoped || w.inside && pinnable(t, w))
				in.beside = slices.Concat(w.beside, unpinned(t, w))
			}
		}
		return in
	}
}

// chooses tells whether a field carries an argument that is not only paging.
func chooses(f *field, s *selection) bool {
	return slices.ContainsFunc(s.args, func(n named) bool {
		return slices.ContainsFunc(f.args, func(a *argument) bool { return a.name == n.name && !a.paging })
	})
}

// wholes are the kinds of which all must be held.
func (r *ruling) wholes(f *field, by *naming) []string {
	var kinds []string
	if f.whole {
		kinds = r.kindsOf(f)
	}
	if len(by.pins) == 0 && !by.undeclared {
		kinds = slices.Concat(kinds, by.kinds)
	}
	return kinds
}

func (r *ruling) kindsOf(f *field) []string {
	if len(f.kinds) > 0 {
		return f.kinds
	}
	return r.m.kinds
}

// named judges what the arguments name, or leave out; word: the field says that it adds
// nothing to what is around.
func (r *ruling) named(t *definition, f *field, by *naming, word bool) {
	for k, ids := range by.asked {
		for _, id := range ids {
			if !r.g.holds(k, id) {
				r.refuse("%s: %s %s", f.name, k, id)
			}
		}
	}
	if by.hidden {
		r.refuse("%s: a value that may hold ids", f.name)
	}
	if f.whole {
		r.all(r.kindsOf(f), f.name)
	}
	if len(by.kinds) > 0 && len(by.pins) == 0 && !word {
		r.all(by.kinds, f.name+" names nothing")
	}
	if t == r.m.mutation && (len(by.kinds) == 0 || by.undeclared) && !f.unscoped && !f.whole {
		r.refuse("%s: a mutation unanswered on the where axis", f.name)
	}
	if by.undeclared && !f.unscoped && !f.whole && !f.typ.base().scopedOnly() {
		r.refuse("%s: undeclared", f.name)
	}
}

// promise says where the scoped objects lie that the field returns, and where the
// containers lie: one step, unless there is a word.
func (r *ruling) promise(t *definition, f *field, by *naming, w where) (direct, pass where) {
	switch {
	case by.undeclared:
	case len(t.scopings()) > 0 && f.unscoped:
		direct = where{inside: true, promised: true, around: true}
		pass = direct
	case t.plain():
		direct = w
		if f.unscoped {
			pass = w
		}
	}
	own := func(c where) where {
		c.pins, c.may, c.named = cloned(c.pins), cloned(c.may), cloned(c.named)
		for _, k := range by.kinds {
			c.named[k] = c.named[k] || !by.undeclared
		}
		for _, k := range by.mayPin(f, r.m.kinds) {
			c.may[k] = true
		}
		for k := range by.pins {
			c.pins[k], c.inside = true, true
		}
		for _, k := range r.wholes(f, by) {
			c.pins[k], c.inside = true, true
		}
		c.promised = c.promised || len(by.pins) > 0 && (f.unscoped || by.child)
		return c
	}
	return own(direct), own(pass)
}

// unpinned lists the kinds that a container contains and that nothing pins this time.
func unpinned(t *definition, w where) []string {
	if !t.plain() || w.promised {
		return nil
	}
	return slices.DeleteFunc(contains(t), func(k string) bool { return w.pins[k] })
}

// pinnable tells whether everything that a container contains is pinned, or would be by
// other arguments.
func pinnable(t *definition, w where) bool {
	return !slices.ContainsFunc(unpinned(t, w), func(k string) bool { return !w.may[k] })
}

func cloned(kinds map[string]bool) map[string]bool {
	c := map[string]bool{}
	maps.Copy(c, kinds)
	return c
}

// returned judges an object type that the field may return.
func (r *ruling) returned(f *field, o *definition, in where) {
	for _, s := range o.scopings() {
		switch {
		case in.promised || in.pins[s.kind] || r.g.all(s.kind):
		case in.checked:
			r.check = true
		default:
			r.refuse("%s: nothing pins %s of %s", f.name, s.kind, o.name)
		}
	}
}

// leaf judges a field that returns no object.
func (r *ruling) leaf(t *definition, f *field, by *naming, w where) {
	kinds := contains(t)
	switch {
	case f.unscoped, f.whole:
	case t.unscoped, len(t.scopings()) > 0, len(by.kinds) > 0:
	case !t.plain() || t == r.m.query || t == r.m.mutation:
		r.refuse("%s.%s: unanswered on the where axis", t.name, f.name)
	case len(kinds) == 0 && w.inside:
		r.all(w.beside, f.name+" in a part of what is not pinned this time")
	case len(kinds) > 0 && pinnable(t, w):
		r.all(unpinned(t, w), f.name+" beside what is not pinned this time")
	default:
		r.refuse("%s.%s: unanswered on the where axis", t.name, f.name)
	}
}
