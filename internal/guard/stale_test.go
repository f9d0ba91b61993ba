package guard_test

import (
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
)

// D-69: a node that lost its store refuses after max_staleness, or goes on as long as the API
// says, for clients that it knows; it never says 401 for what it cannot know.
func TestStale(t *testing.T) {
	n := newTown(t)
	update(n, apis, "reports", func(a *domain.API) { a.ServeStale = 30 })
	known, unknown, nobody := n.token("main", "c1", ""), n.token("main", "wide", ""), n.sign("main", "at+jwt", n.payload(map[string]any{"client_id": "nobody"}))
	stage := n.token("stage", "c1", "")
	n.guard = guard.New(n.guard.Config)
	update(n, clients, "main/wide", func(c *domain.Client) { c.Note = "forgotten by the node" })
	alive := n.get(base+"/me", known)
	n.want(alive, "")
	n.want(n.get("https://stage.example.com/v1/me", stage), "")
	n.lose(true)
	for _, c := range []struct {
		after                  time.Duration
		known, unknown, nobody guard.Reason
		stage                  guard.Reason // an API that does not go on
		stream                 bool
	}{
		{time.Minute, "", "", guard.TokenInvalid, "", true},
		{time.Minute + 1, "", guard.Stale, guard.Stale, guard.Stale, true},
		{90 * time.Second, "", guard.Stale, guard.Stale, guard.Stale, true},
		{90*time.Second + 1, guard.Stale, guard.Stale, guard.Stale, guard.Stale, false},
	} {
		n.wait(start.Add(c.after).Sub(n.clock()))
		if n.snap.Poll(t.Context()) == nil {
			t.Fatal("the store was found")
		}
		if c.after > time.Minute {
			n.want(n.get(base+"/me", unknown), c.unknown)
			n.want(n.get(base+"/me", nobody), c.nobody)
		}
		n.want(n.get(base+"/me", known), c.known)
		n.want(n.get("https://stage.example.com/v1/me", stage), c.stage)
		if got := n.guard.Alive(t.Context(), &alive); got != c.stream {
			t.Errorf("after %s: the stream is alive: %t", c.after, got)
		}
	}
	n.lose(false)
	n.check(n.snap.Poll(t.Context()))
	n.want(n.get(base+"/me", unknown), "")
	n.want(n.get(base+"/me", nobody), guard.TokenInvalid)
}

// D-70: what ends a stream beside the death of its client, and what does not.
func TestAlive(t *testing.T) {
	for name, c := range map[string]struct {
		change func(n *town)
		want   bool
	}{
		"nothing":            {func(*town) {}, true},
		"a note is changed":  {func(n *town) { update(n, clients, "main/c1", func(c *domain.Client) { c.Note = "x" }) }, true},
		"another is deleted": {func(n *town) { remove(n, clients, "main/wide") }, true},
		"the token expires": {func(n *town) {
			for range 61 {
				n.wait(time.Minute)
				n.check(n.snap.Poll(n.t.Context()))
			}
		}, true},
		"the API is deleted":    {func(n *town) { remove(n, apis, "reports") }, false},
		"the issuer is deleted": {func(n *town) { remove(n, issuers, "main") }, false},
		"the client is deleted": {func(n *town) { remove(n, clients, "main/c1") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := newTown(t)
			v := n.get(base+"/live", n.token("main", "c1", ""))
			n.want(v, "")
			c.change(n)
			if got := n.guard.Alive(t.Context(), &v); got != c.want {
				t.Errorf("alive: %t", got)
			}
		})
	}
	n := newTown(t)
	refused := n.get(base+"/nothing", n.token("main", "c1", ""))
	if n.guard.Alive(t.Context(), &refused) || n.guard.Alive(t.Context(), &guard.Verdict{}) {
		t.Error("what never passed is alive")
	}
}
