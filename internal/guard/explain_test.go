package guard_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth"
)

func (n *town) explain(e guard.ExplainRequest) guard.Explanation {
	n.t.Helper()
	return n.guard.Explain(n.t.Context(), e)
}

// posted is an operation that c1 might send.
func posted(body string) guard.ExplainRequest {
	return guard.ExplainRequest{Issuer: "main", Client: "c1", API: "graph", Method: "POST", Path: "/graphql",
		Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

// What is explained is what would be judged, and all that is lacking.
func TestExplain(t *testing.T) {
	n := graphTown(t, func(g *domain.GraphQL) { g.Batching = 2 })
	type lack struct {
		Reason   guard.Reason
		Missing  string
		Resource policy.Resource
		Path     string
		Item     int
	}
	for _, c := range []struct {
		name string
		e    guard.ExplainRequest
		want guard.Reason
		all  []lack
	}{
		{"allowed", posted(query(`{ study(id: "s1") { id } }`)), "", nil},
		{"all that is lacking", posted(query(`{ study(id: "s3") { budget } count audit }`)), guard.ResourceOutside, []lack{
			{guard.ResourceOutside, "", policy.Resource{Kind: "study", ID: "s3"}, "study", 0},
			{guard.ActionMissing, "studies:finance", policy.Resource{}, "study.budget", 0},
			{guard.ResourceOutside, "", policy.Resource{Kind: "study", All: true}, "count", 0},
			{guard.ScopeMissing, "audit", policy.Resource{}, "audit", 0},
		}},
		{"of all of a batch", posted(`[` + query(`{ audit }`) + `,` + query(`{ count }`) + `]`), guard.ScopeMissing, []lack{
			{guard.ScopeMissing, "audit", policy.Resource{}, "audit", 1},
			{guard.ResourceOutside, "", policy.Resource{Kind: "study", All: true}, "count", 2},
		}},
		{"nobody may", posted(query(`{ forgotten count }`)), guard.GraphQLUnanswered, nil},
		{"no JSON", posted(`x`), guard.BodyMalformed, nil},
		{"no type", guard.ExplainRequest{Issuer: "main", Client: "c1", API: "graph", Method: "POST", Path: "/graphql"}, guard.BodyType, nil},
		{"route", guard.ExplainRequest{Issuer: "main", Client: "c1", API: "reports", Method: "GET", Path: "/studies/s1"}, "", nil},
		{"route outside", guard.ExplainRequest{Issuer: "main", Client: "c1", API: "reports", Method: "PUT", Path: "/studies/s3"}, guard.ActionMissing, []lack{
			{guard.ActionMissing, "studies:write", policy.Resource{}, "", 0},
			{guard.ResourceOutside, "", policy.Resource{Kind: "study", ID: "s3"}, "", 0},
		}},
		{"query", guard.ExplainRequest{Issuer: "main", Client: "c1", API: "reports", Method: "GET", Path: "/search", Query: "study=s3"}, guard.ResourceOutside, []lack{
			{guard.ResourceOutside, "", policy.Resource{Kind: "study", ID: "s3"}, "", 0},
		}},
		{"tag", guard.ExplainRequest{Issuer: "main", Client: "c1", API: "reports", Method: "DELETE", Path: "/bookings"}, guard.EndpointDisabled, []lack{
			{guard.EndpointDisabled, "cancel", policy.Resource{}, "", 0}, {guard.ResourceOutside, "", policy.Resource{Kind: "study", All: true}, "", 0},
		}},
		{"scopes", guard.ExplainRequest{Issuer: "main", Client: "wide", API: "reports", Method: "GET", Path: "/studies"}, guard.ScopeMissing, []lack{
			{guard.ScopeMissing, "read", policy.Resource{}, "", 0}, {guard.ScopeMissing, "write", policy.Resource{}, "", 0},
		}},
		{"a scope not asked for", guard.ExplainRequest{Issuer: "main", Client: "c1", API: "reports", Method: "GET", Path: "/studies", Scopes: &oauth.Scope{"read"}},
			guard.ScopeMissing, []lack{{guard.ScopeMissing, "write", policy.Resource{}, "", 0}}},
		{"a scope not held", guard.ExplainRequest{Issuer: "main", Client: "c1", API: "reports", Method: "GET", Path: "/me", Scopes: &oauth.Scope{"admin"}}, guard.ScopeRefused, nil},
		{"ambiguous", guard.ExplainRequest{Issuer: "main", Client: "c1", API: "reports", Method: "GET", Path: "/studies/../me"}, guard.PathAmbiguous, nil},
		{"no route", guard.ExplainRequest{Issuer: "main", Client: "c1", API: "reports", Method: "GET", Path: "/none"}, guard.NoRoute, nil},
		{"no API", guard.ExplainRequest{Issuer: "main", Client: "c1", API: "none", Method: "GET", Path: "/me"}, guard.NoAPI, nil},
		{"no client", guard.ExplainRequest{Issuer: "main", Client: "none", API: "reports", Method: "GET", Path: "/me"}, guard.TokenInvalid, nil},
		{"another issuer", guard.ExplainRequest{Issuer: "stage", Client: "c1", API: "reports", Method: "GET", Path: "/me"}, guard.TokenInvalid, nil},
		{"another audience", guard.ExplainRequest{Issuer: "arb", Client: "a1", API: "reports", Method: "GET", Path: "/me"}, guard.TokenInvalid, nil},
		{"bound to no team", guard.ExplainRequest{Issuer: "bip", Client: "b1", API: "teams", Method: "GET", Path: "/teams/" + team1 + "/notes"}, guard.ResourceOutside,
			[]lack{{guard.ResourceOutside, "", policy.Resource{Kind: "team", ID: team1}, "", 0}}}, // BIP-05
		{"bound to its team", guard.ExplainRequest{Issuer: "bip", Client: "b1", API: "teams", Method: "GET", Path: "/teams/" + team1 + "/notes",
			Scopes: &oauth.Scope{"team_" + team1}}, "", nil},
	} {
		got := n.explain(c.e)
		var all []lack
		for _, r := range got.Missing {
			all = append(all, lack{r.Reason, r.Missing, r.Resource, r.Path, r.Item})
		}
		if diff := cmp.Diff(c.all, all); got.Reason() != c.want || diff != "" {
			t.Errorf("%s: %q (%v), missing %s", c.name, got.Reason(), got.Err, diff)
		}
	}
	alternatives := n.explain(posted(query(`{ either }`))).Missing
	if len(alternatives) != 1 || len(alternatives[0].Alternatives) != 2 || alternatives[0].Coordinate != "Query.either" {
		t.Errorf("missing %+v", alternatives)
	}
}

// Nothing is spent by explaining, and a client over its limit can be explained.
func TestExplainSpendsNothing(t *testing.T) {
	n := graphTown(t, func(g *domain.GraphQL) { g.Batching = 2 })
	update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"graph": 1} })
	for range 3 {
		if got := n.explain(posted(`[` + query(`{ reads }`) + `,` + query(`{ reads }`) + `]`)); got.Err != nil || got.Limit.Known {
			t.Errorf("%+v", got.Verdict)
		}
	}
	token := n.token("main", "c1", "read")
	n.want(n.ask(token, query(`{ reads }`)), "")
	n.want(n.ask(token, query(`{ reads }`)), guard.RateLimited)
	n.want(n.explain(posted(query(`{ reads }`))).Verdict, "")
}

// A client that is disabled, and one whose tenant is gone, are explained as they would be judged.
func TestExplainWhoCannotCall(t *testing.T) {
	n := graphTown(t, nil)
	update(n, clients, "main/c1", func(c *domain.Client) { c.Status = domain.Disabled })
	if got := n.explain(posted(query(`{ reads }`))); got.Reason() != guard.TokenInvalid || got.Client != nil || got.Issuer == nil {
		t.Errorf("%+v", got.Verdict)
	}
	update(n, clients, "main/c1", func(c *domain.Client) { c.Status = domain.Enabled })
	remove(n, tenants, tenant1)
	n.want(n.explain(posted(query(`{ reads }`))).Verdict, guard.Unavailable)
	n.lose(true)
	n.wait(2e9 * 60)
	_ = n.snap.Poll(t.Context())
	n.want(n.explain(posted(query(`{ reads }`))).Verdict, guard.Stale)
}

// Whatever is explained of a token's own scope is what Judge says to the token.
func TestExplainAgreesWithJudge(t *testing.T) {
	n := graphTown(t, nil)
	for _, scope := range []string{"read", "write", "read write"} {
		token := n.token("main", "c1", scope)
		asked, err := oauth.ParseScope(scope)
		n.check(err)
		for _, document := range []string{`{ reads }`, `{ audit }`, `{ study(id: "s2") { name } }`, `{ study(id: "s4") { name } }`, `{ studies { id } }`, `{ either }`, `{`} {
			e := posted(query(document))
			e.Scopes = &asked
			explained, judged := n.explain(e), n.ask(token, query(document))
			if explained.Reason() != judged.Reason() || !slices.Equal(explained.Scopes, judged.Scopes) || !cmp.Equal(explained.Resources, judged.Resources) {
				t.Errorf("%s, %s: explained %v, judged %v", scope, document, explained.Err, judged.Err)
			}
		}
	}
}
