package admin

import (
	"context"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/registry"
)

// Decision is what was decided about a request, as it was recorded then.
type Decision struct {
	Event audit.EventItem `json:"event"`
	Why   string          `json:"why" doc:"The decision in words."`
	// Of a refusal for rights, by the rule and the rights of this moment.
	Lacks   []Lack   `json:"lacks,omitempty" doc:"What the client lacks now for a call of that rule."`
	Grant   *Grant   `json:"grant,omitempty" doc:"The least that would let such a call pass, beside what the resource in it needs."`
	Unknown []string `json:"unknown,omitempty" doc:"What cannot be told from the record."`
}

func (a *api) auditDecision(h huma.API) {
	op := operation("explain-event", http.MethodGet, "/audit/decisions/{event}", "What was decided about a request, by the X-Request-Id of its answer")
	huma.Register(h, op, func(ctx context.Context, in *struct {
		Event string `path:"event" maxLength:"64"`
	}) (*struct{ Body Decision }, error) {
		if err := a.mayAudit(ctx, registry.Explain); err != nil {
			return nil, err
		}
		e, err := a.entry(ctx, in.Event)
		if err != nil {
			return nil, problem(ctx, err)
		}
		out, err := a.decision(ctx, e)
		if err != nil {
			return nil, problem(ctx, err)
		}
		return &struct{ Body Decision }{out}, nil
	})
}

// entry finds one within the caller's reach (RULES "Administration").
func (a *api) entry(ctx context.Context, text string) (*domain.Entry, error) {
	missing := fmt.Errorf("event %q: %w: calls that pass are not recorded, and of refusals that are counted together the first is", text, domain.ErrNotFound)
	id, err := domain.ParseEventID(text)
	if err != nil {
		return nil, domain.AsError("event", []domain.Problem{{Field: "path.event", Message: err.Error()}})
	}
	reach := a.as(ctx).Reach()
	q := domain.Query{Limit: 1, Within: &reach}
	next := new(big.Int).Add(new(big.Int).SetBytes(id[:]), big.NewInt(1))
	if next.BitLen() > 8*len(id) {
		return nil, missing
	}
	next.FillBytes(q.Before[:])
	list, err := a.Audit.Activity.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 || list[0].ID != id {
		return nil, missing
	}
	return &list[0], nil
}

func (a *api) decision(ctx context.Context, e *domain.Entry) (d Decision, err error) {
	event := e.Event()
	d.Event = audit.EventItemOf(&event)
	switch {
	case e.Action == domain.TokenIssued:
		d.Why = "a token was issued"
	case e.Action == domain.TokenRefused:
		d.Why = "no token was issued: " + e.Reason
	case domain.ValidEventName(string(e.Action)):
		d.Why = productWords(e)
	case e.Action != domain.CallRefused:
		d.Why = "recorded as " + string(e.Action)
	default:
		d.Why = "the call was refused: " + refusalWords(guard.Reason(e.Reason))
		err = a.missing(ctx, e, &d)
	}
	if e.Count > 1 {
		d.Why += fmt.Sprintf(", and so were %d others like it", e.Count-1)
	}
	return d, err
}

// missing tells what a client lacks now for a call of the rule that refused it then.
func (a *api) missing(ctx context.Context, e *domain.Entry, d *Decision) error {
	forRights := []guard.Reason{guard.EndpointDisabled, guard.ScopeMissing, guard.ActionMissing, guard.ResourceOutside}
	name, rule, _ := strings.Cut(e.Resource, " ")
	if !slices.Contains(forRights, guard.Reason(e.Reason)) || name == "" {
		return nil
	}
	if e.Client == "" {
		d.Unknown = append(d.Unknown, "what it lacks now: the role of a user or an API key is not recorded; `postern api show "+name+"` tells what each role may do")
		return nil
	}
	o, err := a.about(ctx, &Call{Issuer: e.Issuer, Client: e.Client, API: name})
	if err != nil {
		d.Unknown = append(d.Unknown, "what it lacks now: "+err.Error())
		return nil //nolint:nilerr // the record stays what it is, whatever became of its client
	}
	at := slices.IndexFunc(o.api.Routes, func(r policy.Route) bool { return r.Method+" "+r.Path == rule })
	if at < 0 {
		d.Unknown = append(d.Unknown, "what it lacks now: the document of a GraphQL call is not recorded, and a rule that is there no more asks for nothing; `postern explain --query FILE` judges a document")
		return nil
	}
	route := &o.api.Routes[at]
	for _, p := range route.Parameters {
		if p.Kind != "" {
			d.Unknown = append(d.Unknown, fmt.Sprintf("which %s it was: the values of parameters are not recorded", p.Kind))
		}
	}
	if o.api.AuditLog != nil && route.Path == domain.AuditLogEvents {
		d.Unknown = append(d.Unknown, o.eventsTold())
	}
	lacks := o.lacksOf(route)
	for _, r := range lacks.Missing {
		d.Lacks = append(d.Lacks, lackOf(r))
	}
	if len(lacks.Missing) > 0 {
		d.Grant = o.grant(lacks, lacks.Missing[0].Reason)
	}
	return nil
}

// lacksOf is what every call of a route needs, and the client lacks: the guard's own decision,
// one need after the other.
func (o *objects) lacksOf(route *policy.Route) *guard.Explanation {
	compiled := make(map[string]policy.Policy, len(o.policies))
	for i := range o.policies {
		compiled[o.policies[i].Name] = o.policies[i].Compiled()
	}
	out := &guard.Explanation{Rights: policy.Compile(o.client.Held(o.tenant, compiled)), Said: policy.Said{Scopes: o.client.Scopes}}
	tell := func(n policy.Need) {
		if d := out.Rights.Decide(&n, &out.Said); !d.Allowed {
			out.Missing = append(out.Missing, &guard.Refusal{Reason: guard.Reason(d.Reason), Missing: d.Missing, Resource: d.Resource})
		}
	}
	for i := range route.Tags {
		tell(policy.Need{Endpoints: route.Tags[i : i+1]})
	}
	for i := range route.Scopes {
		tell(policy.Need{Scopes: route.Scopes[i : i+1]})
	}
	for i := range route.Actions {
		tell(policy.Need{Actions: route.Actions[i : i+1]})
	}
	for _, r := range route.Whole(o.api.Routes) {
		tell(policy.Need{Resources: []policy.Resource{r}})
	}
	return out
}
