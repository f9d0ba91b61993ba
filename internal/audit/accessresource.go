package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
)

// ResourceAccess is which clients could touch a resource at a time.
type ResourceAccess struct {
	Moment
	Kind    string           `json:"kind"`
	ID      string           `json:"id"`
	Label   string           `json:"label,omitempty"` // that the directory had for it
	Clients []ClientAtObject `json:"clients"`
}

// ClientAtObject is a client that could touch the resource.
type ClientAtObject struct {
	Issuer string      `json:"issuer"`
	ID     string      `json:"client_id"`
	Name   string      `json:"name"`
	Tenant string      `json:"tenant,omitempty"`
	All    bool        `json:"all,omitempty"` // it holds all of the kind, not this one by its id
	APIs   []APIAccess `json:"apis"`          // where, and by what
}

// AccessToResource tells which clients could touch a resource at a time: those that were
// alive, held it within what was their tenant's, and had what some rule about its kind asks
// for, at an API that took their tokens. Clients outside of within are not told of.
func AccessToResource(ctx context.Context, feed Feed, at time.Time, kind, id string, within domain.Reach) (a ResourceAccess, err error) {
	label := domain.NamedResourceKey(kind, id)
	p, err := readPast(ctx, feed, at, func(k domain.Kind, key string) bool {
		return k == domain.KindClient || k == domain.KindNamedResource && key == label
	})
	if err != nil {
		return a, err
	}
	a = ResourceAccess{Moment: p.Moment, Kind: kind, ID: id, Clients: []ClientAtObject{}}
	for r, change := range p.objects {
		if change.Object == nil {
			continue
		}
		switch r.kind {
		case domain.KindClient:
			err = p.addClient(&a, change.Object, within)
		case domain.KindNamedResource:
			var n domain.NamedResource
			if err = json.Unmarshal(change.Object, &n); err == nil && within.Tenant(n.Tenant) {
				a.Label = n.Label
			}
		}
		if err != nil {
			return a, fmt.Errorf("change %d: %w", change.Seq, err)
		}
	}
	slices.SortFunc(a.Clients, func(x, y ClientAtObject) int {
		return strings.Compare(domain.ClientKey(x.Issuer, x.ID), domain.ClientKey(y.Issuer, y.ID))
	})
	return a, nil
}

func (p *past) addClient(a *ResourceAccess, object []byte, within domain.Reach) error {
	var c domain.Client
	if err := json.Unmarshal(object, &c); err != nil {
		return err
	}
	if !within.Seen(c.Tenant, c.Issuer) || standing(&c, p.Asked) != StandingEnabled {
		return nil
	}
	held, rights := p.held(&c)
	asked := policy.Resource{Kind: a.Kind, ID: a.ID}
	if !rights.Decide(&policy.Need{Resources: []policy.Resource{asked}}, &policy.Said{}).Allowed {
		return nil
	}
	out := ClientAtObject{Issuer: c.Issuer, ID: c.ID, Name: c.Name, Tenant: c.Tenant, All: rights.Resources(&policy.Said{})[a.Kind].All}
	for i := range p.apis {
		api := &p.apis[i]
		if !p.takes(api, &c) {
			continue
		}
		if at, touches := p.touching(api, &c, &held, rights, &asked); touches {
			out.APIs = append(out.APIs, at)
		}
	}
	if len(out.APIs) > 0 {
		a.Clients = append(a.Clients, out)
	}
	return nil
}

// touching is what the client could do to the resource at an API, and whether anything.
func (p *past) touching(api *domain.API, c *domain.Client, held *policy.Held, rights *policy.Rights, asked *policy.Resource) (APIAccess, bool) {
	a := APIAccess{Name: api.Name, Label: api.Label, PerMinute: p.limit(api, c)}
	actions := map[string]bool{}
	for i := range api.Routes {
		if r := &api.Routes[i]; passes(r, api.Routes, held, rights, asked) {
			a.Routes = append(a.Routes, r.Method+" "+r.Path)
			note(actions, r.Actions)
		}
	}
	if api.GraphQL != nil {
		if schema, _ := api.GraphQL.Load(); schema != nil && slices.Contains(schema.Kinds(), asked.Kind) {
			inSchema := map[string]bool{}
			note(inSchema, schema.Actions())
			mine := p.actions(held, inSchema)
			a.GraphQL = len(mine) > 0 || len(inSchema) == 0
			for _, one := range mine {
				actions[one.Name] = true
			}
		}
	}
	a.Actions = p.actions(held, actions)
	return a, len(a.Routes) > 0 || a.GraphQL
}
