package audit

import (
	"bytes"
	"context"
	"fmt"

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

// Changes verifies changes one after the other, from the first.
type Changes struct {
	seq  domain.Seq
	hash []byte
}

// Next takes the next change; the error wraps ErrBroken where it is not the one
// that followed.
func (v *Changes) Next(c domain.Change) error {
	if c.Seq != v.seq+1 {
		return fmt.Errorf("%w: change %d is followed by %d", ErrBroken, v.seq, c.Seq)
	}
	if !bytes.Equal(HashChange(v.hash, c), c.Hash) {
		return fmt.Errorf("%w: change %d is not as it was written, or not the one that followed %d", ErrBroken, c.Seq, v.seq)
	}
	v.seq, v.hash = c.Seq, c.Hash
	return nil
}

// VerifyChanges reads all changes up to the head and returns how many there
// are. The error wraps ErrBroken where a row was tampered with, removed or
// inserted.
func VerifyChanges(ctx context.Context, feed Feed) (domain.Seq, error) {
	head, err := feed.Head(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the head of the feed: %w", err)
	}
	var v Changes
	for {
		page, err := feed.Follow(ctx, v.seq, 500)
		if err != nil {
			return v.seq, fmt.Errorf("read changes after %d: %w", v.seq, err)
		}
		for _, c := range page {
			if err := v.Next(c); err != nil {
				return v.seq, err
			}
			if v.seq == head.Seq && !bytes.Equal(v.hash, head.Hash) {
				return v.seq, fmt.Errorf("%w: the feed ends at change %d with another hash", ErrBroken, head.Seq)
			}
		}
		if len(page) == 0 {
			break
		}
	}
	if v.seq < head.Seq {
		return v.seq, fmt.Errorf("%w: the feed ends at change %d, the last one there is %d", ErrBroken, head.Seq, v.seq)
	}
	return v.seq, nil
}
