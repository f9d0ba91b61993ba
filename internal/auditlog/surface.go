package auditlog

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/request"
)

// Config is what a Surface reads from and adds to.
type Config struct {
	Trail domain.Trail
	// Record keeps an entry, or says that it cannot: Writer.Record of package audit. nil:
	// nothing is kept on this node, and no event is taken.
	Record func(context.Context, domain.Entry) error
	Now    func() time.Time // that events are dated by
}

// Surface answers the calls of audit logs. It is safe for concurrent use.
type Surface struct{ Config }

// New makes a surface.
func New(c Config) *Surface { return &Surface{c} }

// Call is a call that the guard lets pass.
type Call struct {
	*http.Request
	Verdict  *guard.Verdict
	Exchange *request.Exchange // whose answer it is
	Alive    func() bool       // whether it would still pass
}

// failure is an answer that is none of what was asked for.
type failure struct {
	status      int
	Code        string `json:"error"`
	Description string `json:"error_description"`
	Accepted    *int   `json:"accepted,omitempty"` // events that are kept all the same
	reason      string // for the log
	err         error  // for the log
}

func (f *failure) Error() string { return f.Description }

// Answer answers the call.
func (s *Surface) Answer(c *Call) {
	h := c.Exchange.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	err := s.answer(c)
	if err == nil {
		return
	}
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = &failure{status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", Description: "the audit log cannot be read now; try again later",
			reason: string(guard.Unavailable), err: err}
	}
	if f.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	c.Exchange.Reason, c.Exchange.Err = f.reason, f.err
	write(c, f.status, f)
}

func (s *Surface) answer(c *Call) error {
	of, err := scopeOf(c.Verdict)
	if err != nil {
		return err
	}
	switch c.Verdict.Path {
	case domain.AuditLogSearch:
		return s.search(c, of)
	case domain.AuditLogExport:
		return s.export(c, of)
	case domain.AuditLogEvents:
		return s.add(c, of)
	}
	return notFound()
}

func notFound() error {
	return &failure{status: http.StatusNotFound, Code: "not_found", Description: "the audit log has no such endpoint", reason: string(guard.NoRoute)}
}

// write writes an answer of ours. Who is gone needs none.
func write(c *Call, status int, body any) {
	text, _ := json.Marshal(body) // of our own types, and JSON that was checked
	c.Exchange.Header().Set("Content-Type", "application/json")
	c.Exchange.WriteHeader(status)
	_, _ = c.Exchange.Write(append(text, '\n'))
}

// whose are entries: of one issuer, and of one tenant or all of them. Neither is left out by
// mistake: an empty issuer is nobody's.
type whose struct {
	issuer, tenant string
	allTenants     bool
}

var errNobody = errors.New("a call of nobody, or of one whose entries cannot be told from others'")

// scopeOf is whose entries the caller sees, and adds to.
func scopeOf(v *guard.Verdict) (of whose, err error) {
	switch {
	case v.Client != nil && v.Issuer != nil && v.Actor == nil:
		of = whose{v.Issuer.Name, v.Client.Tenant, v.Client.PlatformWide}
	case v.Actor != nil && v.Client == nil && len(v.API.Issuers) == 1:
		of = whose{v.API.Issuers[0].Name, v.Actor.Tenant, v.Actor.Tenant == ""}
	}
	if of.issuer == "" || of.allTenants != (of.tenant == "") {
		return whose{}, &failure{status: http.StatusInternalServerError, Code: "server_error", Description: "the call cannot be answered",
			reason: "misconfigured", err: errNobody}
	}
	return of, nil
}

// has reports whether an entry is among them. The store was asked for no others; whoever
// reads what is another's is not to find out that it was not.
func (of whose) has(e *domain.Event) bool {
	return e.Issuer == of.issuer && (of.allTenants || e.Tenant == of.tenant)
}
