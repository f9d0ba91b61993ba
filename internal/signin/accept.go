package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// Accept sets a password by a link, which is then worth nothing (D-99): of the first
// administrator, who gets the name given; or of whoever was invited or is let in again, whose
// name it must be, or none. What is wrong with the password or the name costs the link
// nothing.
func (s *SignIn) Accept(ctx context.Context, token oauth.Secret, name string, password oauth.Secret) (domain.Person, error) {
	name = foldName(name)
	// A browser has the token behind the # of an address.
	token = token[strings.LastIndexByte(string(token), '#')+1:]
	if !secret.WellFormed(string(token)) {
		return domain.Person{}, ErrLink
	}
	value, err := s.Records.Record(ctx, linkSpace, linkKey(token), s.Now())
	if errors.Is(err, domain.ErrNotFound) {
		return domain.Person{}, ErrLink
	}
	var l linked
	if err == nil {
		err = json.Unmarshal(value, &l)
	}
	if err != nil {
		return domain.Person{}, fmt.Errorf("accept: %w", err)
	}
	if l.Person == "" {
		return s.acceptFirst(ctx, token, l, name, password)
	}
	return s.acceptInvited(ctx, token, l, name, password)
}

// take uses the link up: of several who try it one gets through.
func (s *SignIn) take(ctx context.Context, token oauth.Secret) error {
	_, err := s.Records.TakeRecord(ctx, linkSpace, linkKey(token), s.Now())
	if errors.Is(err, domain.ErrNotFound) {
		return ErrLink
	}
	return err
}

// giveBack makes a link good again that was taken for nothing, and returns why.
func (s *SignIn) giveBack(ctx context.Context, token oauth.Secret, l linked, why error) error {
	value, err := json.Marshal(l)
	if err == nil {
		err = s.Records.SetRecord(context.WithoutCancel(ctx), linkSpace, linkKey(token), value, l.Expires)
	}
	return errors.Join(why, err)
}

func (s *SignIn) acceptInvited(ctx context.Context, token oauth.Secret, l linked, name string, password oauth.Secret) (domain.Person, error) {
	p, err := s.Store.Read().People.Get(ctx, l.Person)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return domain.Person{}, ErrLink
	case err != nil:
		return domain.Person{}, fmt.Errorf("accept: %w", err)
	case p.Status != domain.Enabled || name != "" && name != p.Name || !l.good(&p):
		return domain.Person{}, ErrLink
	}
	hash, err := s.HashPassword(ctx, p.Name, password)
	if err != nil {
		return domain.Person{}, err
	}
	if err := s.take(ctx, token); err != nil {
		return domain.Person{}, err
	}
	switch err := s.People.SetPassword(ctx, Actor(&p), p.ID, p.Version, hash); {
	case errors.Is(err, domain.ErrConflict): // another link was used meanwhile, or they were disabled: look again
		if err := s.giveBack(ctx, token, l, nil); err != nil {
			return domain.Person{}, err
		}
		return s.acceptInvited(ctx, token, l, name, password)
	case err != nil:
		return domain.Person{}, s.giveBack(ctx, token, l, err)
	}
	return s.Store.Read().People.Get(ctx, p.ID)
}

// acceptFirst makes the first administrator. Two links, of two nodes, make one.
func (s *SignIn) acceptFirst(ctx context.Context, token oauth.Secret, l linked, name string, password oauth.Secret) (domain.Person, error) {
	if name == "" {
		return domain.Person{}, domain.AsError("the person", []domain.Problem{{Field: "name", Message: "is missing; write the name to sign in with, as in ann@example.com"}})
	}
	hash, err := s.HashPassword(ctx, name, password)
	if err != nil {
		return domain.Person{}, err
	}
	now := s.Now()
	switch err := s.Records.AddRecord(ctx, lockSpace, "lock", []byte{1}, now, now.Add(lockLives)); {
	case errors.Is(err, domain.ErrExists):
		return domain.Person{}, tooMany(lockLives)
	case err != nil:
		return domain.Person{}, fmt.Errorf("accept: %w", err)
	}
	p, err := s.makeFirst(ctx, token, l, name, hash)
	return p, errors.Join(err, s.Records.DropRecord(context.WithoutCancel(ctx), lockSpace, "lock"))
}

func (s *SignIn) makeFirst(ctx context.Context, token oauth.Secret, l linked, name, hash string) (domain.Person, error) {
	switch none, err := s.NoAdminYet(ctx); {
	case err != nil:
		return domain.Person{}, err
	case !none:
		return domain.Person{}, ErrHasAdmin
	}
	if err := s.take(ctx, token); err != nil {
		return domain.Person{}, err
	}
	first := platformAdmin(name)
	p, err := s.People.CreatePerson(ctx, Actor(&first), first)
	if err != nil {
		if errors.Is(err, domain.ErrBehind) {
			l.Person = p.ID // as below
		}
		return domain.Person{}, s.giveBack(ctx, token, l, err)
	}
	if err := s.People.SetPassword(ctx, Actor(&p), p.ID, 0, hash); err != nil {
		l.Person = p.ID // they are there: now it is a link for their password
		return domain.Person{}, s.giveBack(ctx, token, l, err)
	}
	if err := os.Remove(filepath.Join(s.Directory, LinkFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return domain.Person{}, fmt.Errorf("the first administrator is made; the link, worth nothing now, could not be removed: %w", err)
	}
	return s.Store.Read().People.Get(ctx, p.ID)
}
