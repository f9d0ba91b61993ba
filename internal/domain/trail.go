package domain

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// ErrCursor is returned for a cursor that Events did not give out.
var ErrCursor = errors.New("not a cursor: take the one that came with the page before")

// Event is a change or an entry of activity, as it is told to those who read the trail.
type Event struct {
	// ID is the event id of activity (EventID), or `change-<seq>`.
	ID       string
	Time     time.Time
	Action   string // names of ours have a dot, those of a product's own events none
	Actor    string // of an entry that names none: its client
	Issuer   string
	Client   string
	Tenant   string // of the object that changed, or of the client
	Resource string // of a change `kind/key`; of a call API, method and path
	Outcome  Outcome
	Reason   string // why it was refused
	Source   string // address of the peer
	Scope    string // granted
	SecretID string // that was used
	Count    uint32 // of like events that this one stands for; at least 1
	// RequestID is the event id of the request; empty for a change. Correlation is the
	// caller's own.
	RequestID, Correlation string
	// Details is a JSON object: of a product's event as it came, of a change its
	// ChangeDetails; nil where there is none.
	Details json.RawMessage
	Seq     Seq // of a change; 0 for activity
}

// Event is an entry of activity as it is told.
func (e *Entry) Event() Event {
	id := e.ID.String()
	v := Event{
		ID: id, Time: e.ID.Time(), Action: string(e.Action), Actor: e.Actor, Issuer: e.Issuer, Client: e.Client, Tenant: e.Tenant,
		Resource: e.Resource, Outcome: Success, Reason: e.Reason, Source: e.Source, Scope: e.Scope, SecretID: e.SecretID,
		Count: e.Count, RequestID: id, Correlation: e.Correlation,
	}
	if v.Actor == "" {
		v.Actor = e.Client
	}
	if e.Reason != "" {
		v.Outcome = Refused
	}
	if e.Details != "" {
		v.Details = json.RawMessage(e.Details)
	}
	return v
}

// ChangeDetails are the Details of an event that is a change.
type ChangeDetails struct {
	Version int64           `json:"version"`          // of the object; 0 where it was deleted
	Object  json.RawMessage `json:"object,omitempty"` // the whole new object, where it has at most MaxDetails bytes
	Bytes   int64           `json:"bytes,omitempty"`  // of an object that has more: Follow returns it
}

// MaxDetails is how many bytes of an object an Event carries at most.
const MaxDetails = 4096

// Trail is changes and activity as one.
type Trail interface {
	// Events returns a page newest first, and the Cursor of the next one, empty where there
	// is none. Of two in the same millisecond the change comes first. It returns ErrCursor
	// for a cursor that is none.
	Events(ctx context.Context, q Query) (page []Event, next string, err error)
}

// LastUses tells when secrets were used last.
type LastUses interface {
	// LastUses returns, by id, when each secret of a client was used last, to five minutes;
	// one that never was is absent.
	LastUses(ctx context.Context, issuer, client string) (map[string]time.Time, error)
}

// Retention drops old activity.
type Retention interface {
	// Retain drops whole batches of activity that ended before the time given, keeps their
	// hashes, and returns how many entries went.
	Retain(ctx context.Context, before time.Time) (dropped int64, err error)
}
