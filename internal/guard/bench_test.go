package guard_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
)

// BenchmarkJudge is a call whose token was seen before, with one resource in the path and a
// limit. The aim is 3 µs.
func BenchmarkJudge(b *testing.B) {
	n := newTown(b)
	update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"reports": 1 << 30} })
	r := request("GET", base+"/studies/s1", n.token("main", "c1", "read"))
	b.ReportAllocs()
	for b.Loop() {
		if v := n.guard.Judge(r, source); v.Err != nil {
			b.Fatal(v.Err)
		}
	}
}

// BenchmarkJudgeParallel has all processors call for one client.
func BenchmarkJudgeParallel(b *testing.B) {
	n := newTown(b)
	update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"reports": 1 << 30} })
	token := n.token("main", "c1", "read")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r := request("GET", base+"/studies/s1", token)
		for pb.Next() {
			if v := n.guard.Judge(r, source); v.Err != nil {
				b.Error(v.Err)
			}
		}
	})
}

// BenchmarkJudgeGraphQL is a document of 30 fields that was seen before, with a variable.
func BenchmarkJudgeGraphQL(b *testing.B) {
	n := graphTown(b, nil)
	update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"graph": 1 << 30} })
	var document strings.Builder
	document.WriteString("query Q($i: ID!) {")
	for i := range 10 {
		fmt.Fprintf(&document, " s%d: study(id: $i) { id name }", i)
	}
	body := []byte(`{"query":"` + document.String() + ` }","variables":{"i":"s1"}}`)
	r := with(request("POST", endpoint, n.token("main", "c1", "read")), "application/json", string(body))
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(bytes.NewReader(body))
		if v := n.guard.Judge(r, source); v.Err != nil {
			b.Fatal(v.Err)
		}
	}
}
