package graphql_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/postern-dev/postern/internal/graphql"
)

// reportCPU runs what costs and reports the processor time of the whole process for one
// operation, the garbage collector's too: the wall clock knows nothing of it where others
// work as well.
func reportCPU(b *testing.B, costs func()) {
	b.ReportAllocs()
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := used()
	for b.Loop() {
		costs()
	}
	b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkHostileDocument is what refusing hostile documents costs: at most 5 ms each (issue
// 4). The schema checks answers, so that what passes is printed and validated twice.
func BenchmarkHostileDocument(b *testing.B) {
	s := load(b, graphql.Options{CheckResponses: true})
	documents := hostile()
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		b.Run(name, func(b *testing.B) {
			reportCPU(b, func() { _, _ = s.Plan(documents[name], "") })
		})
	}
}

// hostileVariables are for a document that is good; each is near the most that a body may
// have, 1 MiB.
func hostileVariables() map[string]struct{ query, variables string } {
	const size = 1 << 20
	many := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < size-100; i++ {
			b.WriteString(strings.ReplaceAll(format, "#", strconv.Itoa(i)))
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	const ids, filter, note = `query($i:[ID!]!){studiesByIds(ids:$i){name}}`, `query($f:CandidateFilter!){candidates(filter:$f){id}}`, `query($i:ID!){study(id:$i){note(id:"n")}}`
	return map[string]struct{ query, variables string }{
		"many ids":         {ids, `{"i":[` + many(`"#",`) + `]}`},
		"the same id":      {ids, `{"i":[` + many(`"1",`) + `]}`},
		"long id":          {note, `{"i":"` + strings.Repeat("x", size-100) + `"}`},
		"escapes":          {note, `{"i":"` + strings.Repeat(`\u0041`, size/6-100) + `"}`},
		"many members":     {note, `{` + many(`"v#":1,`) + `,"i":"1"}`},
		"member twice":     {note, `{` + many(`"v#":1,`) + `,"v0":1}`},
		"deep":             {filter, `{"f":` + strings.Repeat(`{"any":[`, size/20) + strings.Repeat(`]}`, size/20) + `}`},
		"deep, undeclared": {note, `{"i":"1","x":` + strings.Repeat(`[`, size/2-100) + strings.Repeat(`]`, size/2-100) + `}`},
		"many filters":     {filter, `{"f":{"any":[` + many(`{"studyId":#},`) + `]}}`},
	}
}

// BenchmarkHostileVariables is what they cost where the client holds one study.
func BenchmarkHostileVariables(b *testing.B) {
	s := load(b, graphql.Options{})
	rights := client(oneStudy, actions...)
	hostile := hostileVariables()
	for _, name := range slices.Sorted(maps.Keys(hostile)) {
		b.Run(name, func(b *testing.B) {
			h := hostile[name]
			plan, err := s.Plan(h.query, "")
			if err != nil {
				b.Fatal(err)
			}
			reportCPU(b, func() {
				if need, err := plan.Need(json.RawMessage(h.variables)); err == nil {
					need.Decide(rights, said)
				}
			})
		})
	}
}
