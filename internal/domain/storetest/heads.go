package storetest

import (
	"fmt"
	"testing"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// batchHeads: where the chain of each node stands, counted from the start and on from
// what is known, and never less than there is where a tail is gone.
func batchHeads(t *testing.T, s Store) {
	heads := func(known []audit.Point) []audit.Point {
		t.Helper()
		list, err := s.BatchHeads(t.Context(), known)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	same(t, "the heads of nothing", len(heads(nil)), 0)
	list := Entries(begin(), 60)
	for i := range 6 { // of three nodes, and the names not in the order in which they came
		if err := s.Append(t.Context(), fmt.Sprint("node-", 2-i%3), list[i*10:i*10+5+i]); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]audit.Point{}
	err := s.EachBatch(t.Context(), func(b audit.Batch, rows []domain.Entry) error {
		p := want[b.Node]
		want[b.Node] = audit.Point{Node: b.Node, Count: b.N, Entries: p.Entries + int64(len(rows)), Hash: b.Hash}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sorted := []audit.Point{want["node-0"], want["node-1"], want["node-2"]}
	same(t, "the heads", heads(nil), sorted)
	same(t, "the heads, counted on", heads(sorted), sorted)
	early := []audit.Point{{Node: "node-1", Count: 1, Entries: 6, Hash: []byte("any")}, {Node: "node-2", Count: 99, Entries: 999}}
	same(t, "the heads, of which one was known early and one has lost its tail", heads(early), sorted)
}
