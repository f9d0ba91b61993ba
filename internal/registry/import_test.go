package registry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

const bcryptOfU = "$2b$10$CCCCCCCCCCCCCCCCCCCCC.KgQljzbljH4iwhlg3oTf8buusOTZRX6" // "U*U", by libxcrypt

func TestImportClient(t *testing.T) {
	r := furnished(t)
	own := secret.Generate()
	for name, c := range map[string]struct {
		cred   registry.Imported
		verify oauth.Secret
		hash   string
	}{
		"plain":      {registry.Imported{Secret: "weak"}, "weak", "$argon2id$"},
		"bcrypt":     {registry.Imported{Hash: bcryptOfU}, "U*U", "$2b$"},
		"one of our": {registry.Imported{Secret: own}, own, "$postern$"},
	} {
		t.Run(name, func(t *testing.T) {
			in := spec()
			in.ID = "legacy " + name
			got, err := r.ImportClient(t.Context(), by, in, c.cred)
			if err != nil || !got.Imported || got.Epoch != 1 {
				t.Fatalf("%+v, %v", got, err)
			}
			v, err := secret.Parse(got.Secrets[0].Hash)
			if err != nil || !strings.HasPrefix(got.Secrets[0].Hash, c.hash) || !v.Verify(r.Vault.Peppers, "main", in.ID, got.Secrets[0].ID, c.verify) {
				t.Errorf("hash of another kind or secret: %v", err)
			}
		})
	}
}

func TestImportClientRefused(t *testing.T) {
	r := furnished(t)
	keyed := r.Vault.Peppers.Hash("main", "x", "1-1", secret.Generate())
	for name, c := range map[string]struct {
		id    string
		cred  registry.Imported
		field string
	}{
		"nothing":        {"a", registry.Imported{}, "secret"},
		"both":           {"a", registry.Imported{Secret: "x", Hash: bcryptOfU}, "secret"},
		"long":           {"a", registry.Imported{Secret: oauth.Secret(strings.Repeat("x", 257))}, "secret"},
		"not ASCII":      {"a", registry.Imported{Secret: "pässword"}, "secret"},
		"no hash":        {"a", registry.Imported{Hash: "5f4dcc3b5aa765d61d8327deb882cf99"}, "secret_hash"},
		"of a Postern":   {"a", registry.Imported{Hash: keyed}, "secret_hash"},
		"colon":          {"a:b", registry.Imported{Secret: "x"}, "id"},
		"useless escape": {"%61bc", registry.Imported{Secret: "x"}, "id"},
	} {
		t.Run(name, func(t *testing.T) {
			in := spec()
			in.ID = c.id
			_, err := r.ImportClient(t.Context(), by, in, c.cred)
			problem(t, err, c.field)
		})
	}
	t.Run("issuer takes none", func(t *testing.T) {
		r.issuer(t, domain.Issuer{Name: "strict", URL: "https://strict.example.com"})
		in := spec()
		in.Issuer = "strict"
		_, err := r.ImportClient(t.Context(), by, in, registry.Imported{Secret: "x"})
		problem(t, err, "issuer")
	})
}

// COM-04: raw and decoded forms are both tried, so no two clients may share one.
func TestImportClientDecoded(t *testing.T) {
	for _, pair := range [][2]string{{"a b", "a+b"}, {"a+b", "a%2Bb"}, {"a%20b", "a+b"}, {"a/b", "a%2Fb"}, {"a%2fb", "a%2Fb"}} {
		for _, order := range [][2]int{{0, 1}, {1, 0}} {
			r := furnished(t)
			in := spec()
			in.ID = pair[order[0]]
			if _, err := r.ImportClient(t.Context(), by, in, registry.Imported{Hash: bcryptOfU}); err != nil {
				t.Fatal(err)
			}
			in.ID = pair[order[1]]
			_, err := r.ImportClient(t.Context(), by, in, registry.Imported{Hash: bcryptOfU})
			problem(t, err, "id")
		}
	}
}

func TestReplaceHash(t *testing.T) {
	r := furnished(t)
	in := spec()
	in.ID = "legacy"
	c, err := r.ImportClient(t.Context(), by, in, registry.Imported{Hash: bcryptOfU})
	if err != nil {
		t.Fatal(err)
	}
	better, err := secret.HashImported("U*U")
	if err != nil {
		t.Fatal(err)
	}
	id := c.Secrets[0].ID
	if err := r.ReplaceHash(t.Context(), "main", "legacy", id, "other", better); !errors.Is(err, domain.ErrConflict) {
		t.Errorf("another old hash: %v", err)
	}
	if err := r.ReplaceHash(t.Context(), "main", "legacy", id, bcryptOfU, "nonsense"); err == nil {
		t.Error("no hash at all is taken")
	}
	if err := r.ReplaceHash(t.Context(), "main", "legacy", id, bcryptOfU, better); err != nil {
		t.Fatal(err)
	}
	got, err := r.GetClient(t.Context(), "main", "legacy")
	if err != nil || got.Secrets[0].Hash != better || got.Epoch != c.Epoch {
		t.Errorf("%+v, %v", got, err)
	}
	if last := r.feed(t); last[len(last)-1].Actor != domain.System || last[len(last)-1].Action != "client.rehash" {
		t.Errorf("change %+v", last[len(last)-1])
	}
}
