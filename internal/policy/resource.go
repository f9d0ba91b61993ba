package policy

import (
	"maps"
	"slices"
)

// Resources is a set of resource ids of one kind: some, or all of them. All is
// a field of its own, never an id that reads `*`, and ids beside it mean nothing.
type Resources struct {
	All bool     `json:"all,omitempty" yaml:"all"` // those of tomorrow too
	IDs []string `json:"ids,omitempty" yaml:"ids"` // some of the tenant's
}

// holds reports whether the id is among them.
func (r Resources) holds(id string) bool { return r.All || slices.Contains(r.IDs, id) }

// some reports whether anything is among them.
func (r Resources) some() bool { return r.All || len(r.IDs) > 0 }

// intersect is what both hold.
func (r Resources) intersect(o Resources) Resources {
	switch {
	case r.All:
		return o
	case o.All:
		return r
	}
	var both Resources
	for _, id := range r.IDs {
		if slices.Contains(o.IDs, id) {
			both.IDs = append(both.IDs, id)
		}
	}
	return both
}

// ResourceScope says where a client may act: resource kind → ids. A kind that is
// not there means none of that kind.
type ResourceScope map[string]Resources

// Holds reports whether the scope contains the resource.
func (s ResourceScope) Holds(kind, id string) bool {
	return s[kind].holds(id)
}

// Intersect is what lies in both scopes of the kinds of s; a kind that o does not know
// stays as it is.
func (s ResourceScope) Intersect(o ResourceScope) ResourceScope {
	both := make(ResourceScope, len(s))
	for kind, mine := range s {
		if other, narrowed := o[kind]; narrowed {
			mine = mine.intersect(other)
		}
		if mine.some() {
			both[kind] = mine
		}
	}
	return both
}

// Kinds lists the kinds in alphabetical order.
func (s ResourceScope) Kinds() []string { return slices.Sorted(maps.Keys(s)) }

// Resource is one resource, or with All every one of its kind.
type Resource struct {
	Kind string
	ID   string
	All  bool
}
