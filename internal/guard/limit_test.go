package guard_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
)

// ARB-11, D-56: the limit of the client at the API, else the API's for its tier, else the
// tier's; the tier is the store's, whatever the token says.
func TestLimits(t *testing.T) {
	const url = "https://arb.example.com/audit"
	client := func(edit func(*domain.Client)) func(*town) {
		return func(n *town) { update(n, clients, "arb/a1", edit) }
	}
	tier := func(name string) func(*town) { return client(func(c *domain.Client) { c.Tier = name }) }
	for _, c := range []struct {
		name    string
		changes []func(*town)
		want    int64 // a minute; zero: not limited
	}{
		{"standard", nil, 600},
		{"premium", []func(*town){tier("premium")}, 6000},
		{"unlimited", []func(*town){tier("unlimited")}, 0},
		{"none was chosen", []func(*town){tier("")}, 600},
		{"a tier that is not there", []func(*town){tier("gone")}, 600},
		{"a tier that was made", []func(*town){func(n *town) { put(n, tiers, domain.Tier{Name: "bronze", PerMinute: 60}) }, tier("bronze")}, 60},
		{"a built-in one that was changed", []func(*town){func(n *town) { put(n, tiers, domain.Tier{Name: "standard", PerMinute: 700}) }}, 700},
		{"of the API for the tier", []func(*town){func(n *town) {
			update(n, apis, "chat", func(a *domain.API) { a.RateLimits = map[string]int64{"standard": 30, "premium": 90} })
		}}, 30},
		{"of the API for standard, of a tier that is not there", []func(*town){tier("gone"), func(n *town) {
			update(n, apis, "chat", func(a *domain.API) { a.RateLimits = map[string]int64{"standard": 30, "gone": 31} })
		}}, 30},
		{"of the API for another tier", []func(*town){func(n *town) {
			update(n, apis, "chat", func(a *domain.API) { a.RateLimits = map[string]int64{"premium": 90} })
		}}, 600},
		{"of the API for unlimited", []func(*town){tier("unlimited"), func(n *town) {
			update(n, apis, "chat", func(a *domain.API) { a.RateLimits = map[string]int64{"unlimited": 9} })
		}}, 9},
		{"of the client before that of the API", []func(*town){client(func(c *domain.Client) { c.RateLimits = map[string]int64{"chat": 3} }), func(n *town) {
			update(n, apis, "chat", func(a *domain.API) { a.RateLimits = map[string]int64{"standard": 30} })
		}}, 3},
		{"of the client elsewhere", []func(*town){client(func(c *domain.Client) { c.RateLimits = map[string]int64{"other": 3} })}, 600},
		{"D-56 downgraded after the token said so", []func(*town){tier("premium"), tier("standard")}, 600},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newTown(t)
			f := n.facts("arb", "a1", "audit:read")
			f.Client.Tier = "unlimited" // what the token says
			token := n.issue(f)
			f.Client.Tier = "standard"
			for _, change := range c.changes {
				change(n)
			}
			v := n.get(url, token)
			n.want(v, "")
			want := guard.Limit{Known: true, PerMinute: c.want, Remaining: c.want - 1, Reset: start.Add(time.Minute).Unix()}
			if c.want == 0 {
				want = guard.Limit{}
			}
			if diff := cmp.Diff(want, v.Limit); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// ARB-11..13, D-67: one count for all tokens of a client, through updates of the client and
// new views; what is refused for its rights spends too, what is refused for its token does not.
func TestWhatSpends(t *testing.T) {
	n := newTown(t)
	update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"reports": 5} })
	one, two := n.token("main", "c1", "read"), n.token("main", "c1", "write")
	step := func(url, token string, want guard.Reason, remaining int64) {
		t.Helper()
		v := n.get(url, token)
		n.want(v, want)
		if v.Limit.Remaining != remaining || !v.Limit.Known {
			t.Errorf("%+v, want %d left", v.Limit, remaining)
		}
	}
	step(base+"/me", one, "", 4)
	step(base+"/me", two, "", 3)
	n.want(n.get(base+"/me", tampered(one)), guard.TokenInvalid)
	step(base+"/studies/s9", one, guard.ResourceOutside, 2)
	update(n, clients, "main/c1", func(c *domain.Client) { c.Note = "changed" })
	step(base+"/nothing", one, guard.NoRoute, 1)
	put(n, tiers, domain.Tier{Name: "another", PerMinute: 1})
	step(base+"/me", two, "", 0)
	step(base+"/me", one, guard.RateLimited, 0)
	step(base+"/studies/../me", one, guard.RateLimited, 0)     // the limit goes first
	n.want(n.get(base+"/me", n.token("main", "wide", "")), "") // D-68
	n.wait(time.Minute)
	step(base+"/me", one, "", 4)
	n.wait(-time.Minute) // D-39
	step(base+"/me", one, "", 3)
}

// One count for all APIs by the tier, and one apart where there is a limit of its own.
func TestCountedApart(t *testing.T) {
	n := newTown(t)
	put(n, tiers, domain.Tier{Name: "standard", PerMinute: 3})
	n.api(domain.API{Name: "second", Audience: "urn:reports", Issuers: []string{"main"}, Path: "/second", Routes: reports()})
	n.api(domain.API{Name: "third", Audience: "urn:reports", Issuers: []string{"main"}, Path: "/third", Routes: reports(), RateLimits: map[string]int64{"standard": 2}})
	token := n.token("main", "c1", "")
	for _, c := range []struct {
		api  string
		left int64
		want guard.Reason
	}{
		{"v1", 2, ""}, {"second", 1, ""}, {"third", 1, ""}, {"v1", 0, ""}, {"second", 0, guard.RateLimited}, {"third", 0, ""}, {"third", 0, guard.RateLimited},
	} {
		v := n.get("https://auth.example.com/"+c.api+"/me", token)
		n.want(v, c.want)
		if v.Limit.Remaining != c.left {
			t.Errorf("%s: %+v, want %d left", c.api, v.Limit, c.left)
		}
	}
}

// What a client has of its own at one API is counted apart too.
func TestItsOwnIsCountedApart(t *testing.T) {
	n := newTown(t)
	n.api(domain.API{Name: "second", Audience: "urn:reports", Issuers: []string{"main"}, Path: "/second", Routes: reports()})
	update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"reports": 5} })
	token := n.token("main", "c1", "")
	for _, c := range []struct {
		api  string
		left int64
	}{{"v1", 4}, {"second", 599}, {"v1", 3}, {"second", 598}} {
		v := n.get("https://auth.example.com/"+c.api+"/me", token)
		n.want(v, "")
		if v.Limit.Remaining != c.left {
			t.Errorf("%s: %+v, want %d left", c.api, v.Limit, c.left)
		}
	}
}

// RULES: several nodes without a shared quota admit their part each, and tell the whole.
func TestMaxNodes(t *testing.T) {
	n := newTownOf(t, guard.Config{MaxNodes: 3})
	update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"reports": 7} })
	token := n.token("main", "c1", "")
	for left := range 2 {
		v := n.get(base+"/me", token)
		n.want(v, "")
		if v.Limit.PerMinute != 7 || v.Limit.Remaining != int64(1-left) {
			t.Errorf("%+v", v.Limit)
		}
	}
	n.want(n.get(base+"/me", token), guard.RateLimited)
	update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"reports": 1} })
	n.wait(time.Minute)
	n.check(n.snap.Poll(t.Context()))
	n.want(n.get(base+"/me", token), "")
}

// D-67: however many connections and tokens, no minute admits more than the limit, and none less.
func TestLimitIsExact(t *testing.T) {
	n := newTown(t)
	update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"reports": 100} })
	var tokens []string
	for range 8 {
		tokens = append(tokens, n.token("main", "c1", ""))
	}
	var admitted atomic.Int64
	var all sync.WaitGroup
	for _, token := range tokens {
		all.Go(func() {
			for range 30 {
				if v := n.get(base+"/me", token); v.Err == nil {
					admitted.Add(1)
				} else if v.Reason() != guard.RateLimited {
					t.Error(v.Err)
				}
			}
		})
	}
	for i := range 5 { // the client changes meanwhile
		update(n, clients, "main/c1", func(c *domain.Client) { c.Note = fmt.Sprint(i) })
	}
	all.Wait()
	if got := admitted.Load(); got != 100 {
		t.Errorf("%d admitted of a limit of 100", got)
	}
}
