package keys_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/sqlite"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, dir string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func newMaster(t testing.TB) seal.Master {
	t.Helper()
	m, err := seal.NewMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// D-110: the vault is made once, sealed, and opens again to the same keys; under another master
// key it says so, at start.
func TestOpenVault(t *testing.T) {
	dir, master := t.TempDir(), newMaster(t)
	db := open(t, dir)
	first, err := keys.OpenVault(t.Context(), db, master, start)
	if err != nil {
		t.Fatal(err)
	}
	s := secret.Generate()
	hash := first.Peppers.Hash("i", "c", "1", s)
	sealed, err := first.Ring.Seal([]string{"x"}, []byte("plain"))
	if err != nil || hash == "" {
		t.Fatalf("the vault makes nothing: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	db = open(t, dir)
	defer db.Close() //nolint:errcheck // a test
	again, err := keys.OpenVault(t.Context(), db, master, start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Ring.Open([]string{"x"}, sealed); err != nil || string(plain) != "plain" {
		t.Errorf("what was sealed does not open: %v", err)
	}
	v, err := secret.Parse(hash)
	if err != nil || !v.Verify(again.Peppers, "i", "c", "1", s) {
		t.Errorf("what was hashed does not verify: %v", err)
	}
	list, err := db.Read().Vault.List(t.Context(), domain.Page{})
	if err != nil || len(list) != 2 || !list[0].Created.Equal(start) || list[0].Version != 1 {
		t.Errorf("not made once: %+v, %v", list, err)
	}

	if _, err := keys.OpenVault(t.Context(), db, newMaster(t), start); !errors.Is(err, seal.ErrWrongMasterKey) {
		t.Errorf("another master key: %v", err)
	}
	if _, err := keys.OpenVault(t.Context(), db, seal.Master{}, start); !errors.Is(err, seal.ErrWrongMasterKey) {
		t.Errorf("no master key: %v", err)
	}
}

// D-37: neither printed nor in the database is there a key that opens anything.
func TestVaultShowsNoKey(t *testing.T) {
	db := open(t, t.TempDir())
	defer db.Close() //nolint:errcheck // a test
	v, err := keys.OpenVault(t.Context(), db, newMaster(t), start)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%+v %#v", *v, *v); strings.Count(got, "[redacted]") < 4 {
		t.Errorf("printed: %s", got)
	}
	changes, err := db.Follow(t.Context(), 0, 10)
	if err != nil || len(changes) != 2 {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
	list, err := db.Read().Vault.List(t.Context(), domain.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range changes {
		if c.Action != "vault.create" || bytes.Contains(c.Object, []byte("ealed")) {
			t.Errorf("change: %s %s", c.Action, c.Object)
		}
		if n := len(list[i].Sealed); n < 32+12+16 { // a key, the nonce and the tag
			t.Errorf("%s is not sealed: %d bytes", list[i].ID, n)
		}
	}
}

// change puts a vault key in the place of one, or beside them.
func change(t *testing.T, db *sqlite.DB, k domain.VaultKey, version int64) {
	t.Helper()
	_, err := db.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
		_, err := tables.Vault.Put(t.Context(), k, version)
		return []domain.Change{{Kind: k.Kind(), Key: k.Key(), Action: "test"}}, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A vault that was tampered with, or lacks a part, does not open.
func TestOpenVaultBroken(t *testing.T) {
	for name, breakIt := range map[string]func(*testing.T, *sqlite.DB, []domain.VaultKey){
		"data key changed": func(t *testing.T, db *sqlite.DB, list []domain.VaultKey) {
			list[0].Sealed[len(list[0].Sealed)-1] ^= 1
			change(t, db, list[0], 1)
		},
		"pepper changed": func(t *testing.T, db *sqlite.DB, list []domain.VaultKey) {
			list[1].Sealed[len(list[1].Sealed)-1] ^= 1
			change(t, db, list[1], 1)
		},
		"pepper under another name": func(t *testing.T, db *sqlite.DB, list []domain.VaultKey) {
			list[1].ID = "p9"
			change(t, db, list[1], 0)
		},
		"data key under another name": func(t *testing.T, db *sqlite.DB, list []domain.VaultKey) {
			list[0].ID = "d9"
			change(t, db, list[0], 0)
		},
		"no current pepper": func(t *testing.T, db *sqlite.DB, list []domain.VaultKey) {
			list[1].Current = false
			change(t, db, list[1], 1)
		},
		"no current data key": func(t *testing.T, db *sqlite.DB, list []domain.VaultKey) {
			list[0].Current = false
			change(t, db, list[0], 1)
		},
		"no pepper": func(t *testing.T, db *sqlite.DB, list []domain.VaultKey) {
			_, err := db.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
				return []domain.Change{{Kind: domain.KindVault, Key: list[1].ID, Action: "test"}}, tables.Vault.Delete(t.Context(), list[1].ID, 1)
			})
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, master := open(t, t.TempDir()), newMaster(t)
			defer db.Close() //nolint:errcheck // a test
			if _, err := keys.OpenVault(t.Context(), db, master, start); err != nil {
				t.Fatal(err)
			}
			list, err := db.Read().Vault.List(t.Context(), domain.Page{})
			if err != nil {
				t.Fatal(err)
			}
			breakIt(t, db, list)
			if v, err := keys.OpenVault(t.Context(), db, master, start); err == nil {
				t.Errorf("opened: %v", v)
			}
		})
	}
}

// A store that is closed makes no vault.
func TestOpenVaultStoreFails(t *testing.T) {
	db := open(t, t.TempDir())
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.OpenVault(t.Context(), db, newMaster(t), start); err == nil {
		t.Error("opened")
	}
}

// newRing is a ring without a store.
func newRing(t failer) *seal.Ring {
	t.Helper()
	r := seal.NewRing()
	if err := r.Add("d1", bytes.Repeat([]byte{7}, 32), true); err != nil {
		t.Fatal(err)
	}
	return r
}

// published reads the vectors that package jwt keeps.
func published(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("../../oauth/jwt/testdata/rfc.json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}
