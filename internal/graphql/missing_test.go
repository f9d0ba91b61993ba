package graphql_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// Everything that would have to be granted is told, each by itself: whoever grants all of
// it has granted enough (TRI-08).
func TestMissingIsWhole(t *testing.T) {
	s := loadText(t, `
type Query {
  studies(ids: [ID!]! @scopedBy(kind: "study")): [Study!]! @policy(policies: [["studies:read", "studies:list"]])
  either: Int @policy(policies: [["a", "b"], ["c"]]) @unscoped
}
type Study @scoped(kind: "study") @requiresScopes(scopes: [["reports", "more"]]) { id: ID! @authenticated }
`, nil, graphql.Options{})
	plan, err := s.Plan(`query($ids: [ID!]!) { studies(ids: $ids) { id } either }`, "")
	if err != nil {
		t.Fatal(err)
	}
	need, err := plan.Need([]byte(`{"ids": ["1", "2", "3", "2"]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range need.Missing(client(oneStudy), said) {
		got = append(got, d.Coordinate+" "+d.Missing+d.Resource.ID)
	}
	want := []string{"Query.studies studies:read", "Query.studies studies:list", "Query.studies 2", "Query.studies 3", "Query.studies 2", "Query.studies more", "Query.either a"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff([]policy.Resource{{Kind: "study", ID: "1"}, {Kind: "study", ID: "2"}, {Kind: "study", ID: "3"}}, need.Resources()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Fields are counted once, however many ways lead to them, and not where none does.
func TestReachable(t *testing.T) {
	s := loadText(t, `
type Query { study: Study studies: [Study!] @unscoped }
type Mutation { touch: Study }
interface Node { id: ID! }
type Study implements Node { id: ID! parent: Study site: Site }
type Site { id: ID! name: String }
type Nowhere { id: ID! }
`, nil, graphql.Options{})
	if got := s.Reachable(); got != 8 {
		t.Errorf("%d fields, want 8", got)
	}
}

// Whoever explains a refusal learns what is wrong with the document, in a few words.
func TestDetail(t *testing.T) {
	s := load(t, graphql.Options{})
	for query, want := range map[string]string{
		`{ nothing }`:     `Cannot query field "nothing" on type "Query".`,
		`{ study(id: 1) `: "Expected Name, found <EOF>",
		`{ study(id: [1, 2]) { id } f: study(id: {a: "` + strings.Repeat("é", 300) + `"}) { id } }`: "",
	} {
		_, err := s.Plan(query, "")
		r, ok := errors.AsType[*graphql.Refusal](err)
		if !ok || want != "" && r.Detail != want || len(r.Detail) > 210 || !utf8.ValidString(r.Detail) || r.Detail == "" {
			t.Errorf("%.40s: %v", query, err)
		}
	}
}
