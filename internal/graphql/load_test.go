package graphql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/graphql"
)

// Every problem is told at once, where it is.
func TestLoadTellsEveryProblem(t *testing.T) {
	const text = `type Query @scoped(kind: "a", by: "none") {
  a(x: In @scopedBy(kind: "k")): Int @scoped(kind: "k")
  b(x: ID @childOf(arg: "y"), y: ID): Int @policy(policies: [])
  c(x: ID @unscoped @scopedBy(kind: "k")): Int @policy(policies: ["a"])
  d: Int @unscoped @wholeScope(kinds: ["k"])
  e: U @requiresScopes(scopes: [[]])
  f(x: ID @childOf(arg: "x")): Int @paging
}
union U @authenticated = T
type T @unscoped @scoped(kind: "t") { id: ID }
input In { x: ID }`
	_, problems := graphql.Load(text, []graphql.Rule{
		{Coordinate: "Query.none", Authenticated: true},
		{Coordinate: "Query.a(z:)", Unscoped: true},
		{Coordinate: "Nothing", Authenticated: true},
		{Coordinate: "Query.a"},
		{Coordinate: "Query.__schema", Authenticated: true},
		{Coordinate: "Query.d", Kinds: []string{"k"}, Authenticated: true},
		{Coordinate: "T", By: "id"},
		{Coordinate: "In", ScopedBy: "k"},
	}, graphql.Options{})
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d %s", p.Line, p.Coordinate))
	}
	want := []string{
		"0 Query.none", "0 Query.a(z:)", "0 Nothing", "0 Query.a", "0 Query.__schema", "0 Query.d", "0 T", "0 In", "0 Query.b(x:)", "0 Query.f(x:)",
		"1 Query", "2 Query.a", "2 Query.a(x:)", "3 Query.b", "4 Query.c(x:)", "4 Query.c", "5 Query.d", "6 Query.e", "7 Query.f", "9 U", "10 T",
	}
	if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
		t.Errorf("-want +got\n%s\n%v", diff, problems)
	}
}

func sorted(list []string) map[string]int {
	m := map[string]int{}
	for _, s := range list {
		m[s]++
	}
	return m
}

func TestLoadRefuses(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"syntax", "type Query {", "1:13"},
		{"unknown type", "type Query { a: Nothing }", "Undefined type"},
		{"no query", "type A { a: Int }", "no query type"},
		{"another directive of our name", "directive @policy(name: String) on FIELD_DEFINITION\ntype Query { a: Int }", "in another way"},
		{"a built-in type extended", "type Query { a: Int }\nextend type __Type { secret: Int }", "built-in"},
		{"not UTF-8", "type Query { a: Int } # \xff", "UTF-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, problems := graphql.Load(tc.text, nil, graphql.Options{})
			if s != nil || len(problems) == 0 || !strings.Contains(fmt.Sprint(problems), tc.want) {
				t.Errorf("got %v, want %s", problems, tc.want)
			}
		})
	}
}

// Definitions as Apollo, Cosmo and Hive compose them are taken.
func TestLoadTakesTheirDefinitions(t *testing.T) {
	s := loadText(t, `
directive @policy(policies: [[federation__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @requiresScopes(scopes: [[openfed__Scope!]!]!) on FIELD_DEFINITION | OBJECT
directive @authenticated on ENUM | FIELD_DEFINITION | INTERFACE | OBJECT | SCALAR
directive @key(fields: String!) repeatable on OBJECT
directive @link(url: String!, import: [String]) on SCHEMA
scalar federation__Policy
scalar openfed__Scope
schema @link(url: "https://specs.apollo.dev/federation/v2.6") { query: Root }
type Root { a: Int @policy(policies: [["x"]]) @unscoped }
extend type Root @key(fields: "a") { b: Int @requiresScopes(scopes: [["reports"]]) @unscoped }`, nil, graphql.Options{})
	if got := judge(t, s, client(nil, "x"), `{a b}`, ""); got != "allowed" {
		t.Errorf("got %s", got)
	}
	if got := judge(t, s, client(nil), `{b a}`, ""); got != "x" {
		t.Errorf("without the policy: got %s", got)
	}
}

// D-94 (CVE-2025-64347): a rule under another name is no rule, so that its field has
// no answer, and coverage lists it.
func TestRenamedDirectives(t *testing.T) {
	s := loadText(t, `
extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: [{name: "@policy", as: "@rule"}, "@authenticated"])
type Query {
  a: Int @rule(policies: [["x"]]) @unscoped
  b: Int @federation__policy(policies: [["x"]]) @unscoped
  c: Int @authenticated @unscoped
}`, nil, graphql.Options{})
	for query, want := range map[string]string{`{a}`: "unanswered", `{b}`: "unanswered", `{c}`: "allowed"} {
		if got := judge(t, s, client(everyone, "x"), query, ""); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	if diff := cmp.Diff([]string{"Query.a action", "Query.b action"}, gaps(s)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func gaps(s *graphql.Schema) []string {
	var got []string
	for _, g := range s.Coverage() {
		got = append(got, g.Coordinate+" "+string(g.Axis))
	}
	return got
}

// What coverage lists is what is refused to everybody.
func TestCoverage(t *testing.T) {
	want := []string{
		"Query.forgotten action", "Query.forgotten where", "Query.halfForgotten where", "Query.lookup where",
		"Mutation.closeEverything where", "Study.document where",
	}
	s := load(t, graphql.Options{})
	if diff := cmp.Diff(want, gaps(s)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, g := range s.Coverage() {
		if g.Line == 0 || g.Why == "" {
			t.Errorf("%+v", g)
		}
	}
}

// Rules beside the schema say the same as directives in it.
func TestRulesBeside(t *testing.T) {
	s := loadText(t, `
type Query { study(id: ID!): Study  put(in: StudyInput): Int  total: Int }
type Study { id: ID! name: String status: Status }
input StudyInput { siteId: ID  status: Status }
enum Status { OPEN SECRET }`, []graphql.Rule{
		{Coordinate: "Query.study", Policy: [][]string{{"studies:read"}}},
		{Coordinate: "Query.study(id:)", ScopedBy: "study"},
		{Coordinate: "Study", Scoped: "study", Policy: [][]string{{"studies:read"}}},
		{Coordinate: "Query.put", Authenticated: true},
		{Coordinate: "StudyInput.siteId", ScopedBy: "site"},
		{Coordinate: "Status.SECRET", Policy: [][]string{{"studies:secret"}}},
		{Coordinate: "Query.total", Authenticated: true, WholeScope: true},
	}, graphql.Options{})
	if got := gaps(s); got != nil {
		t.Errorf("gaps: %v", got)
	}
	rights := client(oneStudy, "studies:read")
	for query, want := range map[string]string{
		`{study(id:1){name}}`: "allowed", `{study(id:2){name}}`: "study 2", `{study(id:1){status}}`: "studies:secret", `{put(in:{siteId:7})}`: "site 7",
		`{put(in:{status:SECRET})}`: "studies:secret", `{put(in:{status:OPEN})}`: "all site", `{total}`: "all site",
	} {
		if got := judge(t, s, rights, query, ""); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// A rule in the schema and one beside it hold together, and so do those of interfaces.
func TestRulesAddUp(t *testing.T) {
	s := loadText(t, `
type Query { a: A @policy(policies: [["x"]]) @authenticated  b(id: ID! @scopedBy(kind: "k")): I @authenticated }
interface I @policy(policies: [["i"]]) { n: Int @policy(policies: [["in"]])  id: ID }
type A implements I @unscoped { n: Int @policy(policies: [["an"]])  id: ID }
type B implements I @scoped(kind: "k") { n: Int id: ID }`, []graphql.Rule{{Coordinate: "Query.a", Policy: [][]string{{"y"}}}}, graphql.Options{})
	all := []string{"x", "y", "i", "in", "an"}
	if got := judge(t, s, client(nil, all...), `{a{n}}`, ""); got != "allowed" {
		t.Errorf("got %s", got)
	}
	root := loadText(t, `type Query @policy(policies: [["q"]]) { a: Int @unscoped }`, nil, graphql.Options{})
	if got := judge(t, root, client(nil), `{__typename}`, ""); got != "q" { // D-79: where its parent does
		t.Errorf("typename of the root: got %s", got)
	}
	for _, a := range all {
		if got := judge(t, s, client(nil, without(all, a)...), `{a{n}}`, ""); got != a {
			t.Errorf("without %s: got %s", a, got)
		}
	}
	for _, tc := range []struct{ leave, want string }{{"an", "an"}, {"i", "i"}, {"in", "in"}} { // D-80
		if got := judge(t, s, client(oneK, without(all, tc.leave)...), `{b(id:1){n}}`, ""); got != tc.want {
			t.Errorf("through the interface, without %s: got %s", tc.leave, got)
		}
	}
	if got := judge(t, s, client(oneK, without(all, "an")...), `{b(id:1){... on B{n}}}`, ""); got != "allowed" {
		t.Errorf("a fragment on another type: got %s", got)
	}
}

// What nobody can know is refused to everybody.
func TestLoadOddTypes(t *testing.T) {
	s := loadText(t, `
type Query @authenticated { empty: Empty @unscoped  meta: __Type @unscoped  fine: Int @unscoped }
interface Empty @authenticated { id: ID }`, nil, graphql.Options{Introspection: true})
	for query, want := range map[string]string{`{empty{id}}`: "unanswered", `{empty{__typename}}`: "unanswered", `{meta{name}}`: "not_supported", `{fine}`: "allowed"} {
		if got := judge(t, s, client(everyone, actions...), query, ""); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	if diff := cmp.Diff([]string{"Query.empty where"}, gaps(s)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
