package snapshot

import (
	"bytes"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/jwt"
)

// identity is what an issuer signs with to tell upstreams whose call they get: keys that
// nothing else is signed with (RULES: one key, one purpose).
type identity struct {
	keys    []domain.Key
	signers map[string]*jwt.Signer // by kid
}

// IdentitySigner returns what signs identity tokens at the time given, nil where no key
// may.
func (i *Issuer) IdentitySigner(now time.Time) *jwt.Signer {
	k := keys.SigningFor(domain.PurposeIdentity, i.identity.keys, now)
	if k == nil {
		return nil
	}
	return i.identity.signers[k.ID]
}

// IdentityJWKS is the JWK set (RFC 7517 §5) of the keys for identities that are published
// at the time given. None of them stands in JWKS, and none of JWKS here.
func (i *Issuer) IdentityJWKS(now time.Time) []byte { return published(i.identity.keys, now) }

// addIdentity adds a key for identities. One that the earlier view has opened is not
// opened again.
func (s *Snapshot) addIdentity(i *Issuer, earlier *View, k domain.Key) error {
	if i.identity.signers == nil {
		i.identity.signers = make(map[string]*jwt.Signer, 1)
	}
	i.identity.keys = append(i.identity.keys, k)
	if signer := earlier.identitySigner(&k); signer != nil {
		i.identity.signers[k.ID] = signer
		return nil
	}
	private, err := keys.Open(&k, s.Vault.Ring)
	if err != nil {
		return err
	}
	i.identity.signers[k.ID], err = jwt.NewSigner(private, domain.IdentityType)
	return err
}

// identitySigner is what the view has for this very key, nil where it has none.
func (v *View) identitySigner(k *domain.Key) *jwt.Signer {
	if v == nil || v.issuers[k.Issuer] == nil {
		return nil
	}
	own := &v.issuers[k.Issuer].identity
	for n := range own.keys {
		if own.keys[n].ID == k.ID && bytes.Equal(own.keys[n].Sealed, k.Sealed) {
			return own.signers[k.ID]
		}
	}
	return nil
}
