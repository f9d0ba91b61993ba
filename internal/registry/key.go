package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/jwt"
)

// ListKeys lists the signing keys of an issuer, by kid; a sealed key is in no JSON.
func (r *Registry) ListKeys(ctx context.Context, issuer string) ([]domain.Key, error) {
	if err := r.may("key.list"); err != nil {
		return nil, err
	}
	if _, err := r.GetIssuer(ctx, issuer); err != nil {
		return nil, err
	}
	return r.Store.Read().Keys.List(ctx, domain.Page{Prefix: issuer + "/"})
}

// RotateKey replaces a signing key of an issuer and returns the new one.
func (r *Registry) RotateKey(ctx context.Context, by domain.Actor, issuer string, opts keys.RotateOptions) (domain.Key, error) {
	var made domain.Key
	if err := r.allow("key.rotate", by); err != nil {
		return made, err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		i, list, err := issuerKeys(ctx, t, issuer)
		if err != nil {
			return nil, err
		}
		changed, removed, err := keys.Rotate(&i, list, r.Vault.Ring, r.now(), opts)
		if err != nil {
			return nil, err
		}
		made = changed[0]
		return putKeys(ctx, t, "key.rotate", changed, removed)
	})
	return made, err
}

// ImportKey takes over a private JWK. A key is in one issuer only (RULES): where
// another has it the error is domain.ErrExists. One that signs takes over at
// once, and the key before it stays published as after a rotation.
func (r *Registry) ImportKey(ctx context.Context, by domain.Actor, issuer string, jwk []byte, opts keys.ImportOptions) (domain.Key, error) {
	var made domain.Key
	if err := r.allow("key.import", by); err != nil {
		return made, err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		i, list, err := issuerKeys(ctx, t, issuer)
		if err != nil {
			return nil, err
		}
		now := r.now()
		if made, err = keys.Import(&i, jwk, r.Vault.Ring, now, opts); err != nil {
			return nil, &domain.Invalid{Object: "key", Problems: []domain.Problem{{Field: "jwk", Message: err.Error()}}}
		}
		all, err := t.Keys.List(ctx, domain.Page{})
		if err != nil {
			return nil, err
		}
		for _, k := range all {
			switch known, err := r.sameKey(&k, &made); {
			case err != nil:
				return nil, err
			case known:
				return nil, fmt.Errorf("key %s is in issuer %s already: %w", k.ID, k.Issuer, domain.ErrExists)
			}
		}
		changed := []domain.Key{made}
		if opts.Sign {
			changed = append(changed, keys.Retire(domain.PurposeAccess, list, now)...)
		}
		return putKeys(ctx, t, "key.import", changed, nil)
	})
	return made, err
}

// sameKey reports whether two rows hold the same key, whatever their kid, or the
// same kid in the same issuer.
func (r *Registry) sameKey(a, b *domain.Key) (bool, error) {
	if a.Issuer == b.Issuer && a.ID == b.ID {
		return true, nil
	}
	if a.Algorithm != b.Algorithm && (symmetric(a.Algorithm) || symmetric(b.Algorithm)) {
		return false, nil
	}
	x, err := r.thumbprint(a)
	if err != nil {
		return false, err
	}
	y, err := r.thumbprint(b)
	return x == y, err
}

// thumbprint is that of RFC 7638, which a symmetric key has only where it is open.
func (r *Registry) thumbprint(k *domain.Key) (string, error) {
	if symmetric(k.Algorithm) {
		private, err := keys.Open(k, r.Vault.Ring)
		if err != nil {
			return "", err
		}
		return private.Thumbprint(), nil
	}
	public, err := jwt.ParsePublicJWK(k.Public)
	if err != nil {
		return "", fmt.Errorf("key %s of issuer %s: %w", k.ID, k.Issuer, err)
	}
	return public.Thumbprint(), nil
}

// RotateDue rotates the keys that have reached their age, makes those that an issuer
// lacks, and deletes those that are worth nothing any more. The server calls it from time to time; an issuer
// that fails does not keep the others from their turn.
func (r *Registry) RotateDue(ctx context.Context) error {
	if err := r.may("key.due"); err != nil {
		return err
	}
	issuers, err := r.ListIssuers(ctx, domain.Page{})
	if err != nil {
		return err
	}
	for i := range issuers {
		err = errors.Join(err, r.rotateDue(ctx, issuers[i].Name))
	}
	return err
}

func (r *Registry) rotateDue(ctx context.Context, name string) error {
	now := r.now()
	list, err := r.Store.Read().Keys.List(ctx, domain.Page{Prefix: name + "/"})
	if err != nil {
		return err
	}
	i, err := r.GetIssuer(ctx, name)
	if err != nil {
		return err
	}
	if len(keys.Due(&i, list, now)) == 0 && len(keys.Spent(list, now)) == 0 {
		return nil // without a write, most of the time
	}
	_, err = r.Store.Change(ctx, domain.System, func(t domain.Tables) ([]domain.Change, error) {
		i, list, err := issuerKeys(ctx, t, name)
		if err != nil {
			return nil, err
		}
		spent := keys.Spent(list, now)
		changes, err := putKeys(ctx, t, "key.expire", nil, spent)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(k domain.Key) bool {
			return slices.ContainsFunc(spent, func(s domain.Key) bool { return s.ID == k.ID })
		})
		more, err := r.rotateEach(ctx, t, &i, list, now)
		return append(changes, more...), err
	})
	if err != nil {
		return fmt.Errorf("rotate the key of issuer %s: %w", name, err)
	}
	return nil
}

// rotateEach rotates for each purpose that is due.
func (r *Registry) rotateEach(ctx context.Context, t domain.Tables, i *domain.Issuer, list []domain.Key, now time.Time) ([]domain.Change, error) {
	var changes []domain.Change
	for _, purpose := range keys.Due(i, list, now) {
		changed, removed, err := keys.Rotate(i, list, r.Vault.Ring, now, keys.RotateOptions{Purpose: purpose})
		if err != nil {
			return nil, err
		}
		more, err := putKeys(ctx, t, "key.rotate", changed, removed)
		if err != nil {
			return nil, err
		}
		changes = append(changes, more...)
	}
	return changes, nil
}

// issuerKeys reads an issuer and its keys.
func issuerKeys(ctx context.Context, t domain.Tables, issuer string) (domain.Issuer, []domain.Key, error) {
	i, err := t.Issuers.Get(ctx, issuer)
	if err != nil {
		return i, nil, err
	}
	list, err := t.Keys.List(ctx, domain.Page{Prefix: issuer + "/"})
	return i, list, err
}

// putKeys writes what package keys planned.
func putKeys(ctx context.Context, t domain.Tables, action string, changed, removed []domain.Key) ([]domain.Change, error) {
	changes := make([]domain.Change, 0, len(changed)+len(removed))
	for _, k := range changed {
		if _, err := t.Keys.Put(ctx, k, k.Version); err != nil {
			return nil, err
		}
		changes = append(changes, change(k, action))
	}
	for _, k := range removed {
		if err := t.Keys.Delete(ctx, k.Key(), k.Version); err != nil {
			return nil, err
		}
		changes = append(changes, change(k, action))
	}
	return changes, nil
}
