package keys_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/oauth/jwt"
)

func issuer(alg string) *domain.Issuer {
	i := &domain.Issuer{Name: "main", URL: "https://auth.example.com", Algorithm: alg}
	i.Defaults()
	return i
}

func TestMake(t *testing.T) {
	ring := newRing(t)
	for _, alg := range []string{"ES256", "EdDSA", "RS256", "PS256", "HS256"} {
		t.Run(alg, func(t *testing.T) {
			local := start.In(time.FixedZone("", 3600))
			k, err := keys.Make(issuer(alg), ring, local, local.Add(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			want := domain.Key{
				Issuer: "main", ID: k.ID, Purpose: domain.PurposeAccess, Algorithm: alg, Created: start, Published: start, SignFrom: start.Add(time.Minute),
				Public: k.Public, Sealed: k.Sealed,
			}
			if diff := cmp.Diff(want, k); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			private, err := keys.Open(&k, ring)
			if err != nil {
				t.Fatal(err)
			}
			if private.ID != k.ID || private.Thumbprint() != k.ID || string(private.Algorithm) != alg {
				t.Errorf("opens to %s", private)
			}
			if alg == "HS256" {
				if k.Public != nil {
					t.Errorf("a symmetric key has a public half: %s", k.Public)
				}
				return
			}
			var theirs jose.JSONWebKey // a reader that is not ours
			if err := json.Unmarshal(k.Public, &theirs); err != nil || !theirs.IsPublic() || !theirs.Valid() || theirs.KeyID != k.ID || theirs.Algorithm != alg || theirs.Use != "sig" {
				t.Errorf("public half %s: %v", k.Public, err)
			}
		})
	}
	for alg, want := range map[string]string{"ES256": "ES256", "EdDSA": "EdDSA", "RS256": "ES256", "PS256": "ES256", "HS256": "ES256"} {
		k, err := keys.MakeFor(domain.PurposeIdentity, issuer(alg), ring, start, start)
		if err != nil || k.Purpose != domain.PurposeIdentity || k.Algorithm != want || len(k.Public) == 0 {
			t.Errorf("for identities beside %s: %+v, %v", alg, k, err)
		}
		if _, err := keys.Open(&k, ring); err != nil {
			t.Error(err)
		}
		k.Purpose = domain.PurposeAccess // the seal is for its purpose
		if private, err := keys.Open(&k, ring); err == nil {
			t.Errorf("a key for identities opens as one for access tokens: %s", private)
		}
	}
	if _, err := keys.Make(&domain.Issuer{Name: "main", Algorithm: "none"}, ring, start, start); err == nil {
		t.Error("D-41: a key for none")
	}
	if _, err := keys.Make(issuer("EdDSA"), seal.NewRing(), start, start); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("without a data key: %v", err)
	}
}

// A sealed key opens in its own place only: issuer, kid, purpose and algorithm.
func TestOpenElsewhere(t *testing.T) {
	ring := newRing(t)
	good, err := keys.Make(issuer("EdDSA"), ring, start, start)
	if err != nil {
		t.Fatal(err)
	}
	for name, move := range map[string]func(*domain.Key){
		"another issuer":    func(k *domain.Key) { k.Issuer = "other" },
		"another kid":       func(k *domain.Key) { k.ID = "other" },
		"another purpose":   func(k *domain.Key) { k.Purpose = domain.Purpose("checkpoint") },
		"another algorithm": func(k *domain.Key) { k.Algorithm = "ES256" },
		"nothing sealed":    func(k *domain.Key) { k.Sealed = nil },
	} {
		k := good
		move(&k)
		if private, err := keys.Open(&k, ring); err == nil {
			t.Errorf("%s: opened %s", name, private)
		}
	}
	// In its place, and another key than the row says.
	moved := good
	moved.ID = "row"
	jwk, err := ring.Open([]string{"key", "main", good.ID, "access"}, good.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	if moved.Sealed, err = ring.Seal([]string{"key", "main", "row", "access"}, jwk); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Open(&moved, ring); !errors.Is(err, keys.ErrSealedKey) {
		t.Errorf("got %v", err)
	}
	other := good
	other.Algorithm = "ES256"
	if _, err := keys.Open(&other, ring); !errors.Is(err, keys.ErrSealedKey) {
		t.Errorf("got %v", err)
	}
}

// The keys of RFC 7515 A.1 to A.3, RFC 8037 A.1 and RFC 7520 are taken over under the kid that
// they have, or their thumbprint, and sign from then on.
func TestImportPublished(t *testing.T) {
	var vectors []struct {
		Name, Alg, Thumbprint string
		Key                   json.RawMessage
	}
	if err := json.Unmarshal(published(t), &vectors); err != nil || len(vectors) == 0 {
		t.Fatal(err)
	}
	ring := newRing(t)
	seen := map[string]bool{}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			seen[v.Alg] = true
			until := start.Add(time.Hour)
			k, err := keys.Import(issuer(v.Alg), v.Key, ring, start, keys.ImportOptions{Sign: true, WithoutEpochUntil: &until})
			if err != nil {
				t.Fatal(err)
			}
			if !k.Imported || k.VerifyOnly || k.WithoutEpochUntil != &until || !k.SignFrom.Equal(start) || k.Algorithm != v.Alg {
				t.Errorf("got %+v", k)
			}
			if keys.Signing([]domain.Key{k}, start) == nil {
				t.Error("does not sign")
			}
			want, err := jwt.ParsePrivateJWK(v.Key)
			if err != nil {
				t.Fatal(err)
			}
			private, err := keys.Open(&k, ring)
			if err != nil || private.ID != want.ID || k.ID != want.ID {
				t.Fatalf("opens to %v, %v", private, err)
			}
			if v.Thumbprint != "" && private.Thumbprint() != v.Thumbprint {
				t.Errorf("thumbprint %s, want %s", private.Thumbprint(), v.Thumbprint)
			}
			signature(t, private, want)
			if private := `"d":`; strings.Contains(string(k.Public), private) {
				t.Errorf("the private half is public: %s", k.Public)
			}
		})
	}
	for _, alg := range []string{"ES256", "EdDSA", "RS256", "HS256"} {
		if !seen[alg] {
			t.Errorf("no published key for %s", alg)
		}
	}
}

// signature signs with one and verifies with the other.
func signature(t *testing.T, signing, other *jwt.PrivateKey) {
	t.Helper()
	s, err := jwt.NewSigner(signing, "JWT")
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Sign(nil, []byte(`{"iss":"i","aud":"a","exp":4102444800}`))
	if err != nil {
		t.Fatal(err)
	}
	var set jwt.Keys
	if signing.Algorithm.Symmetric() {
		set, err = jwt.NewSymmetricKeys(other)
	} else {
		set, err = jwt.NewKeys(other.Public())
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.Verify(string(token), set, jwt.Expect{Issuer: "i", Audience: "a", Now: start}); err != nil {
		t.Errorf("not the same key: %v", err)
	}
}

const (
	ecVector   = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}`
	hmacVector = `{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}`
)

func TestImport(t *testing.T) {
	ring := newRing(t)
	for _, c := range []struct {
		name, alg, jwk string
		sign           bool
		want           string // in the error; empty: taken over
	}{
		{"to verify only", "ES256", ecVector, false, ""},
		{"of another algorithm, to verify only", "EdDSA", ecVector, false, ""},
		{"of another algorithm, to sign", "EdDSA", ecVector, true, "import a key: it is for ES256, and issuer main signs with EdDSA; import it to verify only"},
		{"D-42 HS256 beside an asymmetric key", "ES256", hmacVector, false, "import a key: issuer main uses ES256, and HS256 never stands beside an asymmetric key"},
		{"D-42 an asymmetric key beside HS256", "HS256", ecVector, false, "import a key: issuer main uses HS256, and HS256 never stands beside an asymmetric key"},
		{"BIP-07 HS256", "HS256", hmacVector, true, ""},
		{"D-51 a short secret", "HS256", `{"kty":"oct","k":"AyM1SysPpbyDfgZld3umjw"}`, true, jwt.ErrKey.Error()},
		{"D-51 off the curve", "ES256", strings.Replace(ecVector, "x_FE", "x_FF", 1), true, jwt.ErrKey.Error()},
		{"the halves of two keys", "ES256", strings.Replace(ecVector, "jpsQ", "jpsR", 1), true, jwt.ErrKeyMismatch.Error()},
		{"a public key", "ES256", strings.Replace(ecVector, `,"d"`, `,"z"`, 1), true, jwt.ErrKey.Error()},
		{"RFC 7517 A.2 a key for encryption", "ES256", strings.Replace(ecVector, `"kty"`, `"use":"enc","kty"`, 1), true, jwt.ErrKeyType.Error()},
		{"no JWK", "ES256", "-----BEGIN PRIVATE KEY-----", true, jwt.ErrKey.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := keys.Import(issuer(c.alg), []byte(c.jwk), ring, start, keys.ImportOptions{Sign: c.sign})
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("got %v, want %s", err, c.want)
				}
				if strings.Contains(err.Error(), "jps") || strings.Contains(err.Error(), "AyM1") {
					t.Errorf("D-37: the error shows the key: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if k.VerifyOnly == c.sign || (keys.Signing([]domain.Key{k}, start) != nil) != c.sign {
				t.Errorf("signs: %v, want %v", !k.VerifyOnly, c.sign)
			}
			if !keys.Published(&k, start) {
				t.Error("does not verify")
			}
		})
	}
}
