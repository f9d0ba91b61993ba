package graphql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// corners is a schema of what the one about trials has none of.
func corners() string {
	var members []string
	var types strings.Builder
	for i := range 24 {
		members = append(members, fmt.Sprintf("T%d", i))
		fmt.Fprintf(&types, "type T%d @authenticated @unscoped { n: Int s%d: String @policy(policies: [[\"secret:%d\"]]) }\n", i, i, i)
	}
	return `type Query {
  who(userId: ID!): Me @authenticated
  hit(userId: ID!): Hit @authenticated
  named(id: String): Me @authenticated
  uuids(uuids: [String]): Me @authenticated
  siteOf(at: Where!): Site @authenticated
  many: Many @authenticated @unscoped
  two(a: Int, b: Int): Me @authenticated @unscoped
  list: List @authenticated @unscoped
}
union Hit = Me | Study
type Me @authenticated @unscoped { name: String }
type Study @scoped(kind: "study") @authenticated { id: ID! name: String }
type Site @scoped(kind: "site") @authenticated { id: ID! name: String }
input Where { studyId: ID! @scopedBy(kind: "study") siteId: ID @childOf(arg: "studyId") }
union List = Plain | Inner | Outer | Bare | Deep
type Plain @authenticated @unscoped { f: [String] o: [Me] }
type Inner @authenticated @unscoped { f: [String!] }
type Outer @authenticated @unscoped { f: [String]! }
type Bare @authenticated @unscoped { f: String o: Me }
type Deep @authenticated @unscoped { f: [[String]] }
` + types.String() + "union Many = " + strings.Join(members, " | ")
}

// Each check of which no other test knows; make mutate turns them off.
func TestCorners(t *testing.T) {
	s := loadText(t, corners(), nil, graphql.Options{})
	for _, tc := range []struct {
		name   string
		rights *policy.Rights
		query  string
		want   string
	}{
		{"undeclared id, an object of nobody's", client(everyone), `{who(userId:1){name}}`, "unanswered"},
		{"undeclared id, nobody's among others", client(everyone), `{hit(userId:1){... on Study{name}}}`, "unanswered"},
		{"undeclared id by its name alone", client(everyone), `{named(id:"1"){name}}`, "unanswered"},
		{"undeclared ids by their name alone", client(everyone), `{uuids(uuids:["1"]){name}}`, "unanswered"},
		{"child of, in an input object", client(oneStudy), `{siteOf(at:{studyId:1,siteId:9}){name}}`, "allowed"},
		{"child of another, in an input object", client(oneStudy), `{siteOf(at:{studyId:2,siteId:9}){name}}`, "study 2"},
		{"D-75 the last of many types", client(nil, "secret:3"), `{many{... on T3{s3} ... on T23{s23}}}`, "secret:23"},
		{"the last of many types", client(nil, "secret:3", "secret:23"), `{many{... on T3{s3} ... on T23{s23}}}`, "allowed"},
		{"one name, another argument", client(nil), `{x:two(a:1){name} x:two(b:1){name}}`, "invalid"},
		{"one name, another kind of value", client(nil), `{x:who(userId:1){name} x:who(userId:"1"){name}}`, "invalid"},
		{"one name, the same in another order", client(nil), `{x:two(a:1,b:2){name} x:two(b:2,a:1){name}}`, "allowed"},
		{"a fragment of a scalar", client(nil), `{two{...F}} fragment F on Int{... on Me{name}}`, "invalid"},
		{"a fragment for a scalar", client(nil), `{two{... on Int{name}}}`, "invalid"},
		{"lists of one shape", client(nil), `{list{... on Plain{f} ... on Inner{g:f}}}`, "allowed"},
		{"a list of other elements", client(nil), `{list{... on Plain{f} ... on Inner{f}}}`, "invalid"},
		{"a list that is there", client(nil), `{list{... on Plain{f} ... on Outer{f}}}`, "invalid"},
		{"a list and none", client(nil), `{list{... on Plain{f} ... on Bare{f}}}`, "invalid"},
		{"none and a list", client(nil), `{list{... on Bare{f} ... on Plain{f}}}`, "invalid"},
		{"an object and a list of them", client(nil), `{list{... on Bare{o{name}} ... on Plain{o{name}}}}`, "invalid"},
		{"a list of objects and one", client(nil), `{list{... on Plain{o{name}} ... on Bare{o{name}}}}`, "invalid"},
		{"a list and lists", client(nil), `{list{... on Plain{f} ... on Deep{f}}}`, "invalid"},
		{"lists and a list", client(nil), `{list{... on Deep{f} ... on Plain{f}}}`, "invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := judge(t, s, tc.rights, tc.query, ""); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// An answer is an object, and of a type that is known by no name no member is overlooked
// (D-88).
func TestCornersOfAnswers(t *testing.T) {
	s := load(t, graphql.Options{CheckResponses: true})
	plan, _ := checked(t, s, `{studies{pageInfo{hasNextPage}}}`)
	rights := client(oneStudy, actions...)
	for _, tc := range []struct{ answer, want string }{
		{`{"data":{"studies":{"pageInfo":{"hasNextPage":true}}}}`, ""},
		{`["data",{"studies":{"pageInfo":{"hasNextPage":true}}}]`, "bad_answer"},
		{`{"data":{"studies":{"pageInfo":{"hasNextPage":true,"":1}}}}`, "bad_answer"},
	} {
		got := ""
		if _, err := plan.CheckResponse([]byte(tc.answer), rights, said); err != nil {
			got = reason(err)
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.answer, got, tc.want)
		}
	}
}

// Fields of one name must have the same arguments, down to what their values hold (GraphQL
// §5.3.2): the upstream would take one of them.
func TestCornersOfOverlap(t *testing.T) {
	s := load(t, graphql.Options{})
	for _, tc := range []struct{ a, b, want string }{
		{`{studyId:1,status:NEW}`, `{status:NEW,studyId:1}`, "allowed"},
		{`{studyId:1}`, `{studyId:2}`, "invalid"},
		{`{studyId:1}`, `{siteIds:1}`, "invalid"},
		{`{studyId:1}`, `{studyId:1,status:NEW}`, "invalid"},
		{`{studyId:1,status:NEW}`, `{studyId:1}`, "invalid"},
		{`{siteIds:[1]}`, `{siteIds:[1,2]}`, "invalid"},
		{`{siteIds:[1,2]}`, `{siteIds:[2,1]}`, "invalid"},
		{`{any:[{studyId:1}]}`, `{any:[{studyId:2}]}`, "invalid"},
	} {
		query := `{x:candidates(filter:` + tc.a + `){id} x:candidates(filter:` + tc.b + `){id}}`
		if got := judge(t, s, client(everyone, actions...), query, ""); got != tc.want {
			t.Errorf("%s: got %s, want %s", query, got, tc.want)
		}
	}
}

// An alias that looks like a hidden one is nobody's to choose.
func TestCornersOfHiddenAliases(t *testing.T) {
	s := load(t, graphql.Options{CheckResponses: true})
	_, p := checked(t, s, `{studies{nodes{name}}}`)
	for _, query := range []string{
		`{studies{nodes{` + p + `x:name}}}`, `{studies{nodes{...{` + p + `x:name}}}}`, `{studies{nodes{...F}}} fragment F on Study{` + p + `x:name}`,
	} {
		if got := judge(t, s, client(everyone, actions...), query, ""); got != "invalid" {
			t.Errorf("%s: got %s", query, got)
		}
	}
}

// What one type of an interface promises, another does not: each has a shape of its own
// (D-88).
func TestCornersOfShapes(t *testing.T) {
	s := loadText(t, `type Query { any: [Holder!]! @authenticated @checkable }
interface Holder { sites: [Site!]! }
type A implements Holder @scoped(kind: "study") @authenticated { id: ID! sites: [Site!]! @unscoped }
type B implements Holder @scoped(kind: "study") @authenticated { id: ID! sites: [Site!]! @checkable }
type C implements Holder @scoped(kind: "study") @authenticated { id: ID! sites: [Site!]! @checkable }
type Site @scoped(kind: "site") @authenticated { id: ID! name: String }`, nil, graphql.Options{CheckResponses: true})
	study, site := client(oneStudy), client(policy.ResourceScope{"study": {IDs: []string{"1"}}, "site": {IDs: []string{"9"}}})
	const each = `{any{sites{name} ...on A{sites{a:id}} ...on B{sites{b:id}} ...on C{sites{c:id}}}}`
	for _, tc := range []struct {
		rights              *policy.Rights
		query, answer, want string
	}{
		{study, `{any{sites{name}}}`, `{"_t":"A","_A_0":"1","sites":[{"_Site_0":"9","name":"x"}]}`, ""},
		{study, `{any{sites{name}}}`, `{"_t":"B","_B_0":"1","sites":[{"_Site_0":"9","name":"x"}]}`, "outside"},
		{site, `{any{sites{name}}}`, `{"_t":"B","_B_0":"1","sites":[{"_Site_0":"9","name":"x"}]}`, ""},
		{study, each, `{"_t":"A","_A_0":"1","sites":[{"_Site_0":"9","name":"x","a":"9"}]}`, ""},
		{site, each, `{"_t":"B","_B_0":"1","sites":[{"_Site_0":"9","name":"x","b":"9"}]}`, ""},
		{site, each, `{"_t":"B","_B_0":"1","sites":[{"_Site_0":"9","name":"x","a":"9"}]}`, "bad_answer"},
		{site, each, `{"_t":"C","_C_0":"1","sites":[{"_Site_0":"9","name":"x","c":"9"}]}`, ""},
	} {
		plan, p := checked(t, s, tc.query)
		answer := strings.ReplaceAll(`{"data":{"any":[`+tc.answer+`]}}`, `"_`, `"`+p)
		got := ""
		if _, err := plan.CheckResponse([]byte(answer), tc.rights, said); err != nil {
			got = reason(err)
		}
		if got != tc.want {
			t.Errorf("%s %s: got %q, want %q", tc.query, tc.answer, got, tc.want)
		}
	}
}
