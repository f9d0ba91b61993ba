package graphql

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// Limits bound what a request may cost, here and upstream. They are looked at before
// anything of it is validated (D-89). Zero fields mean the defaults.
type Limits struct {
	Bytes      int `json:"bytes,omitempty" yaml:"bytes"`           // of the document; left out: 65536
	Tokens     int `json:"tokens,omitempty" yaml:"tokens"`         // of the document, comments too; left out: 4000
	Depth      int `json:"depth,omitempty" yaml:"depth"`           // of selection sets, and of lists and objects in values, variables too; left out: 15
	Aliases    int `json:"aliases,omitempty" yaml:"aliases"`       // of the whole document; left out: 100
	Directives int `json:"directives,omitempty" yaml:"directives"` // of the whole document; left out: 50
	Fragments  int `json:"fragments,omitempty" yaml:"fragments"`   // definitions; left out: 100
	Cost       int `json:"cost,omitempty" yaml:"cost"`             // fields of an operation once its fragments are expanded; left out: 1000
	Values     int `json:"values,omitempty" yaml:"values"`         // of a request's JSON, or of a batch's: every list and object, and all that they hold; left out: 10000
}

func (l Limits) defaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.Bytes, 64 << 10}, {&l.Tokens, 4000}, {&l.Depth, 15}, {&l.Aliases, 100}, {&l.Directives, 50}, {&l.Fragments, 100}, {&l.Cost, 1000}, {&l.Values, 10_000},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return l
}

// maxVisits bounds how many nodes the validation may look at: it enters every
// fragment again from each fragment and operation that reaches it.
const maxVisits = 8000

// measure is one look at a document that nobody has validated.
type measure struct {
	limits     *Limits
	fragments  map[string]*fragment
	aliases    int
	directives int
	nested     int // selection sets that are open, those of fragments too
	refusal    *Refusal
}

// fragment is a fragment definition, measured once.
type fragment struct {
	def     *ast.FragmentDefinition
	state   int // 0 new, 1 being measured, 2 done
	cost    int
	depth   int
	own     int // selections, without those of other fragments
	spreads []*fragment
	visited int // by the last count that reached it
	used    bool
}

// limit refuses a document that is past a limit, that has a cycle of fragments or
// spreads what is not there. Fragments are counted, never expanded (CVE-2025-32034).
func (l *Limits) limit(doc *ast.QueryDocument) (map[string]*fragment, *Refusal) {
	m := &measure{limits: l, fragments: make(map[string]*fragment, len(doc.Fragments))}
	if len(doc.Fragments) > l.Fragments {
		return nil, tooComplex("fragments", nil)
	}
	for _, f := range doc.Fragments {
		if m.fragments[f.Name] != nil || f.VariableDefinition != nil {
			return nil, invalid(f.Position, "a fragment twice, or with variables of its own")
		}
		m.fragments[f.Name] = &fragment{def: f}
	}
	operations := make([]*fragment, len(doc.Operations))
	for i, op := range doc.Operations {
		// An operation is measured like a fragment that nobody spreads.
		operations[i] = &fragment{def: &ast.FragmentDefinition{Directives: op.Directives, SelectionSet: op.SelectionSet, Position: op.Position}}
		for _, v := range op.VariableDefinitions {
			m.directive(v.Directives)
			m.value(v.DefaultValue, 0)
		}
		m.fragment(operations[i])
	}
	for _, f := range doc.Fragments {
		m.fragment(m.fragments[f.Name])
	}
	if m.refusal == nil {
		m.visits(doc, operations)
	}
	return m.fragments, m.refusal
}

func (m *measure) refuse(r *Refusal) {
	if m.refusal == nil {
		m.refusal = r
	}
}

// fragment measures a fragment once: its cost and depth with all it spreads.
func (m *measure) fragment(f *fragment) {
	if f.state != 0 || m.refusal != nil {
		return
	}
	f.state = 1
	m.directive(f.def.Directives)
	f.cost, f.depth = m.set(f, f.def.SelectionSet, 1)
	f.state = 2
	if f.depth > m.limits.Depth {
		m.refuse(tooComplex("depth", f.def.Position))
	}
}

// set returns how many fields a selection set has, expanded, and how deep it goes.
func (m *measure) set(in *fragment, set ast.SelectionSet, level int) (cost, depth int) {
	depth = level
	m.nested++
	defer func() { m.nested-- }()
	if level > m.limits.Depth || m.nested > 8*m.limits.Depth {
		m.refuse(tooComplex("depth", set[0].GetPosition()))
	}
	for _, sel := range set {
		if m.refusal != nil {
			return cost, depth
		}
		in.own++
		var c, d int
		switch sel := sel.(type) {
		case *ast.Field:
			c, d = m.field(in, sel, level)
		case *ast.InlineFragment:
			m.directive(sel.Directives)
			c, d = m.set(in, sel.SelectionSet, level)
		case *ast.FragmentSpread:
			m.directive(sel.Directives)
			c, d = m.spread(in, sel, level)
		}
		if cost += c; cost > m.limits.Cost { // never grows past it: no overflow
			m.refuse(tooComplex("cost", sel.GetPosition()))
		}
		depth = max(depth, d)
	}
	return cost, depth
}

func (m *measure) field(in *fragment, f *ast.Field, level int) (cost, depth int) {
	if f.Alias != f.Name {
		if m.aliases++; m.aliases > m.limits.Aliases {
			m.refuse(tooComplex("aliases", f.Position))
		}
	}
	m.directive(f.Directives)
	for _, a := range f.Arguments {
		m.value(a.Value, 0)
	}
	cost, depth = 1, level
	if len(f.SelectionSet) > 0 && m.refusal == nil {
		c, d := m.set(in, f.SelectionSet, level+1)
		cost, depth = cost+c, d
	}
	return cost, depth
}

func (m *measure) spread(in *fragment, s *ast.FragmentSpread, level int) (cost, depth int) {
	f := m.fragments[s.Name]
	switch {
	case f == nil:
		m.refuse(invalid(s.Position, "no such fragment"))
		return 0, 0
	case f.state == 1:
		m.refuse(invalid(s.Position, "a fragment that spreads itself"))
		return 0, 0
	}
	in.spreads = append(in.spreads, f)
	m.fragment(f)
	return f.cost, level + f.depth - 1
}

// directive lets through skip and include with their one argument, nothing else
// (RULES "Guard, GraphQL"). Where they stand is validated later.
func (m *measure) directive(list ast.DirectiveList) {
	if m.directives += len(list); m.directives > m.limits.Directives {
		m.refuse(tooComplex("directives", list[0].Position))
		return
	}
	for _, d := range list {
		if d.Name != "skip" && d.Name != "include" || len(d.Arguments) != 1 {
			m.refuse(invalid(d.Position, "a directive that is not skip or include with its if"))
			return
		}
	}
}

// value bounds how deep a value goes: what it holds is bounded by the tokens.
func (m *measure) value(v *ast.Value, level int) {
	if v == nil || len(v.Children) == 0 {
		return
	}
	if level++; level > m.limits.Depth {
		m.refuse(tooComplex("depth", v.Position))
		return
	}
	for _, c := range v.Children {
		m.value(c.Value, level)
	}
}

// visits refuses a document that the validation would walk for too long, and a
// fragment that no operation reaches.
func (m *measure) visits(doc *ast.QueryDocument, operations []*fragment) {
	total, round := 0, 0
	var count func(f *fragment, used bool)
	count = func(f *fragment, used bool) {
		f.visited = round
		f.used = f.used || used
		total += f.own + len(f.spreads)
		for _, to := range f.spreads {
			if to.visited != round && total <= maxVisits {
				count(to, used)
			}
		}
	}
	start := func(f *fragment, used bool) {
		if round++; total <= maxVisits {
			count(f, used)
		}
	}
	for _, op := range operations {
		start(op, true)
	}
	for _, f := range doc.Fragments {
		if start(m.fragments[f.Name], false); !m.fragments[f.Name].used {
			m.refuse(invalid(f.Position, "a fragment that nothing spreads"))
		}
	}
	if total > maxVisits {
		m.refuse(tooComplex("fragments", doc.Position))
	}
}

func tooComplex(what string, at *ast.Position) *Refusal {
	return standing(&Refusal{Reason: TooComplex, Detail: "past the limit of " + what}, at)
}

func invalid(at *ast.Position, why string) *Refusal {
	return standing(&Refusal{Reason: Invalid, Detail: why}, at)
}

func standing(r *Refusal, at *ast.Position) *Refusal {
	if at != nil {
		r.Line, r.Column = at.Line, at.Column
	}
	return r
}
