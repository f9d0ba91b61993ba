package resourceserver

import (
	"context"
	"fmt"

	"github.com/postern-dev/postern/oauth/jwt"
)

// KeySource gives the keys of one issuer as they are now. It is asked at every
// verification, remembered or not, so that a key withdrawn takes its tokens with
// it; it answers from memory whenever it can. kid is the key that is looked for:
// a source may look again before it answers without it. An error means that
// nothing can be said: the request is then refused with ErrUnavailable.
type KeySource interface {
	Keys(ctx context.Context, kid string) (jwt.Keys, error)
}

// Static is a KeySource that never changes.
type Static struct{ keys jwt.Keys }

// NewStatic reads a JWK set (RFC 7517 §5) that came with the program or its
// configuration. Private and symmetric keys in it are passed over; without any
// other it is refused.
func NewStatic(jwks []byte) (Static, error) {
	keys, err := jwt.ParseJWKS(jwks)
	if err != nil {
		return Static{}, fmt.Errorf("read the key set: %w", err)
	}
	if keys.Len() == 0 {
		return Static{}, fmt.Errorf("read the key set: %w", jwt.ErrKeyType)
	}
	return Static{keys}, nil
}

// Keys returns them.
func (s Static) Keys(context.Context, string) (jwt.Keys, error) { return s.keys, nil }
