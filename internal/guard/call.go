package guard

import (
	"encoding/binary"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/jwt"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// retryAfter is how long a client is told to wait where this node cannot judge.
const retryAfter = 5 * time.Second

// call is a call being judged: the verdict so far, and what it is judged by.
type call struct {
	Verdict
	guard  *Guard
	r      *http.Request
	source netip.Addr
	now    time.Time

	place  snapshot.APIPlace // with the one view for the whole call
	said   policy.Said
	rights *policy.Rights
	path   string // below the API's, in its one form
	match  policy.Match
	query  url.Values
	space  [4]policy.Resource // room for what most calls need
	body   []byte             // where it was read; nil: it was not
	spent  *Limit             // by the same call, when it was judged before

	lost     bool       // the store is, and the API goes on for whom it knows
	explains bool       // nobody calls: nothing is spent, and all that is lacking is told
	lacks    []*Refusal // where it explains
	touches  []policy.Resource
}

func (c *call) findAPI() error {
	place, found, known := c.place.View.FindAPI(c.r.Host, c.r.URL.EscapedPath())
	switch {
	case !known:
		return &Refusal{Reason: WrongHost}
	case !found:
		return &Refusal{Reason: NoAPI}
	}
	c.place, c.API = place, place.API
	return nil
}

// checkFresh refuses where the node has lost its store, at once or as much later as the
// API says (D-69).
func (c *call) checkFresh() error {
	snap := c.guard.Snapshot
	err := snap.Fresh()
	if err == nil {
		return nil
	}
	c.lost = true
	if longer := c.API.ServeStale.Duration(); longer > 0 {
		err = snap.FreshWithin(longer)
	}
	return stale(err)
}

func stale(err error) error {
	if err == nil {
		return nil
	}
	return &Refusal{Reason: Stale, RetryAfter: retryAfter, Err: err}
}

// verifyToken finds out whose token that is, and what it says.
func (c *call) verifyToken() error {
	token, err := resourceserver.Bearer(c.r)
	if err != nil {
		return err
	}
	if strings.HasPrefix(token, secret.APIKeyPrefix) {
		return c.findKey(token)
	}
	verifier, err := c.guard.verifier(c.place.View, c.API)
	switch {
	case err != nil:
		return &Refusal{Reason: Unavailable, RetryAfter: retryAfter, Err: err}
	case verifier == nil:
		return invalid(errNoIssuer)
	}
	var source [8]byte
	binary.BigEndian.PutUint64(source[:], uint64(ratelimit.SourceOf(c.source)))
	claims, err := verifier.Verify(c.r.Context(), string(source[:]), token)
	if c.API.Users != nil && errors.Is(err, jwt.ErrIssuer) { // of no issuer whose clients' tokens are taken
		return c.findUser(string(source[:]), token)
	}
	if err != nil {
		return err
	}
	if c.Issuer = c.API.Trusts(claims.Issuer); c.Issuer == nil {
		return invalid(errNoIssuer)
	}
	if claims.Subject != claims.ClientID { // RFC 9068 §2.2: no user stands behind a client's own token (D-54)
		return invalid(errNotItself)
	}
	c.Claims = claims
	c.said, err = said(c.Issuer, claims)
	return err
}

// findClient finds the client as it is now, and holds the token and the host against it.
func (c *call) findClient() error {
	client, err := c.lookUp()
	if err != nil {
		return err
	}
	if err := standing(client, c.API, c.now); err != nil {
		return err
	}
	if err := checkEpoch(c.Issuer, c.Claims, client); err != nil {
		return err
	}
	if !c.place.Serves(c.Issuer, &client.Client) { // D-57
		return invalid(errOtherTenant)
	}
	return c.know(client)
}

// know takes the client for the one who calls. It is of a tenant that is there, or of all.
func (c *call) know(client *snapshot.Client) error {
	tenant := c.place.View.Tenant(client.Tenant)
	if tenant == nil && !client.PlatformWide {
		return &Refusal{Reason: Unavailable, RetryAfter: retryAfter, Err: errNoTenant}
	}
	c.Client, c.Tenant = client, tenant
	return nil
}

// lookUp reads the store for a client that is asked for the first time, but not where
// the store is lost.
func (c *call) lookUp() (*snapshot.Client, error) {
	snap := c.guard.Snapshot
	if c.lost {
		client, ok := snap.Known(c.Issuer.Name, c.Claims.ClientID)
		if !ok {
			return nil, stale(domain.ErrStale)
		}
		return client, nil
	}
	client, err := snap.Client(c.r.Context(), c.Issuer.Name, c.Claims.ClientID)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return nil, invalid(errNoClient)
	case err != nil:
		return nil, &Refusal{Reason: Unavailable, RetryAfter: retryAfter, Err: err}
	}
	return client, nil
}

// spend counts the call, whatever becomes of it from here on.
func (c *call) spend() error {
	if c.explains {
		return nil
	}
	if c.spent != nil {
		c.Limit = *c.spent
		return nil
	}
	key, slot, limit, limited := c.limit()
	if !limited {
		return nil
	}
	spent := c.guard.Limits.Spend(slot, key, ratelimit.Share(limit, c.guard.MaxNodes), c.now)
	c.Limit = Limit{Known: true, PerMinute: limit, Remaining: spent.Remaining, Reset: spent.Reset}
	if !spent.Allowed {
		return &Refusal{Reason: RateLimited, RetryAfter: spent.RetryAfter(c.now)}
	}
	return nil
}

// limit is the limit of the one who calls, and where its calls are counted.
func (c *call) limit() (key ratelimit.Key, slot *ratelimit.Slot, perMinute int64, limited bool) {
	if a := c.Actor; a != nil {
		key.Client = a.counted()
		key.API, perMinute, limited = tierLimit(c.place.View, c.API, a.Tier)
		return key, a.calls, perMinute, limited
	}
	key, perMinute, limited = limitOf(c.place.View, c.API, c.Client)
	return key, &c.Client.Calls, perMinute, limited
}

// limitOf is the limit of a client at an API: its own there, else the API's for its tier,
// each counted apart, else that of its tier, counted over all APIs. The tier is the
// store's, whatever the token says (ARB-11, D-56).
func limitOf(v *snapshot.View, api *snapshot.API, client *snapshot.Client) (key ratelimit.Key, perMinute int64, limited bool) {
	key.Client = ratelimit.Client{Issuer: client.Issuer, ID: client.ID}
	if own, ok := client.RateLimits[api.Name]; ok {
		key.API = api.Name
		return key, own, true
	}
	key.API, perMinute, limited = tierLimit(v, api, client.Tier)
	return key, perMinute, limited
}

// tierLimit is the limit of a tier at an API, and the name of the API where it is counted
// apart.
func tierLimit(v *snapshot.View, api *snapshot.API, name string) (apart string, perMinute int64, limited bool) {
	tier := v.Tier(name)
	if here, ok := api.RateLimits[tier.Name]; ok {
		return api.Name, here, true
	}
	return "", tier.PerMinute, !tier.Unlimited
}

// readRequest reads method, path and query in the one way they have, and finds out whether
// the call is for the GraphQL endpoint.
func (c *call) readRequest() error {
	path, err := policy.Normalise(c.place.Rest)
	if err == nil && hidesSlash(c.r.URL) {
		err = policy.ErrPath
	}
	if err == nil && speaksGraphQL(c.API, c.r.Method, path) {
		c.GraphQL = &GraphQLCall{Method: c.r.Method}
	}
	if name := overridesMethod(c.r.Header); name != "" {
		return &Refusal{Reason: MethodOverride, Missing: name}
	}
	if err != nil {
		return &Refusal{Reason: PathAmbiguous, Err: err}
	}
	if c.API.AuditLog != nil && path != "/" { // ARB-17: with and without the last slash
		path = strings.TrimSuffix(path, "/")
	}
	c.path = path
	c.query, err = readQuery(c.r.URL.RawQuery)
	return err
}

// findRoute finds the rule.
func (c *call) findRoute() error {
	found := false
	if c.match, found = c.API.Table.Match(c.r.Method, c.path); !found || nearGraphQL(c.API, c.path) { // D-65
		return &Refusal{Reason: NoRoute}
	}
	c.Route, c.Path, c.RawQuery = c.match.Route(), c.path, c.r.URL.RawQuery
	if name := upgrades(c.r.Header, c.Route.Upgrade); name != "" {
		return &Refusal{Reason: UpgradeRefused, Missing: name}
	}
	return nil
}

// needs is what the call needs by its rule and its parameters.
func (c *call) needs() (policy.Need, error) {
	var body url.Values
	if c.match.NeedsBody() {
		var err error
		if body, err = c.readBody(); err != nil {
			return policy.Need{}, err
		}
	}
	need, err := c.match.Need(c.query, body, c.space[:0])
	if err != nil {
		r := &Refusal{Reason: Parameter, Err: err}
		if wrong, ok := errors.AsType[*policy.ParameterError](err); ok {
			r.Missing = wrong.Name
		}
		return policy.Need{}, r
	}
	if c.addsEvents() {
		need.Actions, err = c.eventActions(need.Actions)
	}
	return need, err
}

// decide holds what the call needs against what the client holds and its token says.
func (c *call) decide(need *policy.Need) error {
	c.hold()
	if c.explains {
		c.touches = need.Resources
	}
	d := c.rights.Decide(need, &c.said)
	if d.Allowed {
		return nil
	}
	if c.explains {
		c.lackEach(need)
	}
	return c.refusal(d)
}

// hold finds out what of what the token says the client holds now.
func (c *call) hold() {
	if c.Actor != nil { // by its role; of scopes nothing is said
		c.Resources = c.rights.Resources(&c.said)
		return
	}
	c.rights = c.Client.Rights(c.place.View)
	c.Scopes, c.Resources = oauth.Scope(c.rights.Scopes(&c.said)), c.rights.Resources(&c.said)
}

func (c *call) refusal(d policy.Decision) *Refusal {
	r := &Refusal{Reason: Reason(d.Reason), Missing: d.Missing, Resource: d.Resource}
	if r.Reason == ScopeMissing {
		r.Scopes = oauth.Scope(c.Route.Scopes)
	}
	return r
}
