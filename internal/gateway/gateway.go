package gateway

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/auditlog"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/request"
)

// Guard judges; *guard.Guard is one.
type Guard interface {
	Judge(r *http.Request, source netip.Addr) guard.Verdict
	Alive(ctx context.Context, v *guard.Verdict) bool
}

// Config is what a Gateway is made of. AuditLog, Dial and Roots can be left out.
type Config struct {
	Guard    Guard
	Activity *audit.Writer
	Metrics  *Metrics
	Log      *slog.Logger
	Trusted  *request.Proxies // proxies whose X-Forwarded-For is believed
	Now      func() time.Time // that event ids are dated by
	// AuditLog answers the APIs that have audit_log in place of an upstream.
	AuditLog *auditlog.Surface
	// Dial connects to upstreams; nil: by TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Roots are the authorities that certificates of upstreams are held against; nil:
	// those of the system.
	Roots *x509.CertPool
}

// Gateway is the reverse proxy before every API. It is safe for concurrent use.
type Gateway struct {
	Config
	upstreams  upstreams
	identities identities
	tunnels    tunnels
	loop       string // this node, for loopHeader
	proxy      httputil.ReverseProxy
}

// New makes a gateway.
func New(c Config) *Gateway {
	g := &Gateway{Config: c, loop: loopID()}
	g.proxy = httputil.ReverseProxy{
		Transport: transport{}, Rewrite: rewrite, ModifyResponse: modify, ErrorHandler: failed, BufferPool: &buffers{},
		ErrorLog: log.New(io.Discard, "", 0), // what it would say stands in the line of the call
	}
	return g
}

// ServeHTTP judges the call, and refuses or forwards it.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{gateway: g, r: r, ex: request.Begin(w, r, g.Now(), g.Trusted), began: time.Now()}
	defer c.end()
	c.verdict = g.Guard.Judge(r, c.ex.Source)
	c.know()
	err := c.verdict.Err
	own := err == nil && c.verdict.API.AuditLog != nil
	if err == nil && !own {
		err = c.prepare()
	}
	switch {
	case err != nil:
		c.refuse(g.record(c, err))
	case own:
		c.answerOwn()
	default:
		c.forward()
	}
	c.whole = true
}

// record queues the refusal. Nothing goes unaudited in silence: where there is no room in
// time, the answer is that nothing can be answered now.
func (g *Gateway) record(c *call, why error) error {
	entry := domain.Entry{
		ID: c.ex.Event, Action: domain.CallRefused, Issuer: c.ex.Issuer, Client: c.client(), Actor: c.ex.Actor, Tenant: c.tenant(), Resource: c.about(why),
		Reason: string(reasonOf(why)), Source: c.ex.Source.String(), Correlation: c.ex.Correlation,
	}
	if err := g.Activity.Record(c.r.Context(), entry); err != nil {
		return &guard.Refusal{Reason: guard.Unavailable, RetryAfter: retryAfter, Err: err}
	}
	return why
}

// Close ends the calls that changed to another protocol, and the connections to upstreams
// that no call uses.
func (g *Gateway) Close() {
	g.tunnels.close()
	g.upstreams.close()
}
