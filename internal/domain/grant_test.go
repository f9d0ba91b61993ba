package domain_test

import (
	"cmp"
	"errors"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

const (
	team1 = "0123456789abcdef01234567" // of the tenant, held by the client
	team2 = "0123456789abcdef01234568" // of the tenant, not held
	team3 = "0123456789abcdef01234569" // named by the client, not of the tenant
	agent = "https://rbm.vibes.com/rbm.agents"
)

func builtin(t testing.TB, name string) *dialect.Dialect {
	t.Helper()
	d, ok := dialect.Builtin().Get(name)
	if !ok {
		t.Fatalf("there is no dialect %s", name)
	}
	return d
}

// ownDialect is a dialect with two kinds of bindings, and room for two of one of them.
func ownDialect(t testing.TB) *dialect.Dialect {
	t.Helper()
	d, err := dialect.Load("own.yaml", []byte(`schema: 1
name: own
title: Own
source: this test
wire: {path: /token}
server:
  scope:
    bindings:
      - {pattern: "team_{id:hex24}", kind: team}
      - {pattern: "study_{id:digits}", kind: study, max: 2}
`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func tenant() *domain.Tenant {
	return &domain.Tenant{ID: "t1", Label: "One", Resources: map[string][]string{"team": {team1, team2}, "study": {"7", "8", "9"}}}
}

func client() *domain.Client {
	return &domain.Client{
		Issuer: "i", ID: "c", Tenant: "t1", Status: domain.Enabled, Tier: domain.DefaultTier,
		Scopes: oauth.Scope{"a", "b"}, Audiences: []string{"https://one.example", "https://two.example"},
		ResourceScope: domain.ResourceScope{"team": {IDs: []string{team1, team3}}, "study": {All: true}},
	}
}

func TestGrant(t *testing.T) {
	both := []string{"https://one.example", "https://two.example"}
	ceiling := func(scopes ...string) func(*domain.Tenant) {
		return func(t *domain.Tenant) { t.Ceiling = &domain.Ceiling{Scopes: scopes} }
	}
	for _, c := range []struct {
		name    string
		dialect string // built-in; empty: rfc; own: ownDialect
		client  func(*domain.Client)
		tenant  func(*domain.Tenant)
		none    bool // no tenant
		req     oauth.TokenRequest
		want    domain.Grant
		fail    oauth.Failure
	}{
		{name: "ARB-05 no scope asked is all assigned", dialect: "arbitex",
			want: domain.Grant{Scope: oauth.Scope{"a", "b"}, ScopeChanged: true}},
		{name: "RFC 6749 §3.3 the default of rfc", want: domain.Grant{Scope: oauth.Scope{"a", "b"}, ScopeChanged: true}},
		{name: "no scope asked where none is assigned", client: func(c *domain.Client) { c.Scopes = nil }},
		{name: "no scope asked is no scope", dialect: "trialbee"},
		{name: "ARB-05 narrowed to what is asked", dialect: "arbitex", req: oauth.TokenRequest{Scope: oauth.Scope{"b"}},
			want: domain.Grant{Scope: oauth.Scope{"b"}}},
		{name: "asked in another order", req: oauth.TokenRequest{Scope: oauth.Scope{"b", "a"}}, want: domain.Grant{Scope: oauth.Scope{"b", "a"}}},
		{name: "ARB-05 one that is not assigned", dialect: "arbitex", req: oauth.TokenRequest{Scope: oauth.Scope{"api:write"}}, fail: oauth.FailureScopeInvalid},
		{name: "COM-06 D-16 never narrowed", req: oauth.TokenRequest{Scope: oauth.Scope{"a", "c"}}, fail: oauth.FailureScopeInvalid},
		{name: "D-15 a star is a scope like others", req: oauth.TokenRequest{Scope: oauth.Scope{"*"}}, fail: oauth.FailureScopeInvalid},
		{name: "D-15 another case is another scope", req: oauth.TokenRequest{Scope: oauth.Scope{"A"}}, fail: oauth.FailureScopeInvalid},
		{name: "D-15 malformed", req: oauth.TokenRequest{ScopeError: oauth.ErrScopeSyntax}, fail: oauth.FailureScopeInvalid},
		{name: "D-15 malformed, with a scope beside it", req: oauth.TokenRequest{Scope: oauth.Scope{"a"}, ScopeError: oauth.ErrScopeSyntax}, fail: oauth.FailureScopeInvalid},
		{name: "TRI-03 scope required and absent", dialect: "trialbee", client: func(c *domain.Client) { c.ScopeRequired = true }, fail: oauth.FailureScopeMissing},
		{name: "TRI-03 malformed comes before absent", dialect: "trialbee", client: func(c *domain.Client) { c.ScopeRequired = true },
			req: oauth.TokenRequest{ScopeError: oauth.ErrScopeSyntax}, fail: oauth.FailureScopeInvalid},
		{name: "TRI-03 scope required and there", dialect: "trialbee", client: func(c *domain.Client) { c.ScopeRequired = true },
			req: oauth.TokenRequest{Scope: oauth.Scope{"a"}}, want: domain.Grant{Scope: oauth.Scope{"a"}}},

		{name: "VIB-03 the one scope", dialect: "vibes", client: func(c *domain.Client) { c.Scopes = oauth.Scope{agent} },
			req: oauth.TokenRequest{Scope: oauth.Scope{agent}}, want: domain.Grant{Scope: oauth.Scope{agent}}},
		{name: "VIB-03 another, though assigned", dialect: "vibes", req: oauth.TokenRequest{Scope: oauth.Scope{"a"}}, fail: oauth.FailureScopeInvalid},
		{name: "VIB-03 the one scope, not assigned", dialect: "vibes", req: oauth.TokenRequest{Scope: oauth.Scope{agent}}, fail: oauth.FailureScopeInvalid},
		{name: "VIB-03 the one scope and another", dialect: "vibes", client: func(c *domain.Client) { c.Scopes = oauth.Scope{agent, "a"} },
			req: oauth.TokenRequest{Scope: oauth.Scope{agent, "a"}}, fail: oauth.FailureScopeInvalid},

		{name: "COM-12 the ceiling narrows all assigned", tenant: ceiling("b", "z"), want: domain.Grant{Scope: oauth.Scope{"b"}, ScopeChanged: true}},
		{name: "COM-12 a ceiling with no scope leaves none", tenant: ceiling()},
		{name: "COM-12 above the ceiling, asked", tenant: ceiling("b"), req: oauth.TokenRequest{Scope: oauth.Scope{"a"}}, fail: oauth.FailureScopeInvalid},
		{name: "COM-12 below the ceiling, asked", tenant: ceiling("b"), req: oauth.TokenRequest{Scope: oauth.Scope{"b"}}, want: domain.Grant{Scope: oauth.Scope{"b"}}},
		{name: "in the ceiling, not assigned", tenant: ceiling("c"), req: oauth.TokenRequest{Scope: oauth.Scope{"c"}}, fail: oauth.FailureScopeInvalid},
		{name: "no tenant, no ceiling", none: true, req: oauth.TokenRequest{Scope: oauth.Scope{"a"}}, want: domain.Grant{Scope: oauth.Scope{"a"}}},

		{name: "BIP-04 a team", dialect: "bipsync", req: oauth.TokenRequest{Scope: oauth.Scope{"team_" + team1}},
			want: domain.Grant{Scope: oauth.Scope{"team_" + team1}, Bindings: map[string][]string{"team": {team1}}}},
		{name: "BIP-04 a team beside a scope", dialect: "bipsync", req: oauth.TokenRequest{Scope: oauth.Scope{"a", "team_" + team1}},
			want: domain.Grant{Scope: oauth.Scope{"a", "team_" + team1}, Bindings: map[string][]string{"team": {team1}}}},
		{name: "BIP-04 two teams", dialect: "bipsync", client: func(c *domain.Client) { c.ResourceScope["team"] = domain.Resources{All: true} },
			req: oauth.TokenRequest{Scope: oauth.Scope{"team_" + team1, "team_" + team2}}, fail: oauth.FailureScopeInvalid},
		{name: "BIP-04 a team of the tenant that the client does not hold", dialect: "bipsync",
			req: oauth.TokenRequest{Scope: oauth.Scope{"team_" + team2}}, fail: oauth.FailureScopeInvalid},
		{name: "BIP-04 D-15 a team of another tenant", dialect: "bipsync",
			req: oauth.TokenRequest{Scope: oauth.Scope{"team_" + team3}}, fail: oauth.FailureScopeInvalid},
		{name: "BIP-04 D-15 all teams are those of the tenant", dialect: "bipsync", client: func(c *domain.Client) { c.ResourceScope["team"] = domain.Resources{All: true} },
			req: oauth.TokenRequest{Scope: oauth.Scope{"team_" + team3}}, fail: oauth.FailureScopeInvalid},
		{name: "BIP-04 a client that is of no tenant holds no team", dialect: "bipsync", none: true,
			client: func(c *domain.Client) { c.ResourceScope["team"] = domain.Resources{All: true} },
			req:    oauth.TokenRequest{Scope: oauth.Scope{"team_" + team1}}, fail: oauth.FailureScopeInvalid},
		{name: "BIP-04 assigned as a scope is not held", dialect: "bipsync", client: func(c *domain.Client) { c.Scopes = append(c.Scopes, "team_"+team2) },
			req: oauth.TokenRequest{Scope: oauth.Scope{"team_" + team2}}, fail: oauth.FailureScopeInvalid},
		{name: "BIP-04 upper case is no team", dialect: "bipsync", req: oauth.TokenRequest{Scope: oauth.Scope{"team_0123456789ABCDEF01234567"}}, fail: oauth.FailureScopeInvalid},
		{name: "BIP-05 scopes without a team", dialect: "bipsync", req: oauth.TokenRequest{Scope: oauth.Scope{"a"}}, want: domain.Grant{Scope: oauth.Scope{"a"}}},
		{name: "one of each kind", dialect: "own", req: oauth.TokenRequest{Scope: oauth.Scope{"team_" + team1, "study_7"}},
			want: domain.Grant{Scope: oauth.Scope{"team_" + team1, "study_7"}, Bindings: map[string][]string{"team": {team1}, "study": {"7"}}}},
		{name: "one of each kind, in the other order", dialect: "own", req: oauth.TokenRequest{Scope: oauth.Scope{"study_7", "team_" + team1}},
			want: domain.Grant{Scope: oauth.Scope{"study_7", "team_" + team1}, Bindings: map[string][]string{"team": {team1}, "study": {"7"}}}},
		{name: "as many of a kind as there may be", dialect: "own", req: oauth.TokenRequest{Scope: oauth.Scope{"study_7", "study_8"}},
			want: domain.Grant{Scope: oauth.Scope{"study_7", "study_8"}, Bindings: map[string][]string{"study": {"7", "8"}}}},
		{name: "one more of a kind", dialect: "own", req: oauth.TokenRequest{Scope: oauth.Scope{"study_7", "study_8", "study_9"}}, fail: oauth.FailureScopeInvalid},

		{name: "BIP-08 a partner", dialect: "bipsync", client: func(c *domain.Client) { c.Partner = true },
			req: oauth.TokenRequest{Scope: oauth.Scope{"a"}}, fail: oauth.FailureGrantNotAllowed},
		{name: "BIP-08 comes before scope", dialect: "bipsync", client: func(c *domain.Client) { c.Partner = true },
			req: oauth.TokenRequest{ScopeError: oauth.ErrScopeSyntax}, fail: oauth.FailureGrantNotAllowed},
		{name: "a partner elsewhere", dialect: "trialbee", client: func(c *domain.Client) { c.Partner = true }},

		{name: "OMN-03 an audience it was given", dialect: "omnilab", req: oauth.TokenRequest{Audience: both[1]}, want: domain.Grant{Audience: both[1:]}},
		{name: "OMN-03 D-19 another audience", dialect: "omnilab", req: oauth.TokenRequest{Audience: "https://three.example"}, fail: oauth.FailureAudienceInvalid},
		{name: "D-19 a part of an audience", dialect: "omnilab", req: oauth.TokenRequest{Audience: "https://one.example/"}, fail: oauth.FailureAudienceInvalid},
		{name: "scope comes before audience", dialect: "omnilab", req: oauth.TokenRequest{Scope: oauth.Scope{"z"}, Audience: "x"}, fail: oauth.FailureScopeInvalid},
		{name: "RFC 8707 resource", req: oauth.TokenRequest{Scope: oauth.Scope{"a"}, Audience: both[0]}, want: domain.Grant{Scope: oauth.Scope{"a"}, Audience: both[:1]}},
		{name: "an audience where the dialect has no such parameter", dialect: "arbitex", req: oauth.TokenRequest{Scope: oauth.Scope{"a"}, Audience: "x"},
			want: domain.Grant{Scope: oauth.Scope{"a"}}},
		{name: "no audience at all", dialect: "trialbee", client: func(c *domain.Client) { c.Audiences = nil }, fail: oauth.FailureAudienceInvalid},

		{name: "ARB-08 a life of its own", dialect: "arbitex", client: func(c *domain.Client) { c.Lifetime = 86400 }, req: oauth.TokenRequest{Scope: oauth.Scope{"a"}},
			want: domain.Grant{Scope: oauth.Scope{"a"}, Lifetime: 24 * time.Hour}},
		{name: "ARB-08 longer than there may be", dialect: "arbitex", client: func(c *domain.Client) { c.Lifetime = 86401 }, req: oauth.TokenRequest{Scope: oauth.Scope{"a"}},
			want: domain.Grant{Scope: oauth.Scope{"a"}, Lifetime: 24 * time.Hour}},
		{name: "a shorter life", dialect: "trialbee", client: func(c *domain.Client) { c.Lifetime = 60 }, want: domain.Grant{Lifetime: time.Minute}},
		{name: "a negative life is none", dialect: "trialbee", client: func(c *domain.Client) { c.Lifetime = -60 }},
		{name: "BIP-07 sixty minutes, fixed", dialect: "bipsync", client: func(c *domain.Client) { c.Lifetime = 60 }, req: oauth.TokenRequest{Scope: oauth.Scope{"a"}},
			want: domain.Grant{Scope: oauth.Scope{"a"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := ownDialect(t)
			if c.dialect != "own" {
				d = builtin(t, cmp.Or(c.dialect, "rfc"))
			}
			who, of := client(), tenant()
			if c.client != nil {
				c.client(who)
			}
			if c.tenant != nil {
				c.tenant(of)
			}
			if c.none {
				of, who.Tenant, who.PlatformWide = nil, "", true
			}
			if c.fail == "" {
				if c.want.Audience == nil {
					c.want.Audience = both
				}
				if c.want.Lifetime == 0 {
					c.want.Lifetime = time.Hour
				}
			}
			got, err := who.Grant(d, of, &c.req)
			failed(t, err, c.fail)
			if diff := gocmp.Diff(c.want, got, emptyIsNil); diff != "" {
				t.Errorf("grant (-want +got):\n%s", diff)
			}
		})
	}
}

// emptyIsNil compares scopes as sets in order, whatever an empty one is made of.
var emptyIsNil = gocmp.Transformer("empty", func(s oauth.Scope) string { return s.String() })

func failed(t *testing.T, err error, want oauth.Failure) {
	t.Helper()
	var e *oauth.Error
	switch {
	case want == "" && err != nil:
		t.Fatalf("refused: %v", err)
	case want != "" && (!errors.As(err, &e) || e.Failure != want):
		t.Fatalf("got %v, want %s", err, want)
	}
}

// TestGrantFailureParameter: what the description of an answer may name.
func TestGrantFailureParameter(t *testing.T) {
	c := client()
	c.ScopeRequired = true
	for name, req := range map[string]oauth.TokenRequest{
		"scope": {}, "resource": {Scope: oauth.Scope{"a"}, Audience: "x"},
	} {
		_, err := c.Grant(builtin(t, "rfc"), tenant(), &req)
		var e *oauth.Error
		if !errors.As(err, &e) || e.Parameter != name {
			t.Errorf("got %v, want the parameter %s", err, name)
		}
	}
	_, err := c.Grant(builtin(t, "rfc"), tenant(), &oauth.TokenRequest{ScopeError: oauth.ErrScopeSyntax})
	if !errors.Is(err, oauth.ErrScopeSyntax) {
		t.Errorf("the cause of a malformed scope is lost: %v", err)
	}
}

// TestGrantLeavesClient: a grant shares nothing with the client that a caller could change by appending.
func TestGrantLeavesClient(t *testing.T) {
	c := client()
	g, err := c.Grant(builtin(t, "rfc"), tenant(), &oauth.TokenRequest{Audience: "https://one.example"})
	if err != nil {
		t.Fatal(err)
	}
	_ = append(g.Audience, "https://evil.example")
	_ = append(g.Scope, "evil")
	if diff := gocmp.Diff(client(), c); diff != "" {
		t.Errorf("the client changed (-want +got):\n%s", diff)
	}
}

// RULES: no dialect says away the 24 hours, not even one that Load would refuse.
func TestGrantLongestLife(t *testing.T) {
	d, c := *builtin(t, "arbitex"), client()
	d.Server.Lifetime = dialect.Lifetime{Default: 3600, Max: 1_000_000}
	c.Lifetime = 1_000_000
	if g, err := c.Grant(&d, tenant(), &oauth.TokenRequest{}); err != nil || g.Lifetime != 24*time.Hour {
		t.Errorf("lives %s, %v", g.Lifetime, err)
	}
}
