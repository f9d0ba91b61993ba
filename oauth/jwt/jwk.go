package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"math/big"

	"github.com/postern-dev/postern/internal/strictjson"
)

const (
	p256Bytes   = 32
	maxJWKBytes = 16 << 10
)

// jwk is the members of a JSON Web Key that are strings, and `key_ops`.
type jwk struct {
	text map[string]string
	ops  []string
}

// readJWK reads the members that this package knows; others are ignored (RFC
// 7517 §4). Names are case-exact, a repeated one refuses the key.
func readJWK(data []byte) (jwk, error) {
	if len(data) > maxJWKBytes {
		return jwk{}, ErrKey
	}
	members, err := strictjson.Object(data)
	if err != nil {
		return jwk{}, ErrKey
	}
	k := jwk{text: make(map[string]string, len(members))}
	for _, m := range members {
		switch m.Name {
		case "kty", "crv", "alg", "use", "kid", "x", "y", "n", "e", "d", "p", "q", "k":
			if k.text[m.Name], err = strictjson.String(m.Value); err != nil {
				return jwk{}, ErrKey
			}
		case "key_ops":
			if err := json.Unmarshal(m.Value, &k.ops); err != nil || k.ops == nil {
				return jwk{}, ErrKey
			}
		case "oth": // more than two primes
			return jwk{}, ErrKeyType
		}
	}
	return k, nil
}

// algorithm is what the key is bound to. A key that does not say is bound to
// what its type is for, and RSA to RS256.
func (k jwk) algorithm() (Algorithm, error) {
	var can []Algorithm
	switch {
	case k.text["kty"] == "EC" && k.text["crv"] == "P-256":
		can = []Algorithm{ES256}
	case k.text["kty"] == "OKP" && k.text["crv"] == "Ed25519":
		can = []Algorithm{EdDSA}
	case k.text["kty"] == "RSA":
		can = []Algorithm{RS256, PS256}
	case k.text["kty"] == "oct":
		can = []Algorithm{HS256}
	default:
		return "", ErrKeyType
	}
	alg, said := k.text["alg"]
	if !said {
		return can[0], nil
	}
	for _, a := range can {
		if string(a) == alg {
			return a, nil
		}
	}
	return "", ErrKeyType
}

// checkUse refuses a key that is for something else (RFC 7517 §4.2, §4.3).
func (k jwk) checkUse(op string) error {
	if use, said := k.text["use"]; said && use != "sig" {
		return ErrKeyType
	}
	if k.ops == nil {
		return nil
	}
	for _, o := range k.ops {
		if o == op {
			return nil
		}
	}
	return ErrKeyType
}

// kid is the id that the key gives itself, or the thumbprint.
func (k jwk) kid(thumbprint string) (string, error) {
	kid, said := k.text["kid"]
	if !said {
		return thumbprint, nil
	}
	if kid == "" || len(kid) > maxKIDBytes {
		return "", ErrKey
	}
	return kid, nil
}

// bytes decodes a member of exactly size bytes.
func (k jwk) bytes(name string, size int) ([]byte, error) {
	b, err := decode(k.text[name])
	if err != nil || len(b) != size {
		return nil, ErrKey
	}
	return b, nil
}

// integer decodes a member that is a positive integer in as few bytes as it
// takes (RFC 7518 §2), of at most maxRSABits.
func (k jwk) integer(name string) (*big.Int, error) {
	b, err := decode(k.text[name])
	if err != nil || len(b) == 0 || b[0] == 0 || len(b) > maxRSABits/8 {
		return nil, ErrKey
	}
	return new(big.Int).SetBytes(b), nil
}

func (k jwk) ecdsa() (*ecdsa.PublicKey, error) {
	x, errX := k.bytes("x", p256Bytes)
	y, errY := k.bytes("y", p256Bytes)
	if errX != nil || errY != nil {
		return nil, ErrKey
	}
	point := append(append([]byte{4}, x...), y...)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point) // refuses what is not on the curve: D-51
	if err != nil {
		return nil, ErrKey
	}
	return key, nil
}

func (k jwk) ed25519() (ed25519.PublicKey, error) {
	x, err := k.bytes("x", ed25519.PublicKeySize)
	return ed25519.PublicKey(x), err
}

func (k jwk) rsa() (*rsa.PublicKey, error) {
	n, errN := k.integer("n")
	e, errE := k.integer("e")
	if errN != nil || errE != nil {
		return nil, ErrKey
	}
	if n.BitLen() < minRSABits || n.BitLen() > maxRSABits || n.Bit(0) == 0 {
		return nil, ErrKey
	}
	if !e.IsInt64() || e.Int64() != rsaExponent { // D-51
		return nil, ErrKey
	}
	return &rsa.PublicKey{N: n, E: rsaExponent}, nil
}
