package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
)

// Bounds of keys (RFC 7518 §3.2, §3.3; RFC 8725 §3.5). More than the upper ones
// only costs whoever verifies.
const (
	minRSABits   = 2048
	maxRSABits   = 4096
	rsaExponent  = 65537
	minHMACBytes = 32
	maxHMACBytes = 512
	maxKIDBytes  = 256
)

// PrivateKey is a key that signs, bound to one algorithm. However it is printed
// or logged, it shows its id and algorithm only.
type PrivateKey struct {
	ID        string // `kid`
	Algorithm Algorithm

	// Behind a pointer: a key in an unexported field is printed without its
	// methods, and where the verb is one for texts the first pointer is followed.
	*material
}

// material is the one that the algorithm asks for.
type material struct {
	ecdsa   *ecdsa.PrivateKey
	ed25519 ed25519.PrivateKey
	rsa     *rsa.PrivateKey
	hmac    []byte
}

// PublicKey is a key that verifies, bound to one algorithm. That of a symmetric
// key is empty: it verifies nothing and is left out of every key set.
type PublicKey struct {
	ID        string // `kid`
	Algorithm Algorithm

	key crypto.PublicKey // *ecdsa.PublicKey, ed25519.PublicKey or *rsa.PublicKey
}

// Generate makes a key: P-256, Ed25519, RSA of 2048 bits, or 256 random bits
// for HS256. Its id is its thumbprint. random is for tests, and the standard
// library heeds it where it still does; nil is the system's.
func Generate(alg Algorithm, random io.Reader) (*PrivateKey, error) {
	if random == nil {
		random = rand.Reader
	}
	k := &PrivateKey{Algorithm: alg, material: &material{}}
	var err error
	switch alg {
	case ES256:
		k.ecdsa, err = ecdsa.GenerateKey(elliptic.P256(), random)
	case EdDSA:
		_, k.ed25519, err = ed25519.GenerateKey(random)
	case RS256, PS256:
		k.rsa, err = rsa.GenerateKey(random, minRSABits)
	case HS256:
		k.hmac = make([]byte, minHMACBytes)
		_, err = io.ReadFull(random, k.hmac)
	default:
		return nil, ErrKeyType
	}
	if err != nil {
		return nil, fmt.Errorf("generate a key for %s: %w", alg, err)
	}
	k.ID = k.Thumbprint()
	return k, nil
}

// Public returns the public half. For HS256 there is none: what is returned has
// the id and algorithm and verifies nothing.
func (k *PrivateKey) Public() PublicKey {
	p := PublicKey{ID: k.ID, Algorithm: k.Algorithm}
	if !k.usable() {
		return p
	}
	switch k.Algorithm {
	case ES256:
		p.key = &k.ecdsa.PublicKey
	case EdDSA:
		p.key = k.ed25519.Public()
	case RS256, PS256:
		p.key = &k.rsa.PublicKey
	}
	return p
}

// usable reports whether the key holds what its algorithm needs. Only this
// package can make one that does.
func (k *PrivateKey) usable() bool {
	if k.material == nil {
		return false
	}
	switch k.Algorithm {
	case ES256:
		return k.ecdsa != nil
	case EdDSA:
		return len(k.ed25519) == ed25519.PrivateKeySize
	case RS256, PS256:
		return k.rsa != nil
	case HS256:
		return len(k.hmac) >= minHMACBytes
	}
	return false
}

// signatureSize is the bytes of a signature (RFC 7518 §3, RFC 8037 §3.1).
func (k *PrivateKey) signatureSize() int {
	switch k.Algorithm {
	case HS256:
		return sha256.Size
	case RS256, PS256:
		return k.rsa.Size()
	}
	return 64 // ES256: r and s; EdDSA
}

func (k *PrivateKey) describe() string {
	return fmt.Sprintf("{%s %s [redacted]}", k.ID, k.Algorithm)
}

// String shows id and algorithm.
func (k *PrivateKey) String() string { return k.describe() }

// GoString shows id and algorithm.
func (k *PrivateKey) GoString() string { return k.describe() }

// Format shows id and algorithm, whatever the verb.
func (k *PrivateKey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.describe()) }

// LogValue shows id and algorithm.
func (k *PrivateKey) LogValue() slog.Value { return slog.StringValue(k.describe()) }
