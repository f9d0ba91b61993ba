package admin_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
)

// RULES "Administration": explain takes the event id, and says what is lacking now.
func TestExplainEvent(t *testing.T) {
	w := newTrail(t)
	conn, _ := w.conn(t, domain.Auditor, all())
	got, err := conn.ExplainEvent(t.Context(), w.first.String())
	if err != nil {
		t.Fatal(err)
	}
	lacks := fmt.Sprint(len(got.Lacks), got.Lacks[0].Scope, got.Lacks[1].Action, got.Grant.Scopes, got.Grant.Policies, got.Unknown)
	if lacks != "2readstudies:read[read] [reader] [which study it was: the values of parameters are not recorded]" || got.Why != "the call was refused: a scope that the rule needs was not in the token, or not held any more (scope_missing)" || got.Event.ClientID != clientOne {
		t.Errorf("%s %+v", lacks, got)
	}
	got, err = conn.ExplainEvent(t.Context(), w.last.String())
	if err != nil || len(got.Lacks) != 0 || got.Grant != nil {
		t.Errorf("one that lacks nothing any more: %+v, %v", got, err)
	}
	refused(t, "no event", 404, func() error {
		_, err := conn.ExplainEvent(t.Context(), domain.NewEventID(time.Now()).String())
		return err
	})
	refused(t, "the greatest id", 404, func() error {
		_, err := conn.ExplainEvent(t.Context(), "ffffffff-ffff-ffff-ffff-ffffffffffff")
		return err
	})
	refused(t, "no id", 422, func() error { _, err := conn.ExplainEvent(t.Context(), "hello"); return err })
}

const productObjects = `kind: Policy
name: dlp
actions: {"events:dlp_block": Tell what was blocked., "events:dlp_warn": Tell of warnings.}
---
kind: API
name: log
audience: urn:log
issuers: [main]
path: /log
audit_log: {}
routes:
  - {method: POST, path: /events, scopes: [write]}
---
kind: Client
issuer: main
id: aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaa3
name: product
tenant: 11111111-1111-4111-8111-111111111111
audiences: [urn:log]
policies: [dlp]
scopes: [write]
`

// ARB-07, ARB-18: of a product's own event, of events that were refused, and of a caller that
// is no client, explain says what decided, and what the record does not tell.
func TestExplainEventOfAProduct(t *testing.T) {
	w := newTrail(t)
	conn, _ := w.conn(t, domain.Auditor, all())
	objects, err := declare.Parse([]declare.File{{Name: "log.yaml", Content: []byte(productObjects)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := declare.Apply(t.Context(), w.reg, domain.System, objects, declare.Options{}); err != nil {
		t.Fatal(err)
	}
	const product = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaa3"
	told := "which events it told of: the body is not recorded; each needs the action events:NAME, and the client may now tell of "
	for _, c := range []struct {
		name    string
		entry   domain.Entry
		why     string
		unknown []string
	}{
		{"kept", domain.Entry{Action: "dlp_block", Client: product}, "it was kept: who sent it held the action events:dlp_block", nil},
		{"kept, of a refusal", domain.Entry{Action: "dlp_block", Client: product, Reason: "product"},
			"it was kept: who sent it held the action events:dlp_block; that something was refused is the product's word", nil},
		{"an event that it may not tell of", domain.Entry{Action: domain.CallRefused, Client: product, Reason: "action_missing", Resource: "log POST /events"},
			"the call was refused: no policy of the caller held an action that it needs (action_missing)", []string{told + "dlp_block, dlp_warn only"}},
		{"a client that may tell of none", domain.Entry{Action: domain.CallRefused, Client: clientOne, Reason: "scope_missing", Resource: "log POST /events"},
			"the call was refused: a scope that the rule needs was not in the token, or not held any more (scope_missing)", []string{told + "none"}},
		{"no event at all", domain.Entry{Action: domain.CallRefused, Client: product, Reason: "event_refused", Resource: "log POST /events"},
			"the call was refused: its body held something that is no event (event_refused)", nil},
		{"an API key", domain.Entry{Action: domain.CallRefused, Actor: "key:1", Reason: "action_missing", Resource: "lab GET /studies/{study}"},
			"the call was refused: no policy of the caller held an action that it needs (action_missing)",
			[]string{"what it lacks now: the role of a user or an API key is not recorded; `postern api show lab` tells what each role may do"}},
		{"a reason without words", domain.Entry{Action: domain.CallRefused, Client: product, Reason: "loop", Resource: "lab"}, "the call was refused: loop", nil},
	} {
		e := c.entry
		e.ID, e.Issuer, e.Tenant = domain.NewEventID(time.Now()), "main", tenantOne
		if err := w.db.Append(t.Context(), "n", []domain.Entry{e}); err != nil {
			t.Fatal(err)
		}
		got, err := conn.ExplainEvent(t.Context(), e.ID.String())
		if err != nil || got.Why != c.why || !slices.Equal(got.Unknown, c.unknown) {
			t.Errorf("%s: %q, %q, %v", c.name, got.Why, got.Unknown, err)
		}
	}
}
