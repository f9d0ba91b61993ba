package seal

import (
	"crypto/cipher"
	"fmt"
	"io"
	"maps"
	"sync"
)

// Ring holds opened data keys. It is safe for concurrent use. However it is
// printed, it shows no key.
type Ring struct {
	mu      sync.RWMutex
	keys    map[string]cipher.AEAD
	current string
}

// NewRing returns an empty ring.
func NewRing() *Ring { return &Ring{keys: map[string]cipher.AEAD{}} }

// Add puts a key of 32 bytes into the ring, in the place of one of the same id.
// New values are sealed with the one that was last added as current. It returns
// ErrKey.
func (r *Ring) Add(id string, key []byte, current bool) error {
	aead, err := newAEAD(key)
	if err != nil || !validID(id) {
		return ErrKey
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// A copy: what Seal and Open took out stays as it was.
	r.keys = maps.Clone(r.keys)
	r.keys[id] = aead
	if current {
		r.current = id
	}
	return nil
}

// Current is the id of the key that new values are sealed with.
func (r *Ring) Current() (id string, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.current, r.current != ""
}

// Seal encrypts under the current key. The value opens only with the same
// context, which names what the value is of and for: issuer, kid, purpose. It
// returns ErrNoKey.
func (r *Ring) Seal(context []string, plaintext []byte) ([]byte, error) {
	r.mu.RLock()
	id := r.current
	aead := r.keys[id]
	r.mu.RUnlock()
	if aead == nil {
		return nil, ErrNoKey
	}
	return sealWith(aead, id, context, plaintext), nil
}

// Open decrypts what Seal made. It returns ErrMalformed, ErrUnknownKey, or
// ErrOpen where the value or its context is not as it was.
func (r *Ring) Open(context []string, sealed []byte) ([]byte, error) {
	id, head, body, err := split(sealed)
	if err != nil {
		return nil, err
	}
	r.mu.RLock()
	aead := r.keys[id]
	r.mu.RUnlock()
	if aead == nil {
		return nil, ErrUnknownKey
	}
	return openWith(aead, head, body, context)
}

// Format shows nothing of the keys, whatever the verb.
func (r *Ring) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[redacted]") }
