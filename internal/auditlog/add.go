package auditlog

import (
	"errors"
	"net/http"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
)

// ProductReason is the Reason of a product's event with the outcome refused: the product's
// own reason stands in its details.
const ProductReason = "product"

// added is the answer to events that are kept.
type added struct {
	Accepted int      `json:"accepted"`
	IDs      []string `json:"ids"` // in the order in which they were sent
}

var errOff = errors.New("activity is not kept (audit.tokens: off)")

// add answers POST /events. The guard has read them, and whether the caller may tell of each.
// Who tells, for whom, from where and when is ours to say; none is lost in silence.
func (s *Surface) add(c *Call, of whose) error {
	answer := added{IDs: []string{}}
	if s.Record == nil {
		return notKept(0, errOff)
	}
	if c.Verdict.Events == nil {
		return notFound()
	}
	now := s.Now()
	for i := range *c.Verdict.Events {
		e := s.entry(c, of, &(*c.Verdict.Events)[i], now)
		if err := s.Record(c.Context(), e); err != nil {
			return notKept(answer.Accepted, err)
		}
		answer.Accepted++
		answer.IDs = append(answer.IDs, e.ID.String())
	}
	write(c, http.StatusAccepted, answer)
	return nil
}

func notKept(before int, err error) error {
	return &failure{status: http.StatusServiceUnavailable, Code: "temporarily_unavailable",
		Description: "not all events could be kept; send those after the first `accepted` again", Accepted: &before, reason: string(guard.Unavailable), err: err}
}

func (s *Surface) entry(c *Call, of whose, event *guard.ProductEvent, now time.Time) domain.Entry {
	e := domain.Entry{
		ID: domain.NewEventID(now), Action: domain.Action(event.Name), Issuer: of.issuer, Tenant: of.tenant, Resource: event.Resource,
		Details: string(event.Details), Source: c.Exchange.Source.String(), Correlation: c.Exchange.Correlation,
	}
	if v := c.Verdict; v.Client != nil {
		e.Client = v.Client.ID
	} else {
		e.Actor = v.Actor.String()
	}
	if event.Outcome == domain.Refused {
		e.Reason = ProductReason
	}
	return e
}
