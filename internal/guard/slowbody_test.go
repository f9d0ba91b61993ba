package guard_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
)

// slow is a body whose sender lets something happen before it goes on.
type slow struct {
	happen func()
	io.Reader
}

func (s *slow) Read(p []byte) (int, error) {
	if s.happen != nil {
		s.happen()
		s.happen = nil
	}
	return s.Reader.Read(p)
}

// COM-12, D-70: the client decides how long its body takes. What was taken from it meanwhile
// is gone for this call too, which is counted once.
func TestTakenAwayWhileTheBodyComes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(n *town)
		want   guard.Reason
		graph  guard.Reason
	}{
		"nothing":         {func(*town) {}, "", ""},
		"something else":  {func(n *town) { update(n, clients, "main/wide", func(c *domain.Client) { c.Epoch++ }) }, "", ""},
		"client disabled": {func(n *town) { update(n, clients, "main/c1", func(c *domain.Client) { c.Status = domain.Disabled }) }, guard.TokenInvalid, guard.TokenInvalid},
		"client killed":   {func(n *town) { update(n, clients, "main/c1", func(c *domain.Client) { c.Epoch++ }) }, guard.TokenInvalid, guard.TokenInvalid},
		"policy deleted":  {func(n *town) { remove(n, policies, "viewer") }, "", guard.ActionMissing},
		"resources of the tenant": {func(n *town) { update(n, tenants, tenant1, func(t *domain.Tenant) { t.Resources = nil }) },
			guard.ResourceOutside, guard.ResourceOutside},
		"rule": {func(n *town) {
			for _, api := range []string{"reports", "graph"} {
				update(n, apis, api, func(a *domain.API) { a.Routes, a.GraphQL = nil, nil })
			}
		}, guard.NoRoute, guard.NoRoute},
		"store":            {func(n *town) { n.lose(true); n.wait(2 * time.Minute) }, guard.Stale, guard.Stale},
		"the time":         {func(n *town) { n.wait(2 * time.Second) }, "", ""},
		"end of the token": {func(n *town) { n.wait(2 * time.Hour); n.check(n.snap.Poll(t.Context())) }, guard.TokenInvalid, guard.TokenInvalid},
	} {
		for path, body := range map[string]string{base + "/search": `{"study":"s1"}`, endpoint: query(`{ study(id: "s1") { id } }`)} {
			t.Run(name+" "+path, func(t *testing.T) {
				n := graphTown(t, nil)
				update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"reports": 10, "graph": 10} })
				r := with(request("POST", path, n.token("main", "c1", "")), "application/json", body)
				r.Body = io.NopCloser(&slow{func() { n.t = t; c.change(n) }, strings.NewReader(body)})
				v := n.judge(r)
				want := c.want
				if path == endpoint {
					want = c.graph
				}
				n.want(v, want)
				if known := want != guard.TokenInvalid && want != guard.Stale; v.Limit.Known != known || known && v.Limit.Remaining != 9 {
					t.Errorf("limit %+v", v.Limit)
				}
				if path == endpoint || v.Err != nil {
					return
				}
				if left, err := io.ReadAll(r.Body); err != nil || string(left) != body {
					t.Errorf("left %q, %v", left, err)
				}
			})
		}
	}
}
