package graphql_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
)

// graph is all about what lies in what: kind k are boxes, kind l are things in them.
const graph = `
type Query @authenticated {
  box(id: ID! @scopedBy(kind: "k")): Box
  boxes: BoxPage! @checkable
  found(text: String): Found! 
  pick(id: ID @scopedBy(kind: "k"), thing: ID @scopedBy(kind: "l")): Picked!
  thing(box: ID @scopedBy(kind: "k"), id: ID @childOf(arg: "box"), other: ID @scopedBy(kind: "l")): Thing
  open: Box @unscoped
  version: Version! @unscoped
  viewer: Viewer!
  half(thing: ID @scopedBy(kind: "l"), otherId: ID!): Box
  sum(id: ID @scopedBy(kind: "k")): Int @unscoped
  listed(of: [Of!]!): [Box!]!
  first(id: ID = 1 @scopedBy(kind: "k")): Box
  second(id: ID = "2" @scopedBy(kind: "k")): Box
  third(in: OfThird = {box: 3}): Box
  fourth(in: OfFourth!): Box
  filtered(by: Filter!): [Box!]!
  atBox(id: ID! @scopedBy(kind: "k")): Box @unscoped
  many(ids: [ID] @scopedBy(kind: "k")): [Box]
  noted(data: Data @unscoped, more: Data): Int @unscoped
}
input OfThird { box: ID @scopedBy(kind: "k") }
input OfFourth { box: ID = 4 @scopedBy(kind: "k") }
input Filter { not: Filter in: Of }
input Data { any: Any }
scalar Any
input Of { box: ID @scopedBy(kind: "k") }
type Mutation @authenticated { touch(id: ID! @scopedBy(kind: "k")): Payload!  all: Payload! @wholeScope(kinds: ["l"])  wipe: Box  touchOpen(id: ID! @scopedBy(kind: "k")): Open! }
type Open @authenticated @unscoped { box: Box }
type Version @authenticated { number: Int }
type Payload @authenticated { box: Box ok: Boolean query: Query viewer: Viewer page: BoxPage lies: BoxPage @unscoped thing: Thing }
type Picked @authenticated {
  box: Box thing: Thing total: Int other(id: ID!): Box
  sums: Sums  said: Sums @unscoped  wholly: Sums @wholeScope(kinds: ["k"])  atBox(id: ID! @scopedBy(kind: "k")): Sums
}
type Sums @authenticated { things: Int  deeper: Sums }
type Found @authenticated { page: BoxPage! @checkable }
type Viewer @authenticated { boxes: [Box] page: BoxPage name: String @unscoped }
type BoxPage @authenticated { edges: [Edge!]! @unscoped  bare: [Edge!]! nodes: [Box] total: Int @wholeScope(kinds: ["k"]) info: Info }
type Edge @authenticated { node: Box! cursor: String @unscoped }
type Info @authenticated { more: Boolean }
type Box @scoped(kind: "k") @authenticated {
  id: ID! name: String size: Size!
  related: BoxPage
  inner: BoxPage @unscoped
  things: [Thing!]! @unscoped
  owned: [Thing!]!
  search(text: String): BoxPage @checkable
  twin(id: ID!): Box @unscoped
  pages: [Size!]! @checkable
  stat(refId: ID!, thing: ID @scopedBy(kind: "l")): Int @unscoped
}
type Size @authenticated { width: Int inner: Inner }
type Inner @authenticated { depth: Int }
type Thing @scoped(kind: "l") @authenticated { id: ID! box: Box back: Box @unscoped parts: [Thing] @unscoped }
`

// What lies in what (package doc "The where axis"). The client has box 1.
func TestNesting(t *testing.T) {
	s := loadText(t, graph, nil, graphql.Options{})
	box := client(oneK)
	for _, tc := range []struct{ query, want string }{
		{`{box(id:1){name size{width inner{depth}}}}`, "allowed"},
		{`{box(id:1){related{nodes{name}}}}`, "all k"},
		{`{box(id:1){related{edges{node{name}}}}}`, "all k"}, // the word on edges promises no more than the page has
		{`{box(id:1){related{edges{cursor}}}}`, "all k"},
		{`{box(id:1){related{total}}}`, "all k"},
		{`{box(id:1){related{info{more}}}}`, "unanswered"},
		{`{box(id:1){inner{nodes{name}}}}`, "allowed"},
		{`{box(id:1){inner{edges{node{name}}}}}`, "allowed"},
		{`{box(id:1){inner{bare{node{name}}}}}`, "all k"}, // one step without a word
		{`{box(id:1){inner{info{more}}}}`, "allowed"},
		{`{box(id:1){inner{edges{node{related{nodes{name}}}}}}}`, "all k"},
		{`{box(id:1){things{id back{name}}}}`, "allowed"},
		{`{box(id:1){things{id box{name}}}}`, "all k"},
		{`{box(id:1){things{parts{id}}}}`, "allowed"},
		{`{box(id:1){owned{id}}}`, "all l"},
		{`{box(id:1){twin(id:2){name}}}`, "all k"}, // an undeclared argument promises nothing
		{`{open{name}}`, "all k"},                  // a root cannot lift the rule of a type
		{`{version{number}}`, "allowed"},
		{`{viewer{name}}`, "allowed"},
		{`{viewer{boxes{name}}}`, "all k"},
		{`{viewer{page{edges{node{name}}}}}`, "all k"},
		{`{boxes{nodes{name}}}`, "all k"},
		{`{pick(id:1){box{name} total}}`, "all l"},
		{`{pick(id:1){box{name}}}`, "allowed"},
		{`{pick(id:1){sums{things}}}`, "all l"}, // as of a leaf beside
		{`{pick(id:1){sums{deeper{deeper{things}}}}}`, "all l"},
		{`{pick(id:1,thing:3){sums{things}}}`, "l 3"},
		{`{pick(id:1){sums{deeper{__typename}}}}`, "allowed"},
		{`{pick(id:1){said{deeper{things}}}}`, "allowed"}, // a word on the way
		{`{pick(id:1){atBox(id:1){deeper{things}}}}`, "allowed"},
		{`{pick(id:1){wholly{things}}}`, "all k"},
		{`{pick(id:1){thing{id}}}`, "all l"},
		{`{pick{box{name}}}`, "all k"},
		{`{thing(box:1,id:5){id}}`, "allowed"},
		{`{thing(box:1){id}}`, "all l"},
		{`{thing(box:1,id:null){id}}`, "all l"},
		{`{thing(id:5){id}}`, "all k"},
		{`{thing(id:5,other:3){id}}`, "l 3"},
		{`{thing(box:2,id:5){id}}`, "k 2"},
		{`mutation{touch(id:1){ok box{name}}}`, "unanswered"}, // ok stands beside a thing that nothing pins
		{`mutation{touch(id:1){box{name}}}`, "allowed"},
		{`mutation{touch(id:1){query{boxes{nodes{name}}}}}`, "all k"},
		{`mutation{touch(id:1){query{box(id:2){name}}}}`, "k 2"},
		{`mutation{touch(id:1){query{viewer{boxes{name}}}}}`, "all k"},
		{`mutation{touch(id:1){viewer{boxes{name}}}}`, "all k"},
		{`mutation{touch(id:1){viewer{page{nodes{name}}}}}`, "all k"},
		{`mutation{touch(id:1){page{nodes{name}}}}`, "all k"},
		{`mutation{touch(id:1){lies{nodes{name} edges{node{name}}}}}`, "allowed"},
		{`mutation{all{thing{id}}}`, "all l"},
		{`mutation{touch(id:1){query{open{name}}}}`, "all k"},
		{`mutation{touchOpen(id:1){box{name}}}`, "all k"},
		{`mutation{wipe{name}}`, "unanswered"},
		{`{pick(id:1){other(id:2){name}}}`, "all k"},
		{`{sum}`, "all k"},
		{`{sum(id:1)}`, "allowed"},
		{`{listed(of:[{box:1}]){name}}`, "allowed"},
		{`{listed(of:[{box:1},{}]){name}}`, "all k"},
		{`{listed(of:[{box:1},{box:null}]){name}}`, "all k"},
		{`{listed(of:[]){name}}`, "all k"},
		{`{first{name}}`, "allowed"}, // D-86: defaults of the schema
		{`{first(id:null){name}}`, "all k"},
		{`{second{name}}`, "k 2"},
		{`query($i:ID){second(id:$i){name}}`, "k 2"},
		{`{third{name}}`, "k 3"},
		{`{fourth(in:{}){name}}`, "k 4"},
		{`{filtered(by:{in:{box:1}}){name}}`, "allowed"},
		{`{filtered(by:{not:{in:{box:1}}}){name}}`, "all k"},
		{`{many(ids:[1]){name}}`, "allowed"},
		{`{many(ids:[1,null]){name}}`, "all k"},
		{`{noted(data:{any:{id:2}})}`, "allowed"},
		{`{noted(more:{any:{id:2}})}`, "undeclared_ids"},
		{`{noted(more:{any:[2]})}`, "undeclared_ids"},
	} {
		if got := judge(t, s, box, tc.query, ""); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.query, got, tc.want)
		}
	}
	things := client(policy.ResourceScope{"k": {IDs: []string{"1"}}, "l": {All: true}})
	for query, want := range map[string]string{`{thing(id:5,other:3){id}}`: "all k", `{pick(id:1){box{name} total}}`: "allowed", `{pick(id:1){sums{deeper{things}}}}`: "allowed", `{pick{sums{things}}}`: "all k", `{box(id:1){owned{id box{name}}}}`: "all k"} {
		if got := judge(t, s, things, query, ""); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	boxes := client(policy.ResourceScope{"k": {All: true}, "l": {IDs: []string{"3"}}})
	for query, want := range map[string]string{`{half(thing:3,otherId:1){name}}`: "all l", `{pick(thing:3){sums{deeper{things}}}}`: "allowed", `{pick(thing:3){wholly{deeper{things}}}}`: "allowed", `{box(id:1){stat(refId:2,thing:3)}}`: "all l"} {
		if got := judge(t, s, boxes, query, ""); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	want := []string{"Mutation.wipe where", "Payload.ok where", "Info.more where"}
	if diff := cmp.Diff(want, gaps(s)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// With responses: check, what may be looked at instead (RULES: else it is an oracle).
func TestCheckable(t *testing.T) {
	s := loadText(t, graph, nil, graphql.Options{CheckResponses: true})
	for query, want := range map[string]string{
		`{boxes{nodes{name}}}`:                       "allowed",
		`{boxes{edges{node{name}} bare{node{id}}}}`:  "allowed",
		`{boxes{nodes{related{nodes{name}}}}}`:       "all k",
		`{boxes{total}}`:                             "all k",
		`{found{page{nodes{name}}}}`:                 "allowed",
		`{found(text:"a"){page{nodes{name}}}}`:       "all k",
		`{box(id:1){search{nodes{name}}}}`:           "allowed",
		`{box(id:1){search(text:"a"){nodes{name}}}}`: "all k",
		`{viewer{boxes{name}}}`:                      "all k",
	} {
		if got := judge(t, s, client(oneK), query, ""); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	// The word on edges covers nothing that is only looked at, and a named kind is looked at.
	plan, p := checked(t, s, `{boxes{edges{node{id}}} box(id:1){things{id} inner{edges{node{id}}}} touched:pick(id:1){box{id}} atBox(id:1){id}}`)
	for body, want := range map[string]string{
		`{"data":{"boxes":{"edges":[{"node":{"PBox_0":"1","id":"1"}}]}}}`:             "passed",
		`{"data":{"boxes":{"edges":[{"node":{"PBox_0":"2","id":"1"}}]}}}`:             "outside",
		`{"data":{"box":{"PBox_0":"2"}}}`:                                             "outside",
		`{"data":{"box":{"PBox_0":"1","things":[{"PThing_0":"9","id":"9"}]}}}`:        "passed",
		`{"data":{"box":{"PBox_0":"1","inner":{"edges":[{"node":{"PBox_0":"7"}}]}}}}`: "passed",
		`{"data":{"atBox":{"PBox_0":"2"}}}`:                                           "outside", // what is named is looked at, whatever is promised
		`{"data":{"touched":{"box":{"PBox_0":"2"}}}}`:                                 "outside",
	} {
		_, err := plan.CheckResponse([]byte(strings.ReplaceAll(body, `"P`, `"`+p)), client(oneK), said)
		got := "passed"
		if err != nil {
			got = reason(err)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}
