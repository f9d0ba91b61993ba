package jwt

import "slices"

// Algorithm is a signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
type Algorithm string

// The closed list. There is no other, and `none` is not one of them.
const (
	ES256 Algorithm = "ES256" // ECDSA on P-256 with SHA-256
	EdDSA Algorithm = "EdDSA" // on Ed25519
	RS256 Algorithm = "RS256" // RSASSA-PKCS1-v1_5 with SHA-256
	PS256 Algorithm = "PS256" // RSASSA-PSS with SHA-256
	HS256 Algorithm = "HS256" // HMAC with SHA-256
)

// Algorithms lists them all.
func Algorithms() []Algorithm { return []Algorithm{ES256, EdDSA, RS256, PS256, HS256} }

// Valid reports whether a is on the list, spelt exactly so.
func (a Algorithm) Valid() bool { return slices.Contains(Algorithms(), a) }

// Symmetric reports whether whoever can verify can also sign.
func (a Algorithm) Symmetric() bool { return a == HS256 }
