package graphql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
)

// large is a schema as big ones are: 300 types of an interface and of 40 unions, an
// enum of 300 values, 300 roots.
func large() string {
	var b strings.Builder
	b.WriteString("type Query @authenticated @unscoped {\n node(id: ID! @unscoped): Node\n nodes(e: [E!]): [Node!]!\n plain: Plain\n")
	for i := range 300 {
		fmt.Fprintf(&b, " f%d(id: ID @scopedBy(kind: \"k\")): T%d\n", i, i)
	}
	b.WriteString("}\ninterface Node { id: ID! next: Node all: [Node!]! u: U0 }\ninterface Plain @authenticated { p: Plain q(id: ID @scopedBy(kind: \"k\")): Plain v: Int }\nenum E {")
	for i := range 300 {
		fmt.Fprintf(&b, " V%d", i)
	}
	b.WriteString("}\n")
	for i := range 300 {
		fmt.Fprintf(&b, "type T%d implements Node @scoped(kind: \"k\") @authenticated { id: ID! next: Node all: [Node!]! u: U0 own: Int }\n", i)
	}
	for i := range 100 {
		fmt.Fprintf(&b, "type P%d implements Plain @authenticated { p: Plain q(id: ID @scopedBy(kind: \"k\")): Plain v: Int }\n", i)
	}
	for i := range 40 {
		fmt.Fprintf(&b, "union U%d = T%d", i, i)
		for k := range 150 {
			fmt.Fprintf(&b, " | T%d", (i+1+k*2)%300)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// hostileLarge documents ask much of a large schema.
func hostileLarge() map[string]string {
	var unions, enums, all strings.Builder
	for i := range 600 {
		fmt.Fprintf(&unions, "...on U%d{__typename}", i%40)
	}
	for i := range 800 {
		fmt.Fprintf(&enums, "V%d ", 299-i%2)
	}
	for i := range 600 {
		fmt.Fprintf(&all, "f%d{id own} ", i%300)
	}
	return map[string]string{
		"many unions":        `{node(id:1){` + unions.String() + `}}`,
		"unions in unions":   `{node(id:1){` + strings.Repeat("...on U1{...on U2{", 50) + "__typename" + strings.Repeat("}}", 50) + `}}`,
		"enums":              `{nodes(e:[` + strings.Repeat(enums.String(), 4) + `]){id}}`,
		"interfaces":         `{node(id:1)` + strings.Repeat("{next", 13) + "{id}" + strings.Repeat("}", 13) + `}`,
		"many interfaces":    `{node(id:1){` + strings.Repeat("next{id} ", 400) + `}}`,
		"lists of all":       `{nodes` + strings.Repeat("{all", 13) + "{id}" + strings.Repeat("}", 13) + `}`,
		"plain interfaces":   `{plain{` + strings.Repeat("p{v} ", 300) + `}}`,
		"pins of interfaces": `{plain{` + strings.Repeat("q(id:1){v} ", 150) + `}}`,
		"pins in pins":       `{plain` + strings.Repeat("{q(id:1)", 12) + "{v}" + strings.Repeat("}", 12) + `}`,
		"roots":              `{` + all.String() + `}`,
	}
}

// D-89 on a large schema: none of it takes the machine.
func TestHostileOnLarge(t *testing.T) {
	s := loadText(t, large(), nil, graphql.Options{CheckResponses: true})
	for name, doc := range hostileLarge() {
		got := judge(t, s, client(oneK), doc, "")
		t.Logf("%s: %s", name, got)
		if strings.HasPrefix(got, "error") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func BenchmarkHostileOnLarge(b *testing.B) {
	s := loadText(b, large(), nil, graphql.Options{})
	for name, doc := range hostileLarge() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.Plan(doc, "")
			}
		})
	}
}
