package policy

import (
	"maps"
	"slices"
)

// Resources is a set of resource ids of one kind: some, or all of them. All is
// a field of its own, never an id that reads `*`.
type Resources struct {
	All bool     `json:"all,omitempty" yaml:"all"` // those of tomorrow too
	IDs []string `json:"ids,omitempty" yaml:"ids"` // some of the tenant's
}

// ResourceScope says where a client may act: resource kind → ids. A kind that is
// not there means none of that kind.
type ResourceScope map[string]Resources

// Holds reports whether the scope contains the resource.
func (s ResourceScope) Holds(kind, id string) bool {
	r, ok := s[kind]
	return ok && (r.All || slices.Contains(r.IDs, id))
}

// Kinds lists the kinds in alphabetical order.
func (s ResourceScope) Kinds() []string { return slices.Sorted(maps.Keys(s)) }

// Resource is one resource, or with All every one of its kind.
type Resource struct {
	Kind string
	ID   string
	All  bool
}
