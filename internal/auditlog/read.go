package auditlog

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

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
	to, kind := writerFor(a, c.Exchange)
	if a.wrong != nil {
		return a.wrong
	}
	items, next, err := s.page(c, q, of)
	if err != nil {
		return err
	}
	h := c.Exchange.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="audit-log`+extension(kind)+`"`)
	c.Exchange.WriteHeader(http.StatusOK)
	patience(c, false)
	defer patience(c, true)
	for {
		if err := to(items); err != nil {
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

// The formats of an export.
const (
	ndjson = "application/x-ndjson"
	csvUTF = "text/csv; charset=utf-8; header=present" // RFC 4180 §3
)

func extension(kind string) string {
	if kind == csvUTF {
		return ".csv"
	}
	return ".ndjson"
}

// writerFor is what writes a page in the format that was asked for.
func writerFor(a *asked, w io.Writer) (write func([]item) error, kind string) {
	switch a.text("format") {
	case "", "ndjson":
		encoder := json.NewEncoder(w)
		return func(items []item) error {
			for i := range items {
				if err := encoder.Encode(&items[i]); err != nil {
					return err
				}
			}
			return nil
		}, ndjson
	case "csv":
		return rows(w), csvUTF
	}
	a.refuse("format is ndjson or csv; left out it is ndjson")
	return nil, ""
}

// rows writes items as lines of CSV (RFC 4180), below one of names.
func rows(w io.Writer) func([]item) error {
	to := csv.NewWriter(w)
	to.UseCRLF = true
	begun := false
	return func(items []item) error {
		if !begun {
			begun = true
			_ = to.Write([]string{"id", "created_at", "action", "actor", "client_id", "tenant_id", "resource", "outcome", "request_id", "source", "details"})
		}
		for i := range items {
			t := &items[i]
			_ = to.Write([]string{cell(&t.ID), t.CreatedAt, cell(&t.Action), cell(t.Actor), cell(t.ClientID), cell(t.TenantID), cell(t.Resource),
				t.Outcome, cell(t.RequestID), cell(t.Source), string(t.Details)}) // Flush keeps the error
		}
		to.Flush()
		return to.Error()
	}
}

// cell is a text that no spreadsheet takes for a formula (D-103).
func cell(s *string) string {
	if s == nil {
		return ""
	}
	if strings.HasPrefix(*s, "=") || strings.HasPrefix(*s, "+") || strings.HasPrefix(*s, "-") || strings.HasPrefix(*s, "@") || strings.HasPrefix(*s, "\t") {
		return "'" + *s
	}
	return *s
}
