package audit

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth/jwt"
)

// CheckpointType is the `typ` of a checkpoint (RFC 7515 §4.1.9), which no token has.
const CheckpointType = "postern-checkpoint+json"

// partNodes is how many nodes one statement tells of: a JWS of ours has 8 KiB at most.
const partNodes = 20

// Checkpoint is a signed statement of how far the chains had come: with it, and the key, a
// tail that was cut off later, or a chain that was written anew, is found. Where there are
// many nodes it comes in parts, each of them a statement of its own.
type Checkpoint struct {
	Time        time.Time `json:"time"`
	Node        string    `json:"node"`        // that wrote it
	Incarnation string    `json:"incarnation"` // of the feed; another after a restore
	Tokens      Mode      `json:"tokens"`      // audit.tokens of the node: off means that it keeps no activity (D-106)
	Part        int       `json:"part"`        // of Parts, from 1
	Parts       int       `json:"parts"`
	Changes     Point     `json:"changes"`
	Activity    []Point   `json:"activity"` // of every node, in the order of their names
}

// Point is where a chain stands.
type Point struct {
	Node    string `json:"node,omitempty"`    // of activity
	Count   int64  `json:"count"`             // of changes, or of batches: the number of the last one
	Entries int64  `json:"entries,omitempty"` // of activity, in all its batches
	Hash    Hash   `json:"hash"`              // of the last one
}

// Hash is bytes that JSON has as base64url without padding.
type Hash []byte

// MarshalText is base64url.
func (h Hash) MarshalText() ([]byte, error) { return base64.RawURLEncoding.AppendEncode(nil, h), nil }

// UnmarshalText reads base64url.
func (h *Hash) UnmarshalText(text []byte) (err error) {
	*h, err = base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return errors.New("not base64url")
	}
	return nil
}

// Signed is the checkpoint as compact JWS (RFC 7515 §3.1), one for each part.
func (c Checkpoint) Signed(with *jwt.Signer) ([]string, error) {
	all := c.Activity
	c.Parts = max(1, (len(all)+partNodes-1)/partNodes)
	list := make([]string, 0, c.Parts)
	for c.Part = 1; c.Part <= c.Parts; c.Part++ {
		from := (c.Part - 1) * partNodes
		c.Activity = all[from:min(from+partNodes, len(all))]
		payload, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		text, err := with.Sign(nil, payload)
		if err != nil {
			return nil, fmt.Errorf("sign a checkpoint: %w", err)
		}
		list = append(list, string(text))
	}
	return list, nil
}

// ErrCheckpoint is wrapped where a text is no checkpoint that one of the keys signed.
var ErrCheckpoint = errors.New("not a checkpoint signed by the key")

// ReadCheckpoint reads a compact JWS and believes it only if one of the keys signed it.
func ReadCheckpoint(text string, keys jwt.Keys) (c Checkpoint, err error) {
	payload, err := jwt.VerifySignature(text, CheckpointType, keys)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	if err := strictjson.Unmarshal(payload, &c); err != nil {
		return c, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return c, nil
}

// Heads tells where the chains of activity stand.
type Heads interface {
	// BatchHeads returns a point for each node that has batches, in the order of their
	// names. known are those of an earlier call, from which counting goes on.
	BatchHeads(ctx context.Context, known []Point) ([]Point, error)
}

// Describe is a checkpoint of this moment, not yet signed.
func Describe(ctx context.Context, feed Feed, heads Heads, known []Point) (c Checkpoint, err error) {
	head, err := feed.Head(ctx)
	if err != nil {
		return c, fmt.Errorf("read the head of the feed: %w", err)
	}
	c.Activity, err = heads.BatchHeads(ctx, known)
	if err != nil {
		return c, fmt.Errorf("read the heads of activity: %w", err)
	}
	c.Incarnation, c.Changes = head.Incarnation, Point{Count: int64(head.Seq), Hash: head.Hash}
	return c, nil
}

// Same reports whether both say the same of every chain, whenever and by whomever.
func (c *Checkpoint) Same(o *Checkpoint) bool {
	same := func(a, b Point) bool {
		return a.Node == b.Node && a.Count == b.Count && string(a.Hash) == string(b.Hash)
	}
	return c.Incarnation == o.Incarnation && c.Tokens == o.Tokens && same(c.Changes, o.Changes) && slices.EqualFunc(c.Activity, o.Activity, same)
}
