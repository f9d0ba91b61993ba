package domain_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

var (
	plainScopes = []string{"a", "b", "c", "*", "admin:write", agent}
	studies     = []string{"1", "2", "3"}
	teams       = []string{team1, team2, team3}
)

// subset draws some of the list, in any order, none twice.
func subset(t *rapid.T, name string, list []string) []string {
	n := rapid.IntRange(0, len(list)).Draw(t, name+" length")
	return rapid.Permutation(list).Draw(t, name)[:n]
}

func resources(t *rapid.T, kind string, ids []string) domain.Resources {
	if rapid.Bool().Draw(t, kind+" all") {
		return domain.Resources{All: true}
	}
	return domain.Resources{IDs: subset(t, kind+" held", ids)}
}

// may is what a client may be given, told without the code under test: a scope that is
// assigned and below the ceiling, or the name of a resource that the tenant owns and the client
// holds.
func may(c *domain.Client, of *domain.Tenant, d *dialect.Dialect, scope string) bool {
	kind, id := "", ""
	switch d.Name {
	case "bipsync", "own":
		if rest, ok := strings.CutPrefix(scope, "team_"); ok {
			kind, id = "team", rest
		}
		if rest, ok := strings.CutPrefix(scope, "study_"); ok && d.Name == "own" {
			kind, id = "study", rest
		}
	}
	if kind == "" {
		return slices.Contains(c.Scopes, scope) && (of == nil || of.Ceiling == nil || slices.Contains(of.Ceiling.Scopes, scope))
	}
	held := c.ResourceScope[kind]
	return of != nil && slices.Contains(of.Resources[kind], id) && (held.All || slices.Contains(held.IDs, id))
}

// TestGrantNeverExceeds: COM-06, D-15, D-16. Whatever is asked of whatever client under
// whatever dialect, what is granted is what was asked or, where nothing was, nothing that was not
// assigned; and the client may have each of it. The lifetime is within the bounds, the audience
// one of the client's.
func TestGrantNeverExceeds(t *testing.T) {
	dialects := []*dialect.Dialect{ownDialect(t)}
	for _, name := range dialect.Builtin().Names() {
		dialects = append(dialects, builtin(t, name))
	}
	asked := slices.Clone(plainScopes)
	for _, id := range teams {
		asked = append(asked, "team_"+id)
	}
	for _, id := range studies {
		asked = append(asked, "study_"+id)
	}
	granted := 0
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SampledFrom(dialects).Draw(t, "dialect")
		c := &domain.Client{
			Scopes: subset(t, "assigned", plainScopes), Audiences: subset(t, "audiences", []string{"x", "y"}),
			ScopeRequired: rapid.Bool().Draw(t, "scope required"), Partner: rapid.Bool().Draw(t, "partner"),
			Lifetime:      domain.Seconds(rapid.Int64().Draw(t, "lifetime")),
			ResourceScope: domain.ResourceScope{"team": resources(t, "team", teams), "study": resources(t, "study", studies)},
		}
		var of *domain.Tenant
		if rapid.Bool().Draw(t, "has a tenant") {
			of = &domain.Tenant{Resources: map[string][]string{"team": subset(t, "tenant's teams", teams), "study": subset(t, "tenant's studies", studies)}}
			if rapid.Bool().Draw(t, "has a ceiling") {
				of.Ceiling = &domain.Ceiling{Scopes: subset(t, "ceiling", plainScopes)}
			}
		}
		// Half of them ask for nothing but what they were given: else hardly a request is granted.
		from := asked
		if rapid.Bool().Draw(t, "modest") {
			from = c.Scopes
		}
		req := oauth.TokenRequest{Scope: subset(t, "asked", from), Audience: rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "audience")}

		g, err := c.Grant(d, of, &req)
		if err != nil {
			var e *oauth.Error
			if !errors.As(err, &e) {
				t.Fatalf("an error without a failure: %v", err)
			}
			return
		}
		granted++
		for _, s := range g.Scope {
			if !may(c, of, d, s) {
				t.Fatalf("granted %q", s)
			}
		}
		if len(req.Scope) > 0 && !slices.Equal(g.Scope, req.Scope) {
			t.Fatalf("asked %q, granted %q", req.Scope, g.Scope)
		}
		if len(req.Scope) == 0 && g.ScopeChanged != (len(g.Scope) > 0) {
			t.Fatalf("granted %q unasked, changed is %v", g.Scope, g.ScopeChanged)
		}
		for kind, ids := range g.Bindings {
			for _, id := range ids {
				if !slices.Contains(g.Scope, fmt.Sprintf("%s_%s", kind, id)) {
					t.Fatalf("bound to %s %s by no scope of %q", kind, id, g.Scope)
				}
			}
		}
		if len(g.Audience) == 0 || slices.ContainsFunc(g.Audience, func(a string) bool { return !slices.Contains(c.Audiences, a) }) {
			t.Fatalf("audience %q of %q", g.Audience, c.Audiences)
		}
		if g.Lifetime <= 0 || g.Lifetime > dialect.MaxLifetime {
			t.Fatalf("lives %s", g.Lifetime)
		}
	})
	if granted == 0 {
		t.Error("nothing was ever granted: the test saw nothing")
	}
}
