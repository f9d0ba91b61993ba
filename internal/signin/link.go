package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// How long links live.
const (
	bootstrapLives  = time.Hour
	recoverLives    = time.Hour
	invitationLives = 24 * time.Hour
)

// LinkFile is the file of the data directory with the link for the first administrator.
const LinkFile = "bootstrap-link"

// The spaces of records: links by the hash of their token, and a lock while the first
// administrator is made.
const (
	linkSpace = "link"
	lockSpace = "first administrator"
	lockLives = time.Minute
)

// Link lets somebody set a password, once. Its token is not kept: only its hash is.
type Link struct {
	Token   oauth.Secret
	Expires time.Time
	File    string // where the token was written too; empty: nowhere
}

// linked is what a link is for.
type linked struct {
	Person  string     `json:"person,omitempty"`  // by id; empty: the first administrator
	Changed *time.Time `json:"changed,omitempty"` // when their password was set last: a link made before ends with it
	Expires time.Time  `json:"expires"`
}

// good reports whether the person has had no other password since the link was made.
func (l linked) good(p *domain.Person) bool {
	if l.Changed == nil || p.Changed == nil {
		return l.Changed == p.Changed
	}
	return l.Changed.Equal(*p.Changed)
}

// randomText is 256 random bits in base64url.
func randomText() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// linkKey is the key of a link's record.
func linkKey(token oauth.Secret) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// newLink makes a link for the person; the zero one is the first administrator.
func (s *SignIn) newLink(ctx context.Context, p domain.Person, lives time.Duration) (Link, error) {
	now := s.Now()
	l := Link{Token: secret.Generate(), Expires: now.Add(lives).UTC().Truncate(time.Second)}
	value, err := json.Marshal(linked{Person: p.ID, Changed: p.Changed, Expires: l.Expires})
	if err == nil {
		err = s.Records.AddRecord(ctx, linkSpace, linkKey(l.Token), value, now, l.Expires)
	}
	if err != nil {
		return Link{}, fmt.Errorf("make link: %w", err)
	}
	return l, nil
}

// Bootstrap makes the link for the first administrator and writes its token to a new file in
// the data directory, mode 0600 (D-99). ErrHasAdmin where there is one.
func (s *SignIn) Bootstrap(ctx context.Context) (Link, error) {
	switch none, err := s.NoAdminYet(ctx); {
	case err != nil:
		return Link{}, err
	case !none:
		return Link{}, ErrHasAdmin
	}
	l, err := s.newLink(ctx, domain.Person{}, bootstrapLives)
	if err != nil {
		return Link{}, err
	}
	l.File = filepath.Join(s.Directory, LinkFile)
	if err := writeNew(l.File, string(l.Token)+"\n"); err != nil {
		return Link{}, fmt.Errorf("write link: %w", err)
	}
	return l, nil
}

// writeNew writes a file that was not there: what stood there is removed, not followed.
func writeNew(path, text string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // in the data directory
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// Invite makes a link by which the person sets a password. The caller must be one who may
// change people: ErrNotAllowed.
func (s *SignIn) Invite(ctx context.Context, by domain.Caller, id string) (Link, error) {
	if by.Role != domain.PlatformAdmin || !by.Platform {
		return Link{}, ErrNotAllowed
	}
	p, err := s.Store.Read().People.Get(ctx, id)
	if err != nil {
		return Link{}, fmt.Errorf("person %q: %w", id, err)
	}
	return s.newLink(ctx, p, invitationLives)
}

// Recover makes the person of that name an enabled platform admin, ends their sessions and
// their password, and makes a link by which they set a new one; where there is nobody of the
// name it makes the person. It is for the machine's own user, over the socket: who reads the
// data directory needs no more. All of it is changes by that actor.
func (s *SignIn) Recover(ctx context.Context, by domain.Actor, name string) (Link, error) {
	name = foldName(name)
	// A password that nobody has: setting it ends the sessions, and is the change that tells
	// of the recovery where nothing else was amiss.
	hash, err := s.hash(ctx, secret.Generate())
	if err != nil {
		return Link{}, err
	}
	p, err := s.People.FindPerson(ctx, name)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		p, err = s.People.CreatePerson(ctx, by, platformAdmin(name))
	case err == nil:
		p, err = s.People.UpdatePerson(ctx, by, p.ID, p.Version, func(p *domain.Person) error {
			p.Role, p.Reach, p.Status = domain.PlatformAdmin, everywhere(), domain.Enabled
			return nil
		})
	}
	if err == nil {
		err = s.People.SetPassword(ctx, by, p.ID, 0, hash)
	}
	if err == nil {
		p, err = s.Store.Read().People.Get(ctx, p.ID)
	}
	if err != nil {
		return Link{}, fmt.Errorf("recover: %w", err)
	}
	return s.newLink(ctx, p, recoverLives)
}

func everywhere() domain.Reach { return domain.Reach{AllTenants: true, AllIssuers: true} }

func platformAdmin(name string) domain.Person {
	return domain.Person{Name: name, Role: domain.PlatformAdmin, Reach: everywhere(), Status: domain.Enabled}
}
