package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// Why a rotation cannot be started or ended, to be tested with errors.Is.
var (
	ErrRotating   = errors.New("has two secrets alive: a rotation is under way; complete it, cancel it, or replace both secrets by one new")
	ErrNoRotation = errors.New("has one secret: no rotation is under way")
	ErrNoSecret   = errors.New("would have no secret that is alive; start a rotation, or replace its secrets")
)

// RetireAfter is how long a secret must not have been used, and a rotation be under way,
// until it is safe to retire the secret.
const RetireAfter = 24 * time.Hour

// Uses tells when each secret of a client was last used; one that was not is absent.
type Uses interface {
	LastUses(ctx context.Context, issuer, client string) (map[string]time.Time, error)
}

// Rotation is how the secrets of a client stand.
type Rotation struct {
	Secrets []UsedSecret `json:"secrets"` // that are alive, the oldest first
	// Rotating: there are two, and the first is to be retired.
	Rotating bool `json:"rotating"`
	// Safe: the first was not used for RetireAfter, so that nothing breaks where it goes.
	// It never is where uses are not recorded.
	Safe bool `json:"safe"`
	// SafeFrom is when it will be safe if the first is not used again; absent where no
	// rotation is under way, or uses are not recorded.
	SafeFrom *time.Time `json:"safe_from,omitempty"`
}

// UsedSecret is a secret and its last use; absent where it was not used, or that is not
// recorded.
type UsedSecret struct {
	domain.Secret
	LastUsed *time.Time `json:"last_used,omitempty"`
}

// StartRotation gives a client a second secret, which is returned here and never again
// (D-104). Both are good until the rotation is completed, or until the old one expires
// after the time given; zero: it does not. A third secret is ErrRotating.
func (r *Registry) StartRotation(ctx context.Context, by domain.Actor, issuer, id string, expires time.Duration) (domain.Client, oauth.Secret, error) {
	s := secret.Generate()
	act := act{name: "client.start_rotation", by: by, issuer: issuer, id: id, emergency: true}
	c, err := r.change(ctx, act, func(_ domain.Tables, c *domain.Client) error {
		if expires < 0 {
			return &domain.Invalid{Object: fmt.Sprintf("client %q", id), Problems: []domain.Problem{{Field: "expires", Message: "is past; to end the old secret at once replace it"}}}
		}
		if c.Secrets = r.alive(c.Secrets); len(c.Secrets) > 1 {
			return fmt.Errorf("client %q %w", id, ErrRotating)
		}
		for i := range c.Secrets {
			if expires > 0 {
				at := r.now().Add(expires)
				c.Secrets[i].Expires = &at
			}
		}
		c.Secrets = append(c.Secrets, r.generated(c, secretID(c), s))
		return nil
	})
	if err != nil {
		return domain.Client{}, "", err
	}
	return c, s, nil
}

// CancelRotation takes the new secret away; the old one is good as before. Tokens that the
// new one got live to their expiry.
func (r *Registry) CancelRotation(ctx context.Context, by domain.Actor, issuer, id string) (domain.Client, error) {
	return r.endRotation(ctx, by, "client.cancel_rotation", issuer, id, func(c *domain.Client) error {
		c.Secrets = c.Secrets[:1]
		if !c.Secrets[0].Live(r.now()) {
			return fmt.Errorf("client %q %w", id, ErrNoSecret)
		}
		c.Secrets[0].Expires = nil
		return nil
	})
}

// CompleteRotation takes the old secret away. kill ends every token of the client at once;
// otherwise they live to their expiry.
func (r *Registry) CompleteRotation(ctx context.Context, by domain.Actor, issuer, id string, kill bool) (domain.Client, error) {
	return r.endRotation(ctx, by, "client.complete_rotation", issuer, id, func(c *domain.Client) error {
		if c.Secrets = c.Secrets[1:]; kill {
			c.Epoch++
		}
		return nil
	})
}

func (r *Registry) endRotation(ctx context.Context, by domain.Actor, name, issuer, id string, f func(*domain.Client) error) (domain.Client, error) {
	act := act{name: name, by: by, issuer: issuer, id: id, emergency: true}
	return r.change(ctx, act, func(_ domain.Tables, c *domain.Client) error {
		if len(c.Secrets) < 2 {
			return fmt.Errorf("client %q %w", id, ErrNoRotation)
		}
		return f(c)
	})
}

// Rotation returns how the secrets of a client stand.
func (r *Registry) Rotation(ctx context.Context, issuer, id string) (Rotation, error) {
	if err := r.may("client.rotation"); err != nil {
		return Rotation{}, err
	}
	c, err := r.client(ctx, r.Store.Read(), issuer, id)
	if err != nil {
		return Rotation{}, err
	}
	var uses map[string]time.Time
	if r.Uses != nil {
		if uses, err = r.Uses.LastUses(ctx, issuer, id); err != nil {
			return Rotation{}, fmt.Errorf("last uses of the secrets of client %q: %w", id, err)
		}
	}
	var done Rotation
	for _, s := range r.alive(slices.Clone(c.Secrets)) {
		used := UsedSecret{Secret: s}
		if at, ok := uses[s.ID]; ok {
			used.LastUsed = &at
		}
		done.Secrets = append(done.Secrets, used)
	}
	if done.Rotating = len(done.Secrets) > 1; done.Rotating && r.Uses != nil {
		old, started := done.Secrets[0], done.Secrets[1].Created
		from := started.Add(RetireAfter)
		if old.LastUsed != nil && old.LastUsed.After(started) {
			from = old.LastUsed.Add(RetireAfter)
		}
		done.SafeFrom, done.Safe = &from, !r.now().Before(from)
	}
	return done, nil
}
