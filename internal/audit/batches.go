package audit

import (
	"context"
	"strconv"

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
	v := NewVerifier()
	err := v.batches(ctx, source)
	r := v.Report()
	if err == nil {
		err = r.Err()
	}
	return r.Entries, err
}
