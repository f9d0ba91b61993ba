package keys

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/oauth/dialect"
	"github.com/postern-dev/postern/oauth/jwt"
)

// Lead is how long a key is published before it signs, so that everybody who
// caches the JWKS for as long as we allow has it by then.
const Lead = 15 * time.Minute

// Overlap is how long a key is published after it signed last: the longest life
// of a token and an hour for slow clocks.
const Overlap = dialect.MaxLifetime + time.Hour

// Signing returns the key that signs access tokens at the time given: of those that may
// sign, the one whose turn came last. It is nil where there is none.
func Signing(list []domain.Key, now time.Time) *domain.Key {
	return SigningFor(domain.PurposeAccess, list, now)
}

// SigningFor is Signing for any purpose: keys for another are passed over (RULES: one key,
// one purpose).
func SigningFor(purpose domain.Purpose, list []domain.Key, now time.Time) *domain.Key {
	var best *domain.Key
	for i := range list {
		k := &list[i]
		switch {
		case k.Purpose != purpose || k.VerifyOnly || expired(k, now):
		case now.Before(k.SignFrom) || k.SignUntil != nil && !now.Before(*k.SignUntil):
		case best == nil || k.SignFrom.After(best.SignFrom):
			best = k
		}
	}
	return best
}

// Published reports whether the key verifies the tokens of its purpose at the time given,
// and so stands in the JWK set of that purpose, and in no other.
func Published(k *domain.Key, now time.Time) bool {
	return !now.Before(k.Published) && !expired(k, now)
}

func expired(k *domain.Key, now time.Time) bool { return k.Expires != nil && !now.Before(*k.Expires) }

// waiting returns the key for a purpose whose turn to sign is still to come, nil where
// there is none.
func waiting(purpose domain.Purpose, list []domain.Key, now time.Time) *domain.Key {
	for i := range list {
		k := &list[i]
		passedOver := k.SignUntil != nil && !k.SignFrom.Before(*k.SignUntil)
		if k.Purpose == purpose && !k.VerifyOnly && !passedOver && now.Before(k.SignFrom) {
			return k
		}
	}
	return nil
}

// Due lists the purposes for which the issuer needs a rotation, because it has no key, or
// the key has reached its age or is of another algorithm than a new one would be.
func Due(issuer *domain.Issuer, list []domain.Key, now time.Time) []domain.Purpose {
	return slices.DeleteFunc(domain.Purposes(), func(p domain.Purpose) bool { return !due(p, issuer, list, now) })
}

func due(purpose domain.Purpose, issuer *domain.Issuer, list []domain.Key, now time.Time) bool {
	if waiting(purpose, list, now) != nil {
		return false
	}
	k := SigningFor(purpose, list, now)
	return k == nil || k.Algorithm != Algorithm(issuer, purpose) || !now.Before(k.SignFrom.Add(issuer.KeyMaxAge.Duration()-Lead))
}

// Spent lists the keys that are no longer worth anything and can be deleted.
func Spent(list []domain.Key, now time.Time) []domain.Key {
	return slices.DeleteFunc(slices.Clone(list), func(k domain.Key) bool { return !expired(&k, now) })
}

// RotateOptions say which key is replaced, and how.
type RotateOptions struct {
	Purpose domain.Purpose // empty: access
	Now     bool           // the new key signs at once, not after Lead
	Kill    bool           // every other key for the purpose is worth nothing from now on: all its tokens die (implies Now)
}

// Rotate plans the replacement of one signing key of the issuer: the keys to put (the
// new one first, then those whose end is now known) and those to delete. Without
// Kill no valid token fails (Retire).
func Rotate(issuer *domain.Issuer, list []domain.Key, ring *seal.Ring, now time.Time, opts RotateOptions) (changed, removed []domain.Key, err error) {
	now = now.UTC()
	purpose := cmp.Or(opts.Purpose, domain.PurposeAccess)
	if !slices.Contains(domain.Purposes(), purpose) {
		return nil, nil, fmt.Errorf("%q is no purpose of a key: %v", purpose, domain.Purposes())
	}
	list = slices.DeleteFunc(slices.Clone(list), func(k domain.Key) bool { return k.Purpose != purpose })
	if next := waiting(purpose, list, now); next != nil && !opts.Now && !opts.Kill {
		return nil, nil, fmt.Errorf("key %s of issuer %s takes over at %s already; rotate with --now to do it at once: %w",
			next.ID, issuer.Name, next.SignFrom.Format(time.RFC3339), domain.ErrExists)
	}
	if !opts.Kill && slices.ContainsFunc(list, func(k domain.Key) bool { return !beside(Algorithm(issuer, purpose), &k, now) }) {
		return nil, nil, fmt.Errorf("issuer %s: HS256 never stands beside an asymmetric key; rotate with --kill, which ends all tokens", issuer.Name)
	}
	signFrom := now.Add(Lead)
	if opts.Now || opts.Kill || SigningFor(purpose, list, now) == nil {
		signFrom = now
	}
	made, err := MakeFor(purpose, issuer, ring, now, signFrom)
	if err != nil {
		return nil, nil, err
	}
	changed = []domain.Key{made}
	if !opts.Kill {
		return append(changed, Retire(purpose, list, signFrom)...), nil, nil
	}
	return changed, list, nil
}

// Retire plans the end of the keys for a purpose that sign, or wait for it, when another
// takes over: those that change. Each stays published until the last token under it has
// expired, one that waits too: a node that lags may have signed with it.
func Retire(purpose domain.Purpose, list []domain.Key, from time.Time) []domain.Key {
	var changed []domain.Key
	for _, k := range list {
		if k.Purpose != purpose || k.VerifyOnly || k.SignUntil != nil && !from.Before(*k.SignUntil) {
			continue
		}
		end := from.Add(Overlap)
		k.SignUntil, k.Expires = &from, &end
		changed = append(changed, k)
	}
	return changed
}

// beside reports whether a new key for the algorithm may stand beside k, which is for the
// same purpose (D-42).
func beside(algorithm string, k *domain.Key, now time.Time) bool {
	return expired(k, now) || jwt.Algorithm(k.Algorithm).Symmetric() == jwt.Algorithm(algorithm).Symmetric()
}
