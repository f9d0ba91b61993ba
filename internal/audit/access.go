package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
)

// Standing is whether a client could do anything at all.
type Standing string

// The standings.
const (
	StandingEnabled  Standing = "enabled"
	StandingDisabled Standing = "disabled" // no tokens, and those before were dead
	StandingEnded    Standing = "ended"    // past its valid_until, with the same effect
	StandingDeleted  Standing = "deleted"
)

// ClientAccess is what a client could do at a time. It is what its row, its tenant, its
// policies and the APIs said then; a token may have said less.
type ClientAccess struct {
	Moment
	Issuer       string    `json:"issuer"`
	ID           string    `json:"client_id"`
	Name         string    `json:"name"`
	Tenant       string    `json:"tenant,omitempty"`
	TenantLabel  string    `json:"tenant_label,omitempty"`
	PlatformWide bool      `json:"platform_wide,omitempty"`
	Standing     Standing  `json:"standing"`
	ByChange     ChangedBy `json:"since"` // that made its row what it was then

	Secrets   []domain.Secret      `json:"secrets"` // that it could authenticate with
	Audiences []string             `json:"audiences"`
	Scopes    []string             `json:"scopes"`
	Policies  []PolicyAccess       `json:"policies"`
	Resources domain.ResourceScope `json:"resources"` // what of its resource scope was its tenant's
	Endpoints []string             `json:"endpoints,omitempty"`
	Tier      string               `json:"tier"`
	PerMinute int64                `json:"per_minute,omitempty"` // of the tier; absent: unlimited
	APIs      []APIAccess          `json:"apis"`                 // that took its tokens
}

// ChangedBy tells who changed something, and when.
type ChangedBy struct {
	Seq    int64     `json:"change"`
	Time   time.Time `json:"time"`
	Action string    `json:"action"`
	Actor  string    `json:"actor"`
}

// PolicyAccess is a policy that a client was given.
type PolicyAccess struct {
	Name    string         `json:"name"`
	Actions []ActionAccess `json:"actions"`
	Outside bool           `json:"outside,omitempty"` // above the ceiling of its tenant: it brought nothing
	Absent  bool           `json:"absent,omitempty"`  // there was none of that name
}

// ActionAccess is an action, with what it lets a client do.
type ActionAccess struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// APIAccess is what a client could do at an API.
type APIAccess struct {
	Name      string         `json:"name"`
	Label     string         `json:"label,omitempty"`
	PerMinute int64          `json:"per_minute,omitempty"` // absent: unlimited
	Routes    []string       `json:"routes,omitempty"`     // method and path of the rules that let it pass
	GraphQL   bool           `json:"graphql,omitempty"`    // its GraphQL endpoint: which fields, its schema says by the actions
	Actions   []ActionAccess `json:"actions"`              // of the client's that the API asks for
}

// AccessOfClient tells what a client could do at a time. within is what whoever asks may see:
// what lies outside is domain.ErrNotFound, as what never was. The error wraps
// ErrBeforeHistory for a time before the first change.
func AccessOfClient(ctx context.Context, feed Feed, at time.Time, issuer, id string, within domain.Reach) (a ClientAccess, err error) {
	key := domain.ClientKey(issuer, id)
	p, err := readPast(ctx, feed, at, func(kind domain.Kind, k string) bool { return kind == domain.KindClient && k == key })
	if err != nil {
		return a, err
	}
	missing := fmt.Errorf("client %q of issuer %q at %s: %w", id, issuer, at.UTC().Format(time.RFC3339), domain.ErrNotFound)
	now, ok := p.objects[ref{domain.KindClient, key}]
	if !ok {
		return a, missing
	}
	row := now
	if now.Object == nil {
		row = p.before[ref{domain.KindClient, key}]
	}
	var c domain.Client
	if err := json.Unmarshal(row.Object, &c); err != nil {
		return a, fmt.Errorf("change %d: %w", row.Seq, err)
	}
	if !within.Seen(c.Tenant, c.Issuer) {
		return a, missing
	}
	a = p.client(&c)
	a.ByChange = ChangedBy{Seq: int64(now.Seq), Time: now.Time, Action: now.Action, Actor: string(now.Actor)}
	if now.Object == nil {
		a.Standing, a.Secrets = StandingDeleted, []domain.Secret{}
	}
	if a.Standing != StandingEnabled {
		a.APIs = []APIAccess{}
	}
	return a, nil
}

// standing is that of a client that is there.
func standing(c *domain.Client, at time.Time) Standing {
	switch {
	case c.Status != domain.Enabled:
		return StandingDisabled
	case !c.Alive(at):
		return StandingEnded
	}
	return StandingEnabled
}

// client is what the client could do.
func (p *past) client(c *domain.Client) ClientAccess {
	held, rights := p.held(c)
	a := ClientAccess{
		Moment: p.Moment, Issuer: c.Issuer, ID: c.ID, Name: c.Name, Tenant: c.Tenant, PlatformWide: c.PlatformWide, Standing: standing(c, p.Asked),
		Secrets: []domain.Secret{}, Audiences: c.Audiences, Scopes: slices.Concat([]string{}, held.Scopes), Endpoints: held.Endpoints,
		Resources: rights.Resources(&policy.Said{}), Tier: p.tier(c.Tier).Name, PerMinute: p.tier(c.Tier).PerMinute, APIs: []APIAccess{},
	}
	if t := p.tenants[c.Tenant]; t != nil {
		a.TenantLabel = t.Label
	}
	for _, s := range c.Secrets {
		if s.Expires == nil || p.Asked.Before(*s.Expires) {
			a.Secrets = append(a.Secrets, s)
		}
	}
	a.Policies = p.given(c, &held)
	for i := range p.apis {
		if api := &p.apis[i]; p.takes(api, c) {
			a.APIs = append(a.APIs, p.at(api, c, &held, rights))
		}
	}
	return a
}

// given lists the policies of the client's row.
func (p *past) given(c *domain.Client, held *policy.Held) []PolicyAccess {
	list := []PolicyAccess{}
	for _, name := range c.Policies {
		o, there := p.policies[name]
		brings := slices.ContainsFunc(held.Policies, func(h policy.Policy) bool { return h.Name == name })
		a := PolicyAccess{Name: name, Absent: !there, Outside: there && !brings, Actions: []ActionAccess{}}
		for _, action := range sortedKeys(o.Actions) {
			a.Actions = append(a.Actions, ActionAccess{action, o.Actions[action]})
		}
		list = append(list, a)
	}
	return list
}

// takes reports whether the API took tokens of the client.
func (p *past) takes(api *domain.API, c *domain.Client) bool {
	_, there := p.issuers[c.Issuer]
	return there && slices.Contains(api.Issuers, c.Issuer) && slices.Contains(c.Audiences, api.Audience)
}

// at is what the client could do at an API.
func (p *past) at(api *domain.API, c *domain.Client, held *policy.Held, rights *policy.Rights) APIAccess {
	a := APIAccess{Name: api.Name, Label: api.Label, PerMinute: p.limit(api, c)}
	asked := map[string]bool{}
	for i := range api.Routes {
		if r := &api.Routes[i]; passes(r, api.Routes, held, rights, nil) {
			a.Routes = append(a.Routes, r.Method+" "+r.Path)
			note(asked, r.Actions)
		}
	}
	if api.GraphQL != nil {
		if schema, _ := api.GraphQL.Load(); schema != nil {
			a.GraphQL = true
			note(asked, schema.Actions())
		}
	}
	a.Actions = p.actions(held, asked)
	return a
}

func note(set map[string]bool, list []string) {
	for _, v := range list {
		set[v] = true
	}
}

// limit is how many calls a minute the client could make at the API; zero: any number.
func (p *past) limit(api *domain.API, c *domain.Client) int64 {
	if own, ok := c.RateLimits[api.Name]; ok {
		return own
	}
	tier := p.tier(c.Tier)
	if here, ok := api.RateLimits[tier.Name]; ok {
		return here
	}
	return tier.PerMinute
}

// passes reports whether some call of the route would have passed: with every scope that the
// client holds in its token, and where asked is given, one that touches this resource.
func passes(r *policy.Route, all []policy.Route, held *policy.Held, rights *policy.Rights, asked *policy.Resource) bool {
	need := policy.Need{Endpoints: r.Tags, Scopes: r.Scopes, Actions: r.Actions, Resources: r.Whole(all)}
	touches := asked == nil || slices.ContainsFunc(need.Resources, func(w policy.Resource) bool { return w.Kind == asked.Kind })
	scope := rights.Resources(&policy.Said{})
	for i := range r.Parameters {
		kind := r.Parameters[i].Kind
		if kind == "" {
			continue
		}
		if asked != nil && kind == asked.Kind {
			touches = true
			need.Resources = append(need.Resources, *asked)
			continue
		}
		if _, some := scope[kind]; !some {
			return false
		}
	}
	return touches && rights.Decide(&need, &policy.Said{Scopes: held.Scopes}).Allowed
}

// actions are those of the client's that are asked for, with what they mean.
func (p *past) actions(held *policy.Held, asked map[string]bool) []ActionAccess {
	words := map[string]string{}
	for _, h := range held.Policies {
		for _, action := range h.Actions {
			if asked[action] && words[action] == "" {
				words[action] = p.policies[h.Name].Actions[action]
			}
		}
	}
	list := []ActionAccess{}
	for _, action := range sortedKeys(words) {
		list = append(list, ActionAccess{action, words[action]})
	}
	return list
}
