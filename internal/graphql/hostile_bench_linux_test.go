package graphql_test

import (
	"maps"
	"slices"
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

// BenchmarkHostileBody is what they cost, read and judged, where the client holds one study.
func BenchmarkHostileBody(b *testing.B) {
	s := load(b, graphql.Options{})
	plans, err := graphql.NewCache(1 << 20)
	if err != nil {
		b.Fatal(err)
	}
	rights := client(oneStudy, actions...)
	bodies := hostileBodies()
	for _, name := range slices.Sorted(maps.Keys(bodies)) {
		b.Run(name, func(b *testing.B) {
			body := []byte(bodies[name])
			reportCPU(b, func() { pass(s, plans, rights, body) })
		})
	}
}
