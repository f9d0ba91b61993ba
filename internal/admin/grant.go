package admin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth/dialect"
)

// Grant is what would have to be given, beside what is held already.
type Grant struct {
	Audiences []string             `json:"audiences,omitempty" doc:"To the client. What else is lacking is known only then."`
	Scopes    []string             `json:"scopes,omitempty" doc:"To the client."`
	Policies  []string             `json:"policies,omitempty" doc:"To the client: the fewest that bring what is missing, and of these those that bring least beside it."`
	Resources domain.ResourceScope `json:"resources,omitempty" doc:"To the client."`
	Tenant    TenantGrant          `json:"tenant,omitzero"`
	Token     []string             `json:"token,omitempty" doc:"All the scopes to ask the token for."`
	Not       []string             `json:"not,omitempty" doc:"What no grant brings; then all of it is not enough."`
}

// TenantGrant is what the tenant would have to get.
type TenantGrant struct {
	Endpoints []string            `json:"endpoints,omitempty"`
	Scopes    []string            `json:"scopes,omitempty" doc:"Above the ceiling."`
	Policies  []string            `json:"policies,omitempty" doc:"Above the ceiling."`
	Resources map[string][]string `json:"resources,omitempty"`
}

// granting is a grant in the making.
type granting struct {
	*objects
	e     *guard.Explanation
	grant Grant
	token []string            // scopes to be asked for too
	bound map[string][]string // ids that the token would have to be bound to
}

// grant is the least that lets the call pass; nil where it is refused for something else
// than what is held.
func (o *objects) grant(e *guard.Explanation, reason guard.Reason) *Grant {
	b := &granting{objects: o, e: e, bound: map[string][]string{}}
	switch reason {
	case audienceMissing:
		return &Grant{Audiences: []string{o.api.Audience}}
	case guard.ScopeRefused:
		b.asked()
	case guard.EndpointDisabled, guard.ScopeMissing, guard.ActionMissing, guard.ResourceOutside:
		b.lacking()
	default:
		return nil
	}
	b.tokens()
	return &b.grant
}

// asked grants what the token was refused for.
func (b *granting) asked() {
	for _, scope := range strings.Fields(*b.call.Scope) {
		if kind, id := b.binds(scope); kind != "" {
			b.holder(kind, id)
			continue
		}
		b.scope(scope)
	}
	b.token = nil // that is what was asked for
}

// The words that rules are chosen by.
const (
	scopeWord  = "scope "
	actionWord = "action "
)

// lacking grants what is missing: of alternatives those that take the fewest words.
func (b *granting) lacking() {
	var lists [][][]string
	for _, r := range b.e.Missing {
		switch {
		case len(r.Alternatives) > 0:
			lists = append(lists, b.alternatives(r.Alternatives))
		case r.Reason == guard.ScopeMissing:
			lists = append(lists, [][]string{{scopeWord + r.Missing}})
		case r.Reason == guard.ActionMissing:
			lists = append(lists, [][]string{{actionWord + r.Missing}})
		case r.Reason == guard.EndpointDisabled:
			b.grant.Tenant.Endpoints = with(b.grant.Tenant.Endpoints, r.Missing)
		default:
			b.resource(r.Resource)
		}
	}
	var actions []string
	for _, word := range cheapest(lists, b.price) {
		if action, ok := strings.CutPrefix(word, actionWord); ok {
			actions = append(actions, action)
		} else {
			b.scope(strings.TrimPrefix(word, scopeWord))
		}
	}
	b.actions(actions)
}

// alternatives are the words that each alternative lacks.
func (b *granting) alternatives(list []policy.Need) [][]string {
	sets := make([][]string, len(list))
	for i, n := range list {
		for _, s := range n.Scopes {
			if !b.e.Rights.Decide(&policy.Need{Scopes: []string{s}}, &b.e.Said).Allowed {
				sets[i] = append(sets[i], scopeWord+s)
			}
		}
		for _, a := range n.Actions {
			if !b.e.Rights.Decide(&policy.Need{Actions: []string{a}}, &b.e.Said).Allowed {
				sets[i] = append(sets[i], actionWord+a)
			}
		}
	}
	return sets
}

// price keeps actions that no policy has for the last resort.
func (b *granting) price(word string) int {
	action, ok := strings.CutPrefix(word, actionWord)
	if ok && len(b.having(action)) == 0 {
		return 1000
	}
	return 1
}

// having lists the policies that have an action.
func (b *granting) having(action string) (names []string) {
	for _, p := range b.policies {
		if _, ok := p.Actions[action]; ok {
			names = append(names, p.Name)
		}
	}
	return names
}

// actions grants the fewest policies that bring them, and of these those that bring least.
func (b *granting) actions(list []string) {
	var lists [][][]string
	for _, action := range list {
		var each [][]string
		for _, name := range b.having(action) {
			each = append(each, []string{name})
		}
		if len(each) == 0 {
			b.not("no policy has the action %q: make one, or add it to one", action)
			continue
		}
		lists = append(lists, each)
	}
	extra := make(map[string]int)
	for _, p := range b.policies {
		for action := range p.Actions {
			if !b.e.Rights.Decide(&policy.Need{Actions: []string{action}}, &b.e.Said).Allowed {
				extra[p.Name]++
			}
		}
	}
	for _, name := range cheapest(lists, func(name string) int { return 1<<16 + extra[name] }) {
		if !slices.Contains(b.client.Policies, name) {
			b.grant.Policies = append(b.grant.Policies, name)
		}
		if !b.mayHold(name) {
			b.grant.Tenant.Policies = append(b.grant.Tenant.Policies, name)
		}
	}
}

func (b *granting) scope(name string) {
	if !b.client.Scopes.Contains(name) {
		b.grant.Scopes = with(b.grant.Scopes, name)
	}
	if !b.mayHaveScope(name) {
		b.grant.Tenant.Scopes = with(b.grant.Tenant.Scopes, name)
	}
	if b.e.Issuer != nil && !slices.ContainsFunc(b.e.Issuer.Dialect.Server.Claims, func(c dialect.Claim) bool {
		return c.From == dialect.ClaimScope && c.Name == "scope"
	}) {
		b.not("the tokens of issuer %s say no scopes, so none can be asked of them", b.client.Issuer)
	}
	b.token = with(b.token, name)
}

func (b *granting) resource(r policy.Resource) {
	narrowed, bound := b.e.Said.Resources[r.Kind]
	if !r.All {
		b.holder(r.Kind, r.ID)
		if bound && !slices.Contains(narrowed.IDs, r.ID) {
			b.bind(r.Kind, r.ID)
		}
		return
	}
	_, lists := b.tenantHas(r.Kind, "")
	switch {
	case bound:
		b.not("a token of issuer %s reaches the %s that it is bound to, and never all", b.client.Issuer, r.Kind)
	case lists:
		b.not("the tenant lists what it has of kind %s: what touches all there are is for clients of no tenant, or of one that leaves the kind out of its resources", r.Kind)
	default:
		b.give(r.Kind, domain.Resources{All: true})
	}
}

// holder grants an id to the client, and to its tenant.
func (b *granting) holder(kind, id string) {
	held := b.client.ResourceScope[kind]
	if !held.All && !slices.Contains(held.IDs, id) {
		b.give(kind, domain.Resources{IDs: []string{id}})
	}
	if b.tenant == nil {
		return
	}
	has, lists := b.tenantHas(kind, id)
	if has || held.All && !lists {
		return
	}
	if b.grant.Tenant.Resources == nil {
		b.grant.Tenant.Resources = map[string][]string{}
	}
	b.grant.Tenant.Resources[kind] = with(b.grant.Tenant.Resources[kind], id)
}

func (b *granting) tenantHas(kind, id string) (has, lists bool) {
	if b.tenant == nil {
		return false, false
	}
	ids, lists := b.tenant.Resources[kind]
	return slices.Contains(ids, id), lists
}

func (b *granting) give(kind string, more domain.Resources) {
	if b.grant.Resources == nil {
		b.grant.Resources = domain.ResourceScope{}
	}
	now := b.grant.Resources[kind]
	if more.All || now.All {
		now = domain.Resources{All: true}
	} else {
		now.IDs = with(now.IDs, more.IDs[0])
	}
	b.grant.Resources[kind] = now
}

// binds says to what a scope binds the token.
func (b *granting) binds(scope string) (kind, id string) {
	for _, x := range b.e.Issuer.Dialect.Server.Scope.Bindings {
		before, rest, _ := strings.Cut(x.Pattern, "{")
		_, after, _ := strings.Cut(rest, "}")
		if id, ok := strings.CutPrefix(scope, before); ok {
			if id, ok := strings.CutSuffix(id, after); ok {
				return x.Kind, id
			}
		}
	}
	return "", ""
}

// bind asks for a token that is bound to a resource.
func (b *granting) bind(kind, id string) {
	for _, x := range b.e.Issuer.Dialect.Server.Scope.Bindings {
		if x.Kind != kind {
			continue
		}
		before, rest, _ := strings.Cut(x.Pattern, "{")
		_, after, _ := strings.Cut(rest, "}")
		if b.bound[kind] = with(b.bound[kind], id); len(b.bound[kind]) > 1 {
			b.not("a token of issuer %s is bound to one %s, and this needs several", b.client.Issuer, kind)
			return
		}
		b.token = with(b.token, before+id+after)
		return
	}
}

// tokens is everything to ask for, where that is not what was asked for.
func (b *granting) tokens() {
	asked := []string(b.client.Scopes)
	if b.call.Scope != nil {
		asked = append(strings.Fields(*b.call.Scope), b.e.Said.Scopes...)
	}
	if b.call.Scope == nil && len(b.bound) == 0 { // it asks for all that it may
		return
	}
	var all []string
	for _, scope := range asked {
		if kind, _ := b.binds(scope); kind == "" || b.bound[kind] == nil {
			all = with(all, scope)
		}
	}
	for _, scope := range b.token {
		all = with(all, scope)
	}
	if len(b.token) > 0 {
		b.grant.Token = all
	}
}

func (b *granting) not(format string, args ...any) {
	b.grant.Not = with(b.grant.Not, fmt.Sprintf(format, args...))
}

func with(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
