package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/oauth/jwt"
)

func (w *world) firstKey() domain.Key {
	w.t.Helper()
	list, err := w.db.Read().Keys.List(w.t.Context(), domain.Page{})
	w.check(err)
	return list[0]
}

// D-58: a key verifies from when it is published until it expires, by the corrected clock.
func TestKeys(t *testing.T) {
	for _, alg := range []string{"ES256", "EdDSA", "RS256", "HS256"} {
		t.Run(alg, func(t *testing.T) {
			w := newWorld(t)
			w.issuer("main", "arbitex", "https://auth.example.com", alg)
			k := w.firstKey()
			end := start.Add(time.Hour)
			k.Expires = &end
			put(t, w.db, keyRows, k, k.Version)
			s := w.open(w.db)
			issuer, _ := s.View().Issuer("main")
			has := func(kid string) bool {
				set, err := issuer.Keys(t.Context(), kid)
				w.check(err)
				identity, ok := set.Identity(kid)
				if private, err := keys.Open(&k, w.vault.Ring); ok && (err != nil || set.Len() != 1 || identity.Thumbprint != private.Thumbprint()) {
					t.Errorf("another key: %+v, %v", identity, err)
				}
				return ok
			}
			if !has(k.ID) || has("other") || has("") {
				t.Error("does not find the one key that is there")
			}
			w.local.add(time.Hour - 1)
			if !has(k.ID) {
				t.Error("gone before its end")
			}
			w.local.add(1)
			if has(k.ID) {
				t.Error("verifies after its end")
			}
			w.local.add(-time.Hour - 1)
			if has(k.ID) {
				t.Error("verifies before it is published")
			}
		})
	}
}

// Keys by the clock of the database, not by that of this machine.
func TestKeysByTheCorrectedClock(t *testing.T) {
	w := newWorld(t)
	w.issuer("main", "rfc", "https://auth.example.com", "ES256")
	k := w.firstKey()
	end := start.Add(time.Hour)
	k.Expires = &end
	put(t, w.db, keyRows, k, k.Version)
	w.database.add(time.Hour)
	s := w.open(w.db)
	issuer, _ := s.View().Issuer("main")
	if set, err := issuer.Keys(t.Context(), k.ID); err != nil || set.Len() != 0 {
		t.Error("verifies after its end")
	}
}

// A symmetric key that only verifies is opened all the same; a key that cannot be read, or
// that is not the one its row describes, fails the load.
func TestKeysThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	i := w.issuer("main", "arbitex", "https://auth.example.com", "HS256")
	verifies, err := keys.Make(&i, w.vault.Ring, start, start)
	w.check(err)
	verifies.VerifyOnly = true
	put(t, w.db, keyRows, verifies, 0)
	s := w.open(w.db)
	issuer, _ := s.View().Issuer("main")
	if set, err := issuer.Keys(t.Context(), verifies.ID); err != nil || set.Len() != 1 {
		t.Errorf("%d keys, %v", set.Len(), err)
	}
	other := domain.Issuer{Name: "main", Algorithm: "ES256"}
	for name, broken := range map[string]func(*domain.Key){
		"no public half":          func(k *domain.Key) { k.Public = nil },
		"the half of another key": func(k *domain.Key) { k.ID = "another" },
		"another algorithm":       func(k *domain.Key) { k.Algorithm = "EdDSA" },
		"symmetric, not sealed":   func(k *domain.Key) { k.Algorithm, k.Sealed = "HS256", []byte("x") },
	} {
		t.Run(name, func(t *testing.T) {
			k, err := keys.Make(&other, w.vault.Ring, start, start)
			w.check(err)
			k.VerifyOnly = true
			broken(&k)
			put(t, w.db, keyRows, k, 0)
			before := s.View()
			if err := s.Poll(t.Context()); err == nil || !strings.Contains(err.Error(), k.ID) || s.View() != before {
				t.Errorf("%v", err)
			}
			removeKey(t, w.db, k.Key())
			w.check(s.Poll(t.Context()))
		})
	}
}

func removeKey(t *testing.T, store domain.Store, key string) {
	t.Helper()
	_, err := store.Change(t.Context(), "local:1", func(tables domain.Tables) ([]domain.Change, error) {
		return []domain.Change{{Kind: domain.KindKey, Key: key, Action: "test.delete"}}, tables.Keys.Delete(t.Context(), key, 1)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Tokens without an epoch: under an imported key, while it is published, until a stated time.
func TestWithoutEpoch(t *testing.T) {
	hour := start.Add(time.Hour)
	for name, c := range map[string]struct {
		edit  func(*domain.Key)
		after time.Duration
		want  bool
	}{
		"stated":        {func(k *domain.Key) { k.WithoutEpochUntil = &hour }, time.Hour - 1, true},
		"over":          {func(k *domain.Key) { k.WithoutEpochUntil = &hour }, time.Hour, false},
		"not stated":    {func(*domain.Key) {}, 0, false},
		"not imported":  {func(k *domain.Key) { k.WithoutEpochUntil, k.Imported = &hour, false }, 0, false},
		"not published": {func(k *domain.Key) { k.WithoutEpochUntil, k.Published = &hour, hour }, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			i := w.issuer("main", "rfc", "https://auth.example.com", "ES256")
			private, err := jwt.Generate(jwt.ES256, nil)
			w.check(err)
			jwk, err := private.MarshalJWK()
			w.check(err)
			k, err := keys.Import(&i, jwk, w.vault.Ring, start, keys.ImportOptions{})
			w.check(err)
			c.edit(&k)
			put(t, w.db, keyRows, k, 0)
			issuer, _ := w.open(w.db).View().Issuer("main")
			w.local.add(c.after)
			if got := issuer.WithoutEpoch(k.ID); got != c.want || issuer.WithoutEpoch("other") {
				t.Errorf("%t", got)
			}
		})
	}
}
