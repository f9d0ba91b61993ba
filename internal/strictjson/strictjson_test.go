package strictjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/strictjson"
)

// D-02, D-03, OMN-05
func TestCheck(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, tc := range []struct {
		name, in string
		want     error
	}{
		{"object", `{"a":[1,-2.5e+3,true,false,null,"x"],"b":{}}`, nil},
		{"white space", " \t\r\n{ \"a\" : 1 , \"b\" : [ ] } \n", nil},
		{"escapes", `"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`, nil},
		{"deepest", deep(strictjson.MaxDepth), nil},
		{"same name in another object", `{"a":{"a":1},"b":[{"a":1},{"a":2}]}`, nil},
		{"names that differ in case", `{"a":1,"A":2}`, nil},
		{"too deep", deep(strictjson.MaxDepth + 1), strictjson.ErrDepth},
		{"much too deep", strings.Repeat("[", 1<<20), strictjson.ErrDepth},
		{"duplicate", `{"a":1,"b":2,"a":1}`, strictjson.ErrDuplicate},
		{"duplicate by escape", `{"client_id":1,"client\u005fid":2}`, strictjson.ErrDuplicate},
		{"duplicate inside", `[{"x":{"a":1,"a":1}}]`, strictjson.ErrDuplicate},
		{"duplicate empty name", `{"":1,"":1}`, strictjson.ErrDuplicate},
		{"syntax goes before duplicate", `{"a":1,"a":1`, strictjson.ErrSyntax},
		{"empty", ``, strictjson.ErrSyntax},
		{"trailing value", `{} {}`, strictjson.ErrSyntax},
		{"trailing byte", "{}\x00", strictjson.ErrSyntax},
		{"byte order mark", "\ufeff{}", strictjson.ErrSyntax},
		{"trailing comma", `{"a":1,}`, strictjson.ErrSyntax},
		{"leading comma", `[,1]`, strictjson.ErrSyntax},
		{"single quotes", `{'a':1}`, strictjson.ErrSyntax},
		{"bare name", `{a:1}`, strictjson.ErrSyntax},
		{"comment", `{}//`, strictjson.ErrSyntax},
		{"NaN", `NaN`, strictjson.ErrSyntax},
		{"infinity", `-Infinity`, strictjson.ErrSyntax},
		{"leading zero", `01`, strictjson.ErrSyntax},
		{"plus", `+1`, strictjson.ErrSyntax},
		{"no digit after point", `1.`, strictjson.ErrSyntax},
		{"no exponent", `1e`, strictjson.ErrSyntax},
		{"minus alone", `-`, strictjson.ErrSyntax},
		{"control character", "\"a\nb\"", strictjson.ErrSyntax},
		{"invalid UTF-8", "\"\xff\"", strictjson.ErrSyntax},
		{"invalid UTF-8 after an escape", "\"\\n\xff\"", strictjson.ErrSyntax},
		{"lone high surrogate", `"\ud83d"`, strictjson.ErrSyntax},
		{"lone low surrogate", `"\ude00"`, strictjson.ErrSyntax},
		{"high surrogate and letter", `"\ud83d\u0041"`, strictjson.ErrSyntax},
		{"bad escape", `"\x41"`, strictjson.ErrSyntax},
		{"bad hex", `"\u00g0"`, strictjson.ErrSyntax},
		{"signed hex", `"\u+041"`, strictjson.ErrSyntax},
		{"control characters for hex digits", "\"\\u\x10\x10\x14\x11\"", strictjson.ErrSyntax},
		{"hex in any case", `"\uABcd\uefEF"`, nil},
		{"short hex", `"\u004"`, strictjson.ErrSyntax},
		{"control character after an escape", "\"\\n\x1f\"", strictjson.ErrSyntax},
		{"open string", `"abc`, strictjson.ErrSyntax},
		{"open escape", `"abc\`, strictjson.ErrSyntax},
		{"open object", `{"a"`, strictjson.ErrSyntax},
		{"word with more", `nullx`, strictjson.ErrSyntax},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := strictjson.Check([]byte(tc.in)); !errors.Is(err, tc.want) {
				t.Errorf("Check = %v, want %v", err, tc.want)
			}
		})
	}
}

// many is an object of n different names, and last.
func many(n int, last string) string {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, "%q:\"\",", fmt.Sprint("name", i))
	}
	return b.String() + last + "}"
}

// D-02, D-03, OMN-05
func TestStrings(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     []strictjson.Member
		err      error
	}{
		{"order is kept", `{"b":"1","a":"\u0032"}`, []strictjson.Member{{"b", "1"}, {"a", "2"}}, nil},
		{"none", `{}`, []strictjson.Member{}, nil},
		{"number", `{"a":1}`, nil, strictjson.ErrNotString},
		{"null", `{"a":null}`, nil, strictjson.ErrNotString},
		{"true", `{"a":true}`, nil, strictjson.ErrNotString},
		{"array", `{"a":["b"]}`, nil, strictjson.ErrNotString},
		{"object", `{"a":{}}`, nil, strictjson.ErrNotString},
		{"array on top", `[{"a":"b"}]`, nil, strictjson.ErrNotObject},
		{"string on top", `"a"`, nil, strictjson.ErrNotObject},
		{"nothing", ``, nil, strictjson.ErrNotObject},
		{"no value", `{"a":`, nil, strictjson.ErrSyntax},
		{"trailing", `{"a":"b"}x`, nil, strictjson.ErrSyntax},
		{"duplicate", `{"a":"b","a":"b"}`, nil, strictjson.ErrDuplicate},
		{"duplicate by escape", `{"a":"b","\u0061":"b"}`, nil, strictjson.ErrDuplicate},
		{"duplicate by case", `{"client_id":"a","Client_ID":"b"}`, nil, strictjson.ErrDuplicate},
		{"duplicate by folding", `{"k":"a","\u212a":"b"}`, nil, strictjson.ErrDuplicate},
		{"duplicate of many", many(40, `"name7":""`), nil, strictjson.ErrDuplicate},
		{"duplicate of many by case", many(40, `"NAME7":""`), nil, strictjson.ErrDuplicate},
		{"duplicate of many by folding", many(40, `"k":"","\u212a":""`), nil, strictjson.ErrDuplicate},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := strictjson.Strings([]byte(tc.in))
			if !errors.Is(err, tc.err) {
				t.Fatalf("Strings: %v, want %v", err, tc.err)
			}
			if tc.err == nil {
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	if got, err := strictjson.Strings([]byte(many(40, `"last":"x"`))); err != nil || len(got) != 41 {
		t.Errorf("41 different names: %d, %v", len(got), err)
	}
}

type inner struct {
	Kid string `json:"kid"`
}

type outer struct {
	inner
	Name  string            `json:"name,omitempty"`
	List  []inner           `json:"list"`
	Map   map[string]inner  `json:"map"`
	Any   any               `json:"any"`
	Raw   json.RawMessage   `json:"raw"`
	N     int64             `json:"n"`
	Deep  *inner            `json:"deep"`
	Skip  string            `json:"-"`
	Text  map[string]string `json:"text"`
	Plain string
}

func TestUnmarshal(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     outer
		err      error
	}{
		{"all", `{"kid":"k","name":"n","list":[{"kid":"1"}],"map":{"x":{"kid":"2"}},"any":{"Z":12345678901234567890},"raw":{"a":1},"n":9007199254740993,"deep":{"kid":"3"},"Plain":"p"}`,
			outer{inner: inner{"k"}, Name: "n", List: []inner{{"1"}}, Map: map[string]inner{"x": {"2"}}, Any: map[string]any{"Z": json.Number("12345678901234567890")},
				Raw: json.RawMessage(`{"a":1}`), N: 9007199254740993, Deep: &inner{"3"}, Plain: "p"}, nil},
		{"other case", `{"Name":"n"}`, outer{}, strictjson.ErrUnknownMember},
		{"other case inside", `{"list":[{"KID":"1"}]}`, outer{}, strictjson.ErrUnknownMember},
		{"other case below a map", `{"map":{"x":{"Kid":"1"}}}`, outer{}, strictjson.ErrUnknownMember},
		{"other case below a pointer", `{"deep":{"Kid":"1"}}`, outer{}, strictjson.ErrUnknownMember},
		{"unknown", `{"nome":"n"}`, outer{}, strictjson.ErrUnknownMember},
		{"skipped field", `{"Skip":"n"}`, outer{}, strictjson.ErrUnknownMember},
		{"duplicate in any", `{"any":{"a":1,"a":1}}`, outer{}, strictjson.ErrDuplicate},
		{"trailing", `{} 1`, outer{}, strictjson.ErrSyntax},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got outer
			err := strictjson.Unmarshal([]byte(tc.in), &got)
			if !errors.Is(err, tc.err) {
				t.Fatalf("Unmarshal: %v, want %v", err, tc.err)
			}
			if tc.err == nil {
				if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(outer{})); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	for _, in := range []string{`{"n":1.5}`, `{"n":1e2}`, `{"n":99999999999999999999}`, `{"n":"hunter2"}`, `{"name":7}`} {
		var got outer
		if err := strictjson.Unmarshal([]byte(in), &got); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Unmarshal(%s) = %v", in, err)
		}
	}
}

func TestObjectAndString(t *testing.T) {
	got, err := strictjson.Object([]byte(` {"a" : [1, 2] ,"\u0062":"x"} `))
	want := []strictjson.RawMember{{"a", json.RawMessage(`[1, 2]`)}, {"b", json.RawMessage(`"x"`)}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := strictjson.Object([]byte(`[]`)); !errors.Is(err, strictjson.ErrNotObject) {
		t.Errorf("Object of an array: %v", err)
	}
	if s, err := strictjson.String([]byte(`"\u00e9"`)); s != "é" || err != nil {
		t.Errorf("String = %q, %v", s, err)
	}
	if _, err := strictjson.String([]byte(`1`)); !errors.Is(err, strictjson.ErrNotString) {
		t.Errorf("String of a number: %v", err)
	}
}

// The text of a member is what String reads of its value.
func TestText(t *testing.T) {
	members, err := strictjson.Object([]byte(` {"a":"\u0041\n\/\"\\\ud83d\ude00é", "b" : "plain" ,"c":"","d":1,"e":["x"],"f":null,"a\u0061":"\b\f\r\t"} `))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"A\n/\"\\😀é", "plain", "", "-", "-", "-", "\b\f\r\t"}
	for i := range members {
		text, err := members[i].Text()
		again, errAgain := strictjson.String(members[i].Value)
		if err != nil {
			text = "-"
		}
		if text != want[i] || !errors.Is(errAgain, err) || err == nil && again != text {
			t.Errorf("%s: %q, %v", members[i].Name, text, err)
		}
	}
	if n := len(members); n != len(want) || members[n-1].Name != "aa" {
		t.Errorf("%d members: %v", n, members)
	}
}
