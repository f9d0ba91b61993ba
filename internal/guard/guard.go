package guard

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// Config is what a guard needs.
type Config struct {
	Snapshot *snapshot.Snapshot
	Limits   *ratelimit.Windows // nil: its own
	MaxNodes int                // nodes that may serve at once without a shared quota: each admits its part; zero: one
	Tokens   int                // how many verified tokens are remembered; zero: resourceserver.DefaultCacheSize
}

// Guard judges calls. It is safe for concurrent use.
type Guard struct {
	Config
	cache  *resourceserver.Cache  // of all APIs
	budget *resourceserver.Budget // of all APIs, whatever changes
	plans  *graphql.Cache         // of all APIs, by schema

	providers *providers // of users, of all APIs

	making sync.Mutex // one set of verifiers at a time
	made   atomic.Pointer[verifiers]
}

// New returns a guard that has seen no call.
func New(c Config) *Guard {
	if c.Limits == nil {
		c.Limits = ratelimit.NewWindows()
	}
	budget := resourceserver.NewBudget(0)
	return &Guard{
		Config: c, cache: resourceserver.NewCache(c.Tokens), budget: budget, plans: newPlans(),
		providers: newProviders(func() time.Time { return c.Snapshot.Now() }, budget),
	}
}

// Judge decides whether the call may pass. source is who sent it, behind trusted proxies
// too. Where a rule reads the body it is read, and replaced by the same bytes.
func (g *Guard) Judge(r *http.Request, source netip.Addr) Verdict {
	c := call{guard: g, r: r, source: source}
	c.Err = c.judge()
	if c.Err == nil && c.overtaken() {
		spent := c.Limit
		c = call{guard: g, r: r, source: source, body: c.body, spent: &spent}
		c.Err = c.judge()
	}
	return c.Verdict
}

// judge is the call line (DESIGN §4). Each step finds out one thing or refuses the call,
// in this order for every API.
func (c *call) judge() error {
	c.place.View, c.now = c.guard.Snapshot.View(), c.guard.Snapshot.Now()
	if err := c.findAPI(); err != nil {
		return err
	}
	if err := c.checkFresh(); err != nil {
		return err
	}
	if err := c.verifyToken(); err != nil {
		return err
	}
	if c.Actor == nil {
		if err := c.findClient(); err != nil {
			return err
		}
	}
	if err := c.spend(); err != nil {
		return err
	}
	if c.Actor != nil {
		if err := c.takeRole(); err != nil {
			return err
		}
	}
	return c.judgeRequest()
}

// overtaken reports whether what the verdict hangs on may have changed while the body came.
// How long that takes is the sender's to decide: what is taken from it meanwhile must not
// wait for it (DESIGN §7).
func (c *call) overtaken() bool {
	if c.body == nil {
		return false
	}
	snap := c.guard.Snapshot
	client, known := c.Client, true
	if client != nil {
		client, known = snap.Known(c.Issuer.Name, client.ID)
	}
	return !known || client != c.Client || snap.View() != c.place.View || snap.Now().Sub(c.now) >= time.Second
}

// judgeRequest is the rest of the line: what is asked for is known by its method, its path
// and its query, and where the API speaks GraphQL by its body.
func (c *call) judgeRequest() error {
	if err := c.readRequest(); err != nil {
		return err
	}
	if c.GraphQL != nil {
		return c.judgeGraphQL()
	}
	if err := c.findRoute(); err != nil {
		return err
	}
	need, err := c.needs()
	if err != nil {
		return err
	}
	return c.decide(&need)
}

// Alive reports whether a call that passed would still be let in by what it came with, for
// streams that last (D-70): the API is there and trusts the issuer, the key is not
// withdrawn, the client is there, enabled and of the same epoch, and this node knows.
// That the token has expired meanwhile ends no stream.
func (g *Guard) Alive(ctx context.Context, v *Verdict) bool {
	if v.Err != nil || v.Client == nil && v.Actor == nil {
		return false
	}
	view := g.Snapshot.View()
	api, ok := view.API(v.API.Name)
	if !ok || g.Snapshot.FreshWithin(api.ServeStale.Duration()) != nil {
		return false
	}
	if v.Actor != nil {
		return g.actorAlive(ctx, v, view, api)
	}
	issuer := api.Trusts(v.Claims.Issuer)
	if issuer == nil {
		return false
	}
	kid, identity := v.Claims.Key()
	keys, err := issuer.Keys(ctx, kid)
	if err != nil {
		return false
	}
	if now, ok := keys.Identity(kid); !ok || now != identity {
		return false
	}
	client, err := g.Snapshot.Client(ctx, issuer.Name, v.Claims.ClientID)
	return err == nil && client.Epoch == v.Client.Epoch && standing(client, api, g.Snapshot.Now()) == nil
}
