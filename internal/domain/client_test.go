package domain_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

var dialects = dialect.Builtin()

// exists: there are an issuer, an API, a policy and a tier, named i, api, p and gold; and q.
func exists(kind domain.Kind, key string) bool {
	there := map[domain.Kind]string{domain.KindIssuer: "i", domain.KindAPI: "api", domain.KindPolicy: "p q", domain.KindTier: "gold"}
	return slices.Contains(strings.Fields(there[kind]), key)
}

func TestClientProblems(t *testing.T) {
	good := func() *domain.Client {
		c := client()
		c.ID, c.Name, c.ResourceScope = uuid1, "Billing", domain.ResourceScope{"team": {IDs: []string{team1}}, "study": {All: true}}
		return c
	}
	const noID = " is no client id: 1 to 256 printable ASCII characters without a colon"
	const noAudience = " is no audience: 1 to 256 printable ASCII characters without spaces"
	for _, c := range []struct {
		name    string
		dialect string
		change  func(*domain.Client, *domain.Tenant, *domain.Issuer)
		want    []string
	}{
		{name: "good"},
		{"COM-04 an id that we would not make", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.ID = "VibesUser" },
			[]string{"id: \"VibesUser\" is no UUID; ids of another form come by `client import`"}},
		{"VIB-06 an imported id", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.ID, c.Imported = "VibesUser+1 %41", true }, nil},
		{"a colon", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.ID, c.Imported = "a:b", true }, []string{`id: "a:b"` + noID}},
		{"no id", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.ID, c.Imported = "", true }, []string{`id: ""` + noID}},
		{"a line end", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.ID, c.Imported = "a\n", true }, []string{`id: "a\n"` + noID}},
		{"beyond ASCII", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.ID, c.Imported = "ä", true }, []string{`id: "ä"` + noID}},
		{"texts", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) {
			c.Name, c.Owner, c.Contact, c.Note = "", strings.Repeat("x", 201), "a\x00", strings.Repeat("x", 2001)
		}, []string{
			"name: is missing; people know the client by it",
			"owner: is 201 bytes long; at most 200 are kept",
			"contact: holds bytes that are no text; write UTF-8 without control characters",
			"note: is 2001 bytes long; at most 2000 are kept",
		}},
		{"of a tenant and of none", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.PlatformWide = true },
			[]string{"platform_wide: is set and so is tenant; a client is of one tenant, or platform-wide"}},
		{"status and tier", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.Status, c.Tier = "on", "Gold!" },
			[]string{`status: "on" is neither enabled nor disabled`, `tier: there is no tier "Gold!"; there are standard, premium, unlimited and those that were made`}},
		{"scopes that the issuer does not have", "", func(_ *domain.Client, _ *domain.Tenant, i *domain.Issuer) { i.Scopes = oauth.Scope{"b", "c"} },
			[]string{`scopes[0]: "a" is not a scope of issuer i: b c`}},
		{"COM-12 above the ceiling", "", func(c *domain.Client, n *domain.Tenant, _ *domain.Issuer) {
			n.Ceiling, c.Policies = &domain.Ceiling{Scopes: oauth.Scope{"a"}, Policies: []string{"p"}}, []string{"p", "q"}
		}, []string{`scopes[1]: "b" is above the ceiling of tenant One`, `policies[1]: "q" is above the ceiling of tenant One`}},
		{"ARB-11 a tier that was made", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.Tier = "gold" }, nil},
		{"TRI-08 policies that there are, and one that is not", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) {
			c.Policies = []string{"p", "none", "q", "p"}
		}, []string{`policies[1]: there is no policy "none"; make it first, or name another`, `policies[3]: "p" stands there twice`}},
		{"limits of its own", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) {
			c.RateLimits = map[string]int64{"api": 1, "none": 5}
		}, []string{`rate_limits.none: there is no API "none"; name one that was made`}},
		{"a limit of nothing", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.RateLimits = map[string]int64{"api": 0} },
			[]string{"rate_limits.api: is 0 calls a minute; at least 1"}},
		{"scopes", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.Scopes = oauth.Scope{"a", "a", "\\"} },
			[]string{`scopes[1]: "a" stands there twice`, `scopes[2]: "\\" is no scope: printable ASCII without spaces, quotes or backslashes (RFC 6749 §3.3)`}},
		{"D-52 more than a token holds", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) {
			c.Scopes, c.Audiences = oauth.Scope{strings.Repeat("s", 4000)}, []string{strings.Repeat("a", 49)}
		}, []string{"scopes: take 4000 bytes of a token and audiences up to 98; there is room for 4096 together"}},
		{"D-52 as much as a token holds", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) {
			c.Scopes, c.Audiences = oauth.Scope{strings.Repeat("s", 3998)}, []string{strings.Repeat("a", 49)}
		}, nil},
		{"no audience", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.Audiences = nil },
			[]string{"audiences: is empty; every token is for somebody: name at least one API"}},
		{"audiences", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) {
			c.Audiences = []string{"x", "x", "", "a b"}
		},
			[]string{`audiences[1]: "x" stands there twice`, `audiences[2]: ""` + noAudience, `audiences[3]: "a b"` + noAudience}},
		{"BIP-04 a team of another tenant", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) {
			c.ResourceScope = domain.ResourceScope{"team": {IDs: []string{team3}}}
		}, []string{`resource_scope.team.ids[0]: "` + team3 + `" is not a team of tenant One`}},
		{"all and some", "", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) {
			c.ResourceScope = domain.ResourceScope{"team": {All: true, IDs: []string{team1}}}
		}, []string{"resource_scope.team: says all and names ids; one or the other"}},
		{"a star", "", func(c *domain.Client, n *domain.Tenant, _ *domain.Issuer) {
			c.ResourceScope, n.Resources["team"] = domain.ResourceScope{"team": {IDs: []string{"*"}}}, []string{"*"}
		}, []string{"resource_scope.team.ids[0]: `*` is no id; for all of them write `all: true` in a client's resource_scope"}},
		{"ARB-08 a life too long", "arbitex", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.Lifetime = 86401 },
			[]string{"lifetime: is 86401 seconds; dialect arbitex allows at most 86400"}},
		{"ARB-08 the longest life", "arbitex", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.Lifetime = 86400 }, nil},
		{"a negative life", "arbitex", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.Lifetime = -1 },
			[]string{"lifetime: is -1 seconds; dialect arbitex allows at most 86400"}},
		{"BIP-07 a life of its own", "bipsync", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.Lifetime = 60 },
			[]string{"lifetime: is 60 seconds; dialect bipsync has 3600 for every client"}},
		{"BIP-04 a team as a scope", "bipsync", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.Scopes = oauth.Scope{"team_" + team1} },
			[]string{`scopes[0]: "team_` + team1 + `" names a team; grant it in resource_scope.team.ids instead`}},
		{"VIB-03 another scope than the one", "vibes", func(c *domain.Client, _ *domain.Tenant, _ *domain.Issuer) { c.Scopes = oauth.Scope{agent, "a"} },
			[]string{`scopes[1]: "a": dialect vibes has one scope, ` + agent}},
	} {
		t.Run(c.name, func(t *testing.T) {
			who, of, i := good(), tenant(), &domain.Issuer{Name: "i"}
			if c.change != nil {
				c.change(who, of, i)
			}
			var d *dialect.Dialect
			if c.dialect != "" {
				d = builtin(t, c.dialect)
			}
			if diff := cmp.Diff(c.want, lines(who.Problems(i, d, of, exists))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestClientOfNothing: what it refers to is not there, or not said.
func TestClientOfNothing(t *testing.T) {
	c := client()
	c.ID, c.Name, c.ResourceScope = uuid1, "Billing", nil
	if diff := cmp.Diff([]string{`issuer: there is no issuer "i"`, `tenant: there is no tenant "t1"`}, lines(c.Problems(nil, nil, nil, exists))); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	c.Tenant = ""
	want := []string{`issuer: there is no issuer "i"`, "tenant: is missing; name one, or say platform_wide: true"}
	if diff := cmp.Diff(want, lines(c.Problems(nil, nil, nil, exists))); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	c.PlatformWide = true
	if diff := cmp.Diff([]string(nil), lines(c.Problems(&domain.Issuer{Name: "i"}, nil, nil, exists))); diff != "" {
		t.Errorf("problems of a platform-wide one (-want +got):\n%s", diff)
	}
}

func TestClientDefaults(t *testing.T) {
	c := domain.Client{}
	c.Defaults(builtin(t, "vibes"))
	if diff := cmp.Diff(domain.Client{Status: domain.Enabled, Tier: "standard", Scopes: oauth.Scope{agent}}, c); diff != "" {
		t.Errorf("VIB-03: the one scope there is (-want +got):\n%s", diff)
	}
	c = domain.Client{Status: domain.Disabled, Tier: "premium", Scopes: oauth.Scope{}}
	c.Defaults(builtin(t, "vibes"))
	if diff := cmp.Diff(domain.Client{Status: domain.Disabled, Tier: "premium", Scopes: oauth.Scope{}}, c); diff != "" {
		t.Errorf("what was said is kept (-want +got):\n%s", diff)
	}
}

func TestClientAlive(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	at := func(d time.Duration) *time.Time { u := now.Add(d); return &u }
	for _, c := range []struct {
		name string
		c    domain.Client
		want bool
	}{
		{"enabled", domain.Client{Status: domain.Enabled}, true},
		{"disabled", domain.Client{Status: domain.Disabled}, false},
		{"of no status", domain.Client{}, false},
		{"until later", domain.Client{Status: domain.Enabled, ValidUntil: at(1)}, true},
		{"until now", domain.Client{Status: domain.Enabled, ValidUntil: at(0)}, false},
		{"disabled, until later", domain.Client{Status: domain.Disabled, ValidUntil: at(1)}, false},
	} {
		if got := c.c.Alive(now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// D-37: a hash is in no JSON, and comes back from where a store keeps it.
func TestClientSensitive(t *testing.T) {
	c := client()
	c.Secrets = []domain.Secret{{ID: "s1", Hash: "canary-1"}, {ID: "s2", Hash: "canary-2"}}
	b, err := json.Marshal(c)
	if err != nil || strings.Contains(string(b), "canary") {
		t.Fatalf("%v: %s", err, b)
	}
	var back domain.Client
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	back.SetSensitive(c.Sensitive())
	if diff := cmp.Diff(*c, back); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	k := domain.Key{ID: "k", Sealed: []byte("canary-3")}
	v := domain.VaultKey{ID: "v", Sealed: []byte("canary-4")}
	for _, object := range []any{k, v} {
		if b, err := json.Marshal(object); err != nil || strings.Contains(string(b), "canary") || strings.Contains(string(b), "Y2FuYXJ5") {
			t.Errorf("%v: %s", err, b)
		}
	}
}

// TRI-12: an id means nothing outside its issuer.
func TestKeys(t *testing.T) {
	c, k := domain.Client{Issuer: "i", ID: "a/b"}, domain.Key{Issuer: "i", ID: "a/b"}
	for got, want := range map[string]string{
		c.Key(): "i/a/b", domain.Tombstone{Issuer: "i", ID: "a/b"}.Key(): "i/a/b", k.Key(): "i/a/b",
		domain.Tenant{ID: "t"}.Key(): "t", domain.Issuer{Name: "i"}.Key(): "i", domain.VaultKey{ID: "v"}.Key(): "v",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	kinds := fmt.Sprintln(c.Kind(), k.Kind(), domain.Tenant{}.Kind(), domain.Issuer{}.Kind(), domain.Tombstone{}.Kind(), domain.VaultKey{}.Kind())
	if kinds != "client key tenant issuer tombstone vault\n" {
		t.Errorf("kinds: %s", kinds)
	}
}
