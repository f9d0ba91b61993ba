package declare_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// crowd is a file with so many clients.
func crowd(from, n int) []declare.File {
	var files []declare.File
	for i := 0; i < n; i += 1000 {
		var text strings.Builder
		for k := range min(1000, n-i) {
			fmt.Fprintf(&text, "---\nkind: Client\nissuer: main\nid: %08x-2222-4222-8222-222222222222\nname: Client %d\ntenant: 11111111-1111-4111-8111-111111111111\n"+
				"scopes: [studies:read, studies:write]\naudiences: [https://api.example.com]\npolicies: [reader]\nresource_scope: {study: {ids: [s1]}}\nowner: somebody\n", from+i+k, k)
		}
		files = append(files, file(fmt.Sprintf("c%d.yaml", i), text.String()))
	}
	return files
}

// BenchmarkApply makes 1,000 clients by applying a file, and puts the same into the same
// store beside it, in the same chunks.
func BenchmarkApply(b *testing.B) {
	bare, reg := newRegistry(b), newRegistry(b)
	core := declare.Options{Set: "core"}
	for _, one := range []*registry.Registry{bare, reg} {
		if _, err := with(b, one, core, guarded()...); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	var inserts, applies, parses time.Duration
	for b.Loop() {
		files := crowd(n, 1000)
		n += 1000
		began := time.Now()
		objects, err := declare.Parse(files)
		if err != nil {
			b.Fatal(err)
		}
		parses += time.Since(began)
		began = time.Now()
		if _, err := declare.Apply(b.Context(), reg, by, objects, core); err != nil {
			b.Fatal(err)
		}
		applies += time.Since(began)
		list, err := reg.Store.Read().Clients.List(b.Context(), domain.Page{After: fmt.Sprintf("main/%08x", n-1000), Limit: 1000})
		if err != nil || len(list) != 1000 {
			b.Fatal(len(list), err)
		}
		began = time.Now()
		for some := range slices.Chunk(list, 100) {
			_, err := bare.Store.Change(b.Context(), by, func(t domain.Tables) (changes []domain.Change, err error) {
				for _, c := range some {
					c.Version = 0
					if _, err := t.Clients.Put(b.Context(), c, 0); err != nil {
						return nil, err
					}
					changes = append(changes, domain.Change{Kind: c.Kind(), Key: c.Key(), Action: "client.create"})
				}
				return changes, nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		inserts += time.Since(began)
	}
	b.ReportMetric(float64(inserts.Microseconds())/float64(n), "µs/insert")
	b.ReportMetric(float64(parses.Microseconds())/float64(n), "µs/parsed")
	b.ReportMetric(float64(applies.Microseconds())/float64(n), "µs/applied")
	b.ReportMetric(float64(applies)/float64(inserts), "ratio")
	b.ReportMetric(float64(applies+parses)/float64(inserts), "ratio-with-parsing")
}

// BenchmarkApplyUnchanged applies 10,000 clients that are there already.
func BenchmarkApplyUnchanged(b *testing.B) {
	reg := newRegistry(b)
	core := declare.Options{Set: "core"}
	files := append(guarded(), crowd(0, 10_000)...)
	if _, err := with(b, reg, core, files...); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := with(b, reg, core, files...); err != nil {
			b.Fatal(err)
		}
	}
}
