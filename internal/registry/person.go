package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
)

// ErrLastAdmin is returned where nobody would be left who may change everything.
var ErrLastAdmin = errors.New("is the last enabled platform admin; make another one first")

// CreatePerson makes somebody who administers, without a password. Of spec only what an
// administrator may choose is taken (D-74): name, role, reach, status, subject. Where the
// name is taken the error is domain.ErrExists.
func (r *Registry) CreatePerson(ctx context.Context, by domain.Actor, spec domain.Person) (domain.Person, error) {
	if err := r.allow("person.create", by); err != nil {
		return domain.Person{}, err
	}
	done := domain.Person{
		ID: domain.NewUUID(), Name: spec.Name, Role: spec.Role, Reach: spec.Reach, Status: spec.Status, Subject: spec.Subject,
		Epoch: 1, Created: r.now(),
	}
	done.Defaults()
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		if err := r.checkPerson(ctx, t, &done); err != nil {
			return nil, err
		}
		var err error
		done.Version, err = t.People.Put(ctx, done, 0)
		return []domain.Change{change(done, "person.create")}, err
	})
	return done, err
}

// checkPerson lists every problem of a person, and refuses the name of another one.
func (r *Registry) checkPerson(ctx context.Context, t domain.Tables, p *domain.Person) error {
	problems, err := r.reachProblems(ctx, t, p.Reach)
	if err != nil {
		return err
	}
	if err := domain.AsError(fmt.Sprintf("person %q", p.Name), append(p.Problems(), problems...)); err != nil {
		return err
	}
	other, err := named(ctx, t, p.Name)
	if err == nil && other != nil && other.ID != p.ID {
		err = fmt.Errorf("person %q: %w", p.Name, domain.ErrExists)
	}
	if err != nil || p.Subject == "" {
		return err
	}
	return eachPerson(ctx, t, func(other *domain.Person) error {
		if other.ID != p.ID && other.Subject == p.Subject {
			return fmt.Errorf("person with the subject %q: %w", p.Subject, domain.ErrExists)
		}
		return nil
	})
}

// reachProblems names what is in a reach and is not there.
func (r *Registry) reachProblems(ctx context.Context, t domain.Tables, reach domain.Reach) ([]domain.Problem, error) {
	var list []domain.Problem
	for i, id := range reach.Tenants {
		tenant, err := find(ctx, t.Tenants, id)
		if err != nil {
			return nil, err
		}
		if tenant == nil {
			list = append(list, domain.Problem{Field: fmt.Sprintf("tenants[%d]", i), Message: fmt.Sprintf("there is no tenant %q", id)})
		}
	}
	for i, name := range reach.Issuers {
		issuer, err := r.issuer(ctx, t, name)
		if err != nil {
			return nil, err
		}
		if issuer == nil {
			list = append(list, domain.Problem{Field: fmt.Sprintf("issuers[%d]", i), Message: fmt.Sprintf("there is no issuer %q", name)})
		}
	}
	return list, nil
}

func eachPerson(ctx context.Context, t domain.Tables, f func(*domain.Person) error) error {
	list, err := t.People.List(ctx, domain.Page{})
	if err != nil {
		return err
	}
	for i := range list {
		if err := f(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

// named is the person of that name, nil where there is none.
func named(ctx context.Context, t domain.Tables, name string) (found *domain.Person, err error) {
	name = strings.ToLower(strings.TrimSpace(name))
	err = eachPerson(ctx, t, func(p *domain.Person) error {
		if p.Name == name {
			found = p
		}
		return nil
	})
	return found, err
}

// UpdatePerson changes what an administrator may choose of a person, as CreatePerson;
// what f does to the rest is undone (D-74). ifVersion as in UpdateClient. Another role or
// reach or subject, and to be disabled, end their sessions: the epoch is raised.
func (r *Registry) UpdatePerson(ctx context.Context, by domain.Actor, id string, ifVersion int64, f func(*domain.Person) error) (domain.Person, error) {
	return r.changePerson(ctx, by, "person.update", id, ifVersion, func(t domain.Tables, p *domain.Person) error {
		old := *p
		if err := f(p); err != nil {
			return err
		}
		p.Defaults()
		p.ID, p.Created, p.Changed, p.Version, p.Epoch, p.Password = old.ID, old.Created, old.Changed, old.Version, old.Epoch, old.Password
		disabled := old.Status == domain.Enabled && p.Status == domain.Disabled
		if disabled || p.Role != old.Role || !same(p.Reach, old.Reach) || old.Subject != "" && p.Subject != old.Subject {
			p.Epoch++
		}
		only := old
		only.Status, only.Epoch = p.Status, p.Epoch
		if disabled && same(only, *p) {
			return nil // what is wrong with them keeps nobody in
		}
		return r.checkPerson(ctx, t, p)
	})
}

// SetPassword keeps the argon2id string of a new password, and ends the person's sessions.
// ifVersion as in UpdateClient.
func (r *Registry) SetPassword(ctx context.Context, by domain.Actor, id string, ifVersion int64, argon2id string) error {
	v, err := secret.Parse(argon2id)
	if err != nil || !v.Imported() || !strings.HasPrefix(argon2id, "$argon2id$") {
		return errors.New("set a password: the hash is no argon2id string")
	}
	_, err = r.changePerson(ctx, by, "person.set_password", id, ifVersion, func(_ domain.Tables, p *domain.Person) error {
		now := r.now()
		p.Password, p.Changed, p.Epoch = argon2id, &now, p.Epoch+1
		return nil
	})
	return err
}

// changePerson is the one read-change-write of a person.
func (r *Registry) changePerson(ctx context.Context, by domain.Actor, action, id string, ifVersion int64, f func(domain.Tables, *domain.Person) error) (domain.Person, error) {
	var done domain.Person
	if err := r.allow(action, by); err != nil {
		return done, err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		old, err := t.People.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := sameVersion(ifVersion, old.Version); err != nil {
			return nil, err
		}
		done = old
		if err := f(t, &done); err != nil {
			return nil, err
		}
		if same(old, done) && old.Password == done.Password {
			return nil, nil
		}
		if err := othersLeft(ctx, t, &old, &done); err != nil {
			return nil, err
		}
		done.Version, err = t.People.Put(ctx, done, old.Version)
		return []domain.Change{change(done, action)}, err
	})
	if err != nil {
		return domain.Person{}, err
	}
	return done, nil
}

// othersLeft returns ErrLastAdmin where old is the only one who may change everything, and
// now, nil if they go, is so no more.
func othersLeft(ctx context.Context, t domain.Tables, old, now *domain.Person) error {
	admin := func(p *domain.Person) bool {
		return p != nil && p.Role == domain.PlatformAdmin && p.Status == domain.Enabled
	}
	if !admin(old) || admin(now) {
		return nil
	}
	others := false
	err := eachPerson(ctx, t, func(p *domain.Person) error {
		others = others || p.ID != old.ID && admin(p)
		return nil
	})
	if err == nil && !others {
		err = fmt.Errorf("person %q %w", old.Name, ErrLastAdmin)
	}
	return err
}

// DeletePerson removes somebody. ifVersion as in UpdateClient.
func (r *Registry) DeletePerson(ctx context.Context, by domain.Actor, id string, ifVersion int64) error {
	if err := r.allow("person.delete", by); err != nil {
		return err
	}
	_, err := r.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		p, err := t.People.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := sameVersion(ifVersion, p.Version); err != nil {
			return nil, err
		}
		if err := othersLeft(ctx, t, &p, nil); err != nil {
			return nil, err
		}
		return []domain.Change{change(p, "person.delete")}, t.People.Delete(ctx, id, p.Version)
	})
	return err
}

// GetPerson returns a person by id; the password's hash is in no JSON.
func (r *Registry) GetPerson(ctx context.Context, id string) (domain.Person, error) {
	if err := r.may("person.read"); err != nil {
		return domain.Person{}, err
	}
	return r.Store.Read().People.Get(ctx, id)
}

// FindPerson returns a person by the name they sign in with.
func (r *Registry) FindPerson(ctx context.Context, name string) (domain.Person, error) {
	if err := r.may("person.find"); err != nil {
		return domain.Person{}, err
	}
	p, err := named(ctx, r.Store.Read(), name)
	if err == nil && p == nil {
		err = absent(domain.KindPerson, name)
	}
	return orZero(p), err
}

// ListPeople lists people in the order of their ids.
func (r *Registry) ListPeople(ctx context.Context, page domain.Page) ([]domain.Person, error) {
	if err := r.may("person.list"); err != nil {
		return nil, err
	}
	return r.Store.Read().People.List(ctx, page)
}
