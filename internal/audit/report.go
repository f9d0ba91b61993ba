package audit

import (
	"fmt"
	"time"
)

// maxProblems is how many problems a report tells one by one.
const maxProblems = 100

// Problem is one place where what is there is not what was written.
type Problem struct {
	Node string `json:"node,omitempty"` // whose chain of activity; empty: the chain of changes, or neither
	At   int64  `json:"at,omitempty"`   // number of the change, or of the batch in the chain of its node; 0: none
	What string `json:"what"`
}

// String is the problem in one line.
func (p Problem) String() string {
	switch {
	case p.Node != "" && p.At != 0:
		return fmt.Sprintf("activity of node %q, batch %d: %s", p.Node, p.At, p.What)
	case p.Node != "":
		return fmt.Sprintf("activity of node %q: %s", p.Node, p.What)
	case p.At != 0:
		return fmt.Sprintf("change %d: %s", p.At, p.What)
	}
	return p.What
}

// Report is what a verification found.
type Report struct {
	Changes        int64      `json:"changes"`                 // that are there
	Nodes          int        `json:"nodes"`                   // with a chain of activity
	Batches        int64      `json:"batches"`                 // of all nodes
	Entries        int64      `json:"entries"`                 // that are there
	DroppedBatches int64      `json:"dropped_batches"`         // of which retention kept the hash only
	DroppedEntries int64      `json:"dropped_entries"`         // that were in them
	DroppedUntil   *time.Time `json:"dropped_until,omitempty"` // when the last of these happened
	Checkpoints    int        `json:"checkpoints"`             // signed statements held against the chains
	LastCheckpoint *time.Time `json:"last_checkpoint,omitempty"`
	Problems       []Problem  `json:"problems"`
	More           int        `json:"more_problems,omitempty"` // beside those told
}

// Err is nil where all is as it was written; else it wraps ErrBroken and tells the first
// problem.
func (r *Report) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrBroken, r.Problems[0])
}
