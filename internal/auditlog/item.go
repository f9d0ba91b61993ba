package auditlog

import (
	"encoding/json"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// item is an entry as it is told (ARB-17). What is not known is null.
type item struct {
	ID        string          `json:"id"`
	CreatedAt string          `json:"created_at"`
	Action    string          `json:"action"`
	Actor     *string         `json:"actor"`
	ClientID  *string         `json:"client_id"`
	TenantID  *string         `json:"tenant_id"`
	Resource  *string         `json:"resource"`
	Outcome   string          `json:"outcome"`
	RequestID *string         `json:"request_id"`
	Source    *string         `json:"source"`
	Details   json.RawMessage `json:"details"` // an object, or null
}

func itemOf(e *domain.Event) item {
	return item{
		ID: e.ID, CreatedAt: e.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00"), Action: e.Action, Actor: known(e.Actor), ClientID: known(e.Client),
		TenantID: known(e.Tenant), Resource: known(e.Resource), Outcome: string(e.Outcome), RequestID: known(e.RequestID), Source: known(e.Source),
		Details: detailsOf(e),
	}
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// ofProduct reports whether an event is a product's own: no name of ours lacks a dot.
func ofProduct(action string) bool { return !strings.Contains(action, ".") }

// detailsOf is what else is known of an event: of a product's what the product said, of a
// change what it made, of a request what its members have no room for.
func detailsOf(e *domain.Event) json.RawMessage {
	if len(e.Details) > 0 || ofProduct(e.Action) {
		return e.Details
	}
	d := struct {
		Reason      string `json:"reason,omitempty"`
		Scope       string `json:"scope,omitempty"`
		SecretID    string `json:"secret_id,omitempty"`
		Correlation string `json:"correlation_id,omitempty"`
		Count       uint32 `json:"count,omitempty"`
	}{e.Reason, e.Scope, e.SecretID, e.Correlation, 0}
	if e.Count > 1 {
		d.Count = e.Count
	}
	text, _ := json.Marshal(d) // strings and a number
	if string(text) == "{}" {
		return nil
	}
	return text
}
