package jwt_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/postern-dev/postern/oauth/jwt"
)

func members(t testing.TB, b []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func marshal(t testing.TB, m map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func private(t testing.TB, k *jwt.PrivateKey) []byte {
	t.Helper()
	b, err := k.MarshalJWK()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPrivateRoundTrip(t *testing.T) {
	for _, alg := range jwt.Algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			k := generate(t, alg)
			if k.ID != k.Thumbprint() || len(k.ID) != 43 {
				t.Errorf("id %q, thumbprint %q", k.ID, k.Thumbprint())
			}
			k.ID = `a "name" of its own`
			back, err := jwt.ParsePrivateJWK(private(t, k))
			if err != nil {
				t.Fatal(err)
			}
			if back.ID != k.ID || back.Algorithm != alg || !bytes.Equal(private(t, back), private(t, k)) {
				t.Errorf("came back as %v", back)
			}
			token := sign(t, back, "at+jwt", claims(nil))
			if _, err := jwt.Verify(token, keySet(t, k), expect()); err != nil {
				t.Error(err)
			}
			without := members(t, private(t, k))
			delete(without, "kid")
			if back, err = jwt.ParsePrivateJWK(marshal(t, without)); err != nil || back.ID != k.Thumbprint() {
				t.Errorf("without kid: %v, %v", back, err)
			}
		})
	}
}

func TestPrivateKeysRefused(t *testing.T) {
	ec, ed, rs, hs := generate(t, jwt.ES256), generate(t, jwt.EdDSA), generate(t, jwt.RS256), generate(t, jwt.HS256)
	b64of := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m[name] = value }
	}
	from := func(k *jwt.PrivateKey, names ...string) func(map[string]any) {
		return func(m map[string]any) {
			other := members(t, private(t, k))
			for _, n := range names {
				m[n] = other[n]
			}
		}
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		key    *jwt.PrivateKey
		change func(map[string]any)
		want   error
	}{
		{"EC with the public half of another", ec, from(generate(t, jwt.ES256), "x", "y"), jwt.ErrKeyMismatch},
		{"Ed25519 with the public half of another", ed, from(generate(t, jwt.EdDSA), "x"), jwt.ErrKeyMismatch},
		{"RSA with the modulus of another", rs, from(generate(t, jwt.RS256), "n"), jwt.ErrKeyMismatch},
		{"RSA with the exponent of another", rs, from(generate(t, jwt.RS256), "d"), jwt.ErrKeyMismatch},
		{"RSA with the primes of another", rs, from(generate(t, jwt.RS256), "p", "q"), jwt.ErrKeyMismatch},
		{"RSA without primes", rs, func(m map[string]any) { delete(m, "p"); delete(m, "q") }, jwt.ErrKey},
		{"RSA of three primes", rs, set("oth", []any{}), jwt.ErrKeyType},
		{"D-51 RSA e = 1", rs, set("e", "AQ"), jwt.ErrKey},
		{"D-51 RSA e = 3", rs, set("e", "Aw"), jwt.ErrKey},
		{"D-51 RSA of 1024 bits", rs, set("n", b64of(small.N.Bytes())), jwt.ErrKey},
		{"D-30 RSA of 8192 bits", rs, set("n", b64of(bytes.Repeat([]byte{0xff}, 1024))), jwt.ErrKey},
		{"RSA with a zero in front", rs, set("e", b64of([]byte{0, 1, 0, 1})), jwt.ErrKey},
		{"D-51 EC off the curve", ec, set("x", b64of(bytes.Repeat([]byte{1}, 32))), jwt.ErrKey},
		{"D-51 EC at infinity", ec, func(m map[string]any) { m["x"], m["y"] = b64of(make([]byte, 32)), b64of(make([]byte, 32)) }, jwt.ErrKey},
		{"EC with a short x", ec, set("x", b64of(make([]byte, 31))), jwt.ErrKey},
		{"EC with d = 0", ec, set("d", b64of(make([]byte, 32))), jwt.ErrKey},
		{"EC on P-384", ec, set("crv", "P-384"), jwt.ErrKeyType},
		{"Ed448", ed, set("crv", "Ed448"), jwt.ErrKeyType},
		{"X25519", ed, set("crv", "X25519"), jwt.ErrKeyType},
		{"no private half", ec, func(m map[string]any) { delete(m, "d") }, jwt.ErrKey},
		{"D-51 HMAC of 248 bits", hs, set("k", b64of(make([]byte, 31))), jwt.ErrKey},
		{"HMAC of 513 bytes", hs, set("k", b64of(make([]byte, 513))), jwt.ErrKey},
		{"algorithm of another type", ec, set("alg", "RS256"), jwt.ErrKeyType},
		{"D-42 RSA for HS256", rs, set("alg", "HS256"), jwt.ErrKeyType},
		{"algorithm none", ec, set("alg", "none"), jwt.ErrKeyType},
		{"algorithm not on the list", rs, set("alg", "RS512"), jwt.ErrKeyType},
		{"for encryption", rs, set("use", "enc"), jwt.ErrKeyType},
		{"to verify only", ec, set("key_ops", []string{"verify"}), jwt.ErrKeyType},
		{"no operation", ec, set("key_ops", []string{}), jwt.ErrKeyType},
		{"kid empty", ec, set("kid", ""), jwt.ErrKey},
		{"kid a number", ec, set("kid", 1), jwt.ErrKey},
		{"kid long", ec, set("kid", strings.Repeat("k", 257)), jwt.ErrKey},
		{"no type", ec, func(m map[string]any) { delete(m, "kty") }, jwt.ErrKeyType},
		{"type in other case", ec, set("kty", "ec"), jwt.ErrKeyType},
		{"larger than 16 KiB", ec, set("x5c", strings.Repeat("A", 16<<10)), jwt.ErrKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := members(t, private(t, c.key))
			c.change(m)
			if _, err := jwt.ParsePrivateJWK(marshal(t, m)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	twice := strings.Replace(string(private(t, ec)), `{`, `{"kid":"x",`, 1)
	for _, data := range []string{"", "null", "[]", "{}{}", twice, strings.Replace(twice, `"kid":"x"`, `"ki\u0064":"x"`, 1)} {
		if _, err := jwt.ParsePrivateJWK([]byte(data)); !errors.Is(err, jwt.ErrKey) {
			t.Errorf("%.20q: %v, want ErrKey", data, err)
		}
	}
}

func TestKeySet(t *testing.T) {
	ec, ed, rs := generate(t, jwt.ES256), generate(t, jwt.EdDSA), generate(t, jwt.PS256)
	set, err := jwt.MarshalJWKS([]jwt.PublicKey{ec.Public(), ed.Public(), generate(t, jwt.HS256).Public(), rs.Public()})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwt.ParseJWKS(set)
	if err != nil || keys.Len() != 3 {
		t.Fatalf("%d keys, %v", keys.Len(), err)
	}
	for _, k := range []*jwt.PrivateKey{ec, ed, rs} {
		if alg, ok := keys.Algorithm(k.ID); !ok || alg != k.Algorithm {
			t.Errorf("%s is bound to %q", k.Algorithm, alg)
		}
		if _, err := jwt.Verify(sign(t, k, "at+jwt", claims(nil)), keys, expect()); err != nil {
			t.Error(err)
		}
	}
	empty, err := jwt.MarshalJWKS(nil)
	if err != nil || string(empty) != `{"keys":[]}` {
		t.Errorf("%s, %v", empty, err)
	}
	if _, err := jwt.MarshalJWKS([]jwt.PublicKey{{ID: "x", Algorithm: jwt.ES256}}); err == nil {
		t.Error("a key without a key was published")
	}
}

// No private half, and nothing symmetric, is ever published: not a single
// member but those that RFC 7518 §6 calls public.
func TestNothingPrivatePublished(t *testing.T) {
	public := map[string]bool{"kty": true, "kid": true, "alg": true, "use": true, "crv": true, "x": true, "y": true, "n": true, "e": true}
	for _, alg := range jwt.Algorithms() {
		k := generate(t, alg)
		set, err := jwt.MarshalJWKS([]jwt.PublicKey{k.Public()})
		if err != nil {
			t.Fatal(err)
		}
		var parsed struct{ Keys []map[string]string }
		if err := json.Unmarshal(set, &parsed); err != nil {
			t.Fatal(err)
		}
		for _, one := range parsed.Keys {
			for name := range one {
				if !public[name] {
					t.Errorf("%s publishes %q", alg, name)
				}
			}
		}
		if want := 1; !alg.Symmetric() && len(parsed.Keys) != want || alg.Symmetric() && len(parsed.Keys) != 0 {
			t.Errorf("%s: %d keys", alg, len(parsed.Keys))
		}
		if _, err := jwt.ParsePublicJWK(private(t, k)); !errors.Is(err, jwt.ErrKeyType) {
			t.Errorf("%s: a private key is taken for a public one: %v", alg, err)
		}
	}
	if _, err := generate(t, jwt.HS256).Public().MarshalJWK(); !errors.Is(err, jwt.ErrKeyType) {
		t.Errorf("HS256: %v", err)
	}
}

func TestForeignKeySets(t *testing.T) {
	ec := generate(t, jwt.ES256)
	good, err := ec.Public().MarshalJWK()
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, _ := p384.PublicKey.Bytes()
	b64of := base64.RawURLEncoding.EncodeToString
	unknown := `{"kty":"EC","crv":"P-384","kid":"p384","x":"` + b64of(point[1:49]) + `","y":"` + b64of(point[49:]) + `"}`
	many := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(`{"kty":"x"},`, n), ",")
	}
	modulus := new(big.Int).Lsh(big.NewInt(1), 60000)
	for _, c := range []struct {
		name, data string
		keys       int
		want       error
	}{
		{"one", `{"keys":[` + string(good) + `]}`, 1, nil},
		{"other members beside", `{"x":{"keys":[]},"keys":[` + string(good) + `],"y":1}`, 1, nil},
		{"what we do not know is passed over", `{"keys":[{"kty":"PQC"},` + unknown + `,{},` + string(good) + `]}`, 1, nil},
		{"a symmetric key is passed over", `{"keys":[{"kty":"oct","kid":"s","k":"` + b64of(make([]byte, 32)) + `"}]}`, 0, nil},
		{"a private key is passed over", `{"keys":[` + string(private(t, ec)) + `]}`, 0, nil},
		{"D-30 a huge modulus is passed over", `{"keys":[{"kty":"RSA","e":"AQAB","n":"` + b64of(modulus.Bytes()) + `"}]}`, 0, nil},
		{"64 keys", `{"keys":[` + many(64) + `]}`, 0, nil},
		{"D-30 65 keys", `{"keys":[` + many(65) + `]}`, 0, jwt.ErrTooManyKeys},
		{"D-30 256 KiB", `{"keys":[]}` + strings.Repeat(" ", 256<<10), 0, jwt.ErrTooManyKeys},
		{"the same kid twice", `{"keys":[` + string(good) + `,` + string(good) + `]}`, 0, jwt.ErrDuplicateKey},
		{"no keys", `{}`, 0, jwt.ErrKey},
		{"keys in other case", `{"Keys":[]}`, 0, jwt.ErrKey},
		{"keys null", `{"keys":null}`, 0, jwt.ErrKey},
		{"keys an object", `{"keys":{}}`, 0, jwt.ErrKey},
		{"keys twice", `{"keys":[],"keys":[` + string(good) + `]}`, 0, jwt.ErrKey},
		{"a string among them", `{"keys":["x"]}`, 0, jwt.ErrKey},
		{"an array", `[` + string(good) + `]`, 0, jwt.ErrKey},
		{"no JSON", `<html>`, 0, jwt.ErrKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys, err := jwt.ParseJWKS([]byte(c.data))
			if !errors.Is(err, c.want) || keys.Len() != c.keys {
				t.Errorf("%d keys, %v; want %d, %v", keys.Len(), err, c.keys, c.want)
			}
		})
	}
}

func everyVerb(v any) string {
	return fmt.Sprintf("%v %+v %#v %s %q %x %d", v, v, v, v, v, v, v)
}

// D-37: no way of printing shows a key.
func TestPrinting(t *testing.T) {
	for _, alg := range jwt.Algorithms() {
		k := generate(t, alg)
		s, err := jwt.NewSigner(k, "JWT")
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k)
		asJSON, _ := json.Marshal(k)
		m := members(t, private(t, k))
		printed := fmt.Sprintf("%v %+v %#v %s %x %d", k, k, k, k, k, k) + log.String() + string(asJSON) +
			everyVerb(struct{ K *jwt.PrivateKey }{k}) + everyVerb(struct{ k *jwt.PrivateKey }{k}) + everyVerb(s)
		if alg.Symmetric() {
			keys := keySet(t, k)
			printed += everyVerb(keys) + everyVerb(struct{ k jwt.Keys }{keys})
		}
		for _, name := range []string{"d", "k", "p", "q"} {
			secret, ok := m[name].(string)
			if !ok {
				continue
			}
			raw, _ := base64.RawURLEncoding.DecodeString(secret)
			for _, form := range []string{secret, fmt.Sprint(raw[:8])[1:10], fmt.Sprintf("%x", raw[:8]), new(big.Int).SetBytes(raw).String()} {
				if strings.Contains(printed, form) {
					t.Errorf("%s: printed %s", alg, name)
				}
			}
		}
	}
}

func TestSigner(t *testing.T) {
	k := generate(t, jwt.EdDSA)
	s, err := jwt.NewSigner(k, "JWT")
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Sign([]byte("before "), []byte(claims(nil)))
	if err != nil || !strings.HasPrefix(string(b), "before ey") {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := s.Sign(nil, make([]byte, 8<<10)); !errors.Is(err, jwt.ErrTooLarge) {
		t.Errorf("%v, want ErrTooLarge", err)
	}
	for _, bad := range []*jwt.PrivateKey{nil, {}, {ID: "x", Algorithm: jwt.ES256}, {ID: "x", Algorithm: jwt.RS256}, {ID: "x", Algorithm: jwt.HS256}, {ID: "x", Algorithm: "none"}} {
		if _, err := jwt.NewSigner(bad, "JWT"); !errors.Is(err, jwt.ErrKey) {
			t.Errorf("%v, want ErrKey", err)
		}
		if bad == nil {
			continue
		}
		if _, err := bad.MarshalJWK(); !errors.Is(err, jwt.ErrKey) || bad.Thumbprint() != "" {
			t.Errorf("a key without a key: %q, %v", bad.Thumbprint(), err)
		}
		if _, err := jwt.NewKeys(bad.Public()); !errors.Is(err, jwt.ErrKey) {
			t.Errorf("a key without a key: %v", err)
		}
	}
	if _, err := jwt.Generate("none", nil); !errors.Is(err, jwt.ErrKeyType) {
		t.Errorf("%v, want ErrKeyType", err)
	}
}
