package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/jwt"
)

// PutIssuer makes an issuer, with its first signing keys, or replaces it; with
// another algorithm its key is rotated. ifVersion as in UpdateClient; nothing
// changed makes no change. The warnings name clients that would be refused now
// if they were made anew.
func (r *Registry) PutIssuer(ctx context.Context, by domain.Actor, issuer domain.Issuer, ifVersion int64) (domain.Issuer, []Warning, error) {
	var done domain.Issuer
	var old *domain.Issuer
	if err := r.allow("issuer.put", by); err != nil {
		return done, nil, err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		done = issuer
		done.Defaults()
		var err error
		if old, err = find(ctx, t.Issuers, issuer.Name); err != nil {
			return nil, err
		}
		if err := keepOrigin(r, old, &done, &done.Origin); err != nil {
			return nil, err
		}
		if err := r.checkIssuer(ctx, t, old, &done); err != nil {
			return nil, err
		}
		changes, err := put(ctx, t.Issuers, old, &done, &done.Version, ifVersion)
		if err != nil {
			return nil, err
		}
		made, err := r.keysFor(ctx, t, old, &done)
		return append(changes, made...), err
	})
	if err != nil || old == nil || same(*old, done) {
		return done, nil, err
	}
	warnings, err := r.warnings(ctx, func(t domain.Tables, f func(domain.Client) bool) error {
		return eachClient(ctx, t, domain.Page{Prefix: domain.ClientKey(done.Name, "")}, f)
	})
	return done, warnings, err
}

// keysFor makes the keys that a new issuer, or one with another algorithm, needs. Where
// that asks for another kind of identity key, RotateDue makes it.
func (r *Registry) keysFor(ctx context.Context, t domain.Tables, old, issuer *domain.Issuer) ([]domain.Change, error) {
	now := r.now()
	if old == nil {
		return r.firstKeys(ctx, t, issuer)
	}
	if old.Algorithm == issuer.Algorithm {
		return nil, nil
	}
	list, err := t.Keys.List(ctx, domain.Page{Prefix: issuer.Name + "/"})
	if err != nil {
		return nil, err
	}
	// A key that waits for its turn is of the old algorithm: it gets none.
	var waiting []domain.Key
	list = slices.DeleteFunc(list, func(k domain.Key) bool {
		waits := k.Purpose == domain.PurposeAccess && !k.VerifyOnly && now.Before(k.SignFrom)
		if waits {
			waiting = append(waiting, k)
		}
		return waits
	})
	changed, removed, err := keys.Rotate(issuer, list, r.Vault.Ring, now, keys.RotateOptions{})
	if err != nil {
		return nil, err
	}
	return putKeys(ctx, t, "key.rotate", append(changed, keys.Retire(domain.PurposeAccess, waiting, now)...), removed)
}

// firstKeys makes a key for each purpose, which signs at once.
func (r *Registry) firstKeys(ctx context.Context, t domain.Tables, issuer *domain.Issuer) ([]domain.Change, error) {
	now := r.now()
	var made []domain.Key
	for _, purpose := range domain.Purposes() {
		k, err := keys.MakeFor(purpose, issuer, r.Vault.Ring, now, now)
		if err != nil {
			return nil, err
		}
		made = append(made, k)
	}
	return putKeys(ctx, t, "key.create", made, nil)
}

func symmetric(algorithm string) bool { return jwt.Algorithm(algorithm).Symmetric() }

// checkIssuer lists every problem of an issuer.
func (r *Registry) checkIssuer(ctx context.Context, t domain.Tables, old, issuer *domain.Issuer) error {
	problems := r.IssuerProblems(issuer)
	at, err := r.places(ctx, t)
	if err != nil {
		return err
	}
	problems = append(problems, r.issuerPlaces(at, issuer)...)
	found, err := r.forbidden(ctx, t, old, issuer)
	if err != nil {
		return err
	}
	return domain.AsError(fmt.Sprintf("issuer %q", issuer.Name), append(problems, found...))
}

// forbidden lists what keys and clients that are there forbid to change in an issuer;
// old is nil where it is new.
func (r *Registry) forbidden(ctx context.Context, t domain.Tables, old, issuer *domain.Issuer) ([]domain.Problem, error) {
	if old == nil {
		return nil, nil
	}
	var problems []domain.Problem
	if symmetric(old.Algorithm) != symmetric(issuer.Algorithm) {
		list, err := t.Keys.List(ctx, domain.Page{Prefix: issuer.Name + "/"})
		if err != nil {
			return nil, err
		}
		if len(list) > len(keys.Spent(list, r.now())) {
			problems = append(problems, domain.Problem{Field: "algorithm",
				Message: fmt.Sprintf("cannot change from %s to %s while there are keys: HS256 never stands beside an asymmetric key; make another issuer", old.Algorithm, issuer.Algorithm)})
		}
	}
	held, err := itsClientsForbid(ctx, t, old, issuer)
	return append(problems, held...), err
}

// itsClientsForbid lists what the issuer's clients forbid to change.
func itsClientsForbid(ctx context.Context, t domain.Tables, old, issuer *domain.Issuer) ([]domain.Problem, error) {
	var problems []domain.Problem
	forbid := func(field, message string, of func(*domain.Client) bool) error {
		err := unused(ctx, t, domain.Page{Prefix: issuer.Name + "/"}, field, itsClients, of)
		if errors.Is(err, ErrInUse) {
			problems = append(problems, domain.Problem{Field: field, Message: message + ": " + err.Error()})
			err = nil
		}
		return err
	}
	if old.Management != issuer.Management {
		if err := forbid("management", "cannot be changed", func(*domain.Client) bool { return true }); err != nil {
			return nil, err
		}
	}
	if old.ImportedSecrets && !issuer.ImportedSecrets {
		if err := forbid("imported_secrets", "cannot be turned off", func(c *domain.Client) bool { return c.Imported }); err != nil {
			return nil, err
		}
	}
	return problems, nil
}

// IssuerChangeProblems lists what forbids to put the issuer, with its defaults, in
// place of the one that the Store has; none where it has none.
func (r *Registry) IssuerChangeProblems(ctx context.Context, issuer *domain.Issuer) ([]domain.Problem, error) {
	if err := r.may("issuer.problems"); err != nil || !r.seesIssuer(issuer.Name) {
		return nil, err
	}
	t := r.Store.Read()
	old, err := find(ctx, t.Issuers, issuer.Name)
	if err != nil {
		return nil, err
	}
	return r.forbidden(ctx, t, old, issuer)
}

// IssuerProblems lists what is wrong with the issuer by itself, under the
// dialects and the configuration there are.
func (r *Registry) IssuerProblems(issuer *domain.Issuer) []domain.Problem {
	problems := issuer.Problems(r.dialect(issuer))
	if symmetric(issuer.Algorithm) && r.Dialects.Own(issuer.Dialect) && !r.AllowHS256 {
		problems = append(problems, domain.Problem{Field: "algorithm", Message: "HS256 with a dialect of your own needs allow_hs256: true in the configuration"})
	}
	return problems
}

// DeleteIssuer removes an issuer that has no clients and no tenant's hosts, and that
// no API trusts, with its keys. ifVersion as in UpdateClient.
func (r *Registry) DeleteIssuer(ctx context.Context, by domain.Actor, name string, ifVersion int64) error {
	if err := r.allow("issuer.delete", by); err != nil {
		return err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		issuer, err := t.Issuers.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := sameVersion(ifVersion, issuer.Version); err != nil {
			return nil, err
		}
		if _, err := r.declared(issuer, issuer.Origin, ""); err != nil {
			return nil, err
		}
		if err := unused(ctx, t, domain.Page{Prefix: name + "/"}, "issuer "+name, itsClients, func(*domain.Client) bool { return true }); err != nil {
			return nil, err
		}
		if err := r.unnamed(ctx, t, name); err != nil {
			return nil, err
		}
		list, err := t.Keys.List(ctx, domain.Page{Prefix: name + "/"})
		if err != nil {
			return nil, err
		}
		changes, err := putKeys(ctx, t, "issuer.delete", nil, list)
		if err != nil {
			return nil, err
		}
		return append(changes, change(issuer, "issuer.delete")), t.Issuers.Delete(ctx, name, issuer.Version)
	})
	return err
}

// unnamed returns ErrInUse where a tenant has hosts at the issuer or an API trusts it.
func (r *Registry) unnamed(ctx context.Context, t domain.Tables, issuer string) error {
	at, err := r.places(ctx, t)
	if err != nil {
		return err
	}
	for _, tenant := range at.tenants {
		if len(tenant.Hosts[issuer]) > 0 {
			return fmt.Errorf("issuer %s %w: tenant %q has hosts there; take them away first", issuer, ErrInUse, tenant.Label)
		}
	}
	for _, a := range at.apis {
		if slices.Contains(a.Issuers, issuer) {
			return fmt.Errorf("issuer %s %w: API %s trusts it; take it from the API's issuers first", issuer, ErrInUse, a.Name)
		}
	}
	return nil
}

// GetIssuer returns an issuer by name.
func (r *Registry) GetIssuer(ctx context.Context, name string) (domain.Issuer, error) {
	if err := r.may("issuer.read"); err != nil {
		return domain.Issuer{}, err
	}
	issuer, err := r.Store.Read().Issuers.Get(ctx, name)
	return shown(issuer, err, func(*domain.Issuer) bool { return r.seesIssuer(name) }, name)
}

// ListIssuers lists issuers in the order of their names.
func (r *Registry) ListIssuers(ctx context.Context, page domain.Page) ([]domain.Issuer, error) {
	if err := r.may("issuer.list"); err != nil {
		return nil, err
	}
	return listed(ctx, r, r.Store.Read().Issuers, page, func(i *domain.Issuer) bool { return r.seesIssuer(i.Name) })
}
