package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
)

// ParsePublicJWK reads a public key (RFC 7517), under the rules of
// ParsePrivateJWK. A key that holds a private half is refused with ErrKeyType:
// it is no longer a secret, or it came by mistake. So is a symmetric one.
func ParsePublicJWK(data []byte) (PublicKey, error) {
	j, err := readJWK(data)
	if err != nil {
		return PublicKey{}, err
	}
	alg, err := j.algorithm()
	if err != nil {
		return PublicKey{}, err
	}
	for _, private := range []string{"d", "p", "q", "k"} {
		if _, has := j.text[private]; has {
			return PublicKey{}, ErrKeyType
		}
	}
	if err := j.checkUse("verify"); err != nil {
		return PublicKey{}, err
	}
	p := PublicKey{Algorithm: alg}
	switch alg {
	case ES256:
		p.key, err = j.ecdsa()
	case EdDSA:
		p.key, err = j.ed25519()
	case RS256, PS256:
		p.key, err = j.rsa()
	default:
		return PublicKey{}, ErrKeyType
	}
	if err != nil {
		return PublicKey{}, err
	}
	p.ID, err = j.kid(p.Thumbprint())
	if err != nil {
		return PublicKey{}, err
	}
	return p, nil
}

// MarshalJWK writes the key as a JSON Web Key. It returns ErrKeyType for the
// empty half of a symmetric key.
func (p PublicKey) MarshalJWK() ([]byte, error) {
	var b []byte
	switch key := p.key.(type) {
	case *ecdsa.PublicKey:
		x, y := coordinates(key)
		b = append(jwkHead("EC", p.ID, p.Algorithm), `,"crv":"P-256","x":"`+x+`","y":"`+y+`"}`...)
	case ed25519.PublicKey:
		b = append(jwkHead("OKP", p.ID, p.Algorithm), `,"crv":"Ed25519","x":"`+encode(key)+`"}`...)
	case *rsa.PublicKey:
		b = append(jwkHead("RSA", p.ID, p.Algorithm), `,"n":"`+encode(key.N.Bytes())+`","e":"`+exponent(key)+`"}`...)
	default:
		return nil, ErrKeyType
	}
	return b, nil
}
