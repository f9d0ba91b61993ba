package secret_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

type vector struct{ Name, Secret, Hash string }

// foreign reads the hashes that other programs made. testdata/foreign.json was
// written by a few lines of Python, in a virtual environment with argon2-cffi,
// bcrypt and passlib: for each secret PasswordHasher(...).hash(s),
// bcrypt.hashpw(s, gensalt(10, prefix)), pbkdf2_sha256.using(rounds=29000).hash(s)
// and, in the form of Hydra, base64 of hashlib.pbkdf2_hmac("sha256", s, salt,
// 25000, 32). One is of Ory Hydra itself, as somebody published it.
func foreign(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/foreign.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 20 {
		t.Fatalf("only %d vectors", len(file.Vectors))
	}
	return file.Vectors
}

func TestForeignHashes(t *testing.T) {
	p := peppers(t)
	for _, c := range foreign(t) {
		t.Run(c.Name, func(t *testing.T) {
			v := parse(t, c.Hash)
			if !v.Imported() {
				t.Error("not imported")
			}
			if !v.Verify(nil, "any", "client", "at all", oauth.Secret(c.Secret)) {
				t.Error("the right secret does not verify")
			}
			for _, wrong := range []string{"", c.Secret[:len(c.Secret)-1] + "\x01", c.Secret + "\x00" + c.Secret} {
				if v.Verify(p, "i", "c", "s", oauth.Secret(wrong)) {
					t.Errorf("%q verifies", wrong)
				}
			}
			if ours := strings.Contains(c.Hash, "m=19456,t=2,p=1"); v.NeedsRehash(p) == ours {
				t.Errorf("NeedsRehash is %v", v.NeedsRehash(p))
			}
		})
	}
}

func TestImported(t *testing.T) {
	p := peppers(t)
	hash, err := secret.HashImported("Password123")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("%q", hash)
	}
	v := parse(t, hash)
	if !v.Imported() || v.NeedsRehash(p) || !v.Verify(p, "i", "c", "s", "Password123") || v.Verify(p, "i", "c", "s", "Password124") {
		t.Error("does not verify as it should")
	}
	if again, _ := secret.HashImported("Password123"); again == hash {
		t.Error("twice the same: no salt")
	}
	long := oauth.Secret(strings.Repeat("x", 256))
	hash, err = secret.HashImported(long)
	if err != nil {
		t.Fatal(err)
	}
	if v := parse(t, hash); !v.Verify(p, "", "", "", long) || v.Verify(p, "", "", "", long[:255]+"y") {
		t.Error("256 bytes are not all looked at")
	}
	for _, bad := range []oauth.Secret{"", long + "x"} { // D-10
		if _, err := secret.HashImported(bad); !errors.Is(err, secret.ErrLength) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

// D-10: what bcrypt would not look at is refused, not ignored.
func TestBcryptTruncation(t *testing.T) {
	for _, c := range foreign(t) {
		if c.Name != "bcrypt 72 bytes" {
			continue
		}
		v := parse(t, c.Hash)
		if !v.Verify(nil, "", "", "", oauth.Secret(c.Secret)) {
			t.Error("72 bytes do not verify")
		}
		if v.Verify(nil, "", "", "", oauth.Secret(c.Secret+"y")) {
			t.Error("73 bytes verify")
		}
		return
	}
	t.Fatal("no vector")
}

func TestHashesRefused(t *testing.T) {
	const (
		salt = "M59d/c6lDvEZNkCm6yqckQ"
		sum  = "uHt/3c31ih6lQVlef+QYXTirB57c4+Om3iAFplgKC9k"
		bc   = "3Dj1ciHOQDJXDwYdcY4uQOsG/y/u8fuTAb9pprQN0cplTNsRfGLLm"
	)
	argon := func(cost string) string { return "$argon2id$v=19$" + cost + "$" + salt + "$" + sum }
	pb := func(cost string) string { return "$pbkdf2-sha256$" + cost + "$" + salt + "$" + sum }
	for _, c := range []struct {
		name, hash string
		want       error
	}{
		{"argon2id at the most", argon("m=65536,t=10,p=4"), nil},
		{"argon2id at the least", argon("m=4096,t=1,p=1"), nil},
		{"argon2id memory", argon("m=65537,t=1,p=1"), secret.ErrCost},
		{"argon2id memory of 4 TiB", argon("m=4294967295,t=1,p=1"), secret.ErrCost},
		{"argon2id memory beyond 64 bits", argon("m=99999999999999999999,t=1,p=1"), secret.ErrCost},
		{"argon2id passes", argon("m=19456,t=11,p=1"), secret.ErrCost},
		{"argon2id lanes", argon("m=19456,t=1,p=5"), secret.ErrCost},
		{"argon2id lanes that wrap round", argon("m=19456,t=1,p=257"), secret.ErrCost},
		{"argon2id too little memory", argon("m=4095,t=10,p=1"), secret.ErrCost},
		{"argon2id without passes", argon("m=19456,t=0,p=1"), secret.ErrHash},
		{"argon2id sign", argon("m=+19456,t=2,p=1"), secret.ErrHash},
		{"argon2id leading zero", argon("m=019456,t=2,p=1"), secret.ErrHash},
		{"argon2id not a number", argon("m=19456x,t=2,p=1"), secret.ErrHash},
		{"argon2id other order", argon("t=2,m=19456,p=1"), secret.ErrHash},
		{"argon2id parameter missing", argon("m=19456,t=2"), secret.ErrHash},
		{"argon2id old version", "$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + sum, secret.ErrHash},
		{"argon2id without a version", "$argon2id$m=19456,t=2,p=1$" + salt + "$" + sum, secret.ErrHash},
		{"argon2id short salt", "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAA$" + sum, secret.ErrCost},
		{"argon2id without salt", "$argon2id$v=19$m=19456,t=2,p=1$$" + sum, secret.ErrCost},
		{"argon2id short hash", "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$AAAAAAAA", secret.ErrCost},
		{"argon2id without hash", "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$", secret.ErrCost},
		{"argon2id stray bits", argon("m=19456,t=2,p=1")[:len(argon("m=19456,t=2,p=1"))-1] + "l", secret.ErrHash},
		{"argon2id line end", argon("m=19456,t=2,p=1") + "\n", secret.ErrHash},
		{"argon2id padded", argon("m=19456,t=2,p=1") + "=", secret.ErrHash},
		{"argon2i", "$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + sum, secret.ErrHash},

		{"bcrypt at the most", "$2b$14$" + bc, nil},
		{"bcrypt cost 15", "$2b$15$" + bc, secret.ErrCost},
		{"bcrypt cost 31", "$2b$31$" + bc, secret.ErrCost},
		{"bcrypt cost 99", "$2b$99$" + bc, secret.ErrCost},
		{"bcrypt cost 4", "$2b$04$" + bc, secret.ErrCost},
		{"bcrypt broken", "$2x$10$" + bc, secret.ErrHash},
		{"bcrypt first", "$2$10$" + bc, secret.ErrHash},
		{"bcrypt cut", "$2b$10$" + bc[1:], secret.ErrHash},
		{"bcrypt longer", "$2b$10$" + bc + ".", secret.ErrHash},
		{"bcrypt characters", "$2b$10$" + bc[:20] + "!" + bc[21:], secret.ErrHash},
		{"bcrypt cost not a number", "$2b$1x$" + bc, secret.ErrHash},

		{"Hydra", pb("i=25000,l=32"), nil},
		{"Hydra at the most", pb("i=1000000,l=32"), nil},
		{"Hydra iterations", pb("i=1000001,l=32"), secret.ErrCost},
		{"Hydra too few", pb("i=999,l=32"), secret.ErrCost},
		{"Hydra other length", pb("i=25000,l=31"), secret.ErrHash},
		{"Hydra without a length", pb("i=25000"), secret.ErrHash},
		{"Hydra without a number", pb("i=,l=32"), secret.ErrHash},
		{"Hydra negative", pb("i=-1,l=32"), secret.ErrHash},
		{"Hydra alphabet of passlib", "$pbkdf2-sha256$i=25000,l=32$M59d.c6lDvEZNkCm6yqckQ$" + sum, secret.ErrHash},
		{"passlib", strings.ReplaceAll(pb("29000"), "+", "."), nil},
		{"passlib iterations", strings.ReplaceAll(pb("1000001"), "+", "."), secret.ErrCost},
		{"passlib alphabet of Hydra", pb("29000"), secret.ErrHash},
		{"PBKDF2 without fields", "$pbkdf2-sha256$", secret.ErrHash},
		{"PBKDF2 of SHA-1", strings.Replace(pb("i=25000,l=32"), "sha256", "sha1", 1), secret.ErrHash},

		{"keyed", "$postern$p1$" + sum, nil},
		{"keyed short", "$postern$p1$AAAA", secret.ErrHash},
		{"keyed without a pepper", "$postern$$" + sum, secret.ErrHash},
		{"keyed of two peppers", "$postern$a$b$" + sum, secret.ErrHash},
		{"empty", "", secret.ErrHash},
		{"plain", "Password123", secret.ErrHash},
		{"MD5", "$1$abcdefgh$" + sum, secret.ErrHash},
		{"long", "$postern$" + strings.Repeat("a", 600), secret.ErrHash},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := secret.Parse(c.hash)
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if err != nil && v != (secret.Verifier{}) {
				t.Error("a verifier beside the error")
			}
		})
	}
}

// Whatever is let through stays within the bounds: nothing here is computed,
// and no two readings of one hash differ.
func FuzzParse(f *testing.F) {
	for _, v := range foreign(f) {
		f.Add(v.Hash)
	}
	f.Add(peppers(f).Hash("i", "c", "s", "x"))
	f.Add("$pbkdf2-sha256$i=1,l=1$$")
	f.Add("$argon2id$v=19$m=4294967296,t=2,p=1$$")
	p := peppers(f)
	f.Fuzz(func(t *testing.T, hash string) {
		v, err := secret.Parse(hash)
		if err != nil {
			if v != (secret.Verifier{}) {
				t.Fatal("a verifier beside the error")
			}
			return
		}
		if len(hash) > 512 || strings.ContainsAny(hash, "\r\n") {
			t.Fatalf("let through %q", hash)
		}
		if !v.Imported() && v.Verify(p, "i", "c", "s", "guess") {
			t.Fatalf("%q verifies a guess", hash)
		}
	})
}

func BenchmarkArgon2id(b *testing.B) {
	hash, err := secret.HashImported("Password123")
	if err != nil {
		b.Fatal(err)
	}
	v := parse(b, hash)
	for b.Loop() {
		v.Verify(nil, "", "", "", "Password123")
	}
}
