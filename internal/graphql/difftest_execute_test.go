package graphql_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
)

// execution answers an operation as an upstream would that keeps the promises of the
// schema's annotations and is hostile wherever there is none: what nothing pins may
// be anybody's. It answers each field of each object by what is asked and nothing
// else, so the same question has the same answer under any name.
type execution struct {
	m        *model
	g        *grant
	doc      *document
	op       *operation
	vars     values
	sentVars values // without the schema's defaults in them
	seed     uint64
	whole    bool     // skip and include do not count
	outside  []string // objects that came back and lie outside
	doubted  []string // objects that are promised, of kinds that arguments could name
	touched  []string // what else was touched without a right
	fields   int
}

// place is a resource.
type place struct{ kind, id string }

// node is an object of the answer.
type node struct {
	typ   *definition
	seed  uint64
	keys  map[string]string // its own resources, by kind; "" is null
	cover                   // what it lies in, by promise or as a container
}

// maxFields bounds an answer; with the hidden aliases there may be more.
const maxFields = 4000

var errTooMuch = errors.New("too large an answer")

// run answers the operation; the error is about variables or size.
func (x *execution) run() (answer []byte, err error) {
	root := x.m.query
	if x.op.kind == "mutation" {
		root = x.m.mutation
	}
	var out bytes.Buffer
	out.WriteString(`{"data":`)
	err = x.object(&out, &node{typ: root, seed: x.seed}, x.op.selections)
	out.WriteString("}")
	return out.Bytes(), err
}

func (x *execution) touch(format string, args ...any) {
	x.touched = append(x.touched, fmt.Sprintf(format, args...))
}

// collected is what one response name asks for.
type collected struct {
	key  string
	asks []*selection
}

// collect is CollectFields of the specification, §6.3.2.
func (x *execution) collect(t *definition, set []*selection, into *[]collected) {
	for _, s := range set {
		if !x.whole && x.left(s) {
			continue
		}
		switch {
		case s.field != "":
			i := slices.IndexFunc(*into, func(c collected) bool { return c.key == s.key() })
			if i < 0 {
				i = len(*into)
				*into = append(*into, collected{key: s.key()})
			}
			(*into)[i].asks = append((*into)[i].asks, s)
		case s.spread != "":
			if f := x.doc.fragments[s.spread]; x.applies(f.on, t) {
				x.collect(t, f.selections, into)
			}
		case s.on == "" || x.applies(s.on, t):
			x.collect(t, s.selections, into)
		}
	}
}

func (x *execution) applies(on string, t *definition) bool {
	return slices.Contains(x.m.byName[on].possible(), t)
}

// left tells whether skip or include leave a selection out.
func (x *execution) left(s *selection) bool {
	for _, d := range s.directives {
		v, err := coercer{}.literal(d.args[0].value, &reference{named: x.m.byName["Boolean"], nonNull: true}, x.vars)
		if err == nil && v.(bool) == (d.name == "skip") {
			return true
		}
	}
	return false
}

func (x *execution) object(out *bytes.Buffer, n *node, set []*selection) error {
	var fields []collected
	x.collect(n.typ, set, &fields)
	out.WriteByte('{')
	for i, c := range fields {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(out, "%q:", c.key)
		if err := x.field(out, n, c); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func (x *execution) field(out *bytes.Buffer, n *node, c collected) error {
	s := c.asks[0]
	var below []*selection
	for _, a := range c.asks {
		below = append(below, a.selections...)
	}
	if x.fields++; x.fields > 4*maxFields {
		return errTooMuch
	}
	if s.field == "__typename" {
		fmt.Fprintf(out, "%q", n.typ.name)
		return nil
	}
	if s.field == "__schema" || s.field == "__type" {
		return x.introspect(out, s.field, below)
	}
	f := n.typ.field(s.field)
	if f == nil {
		return fmt.Errorf("no field %s.%s", n.typ.name, s.field)
	}
	args, err := coercer{}.args(f, s.args, x.vars)
	if err != nil {
		return err
	}
	h := fnv.New64a()
	canonical, err := json.Marshal(args)
	if err != nil {
		return err
	}
	fmt.Fprintf(h, "%d %s %s", n.seed, f.name, canonical)
	sent, err := coercer{bare: true}.args(f, s.args, x.sentVars)
	if err != nil {
		return err
	}
	x.judge(n, f, args, sent)
	a := &asked{x: x, from: n, f: f, naming: name(f, args), below: below, s: numbered(h.Sum64())}
	a.promise()
	return errors.Join(err, a.value(out, f.typ))
}

func (x *execution) introspect(out *bytes.Buffer, field string, below []*selection) error {
	if !x.g.action("graphql:introspect") {
		x.touch("introspection")
	}
	return x.object(out, &node{typ: &definition{name: map[string]string{"__schema": "__Schema", "__type": "__Type"}[field]}}, below)
}

// asked is one field of one object while its value is made.
type asked struct {
	*naming
	x     *execution
	from  *node
	f     *field
	below []*selection
	s     *source

	direct cover // of scoped objects that are the value
	pass   cover // of containers that are the value and contain any
}

// cover is what is known of where something lies.
type cover struct {
	inside   []place
	promised bool // it lies there, whatever it is
	pins     map[string][]string
	wholes   []string // kinds that were not named: it lies anywhere in these
	beside   []string // kinds that stand beside it, or beside what it is a part of, and that nothing pins
	silent   bool     // it says nothing at all
	around   bool     // it is promised whatever arguments name
}

// promise finds what the annotations promise of the value, and nothing more.
func (a *asked) promise() {
	from := a.from
	around := slices.Clone(from.inside)
	for k, id := range from.keys {
		around = append(around, place{k, id})
	}
	switch {
	case a.undeclared:
	case len(from.keys) > 0 && a.f.unscoped:
		a.direct = cover{inside: around, promised: true, around: true}
		a.pass = a.direct
	case from.typ.plain():
		a.direct = from.cover
		if a.f.unscoped {
			a.pass = a.direct
		}
	}
	a.own(&a.direct)
	a.own(&a.pass)
}

// own adds what the field's own arguments name.
func (a *asked) own(c *cover) {
	c.pins = maps.Clone(c.pins)
	if c.pins == nil {
		c.pins = map[string][]string{}
	}
	c.inside = slices.Clone(c.inside)
	for k, ids := range a.pins {
		c.pins[k] = ids
		for _, id := range ids {
			c.inside = append(c.inside, place{k, id})
		}
	}
	c.promised = c.promised || len(a.pins) > 0 && (a.f.unscoped || a.child)
	if a.f.whole {
		c.wholes = slices.Concat(c.wholes, a.x.kindsOf(a.f))
	}
	if len(a.pins) == 0 && !a.undeclared && !c.around {
		c.wholes = slices.Concat(c.wholes, a.kinds)
	}
}

// covers is what is known of an object of such a type.
func (a *asked) covers(t *definition) cover {
	from := a.from
	switch {
	case len(t.scopings()) > 0:
		return a.direct
	case t.unscoped:
		return cover{}
	case len(contains(t)) == 0: // it says nothing but of what is around
		c := a.pass
		c.silent = a.f.unscoped || from.silent && !a.undeclared
		if a.undeclared {
			return c
		}
		c.inside = slices.Concat(c.inside, from.inside)
		c.wholes = slices.Concat(c.wholes, from.wholes) // all of what it could have named lies in what is held
		for k, id := range from.keys {
			c.inside = append(c.inside, place{k, id})
		}
		if c.beside = nil; !a.f.whole && len(a.kinds) == 0 { // it is a part of that
			c.beside = slices.Concat(from.beside, from.open())
		}
		return c
	}
	return a.pass
}

// open lists the kinds that a container contains and that nothing pins.
func (n *node) open() []string {
	if !n.typ.plain() || n.promised {
		return nil
	}
	return slices.DeleteFunc(contains(n.typ), func(k string) bool { return len(n.pins[k]) > 0 })
}

func (x *execution) root(t *definition) bool { return t == x.m.query || t == x.m.mutation }

func (x *execution) kindsOf(f *field) []string {
	if len(f.kinds) > 0 {
		return f.kinds
	}
	return x.m.kinds
}

func (a *asked) value(out *bytes.Buffer, r *reference) error {
	key := slices.ContainsFunc(a.from.typ.scopings(), func(s scoping) bool { return s.by == a.f.name })
	if !r.nonNull && !key && a.s.percent(6) {
		out.WriteString("null")
		return nil
	}
	if r.of != nil {
		out.WriteByte('[')
		for i := range a.s.below(4) {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := a.value(out, r.of); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	}
	if r.named.leaf() {
		a.leaf(out, r.named)
		return nil
	}
	n := a.node(pick(a.s, r.named.possible()))
	for _, k := range a.kinds {
		if id, there := n.keys[k]; there && !n.around && !a.x.g.holds(k, id) && !a.x.g.all(k) {
			a.x.doubted = append(a.x.doubted, n.typ.name+" of "+k+" "+id)
		}
	}
	a.x.judgeObject(n)
	return a.x.object(out, n, a.below)
}

// node makes an object that keeps the promises, and no others.
func (a *asked) node(t *definition) *node {
	a.s.state = mix(a.s.state + 1)
	n := &node{typ: t, seed: a.s.state, keys: map[string]string{}, cover: a.covers(t)}
	if a.x.root(t) {
		n.cover = cover{}
	}
	for _, s := range t.scopings() {
		if ids := n.pins[s.kind]; len(ids) > 0 {
			n.keys[s.kind] = pick(a.s, ids)
			continue
		}
		n.keys[s.kind] = pick(a.s, a.x.g.world(s.kind))
		if by := t.field(s.by); !by.typ.nonNull && !n.promised && !a.x.g.all(s.kind) && a.s.percent(3) {
			n.keys[s.kind] = ""
		}
	}
	if len(n.keys) > 0 && !n.promised {
		n.inside = nil
	}
	return n
}

var oddStrings = []string{"", "a", "word", "\"quoted\" \\", "line\nbreak", "é\u2028<&>", "1", "null", "\U0001f600"}

func (a *asked) leaf(out *bytes.Buffer, t *definition) {
	for _, s := range a.from.typ.scopings() {
		if s.by == a.f.name {
			writeKey(out, a.from.keys[s.kind], t, a.s)
			return
		}
	}
	switch {
	case t.class == enum:
		v := pick(a.s, t.values)
		if !v.demand.met(a.x.g) {
			a.x.touch("%s of %s", v.name, t.name)
		}
		fmt.Fprintf(out, "%q", v.name)
	case t.name == "ID":
		writeKey(out, pick(a.s, idWords), t, a.s)
	case t.name == "Int":
		fmt.Fprint(out, a.s.below(2000)-1000)
	case t.name == "Boolean":
		fmt.Fprint(out, a.s.percent(50))
	default:
		text, _ := json.Marshal(pick(a.s, oddStrings))
		out.Write(text)
	}
}

// writeKey writes an id as upstreams may: a number is the same id (RULES "Ids").
func writeKey(out *bytes.Buffer, id string, t *definition, s *source) {
	switch {
	case id == "":
		out.WriteString("null")
	case t.name != "String" && (id == "1" || id == "2" || id == "3") && s.percent(40):
		out.WriteString(id)
	default:
		fmt.Fprintf(out, "%q", id)
	}
}
