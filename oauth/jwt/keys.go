package jwt

import (
	"encoding/json"

	"github.com/postern-dev/postern/internal/strictjson"
)

// Bounds of a key set (D-30).
const (
	maxJWKSBytes = 256 << 10
	maxJWKSKeys  = 64
)

// Keys is a set of keys to verify with, by id, each bound to one algorithm. It
// does not change once made; the zero value is empty and verifies nothing.
type Keys struct {
	byID map[string]verifying
}

// verifying is a key as go-jose takes it. It stands behind a pointer so that a
// set that is printed shows no symmetric key.
type verifying struct {
	algorithm  Algorithm
	material   *any
	thumbprint string
}

// Identity tells one key from another, whatever ids they go by.
type Identity struct {
	Algorithm  Algorithm
	Thumbprint string // SHA-256, base64url (RFC 7638 §3)
}

// NewKeys makes a set of public keys. It returns ErrKey for an empty one and
// ErrDuplicateKey.
func NewKeys(keys ...PublicKey) (Keys, error) {
	set := Keys{byID: make(map[string]verifying, len(keys))}
	for _, k := range keys {
		if k.key == nil || k.ID == "" {
			return Keys{}, ErrKey
		}
		material := any(k.key)
		if err := set.add(k.ID, verifying{k.Algorithm, &material, k.Thumbprint()}); err != nil {
			return Keys{}, err
		}
	}
	return set, nil
}

// NewSymmetricKeys makes a set of HS256 keys. They never stand in one set with
// public ones, so that no public key can be taken for a shared secret (D-42).
func NewSymmetricKeys(keys ...*PrivateKey) (Keys, error) {
	set := Keys{byID: make(map[string]verifying, len(keys))}
	for _, k := range keys {
		if k == nil || k.Algorithm != HS256 || !k.usable() || k.ID == "" {
			return Keys{}, ErrKey
		}
		material := any(k.hmac)
		if err := set.add(k.ID, verifying{HS256, &material, k.Thumbprint()}); err != nil {
			return Keys{}, err
		}
	}
	return set, nil
}

func (k Keys) add(id string, v verifying) error {
	if _, twice := k.byID[id]; twice {
		return ErrDuplicateKey
	}
	k.byID[id] = v
	return nil
}

// Len is the number of keys.
func (k Keys) Len() int { return len(k.byID) }

// Algorithm is what the key of this id is bound to, if there is one.
func (k Keys) Algorithm(id string) (Algorithm, bool) {
	v, ok := k.byID[id]
	return v.algorithm, ok
}

// Identity is which key goes by this id, if there is one. Whoever keeps the proof
// that a token verified asks again whether the key is still the same (D-58).
func (k Keys) Identity(id string) (Identity, bool) {
	v, ok := k.byID[id]
	return Identity{v.algorithm, v.thumbprint}, ok
}

// ParseJWKS reads a key set (RFC 7517 §5) of at most 64 keys and 256 KiB. Keys
// that ParsePublicJWK refuses are passed over, as that section asks: those of
// another type or use, and those that are weak or hold a private half. It
// returns ErrTooManyKeys, ErrDuplicateKey, or ErrKey for what is no key set.
func ParseJWKS(data []byte) (Keys, error) {
	if len(data) > maxJWKSBytes {
		return Keys{}, ErrTooManyKeys
	}
	elements, err := jwksElements(data)
	if err != nil {
		return Keys{}, err
	}
	if len(elements) > maxJWKSKeys {
		return Keys{}, ErrTooManyKeys
	}
	public := make([]PublicKey, 0, len(elements))
	for _, e := range elements {
		if len(e) == 0 || e[0] != '{' {
			return Keys{}, ErrKey
		}
		if k, err := ParsePublicJWK(e); err == nil {
			public = append(public, k)
		}
	}
	return NewKeys(public...)
}

func jwksElements(data []byte) ([]json.RawMessage, error) {
	members, err := strictjson.Object(data)
	if err != nil {
		return nil, ErrKey
	}
	for _, m := range members {
		if m.Name != "keys" {
			continue
		}
		var elements []json.RawMessage
		if err := json.Unmarshal(m.Value, &elements); err != nil || elements == nil {
			return nil, ErrKey
		}
		return elements, nil
	}
	return nil, ErrKey
}

// MarshalJWKS writes a key set. The empty halves of symmetric keys are left
// out, so that a set of those is an empty one.
func MarshalJWKS(keys []PublicKey) ([]byte, error) {
	b := []byte(`{"keys":[`)
	first := true
	for _, k := range keys {
		if k.Algorithm.Symmetric() {
			continue
		}
		one, err := k.MarshalJWK()
		if err != nil {
			return nil, err
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, one...)
	}
	return append(b, `]}`...), nil
}
