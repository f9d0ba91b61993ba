package audit

import (
	"maps"
	"slices"
	"time"
)

// position is a place in a chain.
type position struct {
	node string
	n    int64
}

// statement is what checkpoints say of a position.
type statement struct {
	Point
	at      time.Time
	era     string
	seen    bool
	damaged bool // two of them say different things
}

// expect notes what a checkpoint says.
func (v *Verifier) expect(c *Checkpoint) {
	v.report.Checkpoints++
	if v.report.LastCheckpoint == nil || c.Time.After(*v.report.LastCheckpoint) {
		v.report.LastCheckpoint = &c.Time
	}
	for _, p := range append([]Point{c.Changes}, c.Activity...) {
		if p.Count == 0 {
			continue
		}
		where := position{p.Node, p.Count}
		said, again := v.said[where]
		if again && !said.damaged && (string(said.Hash) != string(p.Hash) || said.Entries != p.Entries) {
			said.damaged = true
			v.said[where] = said
			v.problem(p.Node, p.Count, "the checkpoints of %s and %s say different things of it: the chain was written anew in between", moment(said.at), moment(c.Time))
		}
		if !again {
			v.said[where] = statement{Point: p, at: c.Time, era: c.Incarnation}
		}
	}
}

// held compares what was read with what a checkpoint says of it.
func (v *Verifier) held(node string, n, entries int64, hash []byte) {
	said, ok := v.said[position{node, n}]
	if !ok {
		return
	}
	said.seen = true
	v.said[position{node, n}] = said
	switch {
	case said.damaged:
	case string(said.Hash) != string(hash):
		v.problem(node, n, "is another than the one of the checkpoint of %s: it, or one before, was written anew", moment(said.at))
	case node != "" && said.Entries != entries:
		v.problem(node, n, "there were %d entries up to it at the checkpoint of %s, and it says %d now", said.Entries, moment(said.at), entries)
	}
}

// cut tells of chains that end before the last position of a checkpoint.
func (v *Verifier) cut() {
	last := map[string]statement{}
	for where, said := range v.said {
		if !said.seen && said.Count > v.reached(where.node) && said.Count > last[where.node].Count {
			last[where.node] = said
		}
	}
	for _, node := range sortedKeys(last) {
		said := last[node]
		v.problem(node, v.reached(node)+1, "is missing, and so is what came up to %d, which was there at the checkpoint of %s (incarnation %s): the tail was cut off, or an older copy was put back",
			said.Count, moment(said.at), said.era)
	}
}

// reached is how far the chain of a node, or of changes, was read.
func (v *Verifier) reached(node string) int64 {
	if node == "" {
		return v.seq
	}
	if at := v.heads[node]; at != nil {
		return at.n
	}
	return 0
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
