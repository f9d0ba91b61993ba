package jwt_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"

	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/oauth/jwt"
)

// Our escaper writes what encoding/json writes without HTML escapes, byte for
// byte, and a token that carries the string gives it back through go-jose.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "a", `"\`, "\x00\x1f\x7f", "\b\f\n\r\t", "é☃😀", "\u2028\u2029\u2027\u202a", "\xff\xc3", "\xed\xa0\x80", "</script>&", `","admin":true,"x":"`} {
		f.Add(s)
	}
	k := generate(f, jwt.HS256)
	secret := members(f, private(f, k))
	signer, err := jwt.NewSigner(k, "JWT")
	if err != nil {
		f.Fatal(err)
	}
	var key jose.JSONWebKey
	if err := json.Unmarshal(marshal(f, secret), &key); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := jwt.AppendString([]byte("x"), s)
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(s); err != nil {
			t.Fatal(err)
		}
		if string(got) != "x"+string(bytes.TrimSuffix(want.Bytes(), []byte("\n"))) {
			t.Fatalf("%q: %s, encoding/json %s", s, got[1:], want.Bytes())
		}
		if len(got) > 4096 {
			return
		}
		var plain string
		if err := json.Unmarshal(got[1:], &plain); err != nil {
			t.Fatal(err)
		}
		token, err := signer.Sign(nil, append(append([]byte(`{"sub":`), got[1:]...), '}'))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := josejwt.ParseSigned(string(token), []jose.SignatureAlgorithm{jose.HS256})
		if err != nil {
			t.Fatal(err)
		}
		claims := map[string]any{}
		if err := parsed.Claims(key.Key, &claims); err != nil {
			t.Fatal(err)
		}
		if len(claims) != 1 || claims["sub"] != plain {
			t.Fatalf("%q came back as %v", plain, claims)
		}
	})
}

// Whatever Parse lets through, go-jose takes apart in the same way.
func FuzzParse(f *testing.F) {
	k := generate(f, jwt.EdDSA)
	f.Add(sign(f, k, "at+jwt", claims(nil)))
	f.Add("..")
	f.Add(b64(`{"alg":"none"}`) + "." + b64(`{}`) + ".")
	f.Add(b64(`{"alg":"ES256","kid":"a","x":[{}]}`) + "." + b64(`{"exp":1}`) + ".AAAA")
	f.Add(b64(`{"alg":"ES256","\u0061lg":"a"}`) + "." + b64(`{"a":1,"a":2}`) + ".AA")
	all := []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256, jose.PS256, jose.HS256}
	f.Fuzz(func(t *testing.T, token string) {
		h, payload, err := jwt.Parse(token)
		if err != nil {
			return
		}
		if err := strictjson.Check(payload); err != nil || len(token) > jwt.MaxSize {
			t.Fatalf("let through: %v", err)
		}
		if !h.Algorithm.Valid() {
			return
		}
		theirs, err := jose.ParseSignedCompact(token, all)
		if err != nil {
			t.Fatalf("go-jose refuses: %v", err)
		}
		header := theirs.Signatures[0].Header
		if header.Algorithm != string(h.Algorithm) || header.KeyID != h.KeyID || header.JSONWebKey != nil {
			t.Fatalf("%+v, go-jose %+v", h, header)
		}
		if !bytes.Equal(theirs.UnsafePayloadWithoutVerification(), payload) {
			t.Fatal("another payload")
		}
	})
}

// Verify accepts, of everything that can be made of a good token, only itself.
func FuzzVerify(f *testing.F) {
	// RFC 8037 A.1: the processes of a fuzzing run must agree on the key.
	k, err := jwt.ParsePrivateJWK([]byte(`{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	if err != nil {
		f.Fatal(err)
	}
	good := sign(f, k, "at+jwt", claims(nil))
	keys := keySet(f, k)
	f.Add(good, 0, byte(0))
	f.Add(good, 10, byte(1))
	f.Add(good, len(good)-1, byte(3))
	f.Add(b64(`{"alg":"none","typ":"at+jwt","kid":"`+k.ID+`"}`)+"."+b64(claims(nil))+".AA", 3, byte(0))
	f.Fuzz(func(t *testing.T, token string, at int, change byte) {
		b := []byte(token)
		if at >= 0 && at < len(b) {
			b[at] ^= change
		}
		c, err := jwt.Verify(string(b), keys, expect())
		if err == nil && string(b) != good {
			t.Fatalf("accepted %q", b)
		}
		if err != nil && c.Raw != nil {
			t.Fatal("claims beside an error")
		}
	})
}

// A key or a key set that is read is written and read back the same.
func FuzzJWKS(f *testing.F) {
	for _, alg := range jwt.Algorithms() {
		k := generate(f, alg)
		set, err := jwt.MarshalJWKS([]jwt.PublicKey{k.Public()})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(set)
		f.Add(private(f, k))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if keys, err := jwt.ParseJWKS(data); err != nil && keys.Len() != 0 {
			t.Fatal("keys beside an error")
		}
		if k, err := jwt.ParsePublicJWK(data); err == nil {
			b, err := k.MarshalJWK()
			if err != nil {
				t.Fatal(err)
			}
			if back, err := jwt.ParsePublicJWK(b); err != nil || back.Thumbprint() != k.Thumbprint() || back.ID != k.ID {
				t.Fatalf("%v", err)
			}
		}
		if k, err := jwt.ParsePrivateJWK(data); err == nil {
			if _, err := jwt.ParsePrivateJWK(private(t, k)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
