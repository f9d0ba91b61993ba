package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"

	"github.com/postern-dev/postern/oauth/jwt"
)

// go-jose reads our keys and verifies our tokens, and we its.
func TestGoJOSE(t *testing.T) {
	for _, alg := range jwt.Algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			k := generate(t, alg)
			var theirs jose.JSONWebKey
			if err := json.Unmarshal(private(t, k), &theirs); err != nil {
				t.Fatal(err)
			}
			// go-jose calls no symmetric key valid, and has no thumbprint for one.
			if theirs.Valid() == alg.Symmetric() || theirs.KeyID != k.ID || theirs.Algorithm != string(alg) {
				t.Errorf("read as %v %q %q", theirs.Valid(), theirs.KeyID, theirs.Algorithm)
			}
			sum, err := theirs.Thumbprint(crypto.SHA256)
			if !alg.Symmetric() && (err != nil || base64.RawURLEncoding.EncodeToString(sum) != k.Thumbprint()) {
				t.Errorf("thumbprint %x, %v; ours %s", sum, err, k.Thumbprint())
			}
			verifyByJOSE(t, sign(t, k, "at+jwt", claims(nil)), alg, publicOf(theirs))

			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: theirs.Key},
				(&jose.SignerOptions{}).WithType("at+jwt").WithHeader("kid", k.ID))
			if err != nil {
				t.Fatal(err)
			}
			signed, err := signer.Sign([]byte(claims(nil)))
			if err != nil {
				t.Fatal(err)
			}
			token, err := signed.CompactSerialize()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := jwt.Verify(token, keySet(t, k), expect()); err != nil {
				t.Errorf("theirs: %v", err)
			}
			back, err := json.Marshal(theirs)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := jwt.ParsePrivateJWK(back); err != nil || again.Thumbprint() != k.Thumbprint() {
				t.Errorf("their JWK: %v", err)
			}
		})
	}
}

func publicOf(k jose.JSONWebKey) any {
	switch key := k.Key.(type) {
	case *ecdsa.PrivateKey:
		return key.Public()
	case ed25519.PrivateKey:
		return key.Public()
	case *rsa.PrivateKey:
		return key.Public()
	}
	return k.Key
}

func verifyByJOSE(t *testing.T, token string, alg jwt.Algorithm, key any) {
	t.Helper()
	parsed, err := josejwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatal(err)
	}
	var c josejwt.Claims
	if err := parsed.Claims(key, &c); err != nil {
		t.Fatal(err)
	}
	if err := c.ValidateWithLeeway(josejwt.Expected{Issuer: issuer, AnyAudience: []string{audience}, Time: expect().Now}, 0); err != nil {
		t.Error(err)
	}
	if h := parsed.Headers[0]; h.ExtraHeaders["typ"] != "at+jwt" {
		t.Errorf("header %+v", h)
	}
}

// go-jose reads our key set.
func TestGoJOSEKeySet(t *testing.T) {
	var public []jwt.PublicKey
	for _, alg := range jwt.Algorithms() {
		public = append(public, generate(t, alg).Public())
	}
	data, err := jwt.MarshalJWKS(public)
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(data, &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != 4 {
		t.Fatalf("%d keys", len(set.Keys))
	}
	for _, k := range set.Keys {
		if !k.Valid() || !k.IsPublic() || k.Use != "sig" {
			t.Errorf("%s: %v %v %q", k.Algorithm, k.Valid(), k.IsPublic(), k.Use)
		}
	}
	theirs, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := jwt.ParseJWKS(theirs); err != nil || keys.Len() != 4 {
		t.Errorf("their set: %d keys, %v", keys.Len(), err)
	}
}
