package graphql_test

import (
	"slices"
	"strings"
)

// count judges a list of containers: each tells that there is one more object, of one
// kind at least of those that it contains.
func (r *ruling) count(f *field, o *definition, set []*selection, in where) {
	kinds := contains(o)
	if f.typ.of == nil || !o.plain() || len(kinds) == 0 || in.promised {
		return
	}
	if some := slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return !in.pins[k] && !in.named[k] }); len(some) > 0 {
		kinds = some
	}
	for _, k := range kinds {
		switch {
		case in.pins[k] || r.g.all(k):
		case in.checked && r.shows(o, set):
			r.check = true
		default:
			r.refuse("%s: how many %s there are tells of %s", f.name, o.name, k)
		}
	}
}

// shows tells whether a scoped object is asked for in every object of the type.
func (r *ruling) shows(t *definition, set []*selection) bool {
	return slices.ContainsFunc(set, func(s *selection) bool {
		switch {
		case len(s.directives) > 0 || strings.HasPrefix(s.field, "__"):
			return false
		case s.field != "":
			objects := t.field(s.field).typ.base().possible()
			return len(objects) > 0 && !slices.ContainsFunc(objects, func(o *definition) bool {
				return len(o.scopings()) == 0 && !(o.plain() && r.shows(o, s.selections))
			})
		case s.spread != "":
			f := r.doc.fragments[s.spread]
			return slices.Contains(r.m.byName[f.on].possible(), t) && r.shows(t, f.selections)
		}
		return (s.on == "" || slices.Contains(r.m.byName[s.on].possible(), t)) && r.shows(t, s.selections)
	})
}
