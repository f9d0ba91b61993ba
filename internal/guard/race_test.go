package guard_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/snapshot"
)

// hammer calls with the token from several sides until stop is called, which returns what
// the calls that began after it were answered, once each.
func (n *town) hammer(url, token string) (stop func() []guard.Reason) {
	var over atomic.Bool
	var all sync.WaitGroup
	answers := make(chan guard.Reason, 4)
	for range 4 {
		all.Go(func() {
			for !over.Load() {
				n.get(url, token)
			}
			v := n.get(url, token)
			answers <- v.Reason()
		})
	}
	return func() []guard.Reason {
		over.Store(true)
		all.Wait()
		close(answers)
		var list []guard.Reason
		for a := range answers {
			list = append(list, a)
		}
		return list
	}
}

// D-38, D-58, COM-12: while calls run, whatever is taken away is gone for every call that
// begins after the administrator was answered.
func TestTakenAwayWhileCallsRun(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		change func(n *town)
		want   guard.Reason
	}{
		"client deleted":       {"/me", func(n *town) { remove(n, clients, "main/c1") }, guard.TokenInvalid},
		"client disabled":      {"/me", func(n *town) { update(n, clients, "main/c1", func(c *domain.Client) { c.Status = domain.Disabled }) }, guard.TokenInvalid},
		"client killed":        {"/me", func(n *town) { update(n, clients, "main/c1", func(c *domain.Client) { c.Epoch++ }) }, guard.TokenInvalid},
		"policy of the client": {"/studies/s1", func(n *town) { update(n, clients, "main/c1", func(c *domain.Client) { c.Policies = nil }) }, guard.ActionMissing},
		"policy deleted":       {"/studies/s1", func(n *town) { remove(n, policies, "viewer") }, guard.ActionMissing},
		"resource of the tenant": {"/studies/s1", func(n *town) { update(n, tenants, tenant1, func(t *domain.Tenant) { t.Resources = nil }) },
			guard.ResourceOutside},
		"rule": {"/me", func(n *town) { update(n, apis, "reports", func(a *domain.API) { a.Routes = a.Routes[1:] }) }, guard.NoRoute},
		"key": {"/me", func(n *town) {
			list, err := n.db.Read().Keys.List(context.Background(), domain.Page{Prefix: "main/"})
			n.check(err)
			remove(n, keyRows, list[0].Key())
		}, guard.TokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			n := newTown(t)
			update(n, clients, "main/c1", func(c *domain.Client) { c.Tier = "unlimited" })
			token := n.token("main", "c1", "")
			n.want(n.get(base+c.path, token), "")
			stop := n.hammer(base+c.path, token)
			c.change(n) // returns once this node has applied it
			for _, got := range stop() {
				if got != c.want {
					t.Errorf("answered %q, want %q", got, c.want)
				}
			}
		})
	}
}

// D-38: a token minted from what was the client before it was deleted is dead afterwards,
// also where an id is made again; and minting goes on while that happens.
func TestMintedWhileDeleted(t *testing.T) {
	n := newTown(t)
	row, err := n.db.Read().Clients.Get(t.Context(), "main/c1")
	n.check(err)
	before := n.facts("main", "c1", "") // decoded, authenticated, granted: not signed yet
	for epoch := int64(2); epoch < 6; epoch++ {
		remove(n, clients, "main/c1")
		late := n.issue(before)
		n.want(n.get(base+"/me", late), guard.TokenInvalid)
		row.Epoch, row.Version = epoch, 0
		put(n, clients, row)
		n.want(n.get(base+"/me", late), guard.TokenInvalid) // D-40
		now := n.facts("main", "c1", "")
		n.want(n.get(base+"/me", n.issue(now)), "")
		before = now
	}
}

// stalled is a store in which the read of a client waits once it has the row.
type stalled struct {
	domain.Store
	read, goOn chan struct{}
	armed      *atomic.Bool
}

func (s stalled) Read() domain.Tables {
	t := s.Store.Read()
	t.Clients = stalledClients{t.Clients, s}
	return t
}

type stalledClients struct {
	domain.Table[domain.Client]
	s stalled
}

func (c stalledClients) Get(ctx context.Context, key string) (domain.Client, error) {
	row, err := c.Table.Get(ctx, key)
	if c.s.armed.CompareAndSwap(true, false) {
		c.s.read <- struct{}{}
		<-c.s.goOn
	}
	return row, err
}

// RULES "Snapshot and feed": a cache fill that has read the row and is stalled never revives
// a client that dies meanwhile: neither for the call that waits for it nor for the next.
func TestStalledFill(t *testing.T) {
	for name, kill := range map[string]func(*town){
		"deleted": func(n *town) { remove(n, clients, "main/c1") },
		"killed":  func(n *town) { update(n, clients, "main/c1", func(c *domain.Client) { c.Epoch++ }) },
	} {
		t.Run(name, func(t *testing.T) {
			n := newTown(t)
			token := n.token("main", "c1", "")
			slow := stalled{n.db, make(chan struct{}), make(chan struct{}), new(atomic.Bool)}
			config := n.snap.Config
			config.Store = slow
			snap, err := snapshot.Open(t.Context(), config)
			n.check(err)
			n.snap, n.store, n.guard = snap, snap.Committing(), guard.New(guard.Config{Snapshot: snap})
			slow.armed.Store(true)
			answer := make(chan guard.Verdict, 1)
			go func() { answer <- n.get(base+"/me", token) }()
			<-slow.read // the row was read, alive
			kill(n)
			close(slow.goOn)
			v := <-answer
			n.want(v, guard.TokenInvalid)
			n.want(n.get(base+"/me", token), guard.TokenInvalid)
		})
	}
}
