package gateway

import (
	"errors"

	"github.com/postern-dev/postern/internal/auditlog"
	"github.com/postern-dev/postern/internal/guard"
)

var errNoAuditLog = errors.New("this server answers no audit log")

// answerOwn answers a call of an API that is Postern itself: nothing is forwarded.
func (c *call) answerOwn() {
	surface := c.gateway.AuditLog
	if surface == nil {
		c.refuse(c.gateway.record(c, &guard.Refusal{Reason: Misconfigured, Err: errNoAuditLog}))
		return
	}
	c.stamp()
	surface.Answer(&auditlog.Call{
		Request: c.r, Verdict: &c.verdict, Exchange: c.ex,
		Alive: func() bool { return c.gateway.Guard.Alive(c.r.Context(), &c.verdict) },
	})
}
