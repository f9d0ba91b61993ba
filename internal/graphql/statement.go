package graphql

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/postern-dev/postern/internal/policy"
)

// place is what a rule may stand on.
type place string

const (
	nowhere       place = ""
	onObject      place = "an object type"
	onInterface   place = "an interface"
	onUnion       place = "a union"
	onScalar      place = "a scalar"
	onEnum        place = "an enum"
	onEnumValue   place = "an enum value"
	onField       place = "a field"
	onArgument    place = "an argument"
	onInputObject place = "an input object"
	onInputField  place = "an input field"
)

func placeOf(def *ast.Definition) place {
	switch def.Kind {
	case ast.Object:
		return onObject
	case ast.Interface:
		return onInterface
	case ast.Union:
		return onUnion
	case ast.Enum:
		return onEnum
	case ast.InputObject:
		return onInputObject
	}
	return onScalar
}

// action is where rules of the action axis may stand.
var action = []place{onObject, onInterface, onScalar, onEnum, onEnumValue, onField, onArgument, onInputObject, onInputField}

// words are the parts of a rule, and where each may stand (DESIGN §6).
var words = []struct {
	name   string
	is     func(*Rule) bool
	places []place
}{
	{"@authenticated", func(r *Rule) bool { return r.Authenticated }, action},
	{"@requiresScopes", func(r *Rule) bool { return r.RequiresScopes != nil }, action},
	{"@policy", func(r *Rule) bool { return r.Policy != nil }, action},
	{"@scoped", func(r *Rule) bool { return r.Scoped != "" }, []place{onObject, onInterface}},
	{"@scopedBy", func(r *Rule) bool { return r.ScopedBy != "" }, []place{onArgument, onInputField}},
	{"@childOf", func(r *Rule) bool { return r.ChildOf != "" }, []place{onArgument, onInputField}},
	{"@unscoped", func(r *Rule) bool { return r.Unscoped }, []place{onArgument, onInputField, onField, onObject}},
	{"@wholeScope", func(r *Rule) bool { return r.WholeScope }, []place{onField}},
	{"@checkable", func(r *Rule) bool { return r.Checkable }, []place{onField}},
	{"@paging", func(r *Rule) bool { return r.Paging }, []place{onArgument}},
}

// statement is what is said of one coordinate, in the schema and beside it.
type statement struct {
	at         *ast.Position
	wants      []int
	answered   bool
	scoped     []Rule // Scoped and By
	scopedBy   string
	childOf    string
	unscoped   bool
	wholeScope bool
	kinds      []string
	checkable  bool
	paging     bool
}

var silent statement

// of is what is said of a coordinate.
func (l *loader) of(coordinate string) *statement {
	if s := l.said[coordinate]; s != nil {
		return s
	}
	return &silent
}

// state adds a rule to what is said of its coordinate.
func (l *loader) state(r *Rule, p place, at *ast.Position) {
	said := 0
	for _, w := range words {
		if !w.is(r) {
			continue
		}
		said++
		if !slices.Contains(w.places, p) {
			l.problem(r.Coordinate, at, w.name+" cannot stand on "+string(p))
			return
		}
	}
	if wrong := malformed(r, said); wrong != "" {
		l.problem(r.Coordinate, at, wrong)
		return
	}
	s := l.said[r.Coordinate]
	if s == nil {
		s = &statement{at: at}
		l.said[r.Coordinate] = s
	}
	l.actions(s, r)
	for _, text := range s.where(r) {
		l.problem(r.Coordinate, at, text)
	}
}

// malformed is what is wrong with a rule by itself.
func malformed(r *Rule, said int) string {
	switch {
	case said == 0:
		return "the rule says nothing"
	case r.By != "" && r.Scoped == "":
		return "by goes with scoped only"
	case r.Kinds != nil && !r.WholeScope:
		return "kinds go with whole_scope only"
	}
	for _, alternatives := range [][][]string{r.RequiresScopes, r.Policy} {
		if alternatives != nil && (len(alternatives) == 0 || slices.ContainsFunc(alternatives, func(all []string) bool {
			return len(all) == 0 || slices.Contains(all, "")
		})) {
			return "scopes and policies are a list of lists of names, none of them empty"
		}
	}
	if slices.Contains(r.Kinds, "") {
		return "a kind has no name"
	}
	return ""
}

// actions adds what a rule says on the action axis: it holds beside all else.
func (l *loader) actions(s *statement, r *Rule) {
	s.answered = s.answered || r.Authenticated || r.RequiresScopes != nil || r.Policy != nil
	var scopes, actions []policy.Need
	for _, all := range r.RequiresScopes {
		scopes = append(scopes, policy.Need{Scopes: all})
	}
	for _, all := range r.Policy {
		actions = append(actions, policy.Need{Actions: all})
	}
	for _, alternatives := range [][]policy.Need{scopes, actions} {
		if alternatives != nil {
			s.wants = add(s.wants, l.schema.want(alternatives))
		}
	}
}

// where adds what a rule says on the where axis, and returns what contradicts what
// was said before.
func (s *statement) where(r *Rule) (wrong []string) {
	once := func(name string, have *string, say string) {
		if say != "" && *have != "" && *have != say {
			wrong = append(wrong, name+" is said twice, differently")
		}
		*have = cmp.Or(say, *have)
	}
	once("@scopedBy", &s.scopedBy, r.ScopedBy)
	once("@childOf", &s.childOf, r.ChildOf)
	if r.Scoped != "" {
		s.scoped = append(s.scoped, Rule{Scoped: r.Scoped, By: cmp.Or(r.By, "id")})
	}
	if s.wholeScope && r.WholeScope && len(s.kinds)*len(r.Kinds) == 0 {
		s.kinds = nil // one of them means every kind
	} else {
		s.kinds = append(s.kinds, r.Kinds...)
	}
	s.unscoped = s.unscoped || r.Unscoped
	s.wholeScope = s.wholeScope || r.WholeScope
	s.checkable = s.checkable || r.Checkable
	s.paging = s.paging || r.Paging
	return append(wrong, s.contradictions()...)
}

func (s *statement) contradictions() (wrong []string) {
	for _, c := range []struct {
		is   bool
		text string
	}{
		{s.unscoped && s.wholeScope, "@unscoped and @wholeScope contradict each other"},
		{s.unscoped && s.checkable, "@unscoped and @checkable contradict each other"},
		{s.unscoped && s.scoped != nil, "@unscoped and @scoped contradict each other"},
		{s.scopedBy != "" && (s.childOf != "" || s.unscoped), "@scopedBy says that the argument names a resource: neither @childOf nor @unscoped can stand beside it"},
		{s.childOf != "" && s.unscoped, "@childOf and @unscoped contradict each other"},
		{s.paging && (s.scopedBy != "" || s.childOf != ""), "what names a resource or its child is no @paging"},
	} {
		if c.is {
			wrong = append(wrong, c.text)
		}
	}
	return wrong
}

// want keeps each requirement once.
func (s *Schema) want(alternatives []policy.Need) int {
	var key strings.Builder
	for _, n := range alternatives {
		key.WriteString("|" + strings.Join(n.Scopes, "\x00") + "\x01" + strings.Join(n.Actions, "\x00"))
	}
	for i := range s.wants {
		if s.wants[i].key == key.String() {
			return i
		}
	}
	s.wants = append(s.wants, want{key.String(), alternatives})
	return len(s.wants) - 1
}

// add adds to a small set.
func add(set []int, v ...int) []int {
	for _, i := range v {
		if !slices.Contains(set, i) {
			set = append(set, i)
		}
	}
	return set
}
