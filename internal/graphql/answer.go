package graphql

import "slices"

// What answers a field on the two axes: the same for plans and for coverage.

// pinnable reports whether the field's arguments can pin something.
func (f *fieldRule) pinnable() bool { return f.pins != 0 && f.undeclared == "" }

// gap says what a field of an object type lacks, where it stands; "" if nothing.
func (f *fieldRule) gap(t *typeRule, a *around) (Reason, string) {
	switch {
	case f.refused != "":
		return NotSupported, f.refused
	case !f.answered:
		return Unanswered, noAction
	}
	return Unanswered, f.whereGap(t, a)
}

const noAction = "neither the field nor its type says who may: @authenticated, @requiresScopes or @policy"

func (f *fieldRule) whereGap(t *typeRule, a *around) string {
	switch {
	case f.result != nil && len(f.result.possible) == 0:
		return "no object type may stand for " + f.result.name + ": nobody knows what comes back"
	case f.unscoped || f.wholeScope:
		return ""
	case f.undeclared != "" && (f.mutation || !f.scopedResult()):
		return "argument " + f.undeclared + " may name something: @scopedBy, @childOf or @unscoped"
	case f.pinnable():
		return ""
	case f.mutation:
		return "a mutation says what it touches: @scopedBy on an argument, @wholeScope or @unscoped"
	case f.result != nil || !t.plain():
		return "" // told by what it returns, or by what it belongs to
	case t.carries == 0 && a.covered == nil:
		return "it belongs to nothing scoped: @unscoped or @wholeScope on it, or @unscoped on its type"
	case !a.carries(t.carries):
		return "it stands beside scoped objects that nothing pins there: @wholeScope or @unscoped"
	}
	return ""
}

// scopedResult reports whether every object that may come back is scoped.
func (f *fieldRule) scopedResult() bool {
	if f.result == nil {
		return false
	}
	for _, t := range f.result.possible {
		if len(t.scopings) == 0 {
			return false
		}
	}
	return true
}

// carries reports whether all of the kinds may be pinned here.
func (a *around) carries(kinds kindSet) bool {
	for _, s := range a.flow {
		kinds &^= s.kinds
	}
	return kinds == 0
}

// around is what surrounds what a field of an object type returns, and pins it. pin is
// the place of the field's arguments, or -1 where they are not looked at.
func (f *fieldRule) around(t *typeRule, a *around, s *Schema, pin int) (next around) {
	switch {
	case f.unscoped || f.wholeScope || f.pinnable():
		next.covered = nothing
	case a.covered != nil && t.plain() && t.carries != 0:
		next.covered = &beside{t.carries, a.flow} // it may tell what a leaf of the container would
	default:
		next.covered = a.covered
	}
	switch {
	case f.unscoped && f.undeclared == "" && len(t.scopings) > 0:
		next.flow = s.everything // it lies in the object, and adds nothing
	case f.unscoped && f.undeclared == "":
		next.flow = a.flow // it lies in what its container lies in, whatever that is
	case f.wholeScope:
		next.flow = []source{{kinds: f.whole, pin: -1}}
	}
	if f.pinnable() {
		next.flow = append(slices.Clip(next.flow), f.sources(pin, s)...)
	}
	return next
}

// lies reports whether what the field returns lies in something by promise, whatever
// its arguments are.
func (f *fieldRule) lies(t *typeRule, a *around, s *Schema) bool {
	return f.unscoped && f.undeclared == "" && (len(t.scopings) > 0 || slices.Contains(a.flow, s.everything[0]))
}

// reaching is what pins the scoped objects that a field returns: what the field pins,
// and what pins the container it stands in.
func (f *fieldRule) reaching(a, next *around) []source {
	if f.undeclared != "" {
		return next.flow // nobody knows what it returns
	}
	if len(a.flow) == 0 {
		return next.flow
	}
	return slices.Concat(next.flow, a.flow)
}

// sources are what the arguments pin, and what is promised to lie in what they name.
func (f *fieldRule) sources(pin int, s *Schema) []source {
	list := []source{{kinds: f.pins, pin: pin}}
	if f.unscoped || slices.ContainsFunc(f.args, func(a *slotRule) bool { return a.hasChild(nil) }) {
		list = append(list, source{kinds: s.allKinds(), pin: pin, promise: true})
	}
	return list
}

func (a *slotRule) hasChild(seen map[*inputRule]bool) bool {
	if a.object == nil || seen[a.object] {
		return a.child // never of an input object
	}
	if seen == nil {
		seen = map[*inputRule]bool{}
	}
	seen[a.object] = true
	for _, f := range a.object.fields {
		if f.hasChild(seen) {
			return true
		}
	}
	return false
}

// covers reports whether an object type may stand for this type, as it may for itself.
func (t *typeRule) covers(object *typeRule) bool {
	_, ok := t.set[object]
	return ok
}
