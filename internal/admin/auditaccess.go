package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/registry"
)

func (a *api) auditAccess(h huma.API) {
	client := operation("access-of-client", http.MethodGet, "/audit/access/clients/{issuer}/{id}", "What a client could do at a time, from the history of changes")
	huma.Register(h, client, func(ctx context.Context, in *struct {
		ClientPath
		At time.Time `query:"at" required:"true" doc:"The time."`
	}) (*struct{ Body audit.ClientAccess }, error) {
		if err := a.mayAudit(ctx, registry.AuditAccess); err != nil {
			return nil, err
		}
		out, err := audit.AccessOfClient(ctx, a.Audit.Store, in.At, in.Issuer, in.ID, a.as(ctx).Reach())
		if err != nil {
			return nil, a.accessProblem(ctx, err)
		}
		return &struct{ Body audit.ClientAccess }{out}, nil
	})
	resource := operation("access-to-resource", http.MethodGet, "/audit/access/resources", "Which clients could touch a resource at a time, where, and by which actions")
	huma.Register(h, resource, func(ctx context.Context, in *struct {
		At   time.Time `query:"at" required:"true" doc:"The time."`
		Kind string    `query:"kind" required:"true" minLength:"1" maxLength:"200" doc:"As in study."`
		ID   string    `query:"id" required:"true" minLength:"1" maxLength:"1000"`
	}) (*struct{ Body audit.ResourceAccess }, error) {
		if err := a.mayAudit(ctx, registry.AuditAccess); err != nil {
			return nil, err
		}
		out, err := audit.AccessToResource(ctx, a.Audit.Store, in.At, in.Kind, in.ID, a.as(ctx).Reach())
		if err != nil {
			return nil, a.accessProblem(ctx, err)
		}
		return &struct{ Body audit.ResourceAccess }{out}, nil
	})
}

func (a *api) accessProblem(ctx context.Context, err error) error {
	if errors.Is(err, audit.ErrBeforeHistory) {
		return fail(http.StatusUnprocessableEntity, invalid, err.Error(), place("query.at", "name a later time"))
	}
	return problem(ctx, err)
}
