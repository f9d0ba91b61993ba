package snapshot

import (
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// APIKey is an API key as a node keeps it. It never changes.
type APIKey struct {
	domain.APIKey
	Calls ratelimit.Slot // where its calls are counted

	verifier secret.Verifier
	peppers  *secret.Peppers
}

// Is reports whether s is the secret of the key, in constant time.
func (k *APIKey) Is(s oauth.Secret) bool {
	return k.verifier.VerifyAPIKey(k.peppers, k.ID, s)
}

// Alive reports whether the key has not expired.
func (k *APIKey) Alive(now time.Time) bool { return k.Expires == nil || now.Before(*k.Expires) }

// APIKey returns an API key by id. Who deletes one deletes it here, at once.
func (v *View) APIKey(id string) (*APIKey, bool) {
	k, ok := v.apiKeys[id]
	return k, ok
}

// addAPIKeys makes the keys ready. One whose hash cannot be read is worth nothing, and no
// reason for the node to stop.
func (s *Snapshot) addAPIKeys(v *View, rows []domain.APIKey) {
	v.apiKeys = make(map[string]*APIKey, len(rows))
	for _, row := range rows {
		verifier, err := secret.Parse(row.Hash)
		if err != nil {
			s.Log.Error("an API key cannot be used: its hash cannot be read", "id", row.ID, "error", err)
			continue
		}
		v.apiKeys[row.ID] = &APIKey{APIKey: row, verifier: verifier, peppers: s.Vault.Peppers}
	}
}
