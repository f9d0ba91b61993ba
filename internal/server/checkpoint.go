package server

import (
	"cmp"
	"context"
	"encoding/json"
	"path/filepath"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/jwt"
)

// Checkpoints is the file that checkpoints of the audit trail go to where the configuration
// names none.
const Checkpoints = "checkpoints.jws"

// checkpointer is what writes checkpoints, as the configuration says.
func (n *Node) checkpointer() *audit.Checkpointer {
	c := n.Config.Audit.Checkpoints
	sinks := []audit.Sink{audit.File{Path: cmp.Or(c.File, filepath.Join(n.Config.Data, Checkpoints))}}
	if c.Webhook != "" {
		sinks = append(sinks, audit.NewWebhook(c.Webhook))
	}
	if network, address, ok := config.SyslogAddress(c.Syslog); ok {
		sinks = append(sinks, audit.Syslog{Network: network, Address: address, Node: n.Config.Node, Now: n.Snapshot.Now})
	}
	return audit.NewCheckpointer(audit.CheckpointOptions{
		Node: n.Config.Node, Tokens: audit.Mode(cmp.Or(n.Config.Audit.Tokens, config.AuditGroup)), Every: cmp.Or(c.Every.Duration(), 5*time.Minute),
		Feed: n.db, Heads: n.db, Signer: n.checkpointSigner, Sinks: sinks, Now: n.Snapshot.Now, Log: n.Log,
	})
}

func (n *Node) checkpointKey(ctx context.Context) (domain.Key, error) {
	return keys.Checkpoint(ctx, n.db, n.Registry.Vault.Ring, n.Snapshot.Now())
}

func (n *Node) checkpointSigner(ctx context.Context) (*jwt.Signer, error) {
	k, err := n.checkpointKey(ctx)
	if err != nil {
		return nil, err
	}
	private, err := keys.Open(&k, n.Registry.Vault.Ring)
	if err != nil {
		return nil, err
	}
	return jwt.NewSigner(private, audit.CheckpointType)
}

// lastCheckpoint ends the writing of checkpoints. What is not delivered stands in the log.
func (n *Node) lastCheckpoint(ctx context.Context) {
	if err := n.checkpoints.Close(ctx); err != nil {
		n.Log.Warn("the audit trail's last checkpoint is not everywhere", "error", err)
	}
}

// audited is what the admin API reads of the audit trail.
func (n *Node) audited() admin.Audit {
	return admin.Audit{Store: n.db, Batches: n.db, Derived: n.db, Activity: n.db, Trail: n.db, Key: func(ctx context.Context) (json.RawMessage, error) {
		k, err := n.checkpointKey(ctx)
		return k.Public, err
	}}
}
