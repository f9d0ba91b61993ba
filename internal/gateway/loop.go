package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/postern-dev/postern/internal/guard"
)

// loopHeader is how proxies tell each other of calls that come back (RFC 8586).
const loopHeader = "Cdn-Loop"

// Loop is the reason of a call that this node has forwarded before: an upstream leads
// back to the gateway, and would until no connection is left.
const Loop guard.Reason = "loop"

// loopID is this node's name in loopHeader, new at every start.
func loopID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	return "postern-" + hex.EncodeToString(id[:])
}

// checkLoop refuses a call that this node has forwarded before.
func (c *call) checkLoop() error {
	for _, v := range c.r.Header[loopHeader] {
		if strings.Contains(v, c.gateway.loop) {
			return &guard.Refusal{Reason: Loop}
		}
	}
	return nil
}

// passed are the nodes that have forwarded the call, this one the last. `Connection` takes
// none of them away (RFC 8586 §2).
func (c *call) passed() string {
	if before := c.r.Header[loopHeader]; len(before) > 0 {
		return strings.Join(before, ", ") + ", " + c.gateway.loop
	}
	return c.gateway.loop
}
