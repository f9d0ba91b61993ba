package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// Verifier reads chains row by row, and goes on behind a problem: each later row is held
// against the hash that the one before says it has.
type Verifier struct {
	report Report

	seq   int64
	hash  []byte
	heads map[string]*chain
	last  string // node of the batch before

	said map[position]statement
	gone retention
}

// chain is how far the activity of a node was read.
type chain struct {
	n, entries int64
	hash       []byte
}

// NewVerifier begins. What checkpoints say is held against what is read.
func NewVerifier(checkpoints ...Checkpoint) *Verifier {
	v := &Verifier{heads: map[string]*chain{}, said: map[position]statement{}, gone: newRetention()}
	v.report.Problems = []Problem{}
	for i := range checkpoints {
		v.expect(&checkpoints[i])
	}
	return v
}

func (v *Verifier) problem(node string, at int64, format string, args ...any) {
	if len(v.report.Problems) == maxProblems {
		v.report.More++
		return
	}
	v.report.Problems = append(v.report.Problems, Problem{Node: node, At: at, What: fmt.Sprintf(format, args...)})
}

// Change takes the next change.
func (v *Verifier) Change(c domain.Change) {
	seq := int64(c.Seq)
	v.report.Changes++
	switch {
	case seq == v.seq+1:
		if !bytes.Equal(HashChange(v.hash, c), c.Hash) {
			v.problem("", seq, "is not as it was written, or not the one that followed")
		}
	case seq <= v.seq:
		v.problem("", seq, "stands behind change %d: it is there twice, or out of order", v.seq)
		return
	case seq == v.seq+2:
		v.problem("", seq-1, "is missing")
	default:
		v.problem("", v.seq+1, "is missing, and so is every one up to %d", seq-1)
	}
	v.seq, v.hash = seq, c.Hash
	v.held("", seq, seq, c.Hash)
}

// Head takes what the store says of the end of its chain of changes, once all were read.
func (v *Verifier) Head(h domain.Head) {
	switch {
	case int64(h.Seq) > v.seq:
		v.problem("", int64(h.Seq), "is the last one written, and the last one there is %d", v.seq)
	case int64(h.Seq) < v.seq:
		v.problem("", int64(h.Seq)+1, "was inserted: the last one written is %d", h.Seq)
	case !bytes.Equal(h.Hash, v.hash):
		v.problem("", v.seq, "is not the one that the store says its feed ends with")
	}
}

// Batch takes the next batch with its entries, in the order of node and number.
func (v *Verifier) Batch(b Batch, rows []domain.Entry) {
	at := v.heads[b.Node]
	switch {
	case at == nil:
		at = &chain{}
		v.heads[b.Node] = at
		v.report.Nodes++
	case v.last != b.Node:
		v.problem(b.Node, b.N, "stands apart from the others of its node")
	}
	v.last = b.Node
	v.report.Batches++
	follows := b.N == at.n+1
	switch {
	case b.N <= at.n:
		v.problem(b.Node, b.N, "stands behind batch %d: it is there twice, or out of order", at.n)
		return
	case b.N == at.n+2:
		v.problem(b.Node, b.N-1, "is missing")
	case !follows:
		v.problem(b.Node, at.n+1, "is missing, and so is every one up to %d", b.N-1)
	}
	v.entries(at, &b, rows, follows)
	at.n, at.hash, at.entries = b.N, b.Hash, at.entries+int64(b.Entries)
	v.held(b.Node, b.N, at.entries, b.Hash)
}

// entries holds the entries of a batch against it.
func (v *Verifier) entries(at *chain, b *Batch, rows []domain.Entry, follows bool) {
	if b.Dropped && len(rows) == 0 {
		v.gone.batch(b)
		v.report.DroppedBatches++
		v.report.DroppedEntries += int64(b.Entries)
		if until := b.Last.Time(); v.report.DroppedUntil == nil || until.After(*v.report.DroppedUntil) {
			v.report.DroppedUntil = &until
		}
		return
	}
	v.report.Entries += int64(len(rows))
	for i := range rows {
		v.gone.entry(b.Node, &rows[i])
	}
	switch {
	case len(rows) < b.Entries:
		v.problem(b.Node, b.N, "has %d entries of %d: some were removed", len(rows), b.Entries)
	case len(rows) > b.Entries:
		v.problem(b.Node, b.N, "has %d entries in place of %d: some were inserted", len(rows), b.Entries)
	case len(rows) == 0:
		v.problem(b.Node, b.N, "has no entries, and never could")
	case follows && !bytes.Equal(HashBatch(at.hash, b.Node, b.N, rows), b.Hash):
		v.problem(b.Node, b.N, "is not as it was written, or not the one that followed: its entries are %s to %s", b.First, b.Last)
	case b.Dropped:
		v.problem(b.Node, b.N, "is marked as dropped, and its entries are there: retention would never drop them")
	case rows[0].ID != b.First || rows[len(rows)-1].ID != b.Last:
		v.problem(b.Node, b.N, "is told to go from %s to %s, and its entries do not: retention would drop it at another time", b.First, b.Last)
	}
}

// Report ends the verification: what checkpoints say of rows that were not there is a tail
// that was cut off.
func (v *Verifier) Report() Report {
	v.cut()
	v.gone.problems(func(node string, n int64, what string) { v.problem(node, n, "%s", what) })
	return v.report
}

// Derived is what a store keeps beside its chains, and what follows from them.
type Derived interface {
	// EachAstray calls f with each place where that is not so: an object that is not as its
	// last change left it, a change that a search for what it is about would miss. What f is
	// given is one state of the store.
	EachAstray(ctx context.Context, f func(Problem) error) error
}

// Verify reads all changes, all activity, and what follows from changes. The error is one of
// reading; what is broken stands in the report.
func Verify(ctx context.Context, feed Feed, batches Batches, derived Derived, checkpoints ...Checkpoint) (Report, error) {
	v := NewVerifier(checkpoints...)
	if err := v.changes(ctx, feed); err != nil {
		return v.report, err
	}
	err := v.batches(ctx, batches)
	if errors.Is(err, ErrBroken) {
		v.problem("", 0, "%s", strings.TrimPrefix(err.Error(), ErrBroken.Error()+": "))
		err = nil
	}
	if err != nil {
		return v.report, err
	}
	err = derived.EachAstray(ctx, func(p Problem) error {
		v.problem(p.Node, p.At, "%s", p.What)
		return nil
	})
	return v.Report(), err
}

func (v *Verifier) changes(ctx context.Context, feed Feed) error {
	head, err := eachChange(ctx, feed, func(c domain.Change) error {
		v.Change(c)
		return nil
	})
	if err == nil {
		v.Head(head)
	}
	return err
}

func (v *Verifier) batches(ctx context.Context, source Batches) error {
	return source.EachBatch(ctx, func(b Batch, rows []domain.Entry) error {
		v.Batch(b, rows)
		return nil
	})
}

// eachChange calls f with every change up to the end of the feed, which may move meanwhile,
// and returns where the store says that it ends.
func eachChange(ctx context.Context, feed Feed, f func(domain.Change) error) (domain.Head, error) {
	var seq domain.Seq
	head, err := feed.Head(ctx)
	for err == nil {
		page, wrong := feed.Follow(ctx, seq, changesPage)
		if wrong != nil {
			return head, fmt.Errorf("read changes after %d: %w", seq, wrong)
		}
		for _, c := range page {
			if err := f(c); err != nil {
				return head, err
			}
			seq = c.Seq
		}
		if len(page) > 0 {
			continue
		}
		before := head.Seq
		if head, err = feed.Head(ctx); err == nil && (seq < before || seq >= head.Seq) {
			return head, nil // something is missing, or nothing is left to read
		}
	}
	return head, fmt.Errorf("read the head of the feed: %w", err)
}

// changesPage is how many changes are read at once.
const changesPage = 500
