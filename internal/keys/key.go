package keys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/oauth/jwt"
)

// Make makes a signing key for the issuer's access tokens that is published at
// once and signs from signFrom.
func Make(issuer *domain.Issuer, ring *seal.Ring, now, signFrom time.Time) (domain.Key, error) {
	return MakeFor(domain.PurposeAccess, issuer, ring, now, signFrom)
}

// MakeFor is Make for any purpose.
func MakeFor(purpose domain.Purpose, issuer *domain.Issuer, ring *seal.Ring, now, signFrom time.Time) (domain.Key, error) {
	private, err := jwt.Generate(jwt.Algorithm(Algorithm(issuer, purpose)), rand.Reader)
	if err != nil {
		return domain.Key{}, fmt.Errorf("make a key for issuer %s: %w", issuer.Name, err)
	}
	return wrap(issuer, purpose, private, ring, now, signFrom)
}

// Algorithm is what the issuer's new keys for a purpose are for: that of the issuer for
// access tokens. Upstreams are shown an identity under a key that they cannot sign with
// themselves, and that is cheap to sign with: EdDSA where the issuer uses it, else ES256.
func Algorithm(issuer *domain.Issuer, purpose domain.Purpose) string {
	if purpose == domain.PurposeAccess || issuer.Algorithm == string(jwt.EdDSA) {
		return issuer.Algorithm
	}
	return string(jwt.ES256)
}

// ImportOptions say what an imported key is good for.
type ImportOptions struct {
	Sign              bool       // it signs from now on; otherwise it only verifies
	WithoutEpochUntil *time.Time // tokens that carry no epoch are accepted under it until then
}

// Import takes over a private JWK (RFC 7517) of another system, for access tokens: RSA of at least
// 2048 bits with e = 65537, P-256, Ed25519, or an HMAC key of 256 bits.
func Import(issuer *domain.Issuer, jwk []byte, ring *seal.Ring, now time.Time, opts ImportOptions) (domain.Key, error) {
	private, err := jwt.ParsePrivateJWK(jwk)
	if err != nil {
		return domain.Key{}, fmt.Errorf("import a key: %w", err)
	}
	if private.Algorithm.Symmetric() != jwt.Algorithm(issuer.Algorithm).Symmetric() {
		return domain.Key{}, fmt.Errorf("import a key: issuer %s uses %s, and HS256 never stands beside an asymmetric key", issuer.Name, issuer.Algorithm)
	}
	if opts.Sign && string(private.Algorithm) != issuer.Algorithm {
		return domain.Key{}, fmt.Errorf("import a key: it is for %s, and issuer %s signs with %s; import it to verify only", private.Algorithm, issuer.Name, issuer.Algorithm)
	}
	k, err := wrap(issuer, domain.PurposeAccess, private, ring, now, now)
	if err != nil {
		return domain.Key{}, err
	}
	k.Imported, k.VerifyOnly, k.WithoutEpochUntil = true, !opts.Sign, opts.WithoutEpochUntil
	return k, nil
}

func wrap(issuer *domain.Issuer, purpose domain.Purpose, private *jwt.PrivateKey, ring *seal.Ring, now, signFrom time.Time) (domain.Key, error) {
	jwk, err := private.MarshalJWK()
	if err != nil {
		return domain.Key{}, err
	}
	k := domain.Key{
		Issuer: issuer.Name, ID: private.ID, Purpose: purpose, Algorithm: string(private.Algorithm),
		Created: now.UTC(), Published: now.UTC(), SignFrom: signFrom.UTC(),
	}
	if !private.Algorithm.Symmetric() {
		if k.Public, err = private.Public().MarshalJWK(); err != nil {
			return domain.Key{}, err
		}
	}
	k.Sealed, err = ring.Seal(keyContext(&k), jwk)
	return k, err
}

// keyContext binds a sealed key to its place: issuer, kid and purpose.
func keyContext(k *domain.Key) []string {
	return []string{"key", k.Issuer, k.ID, string(k.Purpose)}
}

// ErrSealedKey is returned for a key that does not open to what its row says.
var ErrSealedKey = errors.New("the sealed key is not the one its row describes")

// Open unseals a key.
func Open(k *domain.Key, ring *seal.Ring) (*jwt.PrivateKey, error) {
	jwk, err := ring.Open(keyContext(k), k.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open key %s of issuer %s: %w", k.ID, k.Issuer, err)
	}
	private, err := jwt.ParsePrivateJWK(jwk)
	if err != nil {
		return nil, fmt.Errorf("open key %s of issuer %s: %w", k.ID, k.Issuer, err)
	}
	if private.ID != k.ID || string(private.Algorithm) != k.Algorithm {
		return nil, fmt.Errorf("open key %s of issuer %s: %w", k.ID, k.Issuer, ErrSealedKey)
	}
	return private, nil
}
