package registry

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// ReplaceSecrets gives a client one new secret in place of all it has (ARB-10). kill ends
// every token of the client at once; otherwise they live to their expiry.
func (r *Registry) ReplaceSecrets(ctx context.Context, by domain.Actor, issuer, id string, kill bool) (domain.Client, oauth.Secret, error) {
	s := secret.Generate()
	act := act{name: "client.replace_secrets", by: by, issuer: issuer, id: id, emergency: true}
	c, err := r.change(ctx, act, func(_ domain.Tables, c *domain.Client) error {
		if kill {
			c.Epoch++
		}
		c.Secrets = []domain.Secret{r.generated(c, secretID(c), s)}
		return nil
	})
	if err != nil {
		return domain.Client{}, "", err
	}
	return c, s, nil
}

// ReplaceHash puts another hash of the same secret in place of the one given: a
// foreign hash at its first use, or one under an old pepper. Where the secret
// no longer has that hash the error is domain.ErrConflict.
func (r *Registry) ReplaceHash(ctx context.Context, issuer, id, secretID, oldHash, newHash string) error {
	if _, err := secret.Parse(newHash); err != nil {
		return fmt.Errorf("replace the hash of secret %s of client %q: %w", secretID, id, err)
	}
	act := act{name: "client.rehash", by: domain.System, issuer: issuer, id: id, emergency: true}
	_, err := r.change(ctx, act, func(_ domain.Tables, c *domain.Client) error {
		i := slices.IndexFunc(c.Secrets, func(s domain.Secret) bool { return s.ID == secretID && s.Hash == oldHash })
		if i < 0 {
			return domain.ErrConflict
		}
		c.Secrets[i].Hash = newHash
		return nil
	})
	return err
}

// alive are the secrets that have not expired: the others are worth nothing, and go with
// the next change.
func (r *Registry) alive(list []domain.Secret) []domain.Secret {
	now := r.now()
	return slices.DeleteFunc(list, func(s domain.Secret) bool { return !s.Live(now) })
}
