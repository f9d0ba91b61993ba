package graphql

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// shape is what an answer may hold at one place: nil for a leaf of the specification's
// own, opaque for one that may hold anything.
type shape struct {
	opaque bool
	alias  string // of __typename, where several types may stand; else there is one
	types  []*shapeType
}

var opaqueLeaf = &shape{opaque: true}

// shapeType is what an object of one type may hold.
type shapeType struct {
	name   string
	keys   []keyCheck
	names  []string // members, besides the hidden ones
	shapes []*shape
}

// keyCheck is a hidden member that says which resource an object belongs to.
type keyCheck struct {
	alias   string
	kind    int
	promise bool // a promise covers it: it only has to be there
}

func (s *shape) size() int {
	if s == nil {
		return 0
	}
	n := 1
	for _, t := range s.types {
		n += 1 + len(t.names)
		for _, c := range t.shapes {
			n += c.size()
		}
	}
	return n
}

// typenameAlias is where the type of an object comes back.
func (s *Schema) typenameAlias() string { return s.prefix + "t" }

// prepareCheck prints the document once more, with the hidden aliases, validates that
// again, and makes the shape of its answer.
func (p *Plan) prepareCheck(op *ast.OperationDefinition, fragments map[string]*fragment) *Refusal {
	if r := hidden(op, fragments, p.schema.prefix); r != nil {
		return r
	}
	p.checked = p.form(reprint(op, fragments, p.schema.inject))
	if document := p.checked.document; document != p.plain.document {
		if r := p.schema.revalidate(document); r != nil {
			return r
		}
	}
	b := shaper{schema: p.schema, fragments: fragments, known: map[knownKey][]*known{}}
	def := p.schema.ast.Query
	if p.mutation {
		def = p.schema.ast.Mutation
	}
	root := p.schema.types[def.Name]
	p.answer = b.shape([]level{{op.SelectionSet, calm}}, root)
	return b.refusal
}

// hidden refuses an alias that looks like ours: it could only be guessed.
func hidden(op *ast.OperationDefinition, fragments map[string]*fragment, prefix string) (r *Refusal) {
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				if strings.HasPrefix(sel.Alias, prefix) {
					r = invalid(sel.Position, "an alias that is not for clients")
				}
				walk(sel.SelectionSet)
			case *ast.InlineFragment:
				walk(sel.SelectionSet)
			}
		}
	}
	walk(op.SelectionSet)
	for _, f := range fragments {
		walk(f.def.SelectionSet)
	}
	return r
}

// inject writes the hidden aliases at the head of what a field selects: __typename
// where several types may stand, and the keys of each scoped one.
func (s *Schema) inject(p *printer, f *ast.Field) {
	t := s.types[f.Definition.Type.Name()]
	if t.builtin {
		return
	}
	if t.def.IsAbstractType() {
		p.write(s.typenameAlias() + ":__typename ")
	}
	for _, o := range t.possible {
		if len(o.scopings) == 0 {
			continue
		}
		if t.def.IsAbstractType() {
			p.write("...on " + o.name + "{")
		}
		for _, sc := range o.scopings {
			p.write(sc.alias + ":" + sc.by + " ")
		}
		if t.def.IsAbstractType() {
			p.write("}")
		}
	}
}

// revalidate holds a document of our own making against the schema, without the
// limits for those of clients.
func (s *Schema) revalidate(query string) *Refusal {
	own := *s
	own.options.Limits = Limits{Bytes: 1 << 20, Tokens: 1 << 16, Depth: 64, Aliases: 1 << 16, Directives: 1 << 10, Fragments: 1 << 10, Cost: 1 << 20}
	_, _, r := own.read(query)
	if r != nil {
		r.Detail = "with the hidden aliases: " + r.Detail
		r.Line, r.Column = 0, 0
	}
	return r
}

// surrounded is what a shape has to know of what surrounds a place.
type surrounded struct {
	promise bool    // of the container: it covers the scoped objects in it
	sure    bool    // it is made by what is around, whatever arguments name
	direct  bool    // of the field or its container: it covers the objects that the field returns
	pins    kindSet // but for the kinds that the field's arguments name
}

var calm = surrounded{}

// level is a selection set and what surrounds it.
type level struct {
	set ast.SelectionSet
	in  surrounded
}

// shaper makes shapes; what it may look at is bounded as for judging.
type shaper struct {
	schema    *Schema
	fragments map[string]*fragment
	known     map[knownKey][]*known
	looked    int
	refusal   *Refusal
}

// known is a shape that was made: the types of an interface share what they share.
type known struct {
	levels []level
	shape  *shape
}

// knownKey finds it: by the type that comes back, and the first selection.
type knownKey struct {
	typ   *typeRule
	first *ast.Selection
}

func sameLevel(a, b level) bool {
	return a.in == b.in && len(a.set) == len(b.set) && &a.set[0] == &b.set[0]
}

func (b *shaper) shape(levels []level, t *typeRule) *shape {
	key := knownKey{t, &levels[0].set[0]}
	for _, k := range b.known[key] {
		if b.looked++; slices.EqualFunc(k.levels, levels, sameLevel) {
			return k.shape
		}
	}
	out := &shape{}
	b.known[key] = append(b.known[key], &known{levels, out})
	if t.def.IsAbstractType() {
		out.alias = b.schema.typenameAlias()
	}
	for _, o := range t.possible {
		out.types = append(out.types, b.object(levels, o))
	}
	return out
}

// object merges what is selected for objects of one type.
func (b *shaper) object(levels []level, o *typeRule) *shapeType {
	out := &shapeType{name: o.name}
	for _, sc := range o.scopings {
		bare := slices.ContainsFunc(levels, func(l level) bool { return !l.in.direct || l.in.pins.has(sc.kind) })
		out.keys = append(out.keys, keyCheck{sc.alias, sc.kind, !bare})
	}
	var fields []*merged
	for _, l := range levels {
		in := l.in
		if !o.plain() || o.def == b.schema.ast.Query || o.def == b.schema.ast.Mutation {
			in = calm
		}
		fields = b.collect(fields, l.set, o, in)
	}
	for _, m := range fields {
		out.names = append(out.names, m.field.Alias)
		out.shapes = append(out.shapes, b.member(m, o))
	}
	return out
}

// merged is the fields of one response name in objects of one type: all the same
// field with the same arguments.
type merged struct {
	field  *ast.Field
	rule   *fieldRule
	levels []level
}

func (b *shaper) collect(fields []*merged, set ast.SelectionSet, o *typeRule, in surrounded) []*merged {
	for _, sel := range set {
		if b.looked++; b.looked > maxJudged {
			b.refusal = &Refusal{Reason: TooComplex, Detail: "past the limit of what may come back"}
			return fields
		}
		switch sel := sel.(type) {
		case *ast.Field:
			i := slices.IndexFunc(fields, func(m *merged) bool { return m.field.Alias == sel.Alias })
			if i < 0 {
				i = len(fields)
				fields = append(fields, &merged{field: sel, rule: o.fields[sel.Name]})
			}
			m := fields[i]
			if len(sel.SelectionSet) > 0 && m.rule != nil {
				m.levels = append(m.levels, level{sel.SelectionSet, m.rule.surround(o, in, sel, b.schema)})
			}
		case *ast.InlineFragment:
			if sel.TypeCondition == "" || b.schema.types[sel.TypeCondition].covers(o) {
				fields = b.collect(fields, sel.SelectionSet, o, in)
			}
		case *ast.FragmentSpread:
			if f := b.fragments[sel.Name].def; b.schema.types[f.TypeCondition].covers(o) {
				fields = b.collect(fields, f.SelectionSet, o, in)
			}
		}
	}
	return fields
}

// surround is what surrounds what the field returns, as in around and reaching.
func (f *fieldRule) surround(t *typeRule, in surrounded, sel *ast.Field, s *Schema) surrounded {
	out := surrounded{pins: f.pins}
	if f.undeclared != "" {
		return out
	}
	out.sure = f.unscoped && (len(t.scopings) > 0 || in.sure)
	if out.sure || in.sure { // so the objects that it returns do
		out.pins = 0
	}
	out.promise = f.unscoped && (out.sure || in.promise) || f.promises(sel, s)
	out.direct = out.promise || in.promise
	return out
}

// promises reports whether what comes back lies in what the arguments name. Where an
// argument chooses, they may do so: nothing is looked at there instead of being asked for.
func (f *fieldRule) promises(sel *ast.Field, s *Schema) bool {
	if !pagingOnly(sel, f) {
		return f.unscoped && f.pinnable() || slices.ContainsFunc(sel.Arguments, func(a *ast.Argument) bool { return f.arg(a.Name).hasChild(nil) })
	}
	p := pin{rule: f, args: value{kind: isObject}}
	for _, a := range sel.Arguments {
		if f.arg(a.Name).object != nil { // what names by itself is no @paging
			p.args.names, p.args.items = append(p.args.names, a.Name), append(p.args.items, literal(a.Value))
		}
	}
	if p.args.hasVariable() {
		return false // the answer to one request may be none to another
	}
	found, _ := p.resolve(s, &given{})
	return found != nil && found.promise
}

func (b *shaper) member(m *merged, o *typeRule) *shape {
	switch {
	case m.rule == nil && m.field.Name == "__typename":
		return nil
	case m.rule == nil: // __schema, __type
		return opaqueLeaf
	case m.rule.result == nil && m.rule.opaque:
		return opaqueLeaf
	case m.rule.result == nil:
		return nil
	}
	return b.shape(m.levels, m.rule.result)
}
