package graphql_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

var oneK = policy.ResourceScope{"k": {IDs: []string{"1"}}}

func checked(t testing.TB, s *graphql.Schema, query string) (*graphql.Plan, string) {
	t.Helper()
	plan, err := s.Plan(query, "")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`p[0-9a-f]{16}_`).FindString(plan.Document(true))
	return plan, m
}

// D-88: an unpinned field that is checkable passes, and every object of the answer is
// held against the client's scope.
func TestCheckResponse(t *testing.T) {
	s := load(t, graphql.Options{CheckResponses: true})
	rights := client(oneStudy, actions...)
	plan, p := checked(t, s, `{studies(first:2){nodes{name sponsor{name} related{name}}}}`)
	need, err := plan.Need(nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := need.Decide(rights, said); !d.Allowed || !d.Check {
		t.Fatalf("%+v", d)
	}
	if d := need.Decide(client(everyone, actions...), said); !d.Allowed || d.Check {
		t.Errorf("with all: %+v", d)
	}
	if strings.Contains(plan.Document(false), p) || strings.Count(plan.Document(true), p) != 2 {
		t.Errorf("%s\n%s", plan.Document(false), plan.Document(true))
	}
	for _, tc := range []struct{ name, body, want string }{
		{"inside", `{"data":{"studies":{"nodes":[{"KEY":"1","name":"a","sponsor":{"name":"s"},"related":[{"KEY":1,"name":"b"}]}]}}}`,
			`{"data":{"studies":{"nodes":[{"name":"a","sponsor":{"name":"s"},"related":[{"name":"b"}]}]}}}`},
		{"white space, other order", ` { "data" : { "studies" : { "nodes" : [ { "name" : "a\n\"" , "KEY" : "1" , "sponsor" : null } , null ] } } } `,
			`{"data":{"studies":{"nodes":[{"name":"a\n\"","sponsor":null},null]}}}`},
		{"key escaped", `{"data":{"studies":{"nodes":[{"KEY":"\u0031","name":"a"}]}}}`, `{"data":{"studies":{"nodes":[{"name":"a"}]}}}`},
		{"empty", `{"data":{"studies":{"nodes":[]}}}`, `{"data":{"studies":{"nodes":[]}}}`},
		{"no data", `{"data":null,"errors":[{"message":"study 2 is broken"}]}`, `{"errors":[{"message":"the upstream reported an error"}],"data":null}`},
		{"errors alone", `{"errors":[{"message":"study 2"}],"extensions":{"trace":"study 2"}}`, `{"errors":[{"message":"the upstream reported an error"}]}`},
		{"extensions", `{"data":{"studies":null},"extensions":{"trace":"study 2"}}`, `{"data":{"studies":null}}`},
		{"outside", `{"data":{"studies":{"nodes":[{"KEY":"1","name":"a"},{"KEY":"2","name":"b"}]}}}`, "outside"},
		{"outside, nested", `{"data":{"studies":{"nodes":[{"KEY":"1","name":"a","related":[{"KEY":"3","name":"b"}]}]}}}`, "outside"},
		{"key null", `{"data":{"studies":{"nodes":[{"KEY":null,"name":"a"}]}}}`, "bad_answer"},
		{"key missing", `{"data":{"studies":{"nodes":[{"name":"a"}]}}}`, "bad_answer"},
		{"key twice", `{"data":{"studies":{"nodes":[{"KEY":"1","KEY":"2","name":"a"}]}}}`, "bad_answer"},
		{"key empty", `{"data":{"studies":{"nodes":[{"KEY":"","name":"a"}]}}}`, "bad_answer"},
		{"key odd", `{"data":{"studies":{"nodes":[{"KEY":1.0,"name":"a"}]}}}`, "bad_answer"},
		{"key a list", `{"data":{"studies":{"nodes":[{"KEY":["1"],"name":"a"}]}}}`, "bad_answer"},
		{"key an object", `{"data":{"studies":{"nodes":[{"KEY":{},"name":"a"}]}}}`, "bad_answer"},
		{"key true", `{"data":{"studies":{"nodes":[{"KEY":true,"name":"a"}]}}}`, "bad_answer"},
		{"what was not asked for", `{"data":{"studies":{"nodes":[{"KEY":"1","name":"a","budget":1}]}}}`, "bad_answer"},
		{"a root that was not asked for", `{"data":{"study":{"name":"a"}}}`, "bad_answer"},
		{"an object for a leaf", `{"data":{"studies":{"nodes":[{"KEY":"1","name":{"id":"2"}}]}}}`, "bad_answer"},
		{"a leaf for an object", `{"data":{"studies":"x"}}`, "bad_answer"},
		{"data is a list", `{"data":[]}`, "bad_answer"},
		{"another member", `{"data":{"studies":null},"more":1}`, "bad_answer"},
		{"nothing", `{}`, "bad_answer"},
		{"a list", `[]`, "bad_answer"},
		{"no JSON", `<html>`, "bad_answer"},
		{"half", `{"data":{"studies":`, "bad_answer"},
		{"two", `{"data":{"studies":null}}{}`, "bad_answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key := regexp.MustCompile(regexp.QuoteMeta(p) + `\w+`).FindString(plan.Document(true))
			out, err := plan.CheckResponse([]byte(strings.ReplaceAll(tc.body, "KEY", key)), rights, said)
			got := string(out)
			if err != nil {
				got = reason(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// At abstract types the type comes back too, and each type has its own key.
func TestCheckResponseOfAbstractTypes(t *testing.T) {
	s := loadText(t, `
type Query @authenticated { things: [Thing!]! @checkable  nodes(after: Int @paging, text: String): [Node!]! @checkable }
interface Node { id: ID! }
union Thing = A | B | C
type A implements Node @scoped(kind: "k") @authenticated { id: ID! a: Int json: Json }
type B implements Node @scoped(kind: "k", by: "owner") @scoped(kind: "l") @authenticated { id: ID! owner: Int! b: Int a: A }
type C @unscoped @authenticated { c: Int }
scalar Json`, nil, graphql.Options{CheckResponses: true})
	rights := client(policy.ResourceScope{"k": oneK["k"], "l": {IDs: []string{"x"}}})
	plan, p := checked(t, s, `{things{... on A{a json}... on B{b}... on C{c}}}`)
	for _, tc := range []struct{ name, body, want string }{
		{"inside", `{"Pt":"A","PA_0":"1","a":1,"json":{"x":[1,{"y":2}],"z":[]}},{"Pt":"B","PB_0":1,"PB_1":"x","b":2},{"Pt":"C","c":3}`,
			`{"a":1,"json":{"x":[1,{"y":2}],"z":[]}},{"b":2},{"c":3}`},
		{"type last", `{"a":1,"PA_0":"1","Pt":"A"}`, `{"a":1}`},
		{"second kind", `{"Pt":"B","PB_0":1,"PB_1":"y","b":2}`, "outside"},
		{"unknown type", `{"Pt":"D","c":3}`, "bad_answer"},
		{"no type", `{"PA_0":"1","a":1}`, "bad_answer"},
		{"type null", `{"Pt":null,"PA_0":"1","a":1}`, "bad_answer"},
		{"says another type", `{"Pt":"C","PA_0":"1","c":1}`, "bad_answer"},
		{"members of another type", `{"Pt":"C","a":1}`, "bad_answer"},
		{"one key of two", `{"Pt":"B","PB_0":1,"b":2}`, "bad_answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			body := `{"data":{"things":[` + strings.NewReplacer(`"P`, `"`+p).Replace(tc.body) + `]}}`
			out, err := plan.CheckResponse([]byte(body), rights, said)
			got := strings.TrimSuffix(strings.TrimPrefix(string(out), `{"data":{"things":[`), `]}}`)
			if err != nil {
				got = reason(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for query, want := range map[string]string{
		`{nodes(after:1){id}}`: "allowed", `{nodes(text:"a"){id}}`: "all k", // else it is an oracle
		`{nodes{... on B{a{a}}}}`: "all k", // nesting is no promise, and not checkable
	} {
		if got := judge(t, s, rights, query, ""); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	off := load(t, graphql.Options{})
	if got := judge(t, off, client(oneStudy, actions...), `{studies{nodes{name}}}`, ""); got != "all study" {
		t.Errorf("turned off: got %s", got)
	}
	if plan, _ := checked(t, off, `{studyCount}`); plan != nil {
		if _, err := plan.CheckResponse([]byte(`{"data":null}`), rights, said); err == nil {
			t.Error("turned off, but an answer was checked")
		}
	}
}

// What lies in a pinned object by promise is not asked for by its own kind.
func TestCheckResponsePromise(t *testing.T) {
	s := load(t, graphql.Options{CheckResponses: true})
	plan, p := checked(t, s, `{study(id:1){name sites{name}}}`)
	for body, want := range map[string]string{
		`{"data":{"study":{"PStudy_0":"1","name":"a","sites":[{"PSite_0":"9","name":"s"}]}}}`:  `{"data":{"study":{"name":"a","sites":[{"name":"s"}]}}}`,
		`{"data":{"study":{"PStudy_0":"2","name":"a","sites":[{"PSite_0":"9","name":"s"}]}}}`:  "outside", // pinned objects are checked too
		`{"data":{"study":{"PStudy_0":"1","name":"a","sites":[{"PSite_0":null,"name":"s"}]}}}`: "bad_answer",
	} {
		out, err := plan.CheckResponse([]byte(strings.ReplaceAll(body, `"P`, `"`+p)), client(oneStudy, actions...), said)
		got := string(out)
		if err != nil {
			got = reason(err)
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Forwarded is what was judged: the operation and the fragments it reaches, the
// declared variables after coercion, nothing else (D-78, D-92).
func TestForwarded(t *testing.T) {
	s := load(t, graphql.Options{})
	if _, err := s.Plan(`query($f: CandidateFilter) { candidates(filter: $f) { id } }`, ""); err == nil {
		t.Fatal("a nullable variable for a required argument")
	}
	plan, err := s.Plan(`# a comment
"why" query A($i: ID! = "1", $f: CandidateFilter!) { # another
  one: study(id: $i) @include(if: true) { ...F }
  candidates(filter: $f) { id }
}
query B { study(id: 2) { ...G } }
fragment G on Study { name }
fragment F on Study { name ... on Node { id } note(id: """
  a "quoted"
  text""") }`, "A")
	if err != nil {
		t.Fatal(err)
	}
	const doc = `query A($i:ID!="1",$f:CandidateFilter!){one:study(id:$i)@include(if:true){...F} candidates(filter:$f){id}}` +
		`fragment F on Study{name ...on Node{id} note(id:"a \"quoted\"\ntext")}`
	if diff := cmp.Diff(doc, plan.Document(false)); diff != "" {
		t.Error(diff)
	}
	need, err := plan.Need([]byte(`{"i": 1, "f": {"studyId": 1, "siteIds": 7, "status": "N\u0045W"}, "other": {"x": 1}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"i":"1","f":{"studyId":"1","siteIds":["7"],"status":"NEW"}}`
	if diff := cmp.Diff(want, string(need.Variables)); diff != "" {
		t.Error(diff)
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(need.Body(false), &body); err != nil || len(body) != 3 || string(body["operationName"]) != `"A"` || string(body["variables"]) != want {
		t.Errorf("%s %v", need.Body(false), err)
	}
}
