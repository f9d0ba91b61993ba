package graphql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/graphql"
)

// Whoever grants actions learns which the schema names.
func TestNames(t *testing.T) {
	s := load(t, graphql.Options{Introspection: true})
	want := slices.Sorted(slices.Values(without(actions, "things:read"))) // of schemas in other tests
	if diff := cmp.Diff(want, s.Actions()); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"admin", "all", "reports"}, s.Scopes()); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
	if slices.Contains(load(t, graphql.Options{}).Actions(), graphql.Introspect) {
		t.Error("names the action of introspection where that is turned off")
	}
	beside := loadText(t, "type Query { a: Int }", []graphql.Rule{{Coordinate: "Query.a", Policy: [][]string{{"b", "a"}, {"c"}}}}, graphql.Options{})
	if diff := cmp.Diff([]string{"a", "b", "c"}, beside.Actions()); diff != "" {
		t.Errorf("actions of rules (-want +got):\n%s", diff)
	}
}

// A problem of a rule beside the schema says which rule it is.
func TestProblemOfARule(t *testing.T) { // D-94
	_, problems := graphql.Load("type Query { a: Int }", []graphql.Rule{
		{Coordinate: "Query.a", Authenticated: true}, {Coordinate: "Query.b", Authenticated: true}, {Coordinate: "Query.a"}, {Coordinate: "Query.a", Paging: true},
	}, graphql.Options{})
	var told []string
	for _, p := range problems {
		told = append(told, strings.Repeat("·", p.Rule)+p.Coordinate)
	}
	if diff := cmp.Diff([]string{"··Query.b", "···Query.a", "····Query.a"}, told); diff != "" {
		t.Errorf("-want +got\n%s\n%v", diff, problems)
	}
}
