package snapshot

import (
	"fmt"
	"sync/atomic"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/secret"
)

// Client is a client as a node keeps it: the row, and its secrets read once so
// that authenticating parses nothing. It is shared and never changed; a newer
// row makes a new Client.
type Client struct {
	domain.Client
	Secrets []Secret       // those of the row, in its order; hides the field of the same name
	Calls   ratelimit.Slot // where its calls are counted

	rights atomic.Pointer[compiled]
}

// Secret is a client secret with the verifier that its hash says.
type Secret struct {
	domain.Secret
	Verifier secret.Verifier

	claimed atomic.Bool
}

// NewClient prepares a client. It fails where a hash cannot be read; the error
// names the client and the secret's id, never the hash.
func NewClient(c domain.Client) (*Client, error) {
	prepared := &Client{Client: c, Secrets: make([]Secret, len(c.Secrets))}
	prepared.Client.Secrets = nil
	for i, s := range c.Secrets {
		v, err := secret.Parse(s.Hash)
		if err != nil {
			return nil, fmt.Errorf("client %q: secret %q: %w", c.Key(), s.ID, err)
		}
		prepared.Secrets[i].Secret = s
		prepared.Secrets[i].Verifier = v
	}
	return prepared, nil
}

// ClaimRehash reports whether the caller is the one to make the hash of this
// secret again: true once, until ReleaseRehash.
func (s *Secret) ClaimRehash() bool { return s.claimed.CompareAndSwap(false, true) }

// ReleaseRehash lets another one try.
func (s *Secret) ReleaseRehash() { s.claimed.Store(false) }
