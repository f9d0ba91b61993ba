package main

import (
	"context"
	"fmt"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/registry"
	node "github.com/postern-dev/postern/internal/server"
	"github.com/postern-dev/postern/internal/token"
)

// The API behind the gateway has studies, which belong to tenants; a client may list and
// add the referrers of some of its tenant's.
const (
	apiName       = "studies"
	apiPath       = "/v1"
	policyName    = "referrals"
	tierName      = "bench"
	listAction    = "referrers:list"
	addAction     = "referrers:add"
	endpoint      = "referrers"
	tenants       = 10
	studiesEach   = 20 // of a tenant
	studiesHeld   = 4  // of a client
	callsAMinute  = 100_000_000
	tokenLifetime = time.Hour
)

func tenantID(t int) string { return fmt.Sprintf("00000000-0000-4000-9000-%012x", t) }

// study is the id of the nth study of a tenant.
func study(t, n int) string { return fmt.Sprintf("study-%02d-%02d", t, n%studiesEach) }

func callPath(t, n int) string { return apiPath + "/studies/" + study(t, n) + "/referrers" }

// callOf is the call of the client with the number given, to the first of its studies.
func callOf(token string, client int) fixture.Call {
	return fixture.Call{Token: token, Path: callPath(client%tenants, client/tenants)}
}

// entitle gives a client its place, its policy and its studies.
func entitle(c *domain.Client, number int) {
	t := number % tenants
	held := make([]string, studiesHeld)
	for n := range held {
		held[n] = study(t, number/tenants+n)
	}
	c.Tenant, c.PlatformWide, c.Tier, c.Policies = tenantID(t), false, tierName, []string{policyName}
	c.ResourceScope = domain.ResourceScope{"study": {IDs: held}}
}

// putStudies makes the API and all that its rules need.
func putStudies(ctx context.Context, r *registry.Registry, s *calls) error {
	if _, _, err := r.PutTier(ctx, domain.System, domain.Tier{Name: tierName, PerMinute: callsAMinute}, 0); err != nil {
		return err
	}
	p := domain.Policy{Name: policyName, Actions: map[string]string{listAction: "list referrers", addAction: "add a referrer"}}
	if _, _, err := r.PutPolicy(ctx, domain.System, p, 0); err != nil {
		return err
	}
	for t := range tenants {
		ids := make([]string, studiesEach)
		for n := range ids {
			ids[n] = study(t, n)
		}
		_, _, err := r.PutTenant(ctx, domain.System, domain.Tenant{
			ID: tenantID(t), Label: fmt.Sprintf("tenant %d", t), Resources: map[string][]string{"study": ids}, Endpoints: []string{endpoint},
		}, 0)
		if err != nil {
			return err
		}
	}
	api := domain.API{
		Name: apiName, Audience: audience, Issuers: []string{issuerName}, Path: apiPath, Upstream: s.upstream + apiPath,
		Routes: studyRoutes(), RateLimitHeaders: true,
	}
	if s.graphql {
		api.GraphQL = studyGraph(domain.PassResponses)
		checked := domain.API{
			Name: apiName + "-checked", Audience: audience, Issuers: []string{issuerName}, Path: checkedPath, Upstream: s.upstream + apiPath,
			GraphQL: studyGraph(domain.CheckResponses), RateLimitHeaders: true,
		}
		if _, _, err := r.PutAPI(ctx, domain.System, checked, 0); err != nil {
			return err
		}
	}
	_, _, err := r.PutAPI(ctx, domain.System, api, 0)
	return err
}

func studyRoutes() []domain.Route {
	route := func(method, path string, actions ...string) domain.Route {
		return domain.Route{
			Method: method, Path: path, Scopes: []string{scope}, Actions: actions, Tags: []string{endpoint},
			Parameters: []policy.Parameter{{Name: "study", In: policy.InPath, Kind: "study"}},
		}
	}
	return []domain.Route{
		route("GET", "/studies/{study}", listAction),
		route("GET", "/studies/{study}/referrers", listAction),
		route("POST", "/studies/{study}/referrers", listAction, addAction),
		route("GET", "/studies/{study}/sites", listAction),
	}
}

// mintCalls signs the tokens of the setup as the token endpoint would, and writes the calls
// that they are for.
func mintCalls(ctx context.Context, n *node.Node, s setup, file string) error {
	issuer, ok := n.Snapshot.View().Issuer(issuerName)
	now := n.Snapshot.Now()
	if !ok || issuer.Signer(now) == nil {
		return fmt.Errorf("issuer %s cannot sign", issuerName)
	}
	facts := token.Facts{
		Issuer: &issuer.Issuer, Dialect: issuer.Dialect, Now: now,
		Grant: &domain.Grant{Scope: []string{scope}, Audience: []string{audience}, Lifetime: tokenLifetime},
	}
	list := make([]fixture.Call, s.calls.known+s.calls.fresh)
	for i := range list {
		number := i % s.clients
		c, err := n.Snapshot.Client(ctx, issuerName, clientID(number))
		if err != nil {
			return err
		}
		facts.Client, facts.Event = &c.Client, domain.NewEventID(now)
		signed, err := token.Issue(nil, issuer.Signer(now), facts)
		if err != nil {
			return err
		}
		list[i] = callOf(string(signed), number)
	}
	return fixture.WriteCalls(file, fixture.Calls{Known: list[:s.calls.known], Fresh: list[s.calls.known:]})
}
