package guard

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/postern-dev/postern/internal/snapshot"
)

// Config is what a guard needs.
type Config struct {
	Snapshot *snapshot.Snapshot
	MaxNodes int // nodes that may serve at once without a shared quota: each admits its part
}

// Guard judges calls. It is safe for concurrent use.
type Guard struct {
	Config
}

// New returns a guard.
func New(c Config) *Guard { return &Guard{Config: c} }

// Judge decides whether the call may pass. source is who sent it, behind trusted proxies
// too. Where a rule reads the body it is read, and replaced by the same bytes.
func (g *Guard) Judge(r *http.Request, source netip.Addr) Verdict {
	_, _ = r, source
	return Verdict{Err: &Refusal{Reason: Unavailable}} // nothing passes before there is a judge
}

// Alive reports whether what let the call pass still holds, for streams that last: the
// client is there, enabled and of the same epoch, and the key is not withdrawn (D-70).
func (g *Guard) Alive(ctx context.Context, v *Verdict) bool {
	_, _ = ctx, v
	return false
}
