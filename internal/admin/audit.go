package admin

import (
	"context"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
)

// Audit is what the operations on the audit trail read.
type Audit struct {
	Store    domain.Store    // its feed of changes
	Batches  audit.Batches   // all activity, as it is stored
	Activity domain.Activity // one entry of it
	// Key returns the public JWK (RFC 7517) of the key that signs checkpoints.
	Key func(context.Context) (json.RawMessage, error)
}

// audit registers the operations on the audit trail: search, export, verification, backup,
// and who could do what at a time.
func (a *api) audit(huma.API) {}
