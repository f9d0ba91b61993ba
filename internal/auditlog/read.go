package auditlog

import (
	"errors"
	"net/http"
	"time"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
)

// pageTime is how long a client may take to read a page of an export, and then to end.
const pageTime = 30 * time.Second

// page is the answer to a search.
type page struct {
	Items      []item  `json:"items"`
	NextCursor *string `json:"next_cursor"` // null at the end
}

// search answers GET /.
func (s *Surface) search(c *Call, of whose) error {
	a := readQuery(c.Verdict.RawQuery, "action", "created_after", "created_before", "limit", "cursor")
	q := a.query(of)
	q.Limit, q.Cursor = a.limit(), a.text("cursor")
	if a.wrong != nil {
		return a.wrong
	}
	items, next, err := s.page(c, q, of)
	if err != nil {
		return err
	}
	write(c, http.StatusOK, page{items, known(next)})
	return nil
}

// page reads a page of these entries.
func (s *Surface) page(c *Call, q domain.Query, of whose) ([]item, string, error) {
	events, next, err := s.Trail.Events(c.Context(), q)
	if errors.Is(err, domain.ErrCursor) {
		return nil, "", &failure{status: http.StatusBadRequest, Code: "invalid_request", Description: "cursor is none of ours; take next_cursor of the page before",
			reason: string(guard.Parameter)}
	}
	if err != nil {
		return nil, "", err
	}
	items := make([]item, 0, len(events))
	for i := range events {
		if of.has(&events[i]) {
			items = append(items, itemOf(&events[i]))
		}
	}
	return items, next, nil
}

// export answers GET /export: all of these entries, as one file. It goes on while its client
// may call; where it cannot go on it breaks off, so that half of it never looks whole.
func (s *Surface) export(c *Call, of whose) error {
	a := readQuery(c.Verdict.RawQuery, "action", "created_after", "created_before", "format")
	q := a.query(of)
	q.Limit = mostLimit
	format := a.format()
	if a.wrong != nil {
		return a.wrong
	}
	write, err := table().Writer(c.Exchange, format)
	if err != nil {
		return err
	}
	items, next, err := s.page(c, q, of)
	if err != nil {
		return err
	}
	h := c.Exchange.Header()
	h.Set("Content-Type", format.Media())
	h.Set("Content-Disposition", `attachment; filename="audit-log.`+string(format)+`"`)
	c.Exchange.WriteHeader(http.StatusOK)
	patience(c, false)
	defer patience(c, true)
	for {
		if err := write(items); err != nil {
			breakOff(c, err)
		}
		if next == "" {
			return nil
		}
		if !c.Alive() {
			c.Exchange.Reason = "revoked"
			breakOff(c, errors.New("what let the call pass ceased to hold"))
		}
		patience(c, false)
		q.Cursor = next
		if items, next, err = s.page(c, q, of); err != nil {
			breakOff(c, err)
		}
	}
}

// breakOff ends an answer that has begun, in a way that its client sees.
func breakOff(c *Call, why error) {
	c.Exchange.Err = why
	panic(http.ErrAbortHandler)
}

// patience gives the client time for the next page, in place of the listener's, which is
// meant for short answers.
func patience(c *Call, last bool) {
	control, soon := http.NewResponseController(c.Exchange), time.Now().Add(pageTime)
	_ = control.SetWriteDeadline(soon) // a writer without deadlines has none to set
	if !last {
		soon = time.Time{}
	}
	_ = control.SetReadDeadline(soon)
}

// format reads the format of an export.
func (a *asked) format() audit.Format {
	switch text := a.text("format"); text {
	case "":
		return audit.NDJSON
	case string(audit.NDJSON), string(audit.CSV):
		return audit.Format(text)
	}
	a.refuse("format is ndjson or csv; left out it is ndjson")
	return ""
}

// table are the columns of an export as CSV.
func table() audit.Table[item] {
	return audit.Table[item]{
		Columns: []string{"id", "created_at", "action", "actor", "client_id", "tenant_id", "resource", "outcome", "request_id", "source", "details"},
		Row: func(i *item) []string {
			return []string{i.ID, i.CreatedAt, i.Action, said(i.Actor), said(i.ClientID), said(i.TenantID), said(i.Resource),
				i.Outcome, said(i.RequestID), said(i.Source), string(i.Details)}
		},
	}
}

// said is what is known, empty where nothing is.
func said(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
