package admin

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
)

// Holds is what the client holds: that of it which is in force at this call.
type Holds struct {
	Scopes        []string             `json:"scopes,omitempty" doc:"Held now, and said by the token."`
	Policies      []HeldPolicy         `json:"policies,omitempty"`
	Resources     domain.ResourceScope `json:"resources,omitempty"`
	Endpoints     []string             `json:"endpoints,omitempty" doc:"Enabled for its tenant."`
	EveryEndpoint bool                 `json:"every_endpoint,omitempty" doc:"It is of no tenant."`
	Tier          string               `json:"tier"`
	PerMinute     int64                `json:"per_minute,omitempty" doc:"Calls a minute at this API; left out: unlimited, or not known."`
}

// HeldPolicy is a policy with its actions.
type HeldPolicy struct {
	Name    string   `json:"name"`
	Actions []string `json:"actions,omitempty"`
	Outside bool     `json:"outside,omitempty" doc:"The ceiling of the tenant leaves it out: it is worth nothing."`
}

// objects are those that an explanation is about.
type objects struct {
	call     *Call
	api      domain.API
	client   domain.Client
	tenant   *domain.Tenant // nil: of none
	policies []domain.Policy
}

// about reads what the call is about. The error says what there is not.
func (a *api) about(ctx context.Context, c *Call) (o objects, err error) {
	r := a.as(ctx)
	o.call = c
	if o.api, err = r.GetAPI(ctx, c.API); err != nil {
		return o, err
	}
	if _, err = r.GetIssuer(ctx, c.Issuer); err != nil {
		return o, err
	}
	if o.client, err = r.GetClient(ctx, c.Issuer, c.Client); err != nil {
		return o, err
	}
	if o.client.Tenant != "" {
		tenant, err := r.GetTenant(ctx, o.client.Tenant)
		if err != nil {
			return o, err
		}
		o.tenant = &tenant
	}
	const most = 500
	for page := (domain.Page{Limit: most}); ; page.After = o.policies[len(o.policies)-1].Key() {
		list, err := r.ListPolicies(ctx, page)
		if err != nil {
			return o, err
		}
		if o.policies = append(o.policies, list...); len(list) < most {
			break
		}
	}
	return o, nil
}

// tell is the explanation in the words of the API.
func (o *objects) tell(e guard.Explanation) Explained {
	out := Explained{Allowed: e.Err == nil, Holds: o.holds(&e), Touches: resources(e.Touches)}
	if out.Allowed {
		out.Forwards = o.forwards(&e)
		return out
	}
	out.Reason, out.Why = o.why(&e)
	if r, ok := errors.AsType[*guard.Refusal](e.Err); ok && r.Place != (guard.Place{}) {
		at := placeOf(r)
		out.At = &at
	}
	for _, r := range e.Missing {
		out.Lacks = append(out.Lacks, lackOf(r))
	}
	out.Grant = o.grant(&e, out.Reason)
	return out
}

// forwards is what the API would get; nil where it is the audit log, which nobody else answers.
func (o *objects) forwards(e *guard.Explanation) *Forwarded {
	if o.api.AuditLog != nil {
		return nil
	}
	f := &Forwarded{URL: o.api.Upstream + e.Path}
	if e.RawQuery != "" {
		f.URL += "?" + e.RawQuery
	}
	if f.Method, f.Body = o.call.Method, o.call.Body; e.GraphQL != nil {
		f.Method, f.Body, f.Checked = http.MethodPost, string(e.GraphQL.Body), e.GraphQL.Check
	}
	return f
}

func (o *objects) holds(e *guard.Explanation) Holds {
	h := Holds{Scopes: e.Scopes, Resources: e.Resources, Tier: o.client.Tier, PerMinute: e.PerMinute, EveryEndpoint: o.client.PlatformWide}
	if o.tenant != nil {
		h.Endpoints = o.tenant.Endpoints
	}
	for _, p := range o.policies {
		if slices.Contains(o.client.Policies, p.Name) {
			h.Policies = append(h.Policies, HeldPolicy{Name: p.Name, Actions: slices.Sorted(maps.Keys(p.Actions)), Outside: !o.mayHold(p.Name)})
		}
	}
	return h
}

// mayHold reports whether the tenant's ceiling leaves the policy to its clients.
func (o *objects) mayHold(name string) bool {
	return o.tenant == nil || o.tenant.Ceiling == nil || slices.Contains(o.tenant.Ceiling.Policies, name)
}

func (o *objects) mayHaveScope(name string) bool {
	return o.tenant == nil || o.tenant.Ceiling == nil || o.tenant.Ceiling.Scopes.Contains(name)
}

func placeOf(r *guard.Refusal) Place {
	return Place{Path: r.Path, Coordinate: r.Coordinate, Line: r.Line, Column: r.Column}
}

func lackOf(r *guard.Refusal) Lack {
	l := Lack{Place: placeOf(r)}
	for _, n := range r.Alternatives {
		l.Alternatives = append(l.Alternatives, Alternative{Scopes: n.Scopes, Actions: n.Actions})
	}
	switch {
	case l.Alternatives != nil:
	case r.Reason == guard.EndpointDisabled:
		l.Endpoint = r.Missing
	case r.Reason == guard.ScopeMissing:
		l.Scope = r.Missing
	case r.Reason == guard.ActionMissing:
		l.Action = r.Missing
	case r.Reason == guard.ResourceOutside:
		one := Resource(r.Resource)
		l.Resource = &one
	}
	return l
}

func resources(list []policy.Resource) (out []Resource) {
	for _, r := range list {
		if !slices.Contains(out, Resource(r)) {
			out = append(out, Resource(r))
		}
	}
	return out
}
