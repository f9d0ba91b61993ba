package audit

import (
	"context"

	"github.com/postern-dev/postern/internal/domain"
)

// HashChange is the hash of a change whose predecessor has the hash prev (nil
// for the first). It covers all that is stored, the object as its stored bytes
// and the time in microseconds; c.Hash itself is ignored.
func HashChange(prev []byte, c domain.Change) []byte {
	d := newDigest("postern change 1", prev)
	d.number(int64(c.Seq))
	d.text(string(c.Kind))
	d.text(c.Key)
	d.text(c.Action)
	d.number(c.Version)
	d.bytes(c.Object)
	d.text(string(c.Actor))
	d.number(c.Time.UnixMicro())
	return d.done()
}

// Feed is where changes are read from; a domain.Store is one.
type Feed interface {
	Follow(ctx context.Context, after domain.Seq, max int) ([]domain.Change, error)
	Head(ctx context.Context) (domain.Head, error)
}

// VerifyChanges reads all changes and returns the number of the last. The error
// wraps ErrBroken where a row was tampered with, removed or inserted.
func VerifyChanges(ctx context.Context, feed Feed) (domain.Seq, error) {
	v := NewVerifier()
	err := v.changes(ctx, feed)
	r := v.Report()
	if err == nil {
		err = r.Err()
	}
	return domain.Seq(v.seq), err
}
