package graphql

import (
	"maps"
	"slices"

	"github.com/postern-dev/postern/internal/policy"
)

// Actions are the actions that the schema and its rules name, in alphabetical order;
// Introspect among them where introspection is turned on.
func (s *Schema) Actions() []string {
	return s.named(func(n *policy.Need) []string { return n.Actions })
}

// Scopes are the OAuth scopes that the schema and its rules name, in alphabetical order.
func (s *Schema) Scopes() []string {
	return s.named(func(n *policy.Need) []string { return n.Scopes })
}

func (s *Schema) named(of func(*policy.Need) []string) []string {
	set := map[string]bool{}
	for i, w := range s.wants {
		if i == s.introspect && !s.options.Introspection {
			continue
		}
		for n := range w.alternatives {
			for _, name := range of(&w.alternatives[n]) {
				set[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}
