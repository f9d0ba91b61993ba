package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// Audit is what the operations on the audit trail read.
type Audit struct {
	Store    domain.Store    // its feed of changes
	Batches  audit.Batches   // all activity, as it is stored
	Derived  audit.Derived   // what follows from the changes
	Activity domain.Activity // one entry of it
	Trail    domain.Trail    // both, to be searched
	// Key returns the public JWK (RFC 7517) of the key that signs checkpoints.
	Key func(context.Context) (json.RawMessage, error)
}

// EventQuery selects events. (Exported as ClientPath is.)
type EventQuery struct {
	Action   string         `query:"action" maxLength:"200" doc:"As in token.refuse or client.create."`
	Actor    string         `query:"actor" maxLength:"300"`
	Client   string         `query:"client" maxLength:"300" doc:"By id."`
	Issuer   string         `query:"issuer" maxLength:"300" doc:"By name."`
	Tenant   string         `query:"tenant" maxLength:"300" doc:"By id."`
	Resource string         `query:"resource" maxLength:"1000" doc:"Of a change its kind, or kind/key; of a call API, method and path of the rule."`
	Outcome  domain.Outcome `query:"outcome" enum:"success,refused"`
	From     time.Time      `query:"from" doc:"From then on."`
	To       time.Time      `query:"to" doc:"Before then."`
}

// within is the query of whoever reaches so far (D-102); every value is bound (D-107).
func (q *EventQuery) within(r domain.Reach) domain.Query {
	return domain.Query{
		Action: domain.Action(q.Action), Actor: q.Actor, Client: q.Client, Issuer: q.Issuer, Tenant: q.Tenant, Resource: q.Resource, Outcome: q.Outcome,
		From: q.From, To: q.To, Within: &r,
	}
}

// CheckpointKey is the key that checkpoints of the audit trail are verified with.
type CheckpointKey struct {
	Key json.RawMessage `json:"key" doc:"JWK (RFC 7517) with the public half. Keep it elsewhere than the trail."`
}

// audit registers the operations on the audit trail: search, export, verification, backup,
// and who could do what at a time.
func (a *api) audit(h huma.API) {
	huma.Register(h, operation("search-audit", http.MethodGet, "/audit/events", "Search the audit trail, newest first: changes, tokens, refusals, and what products told"), a.searchAudit)
	huma.Register(h, streaming("export-audit", "/audit/export", "All that a search finds, as NDJSON or CSV"), a.exportAudit)
	huma.Register(h, operation("verify-audit", http.MethodGet, "/audit/verify", "Recompute every chain of the audit trail, and tell what is not as it was written"), a.verifyAudit)
	huma.Register(h, streaming("backup-audit", "/audit/backup", "The whole audit trail as it is stored, to be verified elsewhere"), a.backupAudit)
	huma.Register(h, operation("get-checkpoint-key", http.MethodGet, "/audit/key", "The public key of checkpoints"), func(ctx context.Context, _ *struct{}) (*struct{ Body CheckpointKey }, error) {
		if err := a.mayAudit(ctx, registry.ReadCheckpoints); err != nil {
			return nil, err
		}
		key, err := a.Audit.Key(ctx)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &struct{ Body CheckpointKey }{CheckpointKey{key}}, nil
	})
	a.auditAccess(h)
	a.auditDecision(h)
}

// streaming is an operation whose answer is as long as it is.
func streaming(id, path, summary string) huma.Operation {
	op := operation(id, http.MethodGet, path, summary)
	text := &huma.Schema{Type: huma.TypeString}
	op.Responses = map[string]*huma.Response{"200": {Description: "One event or row a line", Content: map[string]*huma.MediaType{audit.NDJSON.Media(): {Schema: text}}}}
	if id == "export-audit" {
		op.Responses["200"].Content["text/csv"] = &huma.MediaType{Schema: text}
	}
	return op
}

// mayAudit is the registry's answer to whether the caller may.
func (a *api) mayAudit(ctx context.Context, name string) error {
	return problem(ctx, a.as(ctx).May(registry.Operation{Name: name}))
}

func (a *api) searchAudit(ctx context.Context, in *struct {
	EventQuery
	PageQuery
}) (*page[audit.EventItem], error) {
	if err := a.mayAudit(ctx, registry.SearchAudit); err != nil {
		return nil, err
	}
	q := in.within(a.as(ctx).Reach())
	q.Limit, q.Cursor = in.Limit, in.after
	events, next, err := a.Audit.Trail.Events(ctx, q)
	switch {
	case errors.Is(err, domain.ErrCursor):
		return nil, fail(http.StatusBadRequest, malformed, err.Error(), place("query.cursor", "begin again without it"))
	case err != nil:
		return nil, problem(ctx, err)
	}
	var p page[audit.EventItem]
	if next != "" {
		p.Body.Next = in.cursor(next)
		p.Link = in.link(p.Body.Next)
	}
	p.Body.Items = make([]audit.EventItem, 0, len(events))
	for i := range events {
		p.Body.Items = append(p.Body.Items, audit.EventItemOf(&events[i]))
	}
	return &p, nil
}

func (a *api) exportAudit(ctx context.Context, in *struct {
	EventQuery
	Format audit.Format `query:"format" enum:"ndjson,csv" default:"ndjson"`
}) (*huma.StreamResponse, error) {
	if err := a.mayAudit(ctx, registry.ExportAudit); err != nil {
		return nil, err
	}
	q := in.within(a.as(ctx).Reach())
	if q.To.IsZero() { // what happens from now on is not in it
		q.To = a.registry.Now()
	}
	name := "audit." + string(in.Format)
	return a.stream(ctx, in.Format.Media(), name, func(w io.Writer) error {
		_, err := audit.Export(ctx, w, in.Format, a.Audit.Trail, q)
		return err
	}), nil
}

func (a *api) verifyAudit(ctx context.Context, _ *struct{}) (*struct{ Body audit.Report }, error) {
	if err := a.mayAudit(ctx, registry.VerifyAudit); err != nil {
		return nil, err
	}
	report, err := audit.Verify(ctx, a.Audit.Store, a.Audit.Batches, a.Audit.Derived)
	if err != nil {
		return nil, problem(ctx, err)
	}
	return &struct{ Body audit.Report }{report}, nil
}

func (a *api) backupAudit(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	if err := a.mayAudit(ctx, registry.VerifyAudit); err != nil {
		return nil, err
	}
	return a.stream(ctx, audit.NDJSON.Media(), "audit-backup.ndjson", func(w io.Writer) error {
		return audit.Backup(ctx, w, a.Audit.Store, a.Audit.Batches)
	}), nil
}

// stream answers with what f writes. Where f fails in the midst of it the answer breaks off,
// so that nobody takes it for whole.
func (a *api) stream(ctx context.Context, media, name string, f func(io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", media)
		h.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
		h.SetStatus(http.StatusOK)
		if err := f(h.BodyWriter()); err != nil {
			askedOf(ctx).exchange.Err = err
			panic(http.ErrAbortHandler)
		}
	}}
}
