package graphql

import (
	"cmp"
	"slices"
)

// Coverage lists every field that an operation can reach and that lacks an answer, on
// either axis: nobody may have it. A field that lacks an answer in some places only is
// listed too.
func (s *Schema) Coverage() []Gap {
	c := s.walk()
	slices.SortFunc(c.gaps, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Coordinate, b.Coordinate), cmp.Compare(a.Axis, b.Axis), cmp.Compare(a.Why, b.Why))
	})
	return c.gaps
}

// Reachable is how many fields an operation can reach, those of interfaces counted at the
// types that have them.
func (s *Schema) Reachable() int { return len(s.walk().fields) }

func (s *Schema) walk() *coverage {
	c := &coverage{schema: s, seen: map[state]bool{}, told: map[Gap]bool{}, fields: map[string]bool{}}
	for _, def := range []string{rootName(s, false), rootName(s, true)} {
		if t := s.types[def]; t != nil {
			c.reach(t, atRoot)
		}
	}
	for len(c.todo) > 0 {
		next := c.todo[len(c.todo)-1]
		c.todo = c.todo[:len(c.todo)-1]
		for _, def := range next.typ.def.Fields {
			if f := next.typ.fields[def.Name]; f != nil && f.refused == "" {
				c.field(next, f)
			}
		}
	}
	return c
}

func rootName(s *Schema, mutation bool) string {
	switch def := s.ast.Query; {
	case !mutation:
		return def.Name
	case s.ast.Mutation != nil:
		return s.ast.Mutation.Name
	}
	return ""
}

// coverage walks the types as an operation could, with everything pinned that can be.
type coverage struct {
	schema *Schema
	seen   map[state]bool
	todo   []stand
	fields map[string]bool // by coordinate
	told   map[Gap]bool
	gaps   []Gap
}

// state is a type with what can be told apart of what surrounds it.
type state struct {
	typ     *typeRule
	covered bool
	flow    kindSet
}

func (c *coverage) reach(t *typeRule, a *around) {
	st := state{typ: t, covered: a.covered != nil}
	for _, f := range a.flow {
		st.flow |= f.kinds
	}
	if !c.seen[st] && !t.builtin {
		c.seen[st] = true
		c.todo = append(c.todo, stand{t, a})
	}
}

func (c *coverage) field(in stand, f *fieldRule) {
	c.fields[f.coordinate] = true
	if !f.answered {
		c.tell(f, ActionAxis, noAction)
	}
	if why := f.whereGap(in.typ, in.around); why != "" {
		c.tell(f, WhereAxis, why)
	}
	if f.result == nil {
		return
	}
	next := f.around(in.typ, in.around, c.schema, -1)
	bare := next
	bare.covered = nil
	for _, t := range f.result.possible {
		c.reach(t, t.inside(c.schema, &next, &bare))
	}
}

func (c *coverage) tell(f *fieldRule, axis Axis, why string) {
	g := Gap{Coordinate: f.coordinate, Axis: axis, Why: why}
	if f.def.Position != nil {
		g.Line = f.def.Position.Line
	}
	if !c.told[g] {
		c.told[g] = true
		c.gaps = append(c.gaps, g)
	}
}
