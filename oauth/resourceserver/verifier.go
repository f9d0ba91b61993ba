package resourceserver

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/inprocess"
	"github.com/postern-dev/postern/oauth/jwt"
)

// AccessToken is the `typ` that RFC 9068 §2.1 gives access tokens.
const AccessToken = "at+jwt"

// Issuer is an authorization server whose tokens are believed.
type Issuer struct {
	URL      string // `iss`, exactly
	Audience string // this API, as one of `aud`, exactly
	// Type is `typ`, with or without `application/`; empty is AccessToken. "JWT" is
	// for issuers that know no better: be sure that theirs are access tokens only.
	Type string
	// Keys are the issuer's. Each is bound to one algorithm, and a symmetric one is
	// refused: whoever can verify with it can also sign.
	Keys KeySource
	// InProcess lets a server that issues and verifies in one process verify HS256
	// too. Nobody outside this module can set it.
	InProcess inprocess.Permission
}

// Config is what a Verifier is made of. Only Issuers must be given.
type Config struct {
	Issuers    []Issuer   // the closed list; each URL once
	Realm      string     // RFC 6750 §3 `realm`; empty: left out
	Cache      *Cache     // nil: one of its own, of DefaultCacheSize
	Revocation Revocation // nil: tokens live until they expire
	// Failures is how many tokens a minute of one source may fail to verify before
	// tokens not yet known are refused unseen; zero: DefaultFailures.
	Failures int
	// Budget counts them, together with those of other verifiers that have the same; nil:
	// one of its own, of Failures.
	Budget *Budget
	// Token reads the token of a request, for Require; nil: Bearer. Behind a Postern
	// gateway it is IdentityToken. Its errors are ErrNoToken and ErrRequest, or wrap them.
	Token func(*http.Request) (string, error)
	// Source says whom a request is counted for; nil: Peer. Behind a proxy of one's
	// own it reads the header that the proxy sets.
	Source func(*http.Request) string
	// Refused is told of every request that Require refuses, for logs and counters.
	Refused func(*http.Request, error)
	Now     func() time.Time // nil: time.Now
}

// Revocation knows which tokens died before they expired. It is asked for every
// request, after all else is found good; an error refuses the request with
// ErrUnavailable.
//
// There is no implementation here yet: how one would learn of a revocation
// (a feed, introspection by RFC 7662) is open. Without one a token is good until
// it expires, so lifetimes should be short.
type Revocation interface {
	Revoked(ctx context.Context, c Claims) (bool, error)
}

// Verifier judges access tokens. It is safe for concurrent use.
type Verifier struct {
	issuers    map[string]*Issuer
	realm      string
	cache      *Cache
	revocation Revocation
	budget     *Budget
	token      func(*http.Request) (string, error)
	source     func(*http.Request) string
	refused    func(*http.Request, error)
	now        func() time.Time
	buffers    sync.Pool // *[]byte to hash from: sha256 takes no string
}

// New checks the configuration and makes a verifier.
func New(c Config) (*Verifier, error) {
	c.defaults()
	v := &Verifier{
		issuers: make(map[string]*Issuer, len(c.Issuers)), realm: c.Realm, cache: c.Cache, revocation: c.Revocation,
		budget: c.Budget, token: c.Token, source: c.Source, refused: c.Refused, now: c.Now,
	}
	if len(c.Issuers) == 0 {
		return nil, errors.New("resource server: no issuer is trusted")
	}
	for _, i := range c.Issuers {
		switch _, twice := v.issuers[i.URL]; {
		case i.URL == "" || i.Audience == "" || i.Keys == nil:
			return nil, fmt.Errorf("resource server: issuer %q lacks its URL, audience or keys", i.URL)
		case twice:
			return nil, fmt.Errorf("resource server: issuer %q is there twice", i.URL)
		}
		if i.Type == "" {
			i.Type = AccessToken
		}
		v.issuers[i.URL] = &i
	}
	if !quotable(c.Realm) {
		return nil, errors.New("resource server: realm holds a character that does not fit a header")
	}
	v.buffers.New = func() any { return new([]byte) }
	return v, nil
}

// defaults fills what was left out.
func (c *Config) defaults() {
	if c.Token == nil {
		c.Token = Bearer
	}
	if c.Cache == nil {
		c.Cache = NewCache(0)
	}
	if c.Budget == nil {
		c.Budget = NewBudget(c.Failures)
	}
	if c.Source == nil {
		c.Source = Peer
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// Verify returns the claims of a token that is good now. source is whom a failure
// is counted for, an address as a rule. The errors are ErrToken,
// ErrTooManyFailures and ErrUnavailable.
//
// The signature is computed once for a token; all that can change meanwhile is
// judged at every call.
func (v *Verifier) Verify(ctx context.Context, source, token string) (Claims, error) {
	if len(token) > jwt.MaxSize { // D-52
		return Claims{}, invalid(jwt.ErrTooLarge)
	}
	now := v.now()
	d := v.digest(token)
	p := v.cache.find(&d, now.Unix())
	if p == nil {
		proved, err := v.prove(ctx, source, token, now)
		if err != nil {
			return Claims{}, err
		}
		p = v.cache.add(d, proved, now.Unix())
	}
	if err := v.judge(ctx, p, now); err != nil {
		return Claims{}, err
	}
	return p.public(), nil
}

// digest hashes the whole token.
func (v *Verifier) digest(token string) digest {
	buffer := v.buffers.Get().(*[]byte)
	*buffer = append((*buffer)[:0], token...)
	d := sha256.Sum256(*buffer)
	v.buffers.Put(buffer)
	return d
}

// judge is everything but the signature: issuer trusted here, type, audience,
// times, key alive and the same, not revoked.
func (v *Verifier) judge(ctx context.Context, p *proof, now time.Time) error {
	issuer, err := v.expected(p, now)
	if err != nil {
		return err
	}
	keys, err := issuer.Keys.Keys(ctx, p.header.KeyID)
	if err != nil {
		return unavailable(err)
	}
	if id, ok := keys.Identity(p.header.KeyID); !ok || id != p.identity { // D-58
		return invalid(errKeyGone)
	}
	if p.identity.Algorithm.Symmetric() && !issuer.InProcess.Given() {
		return invalid(errSymmetric)
	}
	if v.revocation == nil {
		return nil
	}
	switch revoked, err := v.revocation.Revoked(ctx, p.public()); {
	case err != nil:
		return unavailable(err)
	case revoked:
		return invalid(errRevoked)
	}
	return nil
}

// expected finds the issuer on the list, and holds the claims against it.
func (v *Verifier) expected(p *proof, now time.Time) (*Issuer, error) {
	issuer, ok := v.issuers[p.claims.Issuer] // D-48, D-57
	if !ok {
		return nil, invalid(jwt.ErrIssuer)
	}
	want := jwt.Expect{Issuer: issuer.URL, Audience: issuer.Audience, Type: issuer.Type, Now: now}
	if err := want.Check(p.header, &p.claims); err != nil {
		return nil, invalid(err)
	}
	return issuer, nil
}

// prove verifies a token that is not known yet. What is cheap comes first, so that
// neither a fetch of keys nor a signature is spent on a token that is of no use.
func (v *Verifier) prove(ctx context.Context, source, token string, now time.Time) (proof, error) {
	p := proof{texts: new(texts)}
	var err error
	if p.header, p.claims, err = jwt.ParseClaims(token); err != nil {
		return proof{}, invalid(err)
	}
	issuer, err := v.expected(&p, now)
	if err != nil {
		return proof{}, err
	}
	if err := p.complete(); err != nil {
		return proof{}, invalid(err)
	}
	if !v.budget.Left(source, now.Unix()) {
		return proof{}, ErrTooManyFailures
	}
	keys, err := issuer.Keys.Keys(ctx, p.header.KeyID)
	if err != nil {
		return proof{}, unavailable(err)
	}
	p.identity, _ = keys.Identity(p.header.KeyID)
	if p.identity.Algorithm.Symmetric() && !issuer.InProcess.Given() { // D-42
		return proof{}, invalid(errSymmetric)
	}
	want := jwt.Expect{Issuer: issuer.URL, Audience: issuer.Audience, Type: issuer.Type, Now: now}
	if p.claims, err = jwt.Verify(token, keys, want); err != nil {
		v.budget.Spend(source, now.Unix())
		return proof{}, invalid(err)
	}
	return p, nil
}

func invalid(why error) error { return fmt.Errorf("%w: %w", ErrToken, why) }

func unavailable(why error) error { return fmt.Errorf("%w: %w", ErrUnavailable, why) }
