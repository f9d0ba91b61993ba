package strictjson_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/strictjson"
)

// A document is laid out with every value in its place.
func TestLay(t *testing.T) {
	const text = ` {"a" : [ -1, 2.5 , {}, []], "\u0062": {"c":"x\n", "d": null}, "e":true } `
	tape, err := strictjson.Lay(text, strictjson.Bounds{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range tape.Tokens {
		at := int32(i)
		token := tape.Tokens[i]
		got = append(got, string(token.Kind)+" "+token.Name+" "+tape.Raw(at)+" "+strconv.Itoa(int(token.Next))+" "+strconv.Itoa(tape.Len(at)))
	}
	want := []string{
		"{  " + strings.TrimSpace(text) + " 10 3", "[ a [ -1, 2.5 , {}, []] 6 4", "0  -1 3 0", "0  2.5 4 0", "{  {} 5 0", "[  [] 6 0",
		`{ b {"c":"x\n", "d": null} 9 2`, `" c "x\n" 8 0`, "n d null 9 0", "t e true 10 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if s, ok := tape.String(7); s != "x\n" || !ok {
		t.Errorf("String = %q, %t", s, ok)
	}
	if s, ok := tape.String(8); s != "" || ok {
		t.Errorf("null is a string: %q", s)
	}
}

// D-03, D-89: past its bounds a document is not read on.
func TestLayBounds(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		most     strictjson.Bounds
		want     error
	}{
		{"as many values", `{"a":[1,2],"b":3}`, strictjson.Bounds{Values: 5}, nil},
		{"one more", `{"a":[1,2],"b":3}`, strictjson.Bounds{Values: 4}, strictjson.ErrValues},
		{"of one leaf", `1`, strictjson.Bounds{Values: 1}, nil},
		{"before what is wrong after", `[1,2,3,`, strictjson.Bounds{Values: 3}, strictjson.ErrValues},
		{"as deep", `{"a":[1,{}]}`, strictjson.Bounds{Depth: 3}, nil},
		{"one deeper", `{"a":[1,{}]}`, strictjson.Bounds{Depth: 2}, strictjson.ErrDepth},
		{"deep beside deep", `[[],[],{}]`, strictjson.Bounds{Depth: 2}, nil},
		{"never deeper than any", strings.Repeat("[", strictjson.MaxDepth+1), strictjson.Bounds{Depth: 99}, strictjson.ErrDepth},
		{"deep without bound", strings.Repeat("[", strictjson.MaxDepth) + strings.Repeat("]", strictjson.MaxDepth), strictjson.Bounds{}, nil},
	} {
		if _, err := strictjson.Lay(tc.in, tc.most); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
}

// What is laid out is what Check passes, and means what encoding/json reads in it.
func FuzzLay(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		tape, err := strictjson.Lay(string(data), strictjson.Bounds{})
		if checked := strictjson.Check(data); !errors.Is(err, checked) {
			t.Fatalf("Lay: %v, Check: %v", err, checked)
		}
		if err != nil {
			return
		}
		var want any
		d := json.NewDecoder(strings.NewReader(string(data)))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, read(&tape, 0)); diff != "" {
			t.Fatalf("-want +got\n%s", diff)
		}
		if end := tape.Tokens[0].Next; int(end) != len(tape.Tokens) {
			t.Fatalf("ends at %d of %d", end, len(tape.Tokens))
		}
	})
}

// read makes of a value what encoding/json makes of it.
func read(tape *strictjson.Tape, at int32) any {
	token := tape.Tokens[at]
	switch token.Kind {
	case '{':
		object := make(map[string]any, tape.Len(at))
		for i := at + 1; i < token.Next; i = tape.Tokens[i].Next {
			object[tape.Tokens[i].Name] = read(tape, i)
		}
		return object
	case '[':
		list := make([]any, 0, tape.Len(at))
		for i := at + 1; i < token.Next; i = tape.Tokens[i].Next {
			list = append(list, read(tape, i))
		}
		return list
	case '"':
		s, _ := tape.String(at)
		return s
	case 't', 'f':
		return token.Kind == 't'
	case 'n':
		return nil
	}
	return json.Number(tape.Raw(at))
}
