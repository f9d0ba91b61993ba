package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
)

// ParsePrivateJWK reads a private or symmetric key (RFC 7517): P-256, Ed25519,
// RSA of 2048 to 4096 bits with e = 65537 and its two primes, or `oct` of 256 to
// 4096 bits. Where `alg` is left out the key is bound to what its type is for,
// RSA to RS256; where `kid` is left out the id is the thumbprint. It returns
// ErrKey, ErrKeyType, or ErrKeyMismatch where the halves do not match.
func ParsePrivateJWK(data []byte) (*PrivateKey, error) {
	j, err := readJWK(data)
	if err != nil {
		return nil, err
	}
	alg, err := j.algorithm()
	if err != nil {
		return nil, err
	}
	if err := j.checkUse("sign"); err != nil {
		return nil, err
	}
	k := &PrivateKey{Algorithm: alg, material: &material{}}
	switch alg {
	case ES256:
		err = k.readECDSA(j)
	case EdDSA:
		err = k.readEd25519(j)
	case RS256, PS256:
		err = k.readRSA(j)
	case HS256:
		err = k.readHMAC(j)
	}
	if err != nil {
		return nil, err
	}
	k.ID, err = j.kid(k.Thumbprint())
	if err != nil {
		return nil, err
	}
	return k, nil
}

func (k *PrivateKey) readECDSA(j jwk) error {
	public, err := j.ecdsa()
	if err != nil {
		return err
	}
	d, err := j.bytes("d", p256Bytes)
	if err != nil {
		return err
	}
	if k.ecdsa, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), d); err != nil {
		return ErrKey
	}
	if !equal(&k.ecdsa.PublicKey, public) {
		return ErrKeyMismatch
	}
	return nil
}

func (k *PrivateKey) readEd25519(j jwk) error {
	public, err := j.ed25519()
	if err != nil {
		return err
	}
	seed, err := j.bytes("d", ed25519.SeedSize)
	if err != nil {
		return err
	}
	k.ed25519 = ed25519.NewKeyFromSeed(seed)
	if !equal(k.ed25519.Public(), public) {
		return ErrKeyMismatch
	}
	return nil
}

// readRSA takes n, e, d and the primes; what else speeds up signing is computed
// anew rather than believed.
func (k *PrivateKey) readRSA(j jwk) error {
	public, err := j.rsa()
	if err != nil {
		return err
	}
	var parts [3]*big.Int
	for i, name := range []string{"d", "p", "q"} {
		if parts[i], err = j.integer(name); err != nil {
			return err
		}
	}
	k.rsa = &rsa.PrivateKey{PublicKey: *public, D: parts[0], Primes: parts[1:]}
	if k.rsa.Validate() != nil {
		return ErrKeyMismatch
	}
	k.rsa.Precompute()
	return nil
}

func (k *PrivateKey) readHMAC(j jwk) error {
	b, err := decode(j.text["k"])
	if err != nil || len(b) < minHMACBytes || len(b) > maxHMACBytes { // RFC 7518 §3.2
		return ErrKey
	}
	k.hmac = b
	return nil
}

// MarshalJWK writes the whole key, private half included, as a JSON Web Key. It
// is for sealing and for nothing else.
func (k *PrivateKey) MarshalJWK() ([]byte, error) {
	if !k.usable() {
		return nil, ErrKey
	}
	if k.Algorithm == HS256 {
		return append(k.head("oct"), `,"k":"`+encode(k.hmac)+`"}`...), nil
	}
	b, err := k.Public().MarshalJWK()
	if err != nil {
		return nil, err
	}
	b = b[:len(b)-1] // without the brace
	switch k.Algorithm {
	case ES256:
		d, err := k.ecdsa.Bytes()
		if err != nil {
			return nil, ErrKey
		}
		b = appendMember(b, "d", d)
	case EdDSA:
		b = appendMember(b, "d", k.ed25519.Seed())
	case RS256, PS256:
		b = appendMember(b, "d", k.rsa.D.Bytes())
		b = appendMember(b, "p", k.rsa.Primes[0].Bytes())
		b = appendMember(b, "q", k.rsa.Primes[1].Bytes())
		b = appendMember(b, "dp", k.rsa.Precomputed.Dp.Bytes())
		b = appendMember(b, "dq", k.rsa.Precomputed.Dq.Bytes())
		b = appendMember(b, "qi", k.rsa.Precomputed.Qinv.Bytes())
	}
	return append(b, '}'), nil
}

func (k *PrivateKey) head(kty string) []byte { return jwkHead(kty, k.ID, k.Algorithm) }

func jwkHead(kty, id string, alg Algorithm) []byte {
	b := append(make([]byte, 0, 512), `{"kty":"`+kty+`","kid":`...)
	b = AppendString(b, id)
	return append(b, `,"alg":"`+string(alg)+`","use":"sig"`...)
}

func appendMember(b []byte, name string, value []byte) []byte {
	return append(b, `,"`+name+`":"`+encode(value)+`"`...)
}
