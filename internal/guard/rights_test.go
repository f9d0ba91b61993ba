package guard_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth"
)

// TRI-11, COM-12, ARB-06, OMN-06: what a client may is what its token says and what it and
// its tenant hold at the moment of the call, for tokens issued before too.
func TestRightsFollow(t *testing.T) {
	client := func(edit func(*domain.Client)) func(*town) {
		return func(n *town) { update(n, clients, "main/c1", edit) }
	}
	tenant := func(edit func(*domain.Tenant)) func(*town) {
		return func(n *town) { update(n, tenants, tenant1, edit) }
	}
	for _, c := range []struct {
		name         string
		method, path string
		before       guard.Reason
		change       func(*town)
		after        guard.Reason
	}{
		{"TRI-11 policy taken from the client", "GET", "/studies/s1", "", client(func(c *domain.Client) { c.Policies = nil }), guard.ActionMissing},
		{"TRI-11 policy given to the client", "PUT", "/studies/s1", guard.ActionMissing, client(func(c *domain.Client) { c.Policies = []string{"editor"} }), ""},
		{"TRI-11 action taken from the policy", "GET", "/studies/s1", "",
			func(n *town) {
				update(n, policies, "viewer", func(p *domain.Policy) { p.Actions = map[string]string{"studies:list": "x"} })
			}, guard.ActionMissing},
		{"COM-12 policy deleted", "GET", "/studies/s1", "", func(n *town) { remove(n, policies, "viewer") }, guard.ActionMissing},
		{"COM-12 scope taken from the client", "GET", "/studies", "", client(func(c *domain.Client) { c.Scopes = oauth.Scope{"read"} }), guard.ScopeMissing},
		{"COM-12 a scope given later is not in the token", "GET", "/studies", "", func(n *town) {
			update(n, apis, "reports", func(a *domain.API) { a.Routes[1].Scopes = []string{"read", "admin"} })
			update(n, clients, "main/c1", func(c *domain.Client) { c.Scopes = append(c.Scopes, "admin") })
		}, guard.ScopeMissing},
		{"COM-12 scope taken by the tenant's ceiling", "GET", "/studies", "",
			tenant(func(t *domain.Tenant) {
				t.Ceiling = &domain.Ceiling{Scopes: oauth.Scope{"read"}, Policies: []string{"viewer"}}
			}), guard.ScopeMissing},
		{"COM-12 policy taken by the tenant's ceiling", "GET", "/studies/s1", "",
			tenant(func(t *domain.Tenant) { t.Ceiling = &domain.Ceiling{Scopes: oauth.Scope{"read", "write"}} }), guard.ActionMissing},
		{"TRI-11 resource taken from the client", "GET", "/studies/s1", "",
			client(func(c *domain.Client) { c.ResourceScope = policy.ResourceScope{"study": {IDs: []string{"s2"}}} }), guard.ResourceOutside},
		{"COM-12 resource taken from the tenant", "GET", "/studies/s1", "",
			tenant(func(t *domain.Tenant) { t.Resources = map[string][]string{"study": {"s2"}} }), guard.ResourceOutside},
		{"OMN-06 endpoint turned off", "GET", "/bookings", "", tenant(func(t *domain.Tenant) { t.Endpoints = nil }), guard.EndpointDisabled},
		{"OMN-06 endpoint turned on", "DELETE", "/bookings", guard.EndpointDisabled, func(n *town) {
			update(n, tenants, tenant1, func(t *domain.Tenant) { t.Endpoints, t.Resources = []string{"cancel"}, nil })
			update(n, clients, "main/c1", func(c *domain.Client) { c.ResourceScope = policy.ResourceScope{"study": {All: true}} })
		}, ""},
		{"D-65 rule taken away", "GET", "/me", "", func(n *town) { update(n, apis, "reports", func(a *domain.API) { a.Routes = a.Routes[1:] }) }, guard.NoRoute},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newTown(t)
			token := n.token("main", "c1", "read write")
			n.want(n.judge(request(c.method, base+c.path, token)), c.before)
			c.change(n)
			n.want(n.judge(request(c.method, base+c.path, token)), c.after)
		})
	}
}

// All of a tenant's client is what its tenant has, and not what touches all there are.
func TestAllOfATenant(t *testing.T) {
	for _, c := range []struct {
		name      string
		resources map[string][]string
		want      map[string]guard.Reason // by path; /jobs needs all studies
		effective policy.ResourceScope
	}{
		{"some", map[string][]string{"study": {"s1"}},
			map[string]guard.Reason{"/studies/s1": "", "/studies/s9": guard.ResourceOutside, "/jobs": guard.ResourceOutside},
			policy.ResourceScope{"study": {IDs: []string{"s1"}}}},
		{"none", map[string][]string{"study": {}},
			map[string]guard.Reason{"/studies/s1": guard.ResourceOutside, "/jobs": guard.ResourceOutside}, policy.ResourceScope{}},
		{"not listed", map[string][]string{"team": {team1}},
			map[string]guard.Reason{"/studies/s1": "", "/jobs": ""}, policy.ResourceScope{"study": {All: true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newTown(t)
			update(n, clients, "main/c1", func(c *domain.Client) { c.ResourceScope = policy.ResourceScope{"study": {All: true}} })
			update(n, tenants, tenant1, func(t *domain.Tenant) { t.Resources = c.resources })
			token := n.token("main", "c1", "")
			for path, want := range c.want {
				method := "GET"
				if path == "/jobs" {
					method = "POST"
				}
				n.want(n.judge(request(method, base+path, token)), want)
			}
			if diff := cmp.Diff(c.effective, n.get(base+"/me", token).Resources); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A platform-wide client is of all tenants, and tags are not asked of it.
func TestPlatformWide(t *testing.T) {
	n := newTown(t)
	token := n.token("main", "wide", "")
	for _, r := range []*http.Request{
		request("DELETE", base+"/bookings", token), request("PUT", base+"/studies/s9", token), request("POST", base+"/jobs", token),
	} {
		v := n.judge(r)
		n.want(v, "")
		if v.Tenant != nil {
			t.Errorf("of tenant %s", v.Tenant.ID)
		}
	}
}

// BIP-05, BIP-09: the team in the token against the team in the request; a token without
// one reaches none, whatever its client holds.
func TestTeams(t *testing.T) {
	const host = "https://bip.example.com"
	n := newTown(t)
	bound, unbound := n.token("bip", "b1", "team_"+team1), n.token("bip", "b1", "profile")
	for _, c := range []struct {
		name, url, token string
		want             guard.Reason
		effective        policy.ResourceScope
	}{
		{"BIP-09 its team", host + "/teams/" + team1 + "/notes", bound, "", policy.ResourceScope{"team": {IDs: []string{team1}}}},
		{"BIP-09 another team", host + "/teams/" + team2 + "/notes", bound, guard.ResourceOutside, policy.ResourceScope{"team": {IDs: []string{team1}}}},
		{"D-73 its team in another case", host + "/teams/5F1E2D3C4B5A69788796A5B4/notes", bound, guard.ResourceOutside, policy.ResourceScope{"team": {IDs: []string{team1}}}},
		{"BIP-05 no team in the token", host + "/teams/" + team1 + "/notes", unbound, guard.ResourceOutside, policy.ResourceScope{}},
		{"BIP-05 what needs no team", host + "/me", unbound, "", policy.ResourceScope{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := n.get(c.url, c.token)
			n.want(v, c.want)
			if diff := cmp.Diff(c.effective, v.Resources); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, team := range map[string]any{"a number": 5, "a list": []string{team1}, "null": nil, "empty": ""} {
		claims := map[string]any{"iss": host, "aud": "urn:teams", "client_id": "b1", "scope": "team_" + team1, "team": team}
		if v := n.get(host+"/teams/"+team1+"/notes", n.sign("bip", "JWT", n.payload(claims))); v.Reason() != guard.ResourceOutside {
			t.Errorf("a team that is %s: %q", name, v.Reason())
		}
	}
	update(n, clients, "bip/b1", func(c *domain.Client) { c.ResourceScope = nil })
	n.want(n.get(host+"/teams/"+team1+"/notes", bound), guard.ResourceOutside) // COM-12
}

// D-57: a host that is a tenant's serves no other tenant, with the answer that a forged token gets.
func TestHostsOfTenants(t *testing.T) {
	n := newTown(t)
	put(n, clients, domain.Client{Issuer: "bip", ID: "wide", PlatformWide: true, Status: domain.Enabled, Epoch: 1, Audiences: []string{"urn:teams"}})
	one, two, wide := n.token("bip", "b1", "profile"), n.token("bip", "b2", "profile"), n.token("bip", "wide", "")
	for _, c := range []struct {
		name, host, token string
		want              guard.Reason
	}{
		{"its own", "one-api.example.com", one, ""},
		{"another tenant's", "two-api.example.com", one, guard.TokenInvalid},
		{"the other one's own", "two-api.example.com", two, ""},
		{"the other way round", "one-api.example.com", two, guard.TokenInvalid},
		{"everybody's", "bip.example.com", two, ""},
		{"platform-wide", "two-api.example.com", wide, ""},
		{"D-20 nobody's", "three-api.example.com", one, guard.WrongHost},
		{"of an issuer that is not trusted here", "arb.example.com", one, guard.TokenInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request("GET", "https://"+c.host+"/me", c.token, "X-Forwarded-Host", "one-api.example.com")
			v := n.judge(r)
			if c.host == "arb.example.com" {
				v = n.get("https://arb.example.com/audit", c.token)
			}
			n.want(v, c.want)
			if c.want != "" && (v.Client != nil || v.Limit.Known) {
				t.Error("it tells that it knows the client")
			}
		})
	}
}

// TRI-12: what is stage's is worth nothing in prod, and the other way round.
func TestEnvironments(t *testing.T) {
	n := newTown(t)
	prod, stage := n.token("main", "c1", ""), n.token("stage", "c1", "")
	n.want(n.get("https://stage.example.com/v1/me", stage), "")
	n.want(n.get("https://stage.example.com/v1/me", prod), guard.TokenInvalid)
	n.want(n.get(base+"/me", stage), guard.TokenInvalid)
	n.want(n.get(base+"/me", prod), "")
}

// ARB-06: one scope is not another.
func TestScopes(t *testing.T) {
	const host = "https://arb.example.com"
	n := newTown(t)
	n.want(n.get(host+"/audit", n.token("arb", "a1", "audit:read")), "")
	n.want(n.get(host+"/audit", n.token("arb", "a1", "admin:read")), guard.ScopeMissing)
	v := n.get(host+"/admin", n.token("arb", "a1", "audit:read"))
	n.want(v, guard.ScopeMissing)
	n.want(n.get(host+"/admin", n.token("arb", "a1", "audit:read admin:read")), "")
}
