package resourceserver

import (
	"context"
	"slices"
	"time"

	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/jwt"
)

// Claims are what a verified token says (RFC 9068 §2.2). All of the named fields
// but NotBefore are always there.
type Claims struct {
	Issuer    string
	Subject   string
	ClientID  string // never taken for a user's where it is missing: such a token is refused (D-54)
	ID        string // `jti`
	IssuedAt  time.Time
	Expires   time.Time
	NotBefore time.Time // zero where it was not said

	proof *proof // shared with other requests, hence behind methods that copy
}

// Scope is what the token was granted; empty where it says nothing.
func (c Claims) Scope() oauth.Scope {
	if c.proof == nil {
		return nil
	}
	return slices.Clone(c.proof.scope)
}

// HasScope reports whether the token was granted all of these.
func (c Claims) HasScope(tokens ...string) bool {
	if c.proof == nil {
		return false
	}
	for _, t := range tokens {
		if !c.proof.scope.Contains(t) {
			return false
		}
	}
	return true
}

// Audience is whom the token is for, this API among them.
func (c Claims) Audience() []string {
	if c.proof == nil {
		return nil
	}
	return slices.Clone(c.proof.claims.Audience)
}

// Raw is a copy of the whole payload, one JSON object.
func (c Claims) Raw() []byte {
	if c.proof == nil {
		return nil
	}
	return slices.Clone([]byte(c.proof.claims.Raw))
}

// Text is any claim that is a string, by its exact name. The payload is read once for a
// token, however many requests carry it.
func (c Claims) Text(name string) (string, bool) {
	if c.proof == nil {
		return "", false
	}
	return c.proof.texts.get(c.proof.claims.Raw, name)
}

// Key is the key that the token verified under: its `kid`, and which key that was.
func (c Claims) Key() (kid string, identity jwt.Identity) {
	if c.proof == nil {
		return "", jwt.Identity{}
	}
	return c.proof.header.KeyID, c.proof.identity
}

// proof is that a token verified: what it says, and the key it verified under.
// It never changes, and proves nothing about now.
type proof struct {
	header   jwt.Header
	claims   jwt.Claims
	scope    oauth.Scope
	identity jwt.Identity
	texts    *texts
}

func (p *proof) public() Claims {
	return Claims{
		Issuer: p.claims.Issuer, Subject: p.claims.Subject, ClientID: p.claims.ClientID, ID: p.claims.ID,
		IssuedAt: p.claims.IssuedAt, Expires: p.claims.Expires, NotBefore: p.claims.NotBefore, proof: p,
	}
}

// complete reads the scope and asks for the claims of RFC 9068 §2.2.
func (p *proof) complete() error {
	c := &p.claims
	if c.Subject == "" || c.ClientID == "" || c.ID == "" || c.IssuedAt.IsZero() {
		return errIncomplete
	}
	var err error
	if p.scope, err = oauth.ParseScope(c.Scope); err != nil {
		return errIncomplete
	}
	return nil
}

type claimsKey struct{}

// passed is what a request carries once its token is judged good.
type passed struct {
	claims Claims
	realm  string
}

// ClaimsFrom returns the claims of the token that Require let through.
func ClaimsFrom(ctx context.Context) (Claims, bool) {
	p, ok := ctx.Value(claimsKey{}).(*passed)
	if !ok {
		return Claims{}, false
	}
	return p.claims, true
}
