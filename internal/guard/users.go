package guard

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth/jwt"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// Why a user's token is worth nothing. For the log (D-72).
var (
	errUserKeyGone = errors.New("the key that the user's token was signed with is published no more")
	errSubject     = errors.New("the user's token names nobody: `sub` is 1 to 255 printable ASCII characters")
)

// maxProofs is how many users' tokens are remembered; where they are full, all are forgotten.
const maxProofs = 1 << 12

// proof is that a user's token verified: what it says, and under which key. It proves
// nothing about now.
type proof struct {
	header   jwt.Header
	claims   jwt.Claims
	identity jwt.Identity
	texts    map[string]string // claims that are a string, or an array of one
	calls    ratelimit.Slot
}

// providers are the OpenID providers of users, and the tokens of theirs that verified.
type providers struct {
	now    func() time.Time
	budget *resourceserver.Budget

	mu      sync.RWMutex
	sources map[string]resourceserver.KeySource // by jwks_uri, or by the key set itself
	proofs  map[[sha256.Size]byte]*proof
}

func newProviders(now func() time.Time, budget *resourceserver.Budget) *providers {
	return &providers{now: now, budget: budget, sources: map[string]resourceserver.KeySource{}, proofs: map[[sha256.Size]byte]*proof{}}
}

// findUser finds out which user's token that is. Whose it is was told by `iss`; the provider's
// key and the audience prove it, before anything else in it is read (D-54). That it has or
// lacks a client_id, a scope or a token_type makes it nothing else.
func (c *call) findUser(source, token string) error {
	u := c.API.Users
	want := jwt.Expect{Issuer: u.Issuer, Audience: u.Audience, Type: u.Type, Now: c.now}
	p, err := c.guard.providers.prove(c.r.Context(), u, source, token, want)
	if err != nil {
		return err
	}
	if !subject(p.claims.Subject) {
		return invalid(errSubject)
	}
	a := &Actor{Kind: User, ID: p.claims.Subject, Role: p.texts[u.RoleClaim], Tenant: p.texts[u.TenantClaim],
		provider: u.Issuer, kid: p.header.KeyID, identity: p.identity, calls: &p.calls}
	if a.Tenant == "" { // nobody is of all of them by saying nothing
		return invalid(errTenant)
	}
	return c.act(a)
}

// subject is what OpenID Connect Core §2 lets `sub` be, and a header too.
func subject(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != "" && len(s) <= 255
}

// prove verifies the signature once for a token, and all else at every call.
func (g *providers) prove(ctx context.Context, u *domain.Users, source, token string, want jwt.Expect) (*proof, error) {
	digest := sha256.Sum256([]byte(token))
	g.mu.RLock()
	p := g.proofs[digest]
	g.mu.RUnlock()
	if p == nil {
		return g.verify(ctx, u, source, token, want, digest)
	}
	if err := want.Check(p.header, &p.claims); err != nil {
		return nil, invalid(err)
	}
	keys, err := g.keys(ctx, u, p.header.KeyID)
	if err != nil {
		return nil, err
	}
	if now, _ := keys.Identity(p.header.KeyID); now != p.identity { // D-58: one that is not there is none
		return nil, invalid(errUserKeyGone)
	}
	return p, nil
}

// verify looks at a token that is not known yet; what is cheap comes first.
func (g *providers) verify(ctx context.Context, u *domain.Users, source, token string, want jwt.Expect, digest [sha256.Size]byte) (*proof, error) {
	header, claims, err := jwt.ParseClaims(token)
	if err == nil {
		err = want.Check(header, &claims)
	}
	if err != nil {
		return nil, invalid(err)
	}
	if !g.budget.Left(source, want.Now.Unix()) {
		return nil, resourceserver.ErrTooManyFailures
	}
	keys, err := g.keys(ctx, u, header.KeyID)
	if err != nil {
		return nil, err
	}
	if claims, err = jwt.Verify(token, keys, want); err != nil {
		g.budget.Spend(source, want.Now.Unix())
		return nil, invalid(err)
	}
	p := &proof{header: header, claims: claims, texts: textsOf(claims.Raw)}
	p.identity, _ = keys.Identity(header.KeyID)
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.proofs) >= maxProofs {
		clear(g.proofs)
	}
	g.proofs[digest] = p
	return p, nil
}

// keys are those of the provider, from where the API says and never from where a token does.
func (g *providers) keys(ctx context.Context, u *domain.Users, kid string) (jwt.Keys, error) {
	from, err := g.source(u)
	if err != nil {
		return jwt.Keys{}, &Refusal{Reason: Unavailable, RetryAfter: retryAfter, Err: err}
	}
	return from.Keys(ctx, kid)
}

// source is where the keys of a provider come from. What it remembers of them and of keys
// that were asked for in vain outlives views.
func (g *providers) source(u *domain.Users) (resourceserver.KeySource, error) {
	at := u.JWKSURI + u.JWKS // of which one is empty
	g.mu.RLock()
	from := g.sources[at]
	g.mu.RUnlock()
	if from != nil {
		return from, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if from = g.sources[at]; from != nil {
		return from, nil
	}
	var err error
	if u.JWKS != "" {
		from, err = resourceserver.NewStatic([]byte(u.JWKS))
	} else {
		from, err = resourceserver.NewRemote(resourceserver.RemoteConfig{URL: u.JWKSURI, Now: g.now})
	}
	if err != nil {
		return nil, err
	}
	g.sources[at] = from
	return from, nil
}

// vouches reports whether the provider of an API still has the key that the user's token
// verified under.
func (g *providers) vouches(ctx context.Context, u *domain.Users, a *Actor) bool {
	if u == nil || u.Issuer != a.provider {
		return false
	}
	keys, _ := g.keys(ctx, u, a.kid) // none, where nothing can be said
	now, _ := keys.Identity(a.kid)
	return now == a.identity
}

// textsOf are the claims that are a string, or an array of one string.
func textsOf(payload []byte) map[string]string {
	members, err := strictjson.Object(payload)
	if err != nil {
		return nil
	}
	texts := map[string]string{}
	for i := range members {
		value := members[i].Value
		var list []json.RawMessage
		if value[0] == '[' && json.Unmarshal(value, &list) == nil && len(list) == 1 {
			value = list[0]
		}
		if s, err := strictjson.String(value); err == nil {
			texts[members[i].Name] = s
		}
	}
	return texts
}
