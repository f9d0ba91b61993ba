package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// Batch is what is stored of a batch of activity beside its entries.
type Batch struct {
	Node    string
	N       int64 // of the node's batches: 1, 2, 3 without gaps
	First   domain.EventID
	Last    domain.EventID
	Entries int
	Hash    []byte // SHA-256, chained to the one before of the same node
	Dropped bool   // retention took the entries; the hash stays
}

// RetentionNode is the node in whose name retention tells what it dropped.
const RetentionNode = "retention"

// Dropped are the Details of an entry with the action activity.drop.
type Dropped struct {
	Before  time.Time `json:"before"`  // batches that ended before this were dropped
	Entries int64     `json:"entries"` // so many
}

// retention is what a chain says of entries that were dropped.
type retention struct {
	told    time.Time // up to when entries were dropped, as the chain tells
	last    time.Time // of all that are gone
	batches int64
}

// entry takes what one entry tells.
func (r *retention) entry(node string, e *domain.Entry) {
	var d Dropped
	if node == RetentionNode && e.Action == domain.ActivityDropped && json.Unmarshal([]byte(e.Details), &d) == nil && d.Before.After(r.told) {
		r.told = d.Before
	}
}

// batch takes a batch without its entries.
func (r *retention) batch(b *Batch) {
	r.batches++
	if at := b.Last.Time(); at.After(r.last) {
		r.last = at
	}
}

// err tells whether entries are gone that nothing in the chain says were dropped.
func (r *retention) err() error {
	if r.batches > 0 && !r.last.Before(r.told) {
		return fmt.Errorf("%w: entries of up to %s are gone, and retention says it dropped those before %s",
			ErrBroken, r.last.Format(time.RFC3339Nano), r.told.Format(time.RFC3339Nano))
	}
	return nil
}

// HashBatch is the hash of batch n of a node, whose predecessor has the hash
// prev (nil for the first), over its entries in the order of their ids. The label
// comes first and tells how many parts an entry has: batches whose entries have none of
// the later parts are hashed as they were before there were any, and never like a batch
// with one.
func HashBatch(prev []byte, node string, n int64, entries []domain.Entry) []byte {
	parts := 1
	for i := range entries {
		parts = max(parts, partsOf(&entries[i]))
	}
	d := newDigest("postern activity "+strconv.Itoa(parts), prev)
	d.text(node)
	d.number(n)
	d.number(int64(len(entries)))
	for i := range entries {
		d.entry(&entries[i], parts)
	}
	return d.done()
}

// partsOf is the first label under which all of an entry is hashed.
func partsOf(e *domain.Entry) int {
	switch {
	case e.Tenant != "" || e.Actor != "" || e.Details != "":
		return 3
	case e.Resource != "":
		return 2
	default:
		return 1
	}
}

func (d *digest) entry(e *domain.Entry, parts int) {
	d.bytes(e.ID[:])
	d.text(string(e.Action))
	d.text(e.Issuer)
	d.text(e.Client)
	d.text(e.SecretID)
	d.text(e.Scope)
	d.text(e.Source)
	d.text(e.Reason)
	d.text(e.Correlation)
	d.number(int64(max(e.Count, 1)))
	if parts >= 2 {
		d.text(e.Resource)
	}
	if parts >= 3 {
		d.text(e.Tenant)
		d.text(e.Actor)
		d.text(e.Details)
	}
}

// Batches is where activity is read from for verification.
type Batches interface {
	// EachBatch calls f with every batch, in the order of node and number, and
	// the entries stored for it in the order of their ids. What f is given is
	// one state of the store. Entries of no batch are an error that wraps
	// ErrBroken.
	EachBatch(ctx context.Context, f func(Batch, []domain.Entry) error) error
}

// VerifyBatches reads all activity and returns how many entries there are. The
// error wraps ErrBroken where an entry or a batch was tampered with, removed or
// inserted, and where entries are gone that retention does not say it dropped.
func VerifyBatches(ctx context.Context, source Batches) (int64, error) {
	var node string
	var n, entries int64
	var prev []byte
	var gone retention
	err := source.EachBatch(ctx, func(b Batch, rows []domain.Entry) error {
		if b.Node != node {
			node, n, prev = b.Node, 0, nil
		}
		if b.N != n+1 {
			return fmt.Errorf("%w: node %q: batch %d is followed by %d", ErrBroken, node, n, b.N)
		}
		if b.Dropped && len(rows) == 0 {
			gone.batch(&b)
			n, prev = b.N, b.Hash
			return nil
		}
		if len(rows) != b.Entries {
			return fmt.Errorf("%w: node %q, batch %d: %d entries of %d", ErrBroken, node, b.N, len(rows), b.Entries)
		}
		if !bytes.Equal(HashBatch(prev, node, b.N, rows), b.Hash) {
			return fmt.Errorf("%w: node %q, batch %d is not as it was written", ErrBroken, node, b.N)
		}
		for i := range rows {
			gone.entry(b.Node, &rows[i])
		}
		n, prev = b.N, b.Hash
		entries += int64(len(rows))
		return nil
	})
	if err == nil {
		err = gone.err()
	}
	return entries, err
}
