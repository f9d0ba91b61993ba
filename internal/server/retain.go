package server

import (
	"context"
	"time"
)

// retainEach is how often old activity is looked for.
const retainEach = time.Hour

// retain drops activity that is older than the configuration keeps (RULES "Audit").
func (n *Node) retain(ctx context.Context) {
	keep := n.Config.Audit.Keep.Duration()
	if keep == 0 {
		return
	}
	tick := time.NewTicker(retainEach)
	defer tick.Stop()
	for {
		dropped, err := n.db.Retain(ctx, n.Snapshot.Now().Add(-keep))
		if err != nil && ctx.Err() == nil {
			n.Log.Error("old activity could not be dropped; the next hour tries again", "error", err)
		}
		if dropped > 0 {
			n.Log.Info("old activity is dropped, its hashes are kept", "entries", dropped)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
