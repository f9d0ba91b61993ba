package server

import (
	"github.com/postern-dev/postern/internal/auditlog"
	"github.com/postern-dev/postern/internal/config"
)

// auditLog answers the APIs that have audit_log in place of an upstream, wherever the gateway
// is served. Where activity is not kept at all it takes no events of products.
func (n *Node) auditLog() *auditlog.Surface {
	c := auditlog.Config{Trail: n.db, Now: n.Snapshot.Now}
	if n.Config.Audit.Tokens != config.AuditOff {
		c.Record = n.activity.Record
	}
	return auditlog.New(c)
}
