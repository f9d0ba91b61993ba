package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

// Thumbprint is the SHA-256 thumbprint of the key in base64url (RFC 7638 §3).
// That of a symmetric key tells nothing that a token under it does not.
func (k *PrivateKey) Thumbprint() string {
	if k.Algorithm == HS256 && k.usable() {
		return thumbprint(`{"k":"` + encode(k.hmac) + `","kty":"oct"}`)
	}
	return k.Public().Thumbprint()
}

// Thumbprint is the SHA-256 thumbprint of the key in base64url (RFC 7638 §3).
// That of an empty key is empty.
func (p PublicKey) Thumbprint() string {
	switch key := p.key.(type) {
	case *ecdsa.PublicKey:
		x, y := coordinates(key)
		return thumbprint(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`)
	case ed25519.PublicKey:
		return thumbprint(`{"crv":"Ed25519","kty":"OKP","x":"` + encode(key) + `"}`)
	case *rsa.PublicKey:
		return thumbprint(`{"e":"` + exponent(key) + `","kty":"RSA","n":"` + encode(key.N.Bytes()) + `"}`)
	}
	return ""
}

func thumbprint(canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return encode(sum[:])
}

// coordinates are x and y at their full length (RFC 7518 §6.2.1.2).
func coordinates(key *ecdsa.PublicKey) (x, y string) {
	point, err := key.Bytes() // 0x04, x, y
	if err != nil || len(point) != 1+2*p256Bytes {
		return "", ""
	}
	return encode(point[1 : 1+p256Bytes]), encode(point[1+p256Bytes:])
}

func exponent(key *rsa.PublicKey) string {
	return encode(big.NewInt(int64(key.E)).Bytes())
}

// equal reports whether two public keys are the same key.
func equal(a, b crypto.PublicKey) bool {
	e, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && e.Equal(b)
}
