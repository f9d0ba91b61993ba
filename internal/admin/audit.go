package admin

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/domain"
)

// Audit is what the operations on the audit trail read. Whoever makes the API fills it;
// without it they are not there.
type Audit struct {
	Store domain.Store // its feed of changes
}

// audit registers the operations on the audit trail: search, export, verification, backup,
// and who could do what at a time.
func (a *api) audit(huma.API) {}
