package strictyaml_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/strictyaml"
)

type thing struct {
	Name   string              `yaml:"name"`
	On     bool                `yaml:"on"`
	Count  int                 `yaml:"count"`
	Life   domain.Seconds      `yaml:"life"`
	Until  *time.Time          `yaml:"until,omitempty"`
	Inner  *thing              `yaml:"inner,omitempty"`
	Lists  map[string][]string `yaml:"lists"`
	Things []thing             `yaml:"things"`
	Hidden string              `yaml:"-"`
	Bare   string
}

func TestDecode(t *testing.T) {
	docs, problems := strictyaml.Parse([]byte(`
name: 007
on: true
count: 3
life: 90d
until: 2027-01-31T00:00:00Z
inner: {name: x}
lists: {a: [b, "1"]}
things:
  - name: y
`))
	if len(problems) > 0 || len(docs) != 1 {
		t.Fatal(docs, problems)
	}
	got := thing{Hidden: "kept"}
	if p := docs[0].Decode(&got); len(p) > 0 {
		t.Fatal(p)
	}
	until := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	want := thing{
		Name: "007", On: true, Count: 3, Life: 90 * 86400, Until: &until, Inner: &thing{Name: "x"},
		Lists: map[string][]string{"a": {"b", "1"}}, Things: []thing{{Name: "y"}}, Hidden: "kept",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if line := docs[0].Line("things[0].name"); line != 10 {
		t.Errorf("things[0].name is in line %d", line)
	}
	if line := docs[0].Line("things[0].nothing.here"); line != 10 {
		t.Errorf("what was left out is in line %d", line)
	}
	if docs[0].Has("inner.on") || !docs[0].Has("inner.name") {
		t.Error("Has")
	}
}

func TestProblems(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"unknown":         {"nmae: x", "1 nmae: is no field; there are name, on, count, life, until, inner, lists, things"},
		"hidden":          {"Hidden: x", "1 Hidden: is no field; there are name, on, count, life, until, inner, lists, things"},
		"case":            {"Name: x", "1 Name: is no field; there are name, on, count, life, until, inner, lists, things"},
		"twice":           {"name: x\nname: y", "2 name: stands here a second time; keep one"},
		"anchor":          {"name: &a x", "1 name: uses an anchor or an alias; write the value out"},
		"alias":           {"lists: {x: &a [b]}\nthings: *a", "1 lists.x: uses an anchor or an alias; write the value out\n2 things: uses an anchor or an alias; write the value out"},
		"merge":           {"inner:\n  <<: {name: x}", "2 inner: has a field whose name is not a plain word"},
		"tag":             {"name: !!binary eA==", "1 name: has a tag; write the plain value"},
		"null":            {"name:", "1 name: has no value; give it one or leave the field out"},
		"bool as text":    {"name: true", "1 name: must be text; put it in quotes"},
		"yes":             {"on: yes", "1 on: must be true or false"},
		"number":          {"count: 1.5", "1 count: must be a whole number"},
		"octal":           {"count: 0x10", "1 count: must be a whole number"},
		"list":            {"things: x", "1 things: must be a list, as in [a, b]"},
		"mapping":         {"inner: x", "1 inner: must be a mapping of fields"},
		"scalar":          {"name: [x]", "1 name: must be a single value"},
		"duration":        {"life: 3w", `1 life: "3w" is no duration: write seconds, or a number with s, m, h or d, as in 90d`},
		"date":            {"until: 2027-02-30", `1 until: "2027-02-30" is no date: write 2027-01-31 (midnight UTC) or 2027-01-31T12:00:00Z`},
		"date only":       {"until: 2027-01-31", ""},
		"duration list":   {"life: [3]", "1 life: must be a single value"},
		"not a mapping":   {"- a", "1 : must be a mapping of fields"},
		"every one":       {"name: [x]\non: 1\ncount: z", "1 name: must be a single value\n2 on: must be true or false\n3 count: must be a whole number"},
		"deep":            {"things:\n  - name: x\n  - nam: y", "3 things[1].nam: is no field; there are name, on, count, life, until, inner, lists, things"},
		"second document": {"name: x\n---\non: 5", "3 on: must be true or false"},
		"syntax":          {"name: x\n\tname: y", "2 : is not YAML: found a tab character that violates indentation"},
	} {
		t.Run(name, func(t *testing.T) {
			docs, problems := strictyaml.Parse([]byte(c.in))
			for _, d := range docs {
				var v thing
				problems = append(problems, d.Decode(&v)...)
			}
			got := ""
			for i, p := range problems {
				if i > 0 {
					got += "\n"
				}
				got += fmt.Sprintf("%d %s: %s", p.Line, p.Field, p.Message)
			}
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"name: x\n---\non: true", "lists: {a: [b]}", "inner: &a {inner: *a}", "? [x]\n: y", "<<: {name: x}", "\xff", "things: [{}, {name: !x y}]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, problems := strictyaml.Parse(data)
		for _, d := range docs {
			var v thing
			problems = append(problems, d.Decode(&v)...)
			if v.Hidden != "" || v.Bare != "" {
				t.Fatal("a field that is not to be set was set")
			}
		}
		for _, p := range problems {
			if p.Message == "" || p.Line < 0 {
				t.Fatalf("%+v", p)
			}
		}
	})
}
