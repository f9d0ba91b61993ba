package graphql

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// count judges a list of containers. How many there are tells how many scoped objects
// there are, even if nothing is selected but __typename: so one of the kinds that they
// contain must be pinned, or an object in each is looked at, or all of them are needed.
func (j *judge) count(f *ast.Field, rule *fieldRule, t *typeRule, reaching []source, next *around, at spot) {
	if rule.def.Type.Elem == nil || !t.plain() || t.carries == 0 {
		return
	}
	var pinned kindSet
	for _, s := range reaching {
		if !s.promise {
			pinned |= s.kinds
		}
	}
	need := t.carries & pinned
	if need == 0 {
		need = t.carries
	}
	looked := next.checkable && j.shows(f.SelectionSet, t)
	for k := range j.schema.kinds {
		if need.has(k) {
			j.kind(k, reaching, looked, at)
		}
	}
}

// shows reports whether a selection set asks each object of the type for a scoped object
// in it, whatever variables say.
func (j *judge) shows(set ast.SelectionSet, t *typeRule) bool {
	for _, sel := range set {
		if j.judged++; j.judged > maxJudged {
			return false
		}
		switch sel := sel.(type) {
		case *ast.Field:
			rule := t.fields[sel.Name]
			if len(sel.Directives) > 0 || rule == nil || rule.result == nil || len(rule.result.possible) == 0 {
				continue
			}
			if j.each(sel, rule) {
				return true
			}
		case *ast.InlineFragment:
			if len(sel.Directives) == 0 && j.applies(sel.TypeCondition, t) && j.shows(sel.SelectionSet, t) {
				return true
			}
		case *ast.FragmentSpread:
			if f := j.fragments[sel.Name].def; len(sel.Directives) == 0 && j.applies(f.TypeCondition, t) && j.shows(f.SelectionSet, t) {
				return true
			}
		}
	}
	return false
}

// each reports whether every object that the field may return is scoped, or shows one.
func (j *judge) each(f *ast.Field, rule *fieldRule) bool {
	for _, t := range rule.result.possible {
		if len(t.scopings) == 0 && (!t.plain() || !j.shows(f.SelectionSet, t)) {
			return false
		}
	}
	return true
}

// applies reports whether a fragment is for every object of the type.
func (j *judge) applies(condition string, t *typeRule) bool {
	return condition == "" || j.schema.types[condition].covers(t)
}
