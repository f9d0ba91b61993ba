package snapshot_test

import (
	"context"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/jwt"
)

// A key that came in the place of another of the same kid, both changes seen at once, signs
// itself: what was prepared for the one before is not taken for it.
func TestSignerOfAReplacedKey(t *testing.T) {
	w := newWorld(t)
	i := w.issuer("main", "rfc", "https://id.example.com", "ES256")
	s := w.open(w.db)
	rows, err := w.db.Read().Keys.List(t.Context(), domain.Page{})
	w.check(err)
	old := rows[0]
	next, err := jwt.Generate(jwt.ES256, nil)
	w.check(err)
	next.ID = old.ID
	jwk, err := next.MarshalJWK()
	w.check(err)
	imported, err := keys.Import(&i, jwk, w.vault.Ring, start, keys.ImportOptions{Sign: true})
	w.check(err)
	_, err = w.db.Change(t.Context(), "local:1", func(tables domain.Tables) ([]domain.Change, error) {
		return []domain.Change{{Kind: old.Kind(), Key: old.Key(), Action: "test.delete"}}, tables.Keys.Delete(context.Background(), old.Key(), old.Version)
	})
	w.check(err)
	put(t, w.db, keyRows, imported, 0)
	w.check(s.Poll(t.Context()))
	issuer, _ := s.View().Issuer("main")
	if got := issuer.Signer(start).Key().Thumbprint(); got != next.Thumbprint() {
		t.Errorf("signs with %s, not with the key that is there", got)
	}
}
