package keys_test

import (
	"slices"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/sqlite"
)

// RULES "Keys and tokens": one key, one purpose. That of checkpoints is of no issuer.
func TestCheckpointKey(t *testing.T) {
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ring := newRing(t)
	made, err := keys.Checkpoint(t.Context(), db, ring, start)
	if err != nil {
		t.Fatal(err)
	}
	again, err := keys.Checkpoint(t.Context(), db, ring, start.Add(time.Hour))
	if err != nil || again.ID != made.ID {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	if made.Issuer != "" || made.Purpose != domain.PurposeCheckpoint || made.Algorithm != "EdDSA" || len(made.Public) == 0 || made.Expires != nil {
		t.Errorf("%+v", made)
	}
	private, err := keys.Open(&again, ring)
	if err != nil || private.ID != made.ID {
		t.Errorf("open: %v", err)
	}
	for _, purpose := range []domain.Purpose{domain.PurposeAccess, domain.PurposeIdentity} {
		moved := again
		if moved.Purpose = purpose; keys.SigningFor(purpose, []domain.Key{again}, start.Add(time.Hour)) != nil {
			t.Errorf("it signs for %s", purpose)
		}
		if _, err := keys.Open(&moved, ring); err == nil {
			t.Errorf("it opens as one for %s", purpose)
		}
	}
	if slices.Contains(domain.Purposes(), domain.PurposeCheckpoint) {
		t.Error("every issuer would have one")
	}
}
