package graphql_test

import (
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
)

const valued = `type Query {
  v(i: Int, f: Float, s: String, b: Boolean, id: ID @unscoped, e: E, l: [Int!], ll: [[Int]], in: In, loose: Loose, one: One, j: Json @unscoped): Int @authenticated @unscoped
  need(i: Int!): Int @authenticated @unscoped
}
scalar Json
enum E { RED GREEN }
input In { a: Int! b: Int = 1 c: [In!] d: Int! = 2 }
input Loose { a: Int }
input One @oneOf { a: Int b: Int }`

// Values of correct type (GraphQL §5.6.1), in the document and in variables.
func TestValues(t *testing.T) {
	s := loadText(t, valued, nil, graphql.Options{})
	for _, tc := range []struct{ typ, argument, literal, variable, want string }{
		{"Int", "i", `1`, `1`, "allowed"},
		{"Int", "i", `-2147483648`, `-2147483648`, "allowed"},
		{"Int", "i", `2147483648`, `2147483648`, "no"},
		{"Int", "i", `1.0`, `1.0`, "no"},
		{"Int", "i", `"1"`, `"1"`, "no"},
		{"Int", "i", `true`, `true`, "no"},
		{"Int", "i", `RED`, `"RED"`, "no"},
		{"Int", "i", `[1]`, `[1]`, "no"},
		{"Int", "i", `{}`, `{}`, "no"},
		{"Int", "i", `null`, `null`, "allowed"},
		{"Float", "f", `1`, `1`, "allowed"},
		{"Float", "f", `1.5e3`, `1.5e3`, "allowed"},
		{"Float", "f", `"1"`, `"1"`, "no"},
		{"Float", "f", `[1.0]`, `[1.0]`, "no"},
		{"String", "s", `"x"`, `"x"`, "allowed"},
		{"String", "s", `1`, `1`, "no"},
		{"String", "s", `true`, `true`, "no"},
		{"String", "s", `{a:1}`, `{"a":1}`, "no"},
		{"Boolean", "b", `true`, `true`, "allowed"},
		{"Boolean", "b", `1`, `1`, "no"},
		{"Boolean", "b", `"true"`, `"true"`, "no"},
		{"ID", "id", `"x"`, `"x"`, "allowed"},
		{"ID", "id", `"""x"""`, `"x"`, "allowed"},
		{"ID", "id", `7`, `7`, "allowed"},
		{"ID", "id", `7.0`, `7.0`, "no"},
		{"ID", "id", `true`, `true`, "no"},
		{"ID", "id", `RED`, `[]`, "no"},
		{"E", "e", `RED`, `"RED"`, "allowed"},
		{"E", "e", `BLUE`, `"BLUE"`, "no"},
		{"E", "e", `"RED"`, `["RED"]`, "no"},
		{"E", "e", `1`, `1`, "no"},
		{"[Int!]", "l", `[1,2]`, `[1,2]`, "allowed"},
		{"[Int!]", "l", `1`, `1`, "allowed"},
		{"[Int!]", "l", `[]`, `[]`, "allowed"},
		{"[Int!]", "l", `[1,null]`, `[1,null]`, "no"},
		{"[Int!]", "l", `[1,"2"]`, `[1,"2"]`, "no"},
		{"[Int!]", "l", `[[1]]`, `[[1]]`, "no"},
		{"[[Int]]", "ll", `[[1],null]`, `[[1],null]`, "allowed"},
		{"[[Int]]", "ll", `[[[1]]]`, `[[[1]]]`, "no"},
		{"In", "in", `{a:1}`, `{"a":1}`, "allowed"},
		{"In", "in", `{a:1,b:null,c:[{a:2}]}`, `{"a":1,"b":null,"c":[{"a":2}]}`, "allowed"},
		{"In", "in", `{b:1}`, `{"b":1}`, "no"},
		{"In", "in", `{a:null}`, `{"a":null}`, "no"},
		{"In", "in", `{a:1,d:null}`, `{"a":1,"d":null}`, "no"},
		{"In", "in", `{a:1,x:1}`, `{"a":1,"x":1}`, "no"},
		{"In", "in", `{a:1,c:{b:1}}`, `{"a":1,"c":{"b":1}}`, "no"},
		{"In", "in", `[{a:1}]`, `[{"a":1}]`, "no"},
		{"In", "in", `["a",1]`, `["a",1]`, "no"},
		{"In", "in", `1`, `1`, "no"},
		{"Loose", "loose", `{}`, `{}`, "allowed"},
		{"Loose", "loose", `1`, `1`, "no"},
		{"Loose", "loose", `"x"`, `"x"`, "no"},
		{"One", "one", `{a:1}`, `{"a":1}`, "allowed"},
		{"One", "one", `{}`, `{}`, "no"},
		{"One", "one", `{a:1,b:2}`, `{"a":1,"b":2}`, "no"},
		{"One", "one", `{a:null}`, `{"a":null}`, "no"},
		{"Json", "j", `{a:[1,{b:"x"}]}`, `{"a":[1,{"b":"x"}]}`, "allowed"},
	} {
		for _, in := range []struct{ how, query, variables, refused string }{
			{"literal", `{v(` + tc.argument + `:` + tc.literal + `)}`, ``, "invalid"},
			{"default", `query($v:` + tc.typ + `=` + tc.literal + `){v(` + tc.argument + `:$v)}`, ``, "invalid"},
			{"variable", `query($v:` + tc.typ + `){v(` + tc.argument + `:$v)}`, `{"v":` + tc.variable + `}`, "bad_variables"},
		} {
			want := tc.want
			if want == "no" {
				want = in.refused
			}
			if got := judge(t, s, client(nil), in.query, in.variables); got != want {
				t.Errorf("%s %s %s: got %s, want %s", in.how, in.query, in.variables, got, want)
			}
		}
	}
}

// What must be there, is.
func TestValuesThatMustBeThere(t *testing.T) {
	s := loadText(t, valued, nil, graphql.Options{})
	for _, tc := range []struct{ query, variables, want string }{
		{`{need(i:1)}`, ``, "allowed"},
		{`{need}`, ``, "invalid"},
		{`{need(i:null)}`, ``, "invalid"},
		{`query($i:Int){need(i:$i)}`, `{"i":1}`, "invalid"},
		{`query($i:Int!){need(i:$i)}`, `{"i":1}`, "allowed"},
		{`query($i:Int!){need(i:$i)}`, `{"i":null}`, "bad_variables"},
		{`query($i:Int!){need(i:$i)}`, `{}`, "bad_variables"},
		{`query($i:Int=1){need(i:$i)}`, ``, "allowed"},
		{`query($i:Int=1){need(i:$i)}`, `{"i":2}`, "allowed"},
	} {
		if got := judge(t, s, client(nil), tc.query, tc.variables); got != tc.want {
			t.Errorf("%s %s: got %s, want %s", tc.query, tc.variables, got, tc.want)
		}
	}
}
