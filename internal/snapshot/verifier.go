package snapshot

import (
	"context"
	"fmt"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/jwt"
)

// verifier is a key of an issuer as tokens are verified with it.
type verifier struct {
	row *domain.Key
	set jwt.Keys // of this one
}

// verifier makes a key ready. A symmetric one is opened, since it is both halves; of any
// other the public half does.
func (s *Snapshot) verifier(i *Issuer, k *domain.Key) (verifier, error) {
	if jwt.Algorithm(k.Algorithm).Symmetric() {
		private, err := s.symmetric(i, k)
		if err != nil {
			return verifier{}, err
		}
		set, err := jwt.NewSymmetricKeys(private)
		return verifier{k, set}, err
	}
	public, err := jwt.ParsePublicJWK(k.Public)
	if err != nil {
		return verifier{}, fmt.Errorf("read key %s of issuer %s: %w", k.ID, k.Issuer, err)
	}
	if public.ID != k.ID || string(public.Algorithm) != k.Algorithm {
		return verifier{}, fmt.Errorf("read key %s of issuer %s: its public half is that of another: %w", k.ID, k.Issuer, jwt.ErrKeyMismatch)
	}
	set, err := jwt.NewKeys(public)
	return verifier{k, set}, err
}

func (s *Snapshot) symmetric(i *Issuer, k *domain.Key) (*jwt.PrivateKey, error) {
	if signer, ok := i.signers[k.ID]; ok {
		return signer.Key(), nil
	}
	return keys.Open(k, s.Vault.Ring)
}

// Keys are those that go by this id and verify tokens of the issuer now: one or none. A
// key before its time, past it or withdrawn is none, and takes its tokens with it (D-58).
// Symmetric ones are among them: they are for this process only (RULES "Keys and tokens").
func (i *Issuer) Keys(_ context.Context, kid string) (jwt.Keys, error) {
	v, ok := i.verifiers[kid]
	if !ok || !keys.Published(v.row, i.now()) {
		return jwt.Keys{}, nil
	}
	return v.set, nil
}

// WithoutEpoch reports whether tokens that carry no epoch are accepted under the key of
// this id now: under imported ones only, and until a stated time.
func (i *Issuer) WithoutEpoch(kid string) bool {
	v, ok := i.verifiers[kid]
	if !ok || !v.row.Imported || v.row.WithoutEpochUntil == nil {
		return false
	}
	now := i.now()
	return now.Before(*v.row.WithoutEpochUntil) && keys.Published(v.row, now)
}
