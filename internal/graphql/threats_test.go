package graphql_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
)

// TRI-10: the same rule whatever the shape. The client has study 1 and may not read
// budgets.
func TestShapes(t *testing.T) {
	s := load(t, graphql.Options{})
	rights := client(oneStudy, without(actions, "studies:finance", graphql.Introspect)...)
	for _, tc := range []struct{ name, query, variables, operation, want string }{
		{"D-76 named fragment", `{study(id:1){...F}} fragment F on Study{budget}`, "", "", "studies:finance"},
		{"D-76 inline fragment", `{study(id:1){...{... on Study{budget}}}}`, "", "", "studies:finance"},
		{"D-76 on an interface", `{study(id:1){... on Node{... on Study{budget}}}}`, "", "", "studies:finance"},
		{"D-76 on a union", `{search(text:"a"){... on Study{budget}}}`, "", "", "all site"},
		{"D-76 nested fragments", `{...A} fragment A on Query{study(id:1){...B}} fragment B on Study{...C} fragment C on Study{budget}`, "", "", "studies:finance"},
		{"D-76 unused fragment", `{study(id:1){name}} fragment F on Study{name}`, "", "", "invalid"},
		{"D-76 cycle", `{study(id:1){...A}} fragment A on Study{...B} fragment B on Study{...A}`, "", "", "invalid"},
		{"D-76 cycle of one", `{study(id:1){...A}} fragment A on Study{name ...A}`, "", "", "invalid"},
		{"D-76 cycle through a field", `{study(id:1){...A}} fragment A on Study{related{...A}}`, "", "", "invalid"},
		{"D-76 cycle that nothing reaches", `{study(id:1){name}} fragment A on Study{...A}`, "", "", "invalid"},
		{"D-76 fragment twice", `{study(id:1){...A}} fragment A on Study{name} fragment A on Study{budget}`, "", "", "invalid"},
		{"D-76 no such fragment", `{study(id:1){...A}}`, "", "", "invalid"},
		{"D-76 fragment with variables", `{study(id:1){...A}} fragment A($x:ID) on Study{name}`, "", "", "invalid"},
		{"D-76 fragment that cannot apply", `{study(id:1){... on Site{name}}}`, "", "", "invalid"},
		{"D-77 skip", `query($s:Boolean!){study(id:1){budget @skip(if:$s)}}`, `{"s":true}`, "", "studies:finance"},
		{"D-77 include", `query($s:Boolean!){study(id:1){... @include(if:$s){budget}}}`, `{"s":false}`, "", "studies:finance"},
		{"D-77 include by literal", `{study(id:2) @include(if:false){name}}`, "", "", "study 2"},
		{"D-77 another directive", `{study(id:1){name @defer}}`, "", "", "invalid"},
		{"D-77 defer", `{study(id:1){... @defer{name}}}`, "", "", "invalid"},
		{"D-77 a directive of the schema", `{study(id:1){name @policy(policies:[])}}`, "", "", "invalid"},
		{"D-77 skip twice", `{study(id:1){name @skip(if:true) @skip(if:false)}}`, "", "", "invalid"},
		{"D-77 on an operation", `query @skip(if:true){study(id:1){name}}`, "", "", "invalid"},
		{"D-78 the named one", `query A{study(id:1){name}} query B{study(id:2){name}}`, "", "A", "allowed"},
		{"D-78 the other one", `query A{study(id:1){name}} query B{study(id:2){name}}`, "", "B", "study 2"},
		{"D-78 no name", `query A{study(id:1){name}} query B{study(id:2){name}}`, "", "", "no_operation"},
		{"D-78 unknown name", `query A{study(id:1){name}} query B{study(id:2){name}}`, "", "C", "no_operation"},
		{"D-78 a name for one that has none", `{study(id:1){name}}`, "", "C", "no_operation"},
		{"D-78 one operation, its name", `query A{study(id:1){name}}`, "", "A", "allowed"},
		{"D-78 anonymous among others", `{study(id:1){name}} query B{study(id:1){name}}`, "", "B", "invalid"},
		{"D-78 one name twice", `query A{study(id:1){name}} query A{study(id:2){name}}`, "", "A", "invalid"},
		{"D-78 the other is not valid", `query A{study(id:1){name}} query B{study(id:2){nothing}}`, "", "A", "invalid"},
		{"D-79 schema", `{__schema{types{name}}}`, "", "", "introspection"},
		{"D-79 type", `{__type(name:"Study"){name}}`, "", "", "introspection"},
		{"D-79 behind an alias and a fragment", `{...F} fragment F on Query{x:__schema{types{name}}}`, "", "", "introspection"},
		{"D-79 typename passes", `{__typename study(id:1){__typename name}}`, "", "", "allowed"},
		{"D-79 typename, where its parent does not", `{study(id:2){__typename}}`, "", "", "study 2"},
		{"D-80 through an interface", `{node(id:1){... on Study{name}}}`, "", "", "all study"},
		{"D-80 federation", `{_service{sdl}}`, "", "", "not_supported"},
		{"D-90 subscription", `subscription{candidateAdded(studyId:1){id}}`, "", "", "not_supported"},
		{"D-90 subscription beside", `query A{study(id:1){name}} subscription B{candidateAdded(studyId:1){id}}`, "", "B", "not_supported"},
		{"D-91 unknown field", `{study(id:1){secret}}`, "", "", "invalid"},
		{"D-91 unknown root", `{things{name}}`, "", "", "invalid"},
		{"D-91 unknown type", `{study(id:1){... on Thing{name}}}`, "", "", "invalid"},
		{"D-91 unknown argument", `{study(id:1,all:true){name}}`, "", "", "invalid"},
		{"D-91 missing argument", `{study{name}}`, "", "", "invalid"},
		{"D-92 comment", "{study(id:1){name#}}\n}}", "", "", "allowed"},
		{"D-92 comment that hides nothing", "{study(id:1){name # budget\n budget}}", "", "", "studies:finance"},
		{"D-92 carriage return ends a comment", "{study(id:1){name # x\r budget}}", "", "", "studies:finance"},
		{"D-92 byte order mark", "\ufeff{study(id:\"2\"){name}}", "", "", "study 2"},
		{"D-92 escape", `{study(id:"\u0032"){name}}`, "", "", "study 2"},
		{"D-92 braced escape", `{study(id:"\u{31}"){name}}`, "", "", "allowed"},
		{"D-92 block string", `{study(id:"""` + "\n  2\n" + `"""){name}}`, "", "", "study 2"},
		{"D-92 commas", `{,,study(,id:,2,){,name,}}`, "", "", "study 2"},
		{"D-92 not UTF-8", "{study(id:\"\xff\"){name}}", "", "", "malformed"},
		{"D-92 syntax", `{study(id:1){name}`, "", "", "malformed"},
		{"D-92 empty", ``, "", "", "no_operation"},
		{"overlapping fields, other argument", `{study(id:1){name} study(id:2){name}}`, "", "", "invalid"},
		{"overlapping fields, other field", `{study(id:1){x:name x:id}}`, "", "", "invalid"},
		{"overlapping fields below", `{study(id:1){sponsor{x:name}} study(id:1){sponsor{x:country}}}`, "", "", "invalid"},
		{"overlapping fields that merge", `{study(id:1){name} study(id:1){name id}}`, "", "", "allowed"},
		{"overlapping shapes in a union", `{find(text:"a"){... on Study{x:id} ... on Site{x:name}}}`, "", "", "invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := verdict(s, rights, graphql.Request{Query: tc.query, Variables: json.RawMessage(tc.variables), OperationName: tc.operation})
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// D-86: every way of writing an id. The client has study 1.
func TestIDs(t *testing.T) {
	s := load(t, graphql.Options{})
	rights := client(oneStudy, actions...)
	for _, tc := range []struct{ name, query, variables, want string }{
		{"string", `{study(id:"1"){name}}`, "", "allowed"},
		{"number", `{study(id:1){name}}`, "", "allowed"},
		{"negative zero", `{study(id:-0){name}}`, "", "bad_variables"},
		{"another text", `{study(id:"01"){name}}`, "", "study 01"},
		{"with a space", `{study(id:" 1"){name}}`, "", "study  1"},
		{"empty", `{study(id:""){name}}`, "", "bad_variables"},
		{"object for an id", `{study(id:{}){name}}`, "", "invalid"},
		{"list for an id", `{study(id:["1"]){name}}`, "", "invalid"},
		{"enum for an id", `{study(id:ONE){name}}`, "", "invalid"},
		{"boolean for an id", `{study(id:true){name}}`, "", "invalid"},
		{"variable, string", `query($i:ID!){study(id:$i){name}}`, `{"i":"1"}`, "allowed"},
		{"variable, number", `query($i:ID!){study(id:$i){name}}`, `{"i":1}`, "allowed"},
		{"variable, outside", `query($i:ID!){study(id:$i){name}}`, `{"i":2}`, "study 2"},
		{"variable, exponent", `query($i:ID!){study(id:$i){name}}`, `{"i":1e0}`, "bad_variables"},
		{"variable, fraction", `query($i:ID!){study(id:$i){name}}`, `{"i":1.0}`, "bad_variables"},
		{"variable, leading zero", `query($i:ID!){study(id:$i){name}}`, `{"i":01}`, "malformed"},
		{"variable, negative zero", `query($i:ID!){study(id:$i){name}}`, `{"i":-0}`, "bad_variables"},
		{"variable, null", `query($i:ID!){study(id:$i){name}}`, `{"i":null}`, "bad_variables"},
		{"variable, missing", `query($i:ID!){study(id:$i){name}}`, `{}`, "bad_variables"},
		{"variable, no variables", `query($i:ID!){study(id:$i){name}}`, ``, "bad_variables"},
		{"variable, boolean", `query($i:ID!){study(id:$i){name}}`, `{"i":true}`, "bad_variables"},
		{"variable, object", `query($i:ID!){study(id:$i){name}}`, `{"i":{"x":1}}`, "bad_variables"},
		{"variable, list", `query($i:ID!){study(id:$i){name}}`, `{"i":["1"]}`, "bad_variables"},
		{"variable, big number", `query($i:ID!){study(id:$i){name}}`, `{"i":100000000000000000000000000000001}`, "study 100000000000000000000000000000001"},
		{"variable, escaped", `query($i:ID!){study(id:$i){name}}`, `{"i":"\u0032"}`, "study 2"},
		{"variable, escaped name", `query($i:ID!){study(id:$i){name}}`, `{"\u0069":"2"}`, "study 2"},
		{"variable twice", `query($i:ID!){study(id:$i){name}}`, `{"i":"1","i":"2"}`, "malformed"},
		{"default", `query($i:ID="2"){study(id:$i){name}}`, ``, "study 2"},
		{"default, not used", `query($i:ID="2"){study(id:$i){name}}`, `{"i":"1"}`, "allowed"},
		{"default, null given", `query($i:ID="1"){study(id:$i){name}}`, `{"i":null}`, "all study"},
		{"nullable, missing", `query($i:ID){candidateTotal(studyId:$i)}`, ``, "all site"},
		{"nullable, null", `query($i:ID){candidateTotal(studyId:$i)}`, `{"i":null}`, "all site"},
		{"list of variables", `query($i:ID!){studiesByIds(ids:["1",$i]){name}}`, `{"i":"2"}`, "study 2"},
		{"list variable", `query($i:[ID!]!){studiesByIds(ids:$i){name}}`, `{"i":["1","2"]}`, "study 2"},
		{"one for a list", `query($i:[ID!]!){studiesByIds(ids:$i){name}}`, `{"i":"2"}`, "study 2"},
		{"one literal for a list", `{studiesByIds(ids:2){name}}`, ``, "study 2"},
		{"empty list", `query($i:[ID!]!){studiesByIds(ids:$i){name}}`, `{"i":[]}`, "all study"},
		{"null in a list", `query($i:[ID!]!){studiesByIds(ids:$i){name}}`, `{"i":["1",null]}`, "bad_variables"},
		{"input object", `mutation($i:UpdateStudyInput!){updateStudy(input:$i){ok}}`, `{"i":{"studyId":1}}`, "allowed"},
		{"input object, outside", `mutation($i:UpdateStudyInput!){updateStudy(input:$i){ok}}`, `{"i":{"studyId":2}}`, "study 2"},
		{"input object, field by variable", `mutation($i:ID!){updateStudy(input:{studyId:$i}){ok}}`, `{"i":2}`, "study 2"},
		{"input object, twice", `mutation($i:UpdateStudyInput!){updateStudy(input:$i){ok}}`, `{"i":{"studyId":1,"studyId":2}}`, "malformed"},
		{"input object, unknown field", `mutation($i:UpdateStudyInput!){updateStudy(input:$i){ok}}`, `{"i":{"studyId":1,"StudyId":2}}`, "bad_variables"},
		{"input object, field missing", `mutation($i:UpdateStudyInput!){updateStudy(input:$i){ok}}`, `{"i":{"name":"x"}}`, "bad_variables"},
		{"input object, literal twice", `mutation{updateStudy(input:{studyId:1,studyId:2}){ok}}`, ``, "invalid"},
		{"nested in a list", `query($f:CandidateFilter!){candidates(filter:$f){id}}`, `{"f":{"studyId":1,"any":[{"any":[{"studyId":2}]}]}}`, "study 2"},
		{"enum in a variable", `query($f:CandidateFilter!){candidates(filter:$f){id}}`, `{"f":{"studyId":1,"status":"NEW"}}`, "allowed"},
		{"enum of another name", `query($f:CandidateFilter!){candidates(filter:$f){id}}`, `{"f":{"studyId":1,"status":"new"}}`, "bad_variables"},
		{"some of a list without", `mutation($c:[NewCandidate!]!){addCandidates(candidates:$c)}`, `{"c":[{"studyId":1,"initials":"a"},{"initials":"b"}]}`, "bad_variables"},
		{"a scalar that may hide ids", `mutation{addCandidates(candidates:[{studyId:1,initials:"a",data:{studyId:2}}])}`, ``, "undeclared_ids"},
		{"a scalar that may hide ids, by variable", `mutation($d:Json){addCandidates(candidates:[{studyId:1,initials:"a",data:$d}])}`, `{"d":["2"]}`, "undeclared_ids"},
		{"a scalar that hides nothing", `mutation($d:Json){addCandidates(candidates:[{studyId:1,initials:"a",data:$d}])}`, `{"d":"2"}`, "allowed"},
		{"variables are no object", `query($i:ID!){study(id:$i){name}}`, `["1"]`, "malformed"},
		{"undefined variable", `{study(id:$i){name}}`, `{"i":"1"}`, "invalid"},
		{"unused variable", `query($i:ID){study(id:1){name}}`, `{"i":"1"}`, "invalid"},
		{"variable of another type", `query($i:Int!){study(id:$i){name}}`, `{"i":1}`, "invalid"},
		{"variable of an output type", `query($i:Study){study(id:1){name}}`, ``, "invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := judge(t, s, rights, tc.query, tc.variables); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// D-79: turned on, introspection is an action like any other.
func TestIntrospection(t *testing.T) {
	s := load(t, graphql.Options{Introspection: true})
	for _, q := range []string{`{__schema{types{name fields{name}}}}`, `{x:__type(name:"Study"){name}}`} {
		if got := judge(t, s, client(nil, graphql.Introspect), q, ""); got != "allowed" {
			t.Errorf("%s: got %s", q, got)
		}
		if got := judge(t, s, client(everyone, without(actions, graphql.Introspect)...), q, ""); got != graphql.Introspect {
			t.Errorf("%s without the action: got %s", q, got)
		}
	}
}

// hostile documents: name → text. D-76, D-89.
func hostile() map[string]string {
	fragments := func(n int, body func(i int) string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " fragment F%d on Study{%s}", i, body(i))
		}
		return b.String()
	}
	repeat := func(n int, f func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(f(i))
		}
		return b.String()
	}
	return map[string]string{
		"fragment bomb": `{study(id:1){...F0}}` + fragments(60, func(i int) string {
			if i == 59 {
				return "name"
			}
			return fmt.Sprintf("...F%d ...F%d", i+1, i+1)
		}),
		"fragment bomb with fields": `{study(id:1){...F0}}` + fragments(60, func(i int) string {
			if i == 59 {
				return "name"
			}
			return fmt.Sprintf("a:related{...F%d} b:related{...F%d}", i+1, i+1)
		}),
		"many fragments": `{study(id:1){` + repeat(3000, func(i int) string { return fmt.Sprintf("...F%d ", i) }) + `}}` + fragments(3000, func(int) string { return "name" }),
		"fragments chained": `{study(id:1){...F0}}` + fragments(99, func(i int) string {
			return map[bool]string{true: fmt.Sprintf("name ...F%d", i+1), false: "name"}[i < 98]
		}),
		"fragments crossed": `{study(id:1){...F0}}` + fragments(100, func(i int) string {
			return "name " + repeat(min(30, 99-i), func(k int) string { return fmt.Sprintf("...F%d ", i+k+1) })
		}),
		"10,000 aliases":     `{study(id:1){` + repeat(10000, func(i int) string { return fmt.Sprintf("a%d:name ", i) }) + `}}`,
		"101 aliases":        `{study(id:1){` + repeat(101, func(i int) string { return fmt.Sprintf("a%d:name ", i) }) + `}}`,
		"deep":               `{study(id:1)` + strings.Repeat("{related", 1500) + "{name}" + strings.Repeat("}", 1501),
		"deep inline":        `{study(id:1){` + strings.Repeat("...{", 900) + "name" + strings.Repeat("}", 902),
		"deep value":         `{study(id:` + strings.Repeat("[", 900) + strings.Repeat("]", 900) + `){name}}`,
		"deep type":          `query($a:` + strings.Repeat("[", 900) + "ID" + strings.Repeat("]", 900) + `){study(id:1){name}}`,
		"many directives":    `{study(id:1){name ` + strings.Repeat("@skip(if:true)", 600) + `}}`,
		"overlapping fields": `{study(id:1){` + repeat(1200, func(int) string { return "name " }) + `}}`,
		"overlapping nested": `{` + repeat(100, func(int) string { return "study(id:1){related{related{related{name name}}}} " }) + `}`,
		"overlapping inline": `{find(text:"a"){` + repeat(150, func(i int) string {
			return map[bool]string{true: "... on Study{x:id}", false: "... on Node{x:id}"}[i%2 == 0]
		}) + `}}`,
		"overlapping conflicts": `{study(id:1){` + repeat(90, func(i int) string { return fmt.Sprintf("x:related{y:related{a%d:name}} ", i%2) }) + `x:name}}`,
		"many variables":        `query(` + repeat(900, func(i int) string { return fmt.Sprintf("$v%d:ID ", i) }) + `){study(id:1){name}}`,
		"variables used":        `query(` + repeat(400, func(i int) string { return fmt.Sprintf("$v%d:ID! ", i) }) + `){studiesByIds(ids:[` + repeat(1000, func(i int) string { return fmt.Sprintf("$v%d ", 399-i%400) }) + `]){nothing}}`,
		"many arguments":        `{study(` + repeat(1200, func(i int) string { return fmt.Sprintf("a%d:1 ", i) }) + `){name}}`,
		"many operations":       repeat(500, func(i int) string { return fmt.Sprintf("query Q%d{studyCount}", i) }),
		"operations and fragments": repeat(60, func(i int) string { return fmt.Sprintf("query Q%d{study(id:1){...F0}}", i) }) + fragments(90, func(i int) string {
			return map[bool]string{true: fmt.Sprintf("name ...F%d", i+1), false: "name"}[i < 89]
		}),
		"comments":          strings.Repeat("#\n", 30000) + `{studyCount}`,
		"long comment":      "#" + strings.Repeat("x", 60000) + "\n{nothing}",
		"long string":       `{study(id:"` + strings.Repeat("x", 60000) + `"){nothing}}`,
		"block string":      `{study(id:"""` + strings.Repeat("\n ", 30000) + `"""){nothing}}`,
		"too many bytes":    strings.Repeat(" ", 70000) + `{studyCount}`,
		"unknown fields":    `{` + repeat(1000, func(i int) string { return fmt.Sprintf("f%d ", i) }) + `}`,
		"unknown fragments": `{study(id:1){` + repeat(1900, func(i int) string { return fmt.Sprintf("...F%d ", i) }) + `}}`,
		"input objects":     `{candidates(filter:` + strings.Repeat("{any:[", 400) + strings.Repeat("]}", 400) + `){id}}`,
	}
}

// D-76, D-89: hostile documents are refused. What that costs is a benchmark.
func TestHostile(t *testing.T) {
	s := load(t, graphql.Options{})
	for name, doc := range hostile() {
		t.Run(name, func(t *testing.T) {
			switch got := judge(t, s, client(everyone, actions...), doc, ""); got {
			case "too_complex", "invalid", "malformed":
			case "no_operation", "allowed":
				if name != "many operations" && name != "operations and fragments" && name != "fragments chained" &&
					name != "overlapping fields" && name != "overlapping nested" && name != "overlapping inline" {
					t.Errorf("got %s", got)
				}
			default:
				t.Errorf("got %s", got)
			}
		})
	}
}

// D-89: what the validation would walk for too long is refused, however cheap it is
// to ask upstream.
func TestVisits(t *testing.T) {
	s := load(t, graphql.Options{})
	doc := func(fields string) string {
		var b strings.Builder
		b.WriteString(`{study(id:1){...F0}}`)
		for i := range 60 {
			fmt.Fprintf(&b, " fragment F%d on Study{%s", i, fields)
			if i < 59 {
				fmt.Fprintf(&b, " ...F%d", i+1)
			}
			b.WriteString("}")
		}
		return b.String()
	}
	for fields, want := range map[string]string{"name": "allowed", strings.Repeat("name ", 8): "too_complex"} {
		if got := judge(t, s, client(everyone, actions...), doc(fields), ""); got != want {
			t.Errorf("%s: got %s, want %s", fields, got, want)
		}
	}
}

// Each limit refuses one more than it says, and nothing less (D-89).
func TestLimits(t *testing.T) {
	base := graphql.Limits{Bytes: 1 << 10, Tokens: 60, Depth: 4, Aliases: 2, Directives: 2, Fragments: 2, Cost: 6}
	rights := client(everyone, actions...)
	for _, tc := range []struct{ name, within, past string }{
		{"depth", `{study(id:1){related{related{name}}}}`, `{study(id:1){related{related{related{name}}}}}`},
		{"depth through a fragment", `{study(id:1){...F}} fragment F on Study{related{related{name}}}`, `{study(id:1){...F}} fragment F on Study{related{related{related{name}}}}`},
		{"depth of a value", `{candidates(filter:{any:[{studyId:1}]}){id}}`, `{candidates(filter:{any:[{any:[{studyId:1}]}]}){id}}`},
		{"aliases", `{a:studyCount b:studyCount}`, `{a:studyCount b:studyCount c:studyCount}`},
		{"directives", `{studyCount @skip(if:true)@include(if:true)}`, `{studyCount @skip(if:true)@include(if:true) me{client @skip(if:true)}}`},
		{"fragments", `{...A ...B} fragment A on Query{studyCount} fragment B on Query{studyCount}`, `{...A ...B ...C} fragment A on Query{studyCount} fragment B on Query{studyCount} fragment C on Query{studyCount}`},
		{"cost", `{...A ...A} fragment A on Query{studyCount me{client}}`, `{...A ...A ...A} fragment A on Query{studyCount me{client}}`},
		{"tokens", `{studyCount` + strings.Repeat(" studyCount", 4) + `}`, `{studyCount` + strings.Repeat("#\n", 60) + `}`},
		{"bytes", `{studyCount}`, `{studyCount` + strings.Repeat(" ", 1<<10) + `}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := load(t, graphql.Options{Limits: base})
			if got := judge(t, s, rights, tc.within, ""); got != "allowed" {
				t.Errorf("within: got %s", got)
			}
			if got := judge(t, s, rights, tc.past, ""); got != "too_complex" {
				t.Errorf("past: got %s", got)
			}
		})
	}
}

// What variables and batches hold is bounded too, before it is looked at; neither a literal nor
// a variable goes deeper than the other (D-81, D-86, D-89).
func TestLimitsOfVariables(t *testing.T) {
	const ids, filter = `query($i:[ID!]!){studiesByIds(ids:$i){name}}`, `query($f:CandidateFilter!){candidates(filter:$f){id}}`
	const leaf = `query($i:ID!){study(id:$i){name}}`
	s := load(t, graphql.Options{Limits: graphql.Limits{Depth: 3, Values: 6}})
	for _, tc := range []struct{ name, query, within, past string }{
		{"values", ids, `{"i":[1,2,3,4]}`, `{"i":[1,2,3,4,5]}`},
		{"values of members", leaf, `{"a":1,"b":2,"c":3,"d":4,"i":1}`, `{"a":1,"b":2,"c":3,"d":4,"e":5,"i":1}`},
		{"values, again in each field", `query($i:[ID!]!){studiesByIds(ids:$i){name} studiesByIds(ids:$i){name}}`, `{"i":[1]}`, `{"i":[1,2]}`},
		{"values that nobody declared", leaf, `{"i":1,"x":[[1,2]]}`, `{"i":1,"x":[[1,2,3]]}`},
		{"depth", filter, `{"f":{"any":[{}]}}`, `{"f":{"any":[{"any":[]}]}}`},
		{"depth that nobody declared", leaf, `{"i":1,"x":[[[]]]}`, `{"i":1,"x":[[[[]]]]}`},
	} {
		if got := judge(t, s, client(everyone, actions...), tc.query, tc.within); got != "allowed" {
			t.Errorf("%s, within: got %s", tc.name, got)
		}
		if got := judge(t, s, client(everyone, actions...), tc.query, tc.past); got != "too_complex" {
			t.Errorf("%s, past: got %s", tc.name, got)
		}
	}
}

// A body is read within the limit of values: all of it counts, and of a batch all together
// (D-81, D-89).
func TestLimitOfBodies(t *testing.T) {
	s := load(t, graphql.Options{Limits: graphql.Limits{Values: 6}})
	for body, want := range map[string]string{
		`{"query":"{a}","variables":{"x":[1,2]}}`:                   "1",
		`{"query":"{a}","variables":{"x":[1,2,3]}}`:                 "too_complex",
		`{"query":"{a}","variables":{"x":1},"operationName":null}`:  "1",
		`{"query":"{a}","extensions":[1,2,3,4]}`:                    "too_complex", // before it is found not supported
		`[{"query":"{a}"},{"query":"{a}"}]`:                         "2",
		`[{"query":"{a}"},{"query":"{a}","variables":{}}]`:          "2",
		`[{"query":"{a}"},{"query":"{a}"},{"query":"{a}"}]`:         "too_complex",
		`{"query":"{a}","variables":` + strings.Repeat(`[`, 40):     "too_complex",
		`{"query":"{a}","variables":` + strings.Repeat(`{"a":`, 40): "too_complex",
		`{"query":"{a}","variables":{"x":[1,2`:                      "malformed",
	} {
		requests, _, err := s.ReadRequests([]byte(body), 3)
		got := fmt.Sprint(len(requests))
		if err != nil {
			got = reason(err)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
	deep := load(t, graphql.Options{})
	if _, _, err := deep.ReadRequests([]byte(`{"query":"{a}","variables":`+strings.Repeat(`{"a":`, 40)+`1`+strings.Repeat(`}`, 41)), 1); reason(err) != "too_complex" {
		t.Errorf("40 deep: %v", err)
	}
}
