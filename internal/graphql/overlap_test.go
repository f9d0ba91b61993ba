package graphql

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"pgregory.net/rapid"
)

// Our check of overlapping fields is the library's, without its price: they agree on
// generated documents (GraphQL §5.3.2).
func TestOverlapIsTheLibrarys(t *testing.T) {
	text, err := os.ReadFile("testdata/overlap.graphql")
	if err != nil {
		t.Fatal(err)
	}
	s, problems := Load(string(text), nil, Options{})
	if s == nil {
		t.Fatal(problems)
	}
	merged, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t: t}
		doc := g.document()
		query, err := parser.ParseQuery(&ast.Source{Input: doc})
		if err != nil {
			t.Fatal(err, doc)
		}
		fragments, r := s.options.Limits.limit(query)
		if r == nil {
			r = s.validate(query)
		}
		if r != nil {
			t.Skip(r)
		}
		o := &overlap{schema: s.ast, fragments: fragments}
		o.check([]ast.SelectionSet{query.Operations[0].SelectionSet}, true)
		theirs := library(s.ast, query)
		if (o.refusal == nil) != (theirs == nil) {
			t.Fatalf("ours %v, the library's %v\n%s", o.refusal, theirs, doc)
		}
		if theirs == nil {
			merged++
		} else {
			refused++
		}
	})
	if merged == 0 || refused == 0 {
		t.Errorf("%d merged, %d refused: the generator says nothing", merged, refused)
	}
	if testing.Verbose() {
		t.Logf("%d merged, %d refused", merged, refused)
	}
}

func library(schema *ast.Schema, query *ast.QueryDocument) (found error) {
	observers := &core.Events{}
	rules.OverlappingFieldsCanBeMergedRule.RuleFunc(observers, func(options ...core.ErrorOption) {
		e := &gqlerror.Error{}
		for _, o := range options {
			o(e)
		}
		found = e
	})
	core.Walk(schema, query, observers)
	return found
}

// generator writes documents of few names, so that they overlap.
type generator struct {
	t         *rapid.T
	fragments []string
	depth     int
}

func (g *generator) document() string {
	spread := ""
	for i := range rapid.IntRange(0, 3).Draw(g.t, "fragments") {
		on := rapid.SampledFrom([]string{"A", "B", "I", "U"}).Draw(g.t, "on")
		g.fragments = append(g.fragments, fmt.Sprintf("fragment F%d on %s%s", i, on, g.set(on, i)))
		spread += fmt.Sprintf(" u{...F%d}", i) // every fragment is used
	}
	n := len(g.fragments)
	return "{u" + g.set("U", n) + " i" + g.set("I", n) + spread + "}" + strings.Join(g.fragments, " ")
}

// set draws what is selected of a type; it may spread the first n fragments.
func (g *generator) set(typ string, n int) string {
	g.depth++
	defer func() { g.depth-- }()
	var b strings.Builder
	b.WriteString("{__typename")
	for range rapid.IntRange(1, 2+g.depth%2).Draw(g.t, "selections") {
		b.WriteByte(' ')
		switch kind := rapid.IntRange(0, 9).Draw(g.t, "kind"); {
		case (kind < 3 || typ == "U") && g.depth < 5:
			on := typ
			if typ == "I" || typ == "U" {
				on = rapid.SampledFrom([]string{"A", "B", "I"}).Draw(g.t, "type")
			}
			b.WriteString("...on " + on + g.set(on, n))
		case kind == 3 && n > 0 && (typ == "I" || typ == "U"):
			fmt.Fprintf(&b, "...F%d", rapid.IntRange(0, n-1).Draw(g.t, "spread"))
		case typ == "U":
		case kind < 7 && g.depth < 5:
			name := rapid.SampledFrom([]string{"i", "u"}).Draw(g.t, "object")
			of := map[string]string{"i": typ, "u": "U"}[name]
			b.WriteString(rapid.SampledFrom([]string{"", "", "", "", "", "", "", "x:"}).Draw(g.t, "alias") + name + g.set(of, n))
		default:
			b.WriteString(rapid.SampledFrom([]string{"", "", "", "", "", "", "", "x:"}).Draw(g.t, "alias") + rapid.SampledFrom([]string{"m", "m", "s", "s", "s", "n", "n", "n(v:1)", "d"}).Draw(g.t, "leaf"))
		}
	}
	b.WriteString("}")
	return b.String()
}
