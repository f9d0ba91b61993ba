package jwt_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/postern-dev/postern/oauth/jwt"
)

// parts takes a token apart.
func parts(t testing.TB, token string) (head, body, signature string) {
	t.Helper()
	p := strings.Split(token, ".")
	if len(p) != 3 {
		t.Fatalf("%d parts", len(p))
	}
	return p[0], p[1], p[2]
}

// Headers that somebody writes around a signature of ours.
func TestHeaders(t *testing.T) {
	k := generate(t, jwt.ES256)
	keys := keySet(t, k)
	_, body, signature := parts(t, sign(t, k, "at+jwt", claims(nil)))
	kid := `"kid":"` + k.ID + `"`
	head := func(alg, more string) string { return `{"alg":` + alg + `,"typ":"at+jwt",` + kid + more + `}` }
	for _, c := range []struct {
		name, header string
		want         error
	}{
		{"not what was signed", head(`"ES256"`, `,"x":1`), jwt.ErrSignature},
		{"D-41 none", head(`"none"`, ""), jwt.ErrAlgorithm},
		{"D-41 None", head(`"None"`, ""), jwt.ErrAlgorithm},
		{"D-41 NONE", head(`"NONE"`, ""), jwt.ErrAlgorithm},
		{"D-41 lower case", head(`"es256"`, ""), jwt.ErrAlgorithm},
		{"D-41 space", head(`"ES256 "`, ""), jwt.ErrAlgorithm},
		{"D-41 empty", head(`""`, ""), jwt.ErrMalformed},
		{"D-41 null", head(`null`, ""), jwt.ErrMalformed},
		{"D-41 array", head(`["ES256"]`, ""), jwt.ErrMalformed},
		{"D-41 missing", `{"typ":"at+jwt",` + kid + `}`, jwt.ErrMalformed},
		{"D-41 in other case", `{"Alg":"ES256","typ":"at+jwt",` + kid + `}`, jwt.ErrMalformed},
		{"D-41 twice", head(`"none"`, `,"alg":"ES256"`), jwt.ErrMalformed},
		{"D-41 twice by escape", head(`"none"`, `,"a\u006cg":"ES256"`), jwt.ErrMalformed},
		{"D-42 HS256", head(`"HS256"`, ""), jwt.ErrAlgorithm},
		{"D-42 RS256", head(`"RS256"`, ""), jwt.ErrAlgorithm},
		{"ES384 is not on the list", head(`"ES384"`, ""), jwt.ErrAlgorithm},
		{"D-43 unknown", `{"alg":"ES256","typ":"at+jwt","kid":"other"}`, jwt.ErrUnknownKey},
		{"D-43 path", `{"alg":"ES256","typ":"at+jwt","kid":"../../dev/null"}`, jwt.ErrUnknownKey},
		{"D-43 SQL", `{"alg":"ES256","typ":"at+jwt","kid":"' OR 1=1 --"}`, jwt.ErrUnknownKey},
		{"D-43 URL", `{"alg":"ES256","typ":"at+jwt","kid":"https://evil.example/jwks"}`, jwt.ErrUnknownKey},
		{"D-43 none", `{"alg":"ES256","typ":"at+jwt"}`, jwt.ErrUnknownKey},
		{"D-43 empty", `{"alg":"ES256","typ":"at+jwt","kid":""}`, jwt.ErrMalformed},
		{"D-43 number", `{"alg":"ES256","typ":"at+jwt","kid":1}`, jwt.ErrMalformed},
		{"D-43 long", `{"alg":"ES256","typ":"at+jwt","kid":"` + strings.Repeat("k", 257) + `"}`, jwt.ErrMalformed},
		{"D-44 jku", head(`"ES256"`, `,"jku":"https://evil.example/jwks"`), jwt.ErrMalformed},
		{"D-44 jwk", head(`"ES256"`, `,"jwk":{"kty":"oct","k":"AA"}`), jwt.ErrMalformed},
		{"D-44 x5u", head(`"ES256"`, `,"x5u":"https://evil.example"`), jwt.ErrMalformed},
		{"D-44 x5c", head(`"ES256"`, `,"x5c":["AA"]`), jwt.ErrMalformed},
		{"D-44 x5c by escape", head(`"ES256"`, `,"x5\u0063":["AA"]`), jwt.ErrMalformed},
		{"D-45 crit", head(`"ES256"`, `,"crit":["exp"],"exp":1`), jwt.ErrMalformed},
		{"D-45 empty crit", head(`"ES256"`, `,"crit":[]`), jwt.ErrMalformed},
		{"D-45 b64", head(`"ES256"`, `,"b64":false`), jwt.ErrMalformed},
		{"D-45 b64 true", head(`"ES256"`, `,"b64":true`), jwt.ErrMalformed},
		{"D-46 nested", head(`"ES256"`, `,"cty":"JWT"`), jwt.ErrMalformed},
		{"D-46 encrypted", head(`"ES256"`, `,"enc":"A256GCM"`), jwt.ErrMalformed},
		{"D-46 compressed", head(`"ES256"`, `,"zip":"DEF"`), jwt.ErrMalformed},
		{"D-47 missing", `{"alg":"ES256",` + kid + `}`, jwt.ErrType},
		{"D-47 ID token", `{"alg":"ES256","typ":"JWT",` + kid + `}`, jwt.ErrType},
		{"an array", `["ES256"]`, jwt.ErrMalformed},
		{"something after it", head(`"ES256"`, "") + " 1", jwt.ErrMalformed},
		{"no UTF-8", head(`"ES256"`, ",\"x\":\"\xff\""), jwt.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := jwt.Verify(b64(c.header)+"."+body+"."+signature, keys, expect()); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// The form of the token.
func TestForms(t *testing.T) {
	k := generate(t, jwt.EdDSA)
	keys := keySet(t, k)
	good := sign(t, k, "at+jwt", claims(nil))
	head, body, signature := parts(t, good)
	for _, c := range []struct {
		name, token string
		want        error
	}{
		{"as it should be", good, nil},
		{"empty", "", jwt.ErrMalformed},
		{"two dots", "..", jwt.ErrMalformed},
		{"unsigned", head + "." + body + ".", jwt.ErrMalformed},
		{"two parts", head + "." + body, jwt.ErrMalformed},
		{"four parts", good + ".AAAA", jwt.ErrMalformed},
		{"D-46 five parts", good + ".AAAA.AAAA", jwt.ErrMalformed},
		{"no header", "." + body + "." + signature, jwt.ErrMalformed},
		{"no payload", head + ".." + signature, jwt.ErrMalformed},
		{"JSON form", `{"protected":"` + head + `","payload":"` + body + `","signature":"` + signature + `"}`, jwt.ErrMalformed},
		{"JSON form with dots", `{"a":"..","protected":"` + head + `","payload":"` + body + `","signature":"` + signature + `"}`, jwt.ErrMalformed},
		{"D-52 too large", good + strings.Repeat("A", jwt.MaxSize), jwt.ErrTooLarge},
		{"D-52 dots", strings.Repeat(".", jwt.MaxSize), jwt.ErrMalformed},
		{"D-53 padding", good + "==", jwt.ErrMalformed},
		{"D-53 line end", head + "." + body + ".\n" + signature, jwt.ErrMalformed},
		{"D-53 carriage return", head + ".\r" + body + "." + signature, jwt.ErrMalformed},
		{"D-53 line end in the header", head[:4] + "\n" + head[4:] + "." + body + "." + signature, jwt.ErrMalformed},
		{"D-53 space", head + "." + body + ". " + signature, jwt.ErrMalformed},
		{"D-53 space after it", good + " ", jwt.ErrMalformed},
		{"D-53 stray bits", good[:len(good)-1] + string(strayBits(good[len(good)-1])), jwt.ErrMalformed},
		{"D-53 base64 of the other alphabet", head + "." + body + "." + strings.NewReplacer("-", "+", "_", "/").Replace(signature[:80]) + "+/++++", jwt.ErrMalformed},
		{"signature shorter", head + "." + body + "." + b64(strings.Repeat("x", 63)), jwt.ErrSignature},
		{"signature longer", head + "." + body + "." + b64(strings.Repeat("x", 65)), jwt.ErrSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := jwt.Verify(c.token, keys, expect()); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if c.want == jwt.ErrMalformed || c.want == jwt.ErrTooLarge {
				if _, _, err := jwt.Parse(c.token); !errors.Is(err, c.want) {
					t.Errorf("Parse: %v, want %v", err, c.want)
				}
			}
		})
	}
}

// strayBits is the next character of the alphabet: the same bytes, once the
// bits that do not count are dropped.
func strayBits(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)+1]
}

// D-52: a large token, or one of many dots, is refused before anything is allocated.
func TestRefusedWithoutAllocation(t *testing.T) {
	keys := keySet(t, generate(t, jwt.EdDSA))
	want := expect()
	for _, token := range []string{strings.Repeat(".", jwt.MaxSize), strings.Repeat("a", 1<<20)} {
		if n := testing.AllocsPerRun(100, func() { _, _ = jwt.Verify(token, keys, want) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

// D-42: a token that an attacker signs with HMAC under the public key.
func TestPublicKeyAsSharedSecret(t *testing.T) {
	k := generate(t, jwt.RS256)
	public, err := k.Public().MarshalJWK()
	if err != nil {
		t.Fatal(err)
	}
	input := b64(`{"alg":"HS256","typ":"at+jwt","kid":"`+k.ID+`"}`) + "." + b64(claims(nil))
	mac := hmac.New(sha256.New, public)
	mac.Write([]byte(input))
	token := input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	if _, err := jwt.Verify(token, keySet(t, k), expect()); !errors.Is(err, jwt.ErrAlgorithm) {
		t.Errorf("%v, want ErrAlgorithm", err)
	}
	// And between the two of one key type.
	if _, err := jwt.Verify(sign(t, k, "at+jwt", claims(nil)), asPSS(t, k), expect()); !errors.Is(err, jwt.ErrAlgorithm) {
		t.Errorf("RS256 under a PS256 key: %v, want ErrAlgorithm", err)
	}
	if _, err := jwt.NewSymmetricKeys(k); err == nil {
		t.Error("an RSA key in a set of shared secrets")
	}
	if _, err := jwt.NewKeys(generate(t, jwt.HS256).Public()); err == nil {
		t.Error("a shared secret in a set of public keys")
	}
}

func asPSS(t *testing.T, k *jwt.PrivateKey) jwt.Keys {
	t.Helper()
	public, err := k.Public().MarshalJWK()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwt.ParseJWKS([]byte(`{"keys":[` + strings.Replace(string(public), "RS256", "PS256", 1) + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	if alg, ok := keys.Algorithm(k.ID); !ok || alg != jwt.PS256 {
		t.Fatalf("bound to %q", alg)
	}
	return keys
}

// D-51: signatures that say nothing, or say it in another form.
func TestForgedSignatures(t *testing.T) {
	k := generate(t, jwt.ES256)
	keys := keySet(t, k)
	head, body, signature := parts(t, sign(t, k, "at+jwt", claims(nil)))
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || len(raw) != 64 {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	n, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
	if err != nil {
		t.Fatal(err)
	}
	other := sign(t, generate(t, jwt.ES256), "at+jwt", claims(nil))
	_, _, foreign := parts(t, other)
	foreignRaw, _ := base64.RawURLEncoding.DecodeString(foreign)
	for name, forged := range map[string][]byte{
		"r = s = 0":          make([]byte, 64),
		"r = s = n":          append(n.Bytes(), n.Bytes()...),
		"r = 0":              append(make([]byte, 32), raw[32:]...),
		"s = 0":              append(append([]byte{}, raw[:32]...), make([]byte, 32)...),
		"DER":                der,
		"longer":             append(append([]byte{}, raw...), 0),
		"shorter":            raw[:63],
		"halves exchanged":   append(append([]byte{}, raw[32:]...), raw[:32]...),
		"of another key":     foreignRaw,
		"one byte":           {0},
		"padded as RSA 2048": make([]byte, 256),
	} {
		token := head + "." + body + "." + base64.RawURLEncoding.EncodeToString(forged)
		if _, err := jwt.Verify(token, keys, expect()); !errors.Is(err, jwt.ErrSignature) {
			t.Errorf("%s: %v, want ErrSignature", name, err)
		}
	}
}
