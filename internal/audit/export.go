package audit

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// EventItem is an event as administrators are told of it, its members in this order.
type EventItem struct {
	ID          string          `json:"id" doc:"Event id of the request, or change-N."`
	CreatedAt   time.Time       `json:"created_at"`
	Action      string          `json:"action" doc:"Names of ours have a dot, those of a product's own events none."`
	Actor       string          `json:"actor,omitempty" doc:"Who did it; of an entry that names none, its client."`
	Issuer      string          `json:"issuer,omitempty" doc:"By name."`
	ClientID    string          `json:"client_id,omitempty"`
	TenantID    string          `json:"tenant_id,omitempty"`
	Resource    string          `json:"resource,omitempty" doc:"Of a change kind/key; of a call API, method and path of the rule."`
	Outcome     domain.Outcome  `json:"outcome" enum:"success,refused"`
	Reason      string          `json:"reason,omitempty" doc:"Why it was refused."`
	Scope       string          `json:"scope,omitempty" doc:"Granted."`
	SecretID    string          `json:"secret_id,omitempty" doc:"That was used."`
	RequestID   string          `json:"request_id,omitempty" doc:"X-Request-Id of the answer; absent for a change."`
	Correlation string          `json:"correlation_id,omitempty" doc:"The caller's own id of the request."`
	Source      string          `json:"source,omitempty" doc:"Address of the peer."`
	Count       uint32          `json:"count" doc:"Of like events that this one stands for."`
	Change      int64           `json:"change,omitempty" doc:"Number in the chain of changes; absent for activity."`
	Details     json.RawMessage `json:"details,omitempty" doc:"Of a product's event what the product said; of a change the new object."`
}

// EventItemOf is an event in the form in which it is told.
func EventItemOf(e *domain.Event) EventItem {
	return EventItem{
		ID: e.ID, CreatedAt: e.Time.UTC(), Action: e.Action, Actor: e.Actor, Issuer: e.Issuer, ClientID: e.Client, TenantID: e.Tenant,
		Resource: e.Resource, Outcome: e.Outcome, Reason: e.Reason, Scope: e.Scope, SecretID: e.SecretID, RequestID: e.RequestID,
		Correlation: e.Correlation, Source: e.Source, Count: max(e.Count, 1), Change: int64(e.Seq), Details: e.Details,
	}
}

// events are the columns of events.
func events() Table[EventItem] {
	return Table[EventItem]{
		Columns: []string{"id", "created_at", "action", "actor", "issuer", "client_id", "tenant_id", "resource", "outcome", "reason", "scope", "secret_id",
			"request_id", "correlation_id", "source", "count", "change", "details"},
		Row: (*EventItem).row,
	}
}

func (i *EventItem) row() []string {
	change := ""
	if i.Change != 0 {
		change = strconv.FormatInt(i.Change, 10)
	}
	return []string{i.ID, i.CreatedAt.Format(time.RFC3339Nano), i.Action, i.Actor, i.Issuer, i.ClientID, i.TenantID, i.Resource, string(i.Outcome), i.Reason,
		i.Scope, i.SecretID, i.RequestID, i.Correlation, i.Source, strconv.FormatUint(uint64(i.Count), 10), change, string(i.Details)}
}

// exportPage is how many events are read at once.
const exportPage = 500

// Export writes every event that the query selects, newest first, page by page: what it holds
// in memory is one page. Limit and Cursor of the query are not looked at. A query without an
// end should be given one, or what happens meanwhile may be in it.
func Export(ctx context.Context, w io.Writer, format Format, trail domain.Trail, q domain.Query) (n int64, err error) {
	write, err := events().Writer(w, format)
	if err != nil {
		return 0, err
	}
	q.Limit, q.Cursor = exportPage, ""
	for {
		page, next, err := trail.Events(ctx, q)
		if err != nil {
			return n, err
		}
		items := make([]EventItem, len(page))
		for i := range page {
			items[i] = EventItemOf(&page[i])
		}
		if err := write(items); err != nil {
			return n, err
		}
		n += int64(len(items))
		if next == "" {
			return n, nil
		}
		q.Cursor = next
	}
}
