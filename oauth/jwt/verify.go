package jwt

import (
	"bytes"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Leeway is how far the clock of an issuer may be ahead, for `iat` and `nbf`.
// There is none for `exp`.
const Leeway = 5 * time.Second

// Expect is what a token is held against. All but Type must be given.
type Expect struct {
	Issuer   string    // `iss`, exactly
	Audience string    // one of `aud`, exactly
	Type     string    // `typ`, with or without `application/`, in any case; empty: not looked at
	Now      time.Time // the time to judge by
}

// Verify returns the claims of a token that is good: of the expected issuer,
// audience and type, alive, and signed by one of the keys with the algorithm
// that the key is bound to. The signature is checked last, since it is what
// costs. Any other token is one of the errors of this package, and no claims.
func Verify(token string, keys Keys, want Expect) (Claims, error) {
	if !want.complete() {
		return Claims{}, ErrExpect
	}
	p, err := parse(token)
	if err != nil {
		return Claims{}, err
	}
	key, err := keys.choose(p.header)
	if err != nil {
		return Claims{}, err
	}
	if !want.hasType(p.header) {
		return Claims{}, ErrType
	}
	claims, err := readClaims(p.payload)
	if err != nil {
		return Claims{}, err
	}
	if err := want.check(&claims); err != nil {
		return Claims{}, err
	}
	if err := checkSignature(token, key, p.payload); err != nil {
		return Claims{}, err
	}
	return claims, nil
}

// Check holds what a token says against what is expected, and no signature: it
// is for a token that was verified before, or is yet to be. The errors are those
// of Verify.
func (e Expect) Check(h Header, c *Claims) error {
	switch {
	case !e.complete():
		return ErrExpect
	case !e.hasType(h):
		return ErrType
	}
	return e.check(c)
}

func (e Expect) complete() bool { return e.Issuer != "" && e.Audience != "" && !e.Now.IsZero() }

// hasType compares `typ` where one is expected (D-47).
func (e Expect) hasType(h Header) bool { return e.Type == "" || sameType(h.Type, e.Type) }

// choose looks the key up by its id, in the map and nowhere else (D-43).
func (k Keys) choose(h Header) (verifying, error) {
	if !h.Algorithm.Valid() { // D-41
		return verifying{}, ErrAlgorithm
	}
	key, ok := k.byID[h.KeyID]
	if !ok {
		return verifying{}, ErrUnknownKey
	}
	if key.algorithm != h.Algorithm { // D-42
		return verifying{}, ErrAlgorithm
	}
	return key, nil
}

// check holds issuer, audience and times against what is wanted.
func (e Expect) check(c *Claims) error {
	switch {
	case c.Issuer != e.Issuer:
		return ErrIssuer
	case !slices.Contains(c.Audience, e.Audience): // D-48
		return ErrAudience
	case !e.Now.Before(c.Expires): // RFC 7519 §4.1.4: on or after
		return ErrExpired
	case c.IssuedAt.After(e.Now.Add(Leeway)), c.NotBefore.After(e.Now.Add(Leeway)):
		return ErrNotYet
	}
	return nil
}

// checkSignature lets go-jose verify with the one algorithm of the key, and
// takes care that it read the payload that we read.
func checkSignature(token string, key verifying, payload []byte) error {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(key.algorithm)})
	if err != nil {
		return ErrMalformed
	}
	verified, err := jws.Verify(*key.material)
	if err != nil {
		return ErrSignature
	}
	if !bytes.Equal(verified, payload) {
		return ErrMalformed
	}
	return nil
}
