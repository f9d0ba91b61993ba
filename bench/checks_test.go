package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const printed = `goos: linux
pkg: example
BenchmarkSpend/atomic.AddInt64-2 	  100	        20.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkSpend/admitted-2        	   50	        45.0 ns/op	       8 B/op	       1 allocs/op
BenchmarkCacheHit-2   	     326	         1.5 hit/sha256	       731 ns/hit	       487 ns/sha256	       0 B/op	       0 allocs/op
BenchmarkBroken-2
PASS
`

func TestFigures(t *testing.T) {
	want := map[figure]float64{
		{"BenchmarkSpend/atomic.AddInt64", "ns/op"}: 20, {"BenchmarkSpend/atomic.AddInt64", "B/op"}: 0, {"BenchmarkSpend/atomic.AddInt64", "allocs/op"}: 0,
		{"BenchmarkSpend/admitted", "ns/op"}: 45, {"BenchmarkSpend/admitted", "B/op"}: 8, {"BenchmarkSpend/admitted", "allocs/op"}: 1,
		{"BenchmarkCacheHit", "hit/sha256"}: 1.5, {"BenchmarkCacheHit", "ns/hit"}: 731, {"BenchmarkCacheHit", "ns/sha256"}: 487,
		{"BenchmarkCacheHit", "B/op"}: 0, {"BenchmarkCacheHit", "allocs/op"}: 0,
	}
	if diff := cmp.Diff(want, figures([]byte(printed))); diff != "" {
		t.Error(diff)
	}
}

// A round without a figure is an error, not a zero; one allocation in one round counts.
func TestReadCheck(t *testing.T) {
	hit, limit := checkList()[0], checkList()[1]
	for _, a := range []*asked{&hit, &limit} {
		if err := a.read([]byte(printed)); err != nil {
			t.Error(err)
		}
		if err := a.read([]byte("BenchmarkCacheHit-2 1 7 ns/hit\nBenchmarkSpend/admitted-2 1 7 ns/op\n")); err == nil {
			t.Errorf("%s: a round without its control passes", a.Name)
		}
	}
	limit.Times, limit.Base = append(limit.Times, 60, 30), append(limit.Base, 20, 30)
	limit.conclude()
	if limit.Ratio != 2.25 || limit.RatioLow != 1 || limit.RatioHigh != 3 || limit.Allocations != 1 {
		t.Errorf("%+v", limit.check)
	}
}

// What hostile documents cost is kept by name, with the most memory of a round.
func TestAddHostile(t *testing.T) {
	all := map[string]*hostile{}
	for _, round := range []string{
		"BenchmarkHostileDocument/fragment_bomb-2 10 9 ns/op 4000 cpu-ns/op 50 B/op 1 allocs/op\nBenchmarkCacheHit-2 3 7 cpu-ns/op\n",
		"BenchmarkHostileDocument/fragment_bomb-2 10 9 ns/op 2000 cpu-ns/op 40 B/op 1 allocs/op\nBenchmarkHostileBody/deep-2 1 8 cpu-ns/op 3 B/op\n",
	} {
		addHostile(all, figures([]byte(round)))
	}
	want := map[string]*hostile{
		"BenchmarkHostileDocument/fragment_bomb": {Name: "fragment bomb", CPU: []float64{4000, 2000}, Bytes: 50, Target: "≤ 5"},
		"BenchmarkHostileBody/deep":              {Name: "body: deep", CPU: []float64{8}, Bytes: 3},
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
}
