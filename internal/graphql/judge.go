package graphql

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/postern-dev/postern/internal/policy"
)

// around is what surrounds a place: what is known there of the where axis.
type around struct {
	covered   *beside  // what a leaf of what contains no scoped type needs; nil: a word of its own
	flow      []source // what pins the scoped objects that stand in this container
	chosen    bool     // arguments choose what stands in this container
	checkable bool     // what comes back may be looked at instead
}

func (a *around) same(b *around) bool {
	return a.covered == b.covered && a.chosen == b.chosen && a.checkable == b.checkable && len(a.flow)+len(b.flow) == 0
}

// beside is what a container contains of which such a leaf is a part, and what pins that.
// The zero value is nothing.
type beside struct {
	kinds kindSet
	flow  []source
}

var (
	nothing  = &beside{}
	atRoot   = &around{}
	inScoped = &around{covered: nothing}
)

// stand is an object type that may stand where something is selected.
type stand struct {
	typ    *typeRule
	around *around
}

// maxJudged bounds how many (field, object type) pairs are judged, and what comes with
// them.
const maxJudged = 12000

// judge turns an operation into checks.
type judge struct {
	*Plan
	fragments map[string]*fragment
	wanted    []bool  // requirements that are asked for already
	all       kindSet // kinds of which all is asked for already
	judged    int
	below     stands
	done      []stand // what a field returned in another type, and what surrounded it
	refusal   *Refusal
}

func (j *judge) operation(op *ast.OperationDefinition) *Refusal {
	j.declared = make(map[string]int, len(op.VariableDefinitions))
	for i, v := range op.VariableDefinitions {
		mine := variable{name: v.Variable, typ: v.Type}
		if v.DefaultValue != nil {
			initial := literal(v.DefaultValue)
			mine.initial = &initial
		}
		j.declared[v.Variable] = i
		j.variables = append(j.variables, mine)
	}
	def := j.schema.ast.Query
	if j.mutation {
		def = j.schema.ast.Mutation
	}
	root := j.schema.types[def.Name]
	j.wants(root.wants, spot{coordinate: root.name, at: op.Position})
	j.set(op.SelectionSet, []stand{{root, atRoot}}, nil)
	return j.refusal
}

func (j *judge) refuse(reason Reason, at spot, detail string) {
	if j.refusal == nil {
		j.refusal = standing(&Refusal{Reason: reason, Path: at.path.String(), Coordinate: at.coordinate, Detail: detail}, at.at)
	}
}

func (j *judge) add(c check, at spot) {
	if n := len(j.spots); n == 0 || j.spots[n-1] != at {
		j.spots = append(j.spots, at)
	}
	c.spot = len(j.spots) - 1
	j.checks = append(j.checks, c)
}

// wants asks for requirements, each once in a plan.
func (j *judge) wants(list []int, at spot) {
	for _, w := range list {
		if !j.wanted[w] {
			j.wanted[w] = true
			j.add(check{want: w, pin: -1, kind: -1}, at)
		}
	}
}

// kind asks for all of a kind, unless one of the sources pins it, or the answer is
// looked at.
func (j *judge) kind(k int, flow []source, checked bool, at spot) {
	var unless []source
	for _, s := range flow {
		if s.kinds.has(k) {
			if s.pin < 0 {
				return
			}
			unless = append(unless, s)
		}
	}
	if j.all.has(k) {
		return
	}
	if len(unless) == 0 && !checked {
		j.all |= 1 << k
	}
	j.add(check{want: -1, pin: -1, kind: k, unless: unless, answered: checked}, at)
}

// set judges a selection set for every object type that may stand there.
func (j *judge) set(set ast.SelectionSet, stands []stand, path *trail) {
	for _, sel := range set {
		if j.refusal != nil {
			return
		}
		switch sel := sel.(type) {
		case *ast.Field:
			j.field(sel, stands, path)
		case *ast.InlineFragment:
			j.set(sel.SelectionSet, j.narrow(stands, sel.TypeCondition, sel.Position), path)
		case *ast.FragmentSpread:
			f := j.fragments[sel.Name].def
			j.set(f.SelectionSet, j.narrow(stands, f.TypeCondition, sel.Position), path)
		}
	}
}

// narrow keeps the types that a fragment is for. None left: the fragment can select
// nothing there.
func (j *judge) narrow(stands []stand, condition string, at *ast.Position) []stand {
	if condition == "" || !j.spend(len(stands), spot{condition, nil, at}) {
		return stands
	}
	var kept []stand
	for to, i := j.schema.types[condition], 0; i < len(stands); i++ {
		if to.covers(stands[i].typ) {
			kept = append(kept, stands[i])
		}
	}
	return kept
}

// spend refuses a document that asks too much.
func (j *judge) spend(n int, at spot) bool {
	if j.judged += n; j.judged > maxJudged {
		j.refuse(TooComplex, at, "past the limit of fields on object types")
	}
	return j.refusal == nil
}

func (j *judge) field(f *ast.Field, stands []stand, path *trail) {
	if f.Name == "__typename" {
		return // passes where its parent does
	}
	path = &trail{path, f.Alias}
	if strings.HasPrefix(f.Name, "__") {
		j.introspection(spot{f.Name, path, f.Position})
		return
	}
	var below []stand
	j.done = j.done[:0]
	for _, s := range stands {
		if !j.spend(1, spot{f.Name, path, f.Position}) {
			return
		}
		below = j.enter(below, f, s, path)
	}
	j.set(f.SelectionSet, below, path)
}

// introspection: off unless turned on, then an action like any other (D-79). What is
// selected below it says nothing but the schema.
func (j *judge) introspection(at spot) {
	if !j.schema.options.Introspection {
		j.refuse(Introspection, at, "introspection is turned off")
		return
	}
	j.wants([]int{j.schema.introspect}, at)
}

// enter judges a field of one object type and adds what it returns to below.
func (j *judge) enter(below []stand, f *ast.Field, s stand, path *trail) []stand {
	rule, at := s.typ.fields[f.Name], spot{s.typ.name, path, f.Position}
	if rule == nil { // of a built-in type
		j.refuse(NotSupported, at, "a field that no rule can stand on")
		return below
	}
	at.coordinate = rule.coordinate
	if reason, why := rule.gap(s.typ, s.around); why != "" {
		j.refuse(reason, at, why)
		return below
	}
	j.wants(rule.wants, at)
	source := -1
	if rule.slots {
		source = j.pin(f, rule, rule.lies(s.typ, s.around, j.schema), at)
	}
	for k := range j.schema.kinds {
		if rule.whole.has(k) {
			j.kind(k, nil, false, at)
		}
	}
	if rule.result == nil {
		j.leaf(s, rule, at)
		return below
	}
	next := rule.around(s.typ, s.around, j.schema, source)
	if j.schema.options.CheckResponses {
		next.chosen = s.around.chosen || !pagingOnly(f, rule)
		next.checkable = !next.chosen && (s.around.checkable || rule.checkable)
	}
	reuse := &next
	if next.same(s.around) {
		reuse = s.around // so that equal places are one
	}
	same := stand{rule.result, reuse}
	if slices.Contains(j.done, same) {
		return below
	}
	j.done = append(j.done, same)
	return j.result(below, f, rule, rule.reaching(s.around, &next), reuse, at)
}

// pagingOnly: with responses: check an unpinned field carries no argument but those of
// paging, else it is an oracle (RULES).
func pagingOnly(f *ast.Field, rule *fieldRule) bool {
	return !slices.ContainsFunc(f.Arguments, func(a *ast.Argument) bool { return !rule.arg(a.Name).paging })
}

// pin adds a look at the arguments of a field.
func (j *judge) pin(f *ast.Field, rule *fieldRule, lenient bool, at spot) int {
	j.judged += 3 // looking at arguments takes more
	p := pin{rule: rule, lenient: lenient, args: value{kind: isObject}}
	for _, a := range f.Arguments {
		p.args.names, p.args.items = append(p.args.names, a.Name), append(p.args.items, literal(a.Value))
	}
	if !p.args.hasVariable() {
		p.fixed, p.refused = p.resolve(j.schema, &given{})
	}
	n := len(j.pins)
	j.add(check{want: -1, pin: n, kind: -1}, at)
	p.spot = len(j.spots) - 1
	j.pins = append(j.pins, p)
	return n
}

// leaf asks for what a leaf of a container may tell.
func (j *judge) leaf(s stand, rule *fieldRule, at spot) {
	if !s.typ.plain() || rule.unscoped || rule.wholeScope || rule.pinnable() {
		return
	}
	told := &beside{s.typ.carries, s.around.flow}
	if told.kinds == 0 {
		told = s.around.covered
	}
	for k := range j.schema.kinds {
		if told.kinds.has(k) {
			j.kind(k, told.flow, false, at)
		}
	}
}

// result judges the types that may come back and adds them to those that stand below.
func (j *judge) result(below []stand, f *ast.Field, rule *fieldRule, reaching []source, next *around, at spot) []stand {
	bare := next
	if next.covered != nil {
		uncovered := *next
		uncovered.covered = nil
		bare = &uncovered
	}
	if !j.spend(len(rule.result.possible), at) {
		return below
	}
	for _, t := range rule.result.possible {
		j.wants(t.wants, at)
		for _, sc := range t.scopings {
			j.kind(sc.kind, reaching, next.checkable, at)
		}
		j.count(f, rule, t, reaching, next, at)
		if in := (stand{t, t.inside(j.schema, next, bare)}); !j.below.has(below, in) {
			below = append(below, in)
		}
	}
	return below
}

// inside is what surrounds the fields of an object: next, what surrounds the object, or
// bare, the same uncovered, where it is a container of what nothing pins.
func (t *typeRule) inside(s *Schema, next, bare *around) *around {
	switch {
	case len(t.scopings) > 0:
		return inScoped
	case t.unscoped || t.def == s.ast.Query || t.def == s.ast.Mutation: // a root is the same wherever it stands
		return atRoot
	case !next.carries(t.carries):
		return bare
	}
	return next
}

// stands remembers which stands are there, so that many cost no square of them.
type stands map[stand]struct{}

func (s stands) has(list []stand, in stand) bool {
	if len(list) < 16 {
		return slices.Contains(list, in)
	}
	if len(list) == 16 {
		clear(s)
		for _, l := range list {
			s[l] = struct{}{}
		}
	}
	_, ok := s[in]
	s[in] = struct{}{}
	return ok
}

// allOf is, for each kind, the need of all of it.
func allOf(kinds []string) []policy.Need {
	needs := make([]policy.Need, len(kinds))
	for i, k := range kinds {
		needs[i].Resources = []policy.Resource{{Kind: k, All: true}}
	}
	return needs
}
