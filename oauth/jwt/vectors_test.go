package jwt

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// vector is a published example. testdata/rfc.json holds those of RFC 7515
// A.1–A.3, RFC 8037 A.4–A.5 and RFC 7520 4.1 and 4.4. Their headers have no kid
// or their payloads are no claims, so they are held against the inner functions.
type vector struct {
	Name          string
	Alg           Algorithm
	Key           json.RawMessage
	Token         string
	Deterministic bool
	Thumbprint    string
}

func vectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/rfc.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 6 {
		t.Fatalf("only %d vectors", len(list))
	}
	return list
}

func verifyingKey(t *testing.T, k *PrivateKey) verifying {
	t.Helper()
	var set Keys
	var err error
	if k.Algorithm.Symmetric() {
		set, err = NewSymmetricKeys(k)
	} else {
		set, err = NewKeys(k.Public())
	}
	if err != nil {
		t.Fatal(err)
	}
	return set.byID[k.ID]
}

func TestPublishedSignatures(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			key, err := ParsePrivateJWK(v.Key)
			if err != nil {
				t.Fatal(err)
			}
			if key.Algorithm != v.Alg {
				t.Fatalf("bound to %s, want %s", key.Algorithm, v.Alg)
			}
			if v.Thumbprint != "" && key.Thumbprint() != v.Thumbprint {
				t.Errorf("thumbprint %s, want %s", key.Thumbprint(), v.Thumbprint)
			}
			parts := strings.Split(v.Token, ".")
			payload, err := decode(parts[1])
			if err != nil {
				t.Fatal(err)
			}
			if err := checkSignature(v.Token, verifyingKey(t, key), payload); err != nil {
				t.Errorf("published token: %v", err)
			}
			bad := flipFirst(parts[0]+"."+parts[1]+".", parts[2])
			if err := checkSignature(bad, verifyingKey(t, key), payload); err != ErrSignature {
				t.Errorf("changed signature: %v, want ErrSignature", err)
			}

			s, err := NewSigner(key, "")
			if err != nil {
				t.Fatal(err)
			}
			// Under the published header, which is not the one that we would write.
			s.prefix = []byte(parts[0] + ".")
			token, err := s.Sign(nil, payload)
			if err != nil {
				t.Fatal(err)
			}
			if v.Deterministic && string(token) != v.Token {
				t.Errorf("signed\n%s, published\n%s", token, v.Token)
			}
			if err := checkSignature(string(token), verifyingKey(t, key), payload); err != nil {
				t.Errorf("own token: %v", err)
			}
		})
	}
}

// flipFirst changes the first character of the signature.
func flipFirst(before, signature string) string {
	c := "A"
	if signature[0] == 'A' {
		c = "B"
	}
	return before + c + signature[1:]
}

// RFC 7638 §3.1.
func TestPublishedThumbprint(t *testing.T) {
	key, err := ParsePublicJWK([]byte(`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256"}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; key.ID != want {
		t.Errorf("id %s, want %s", key.ID, want)
	}
}

func TestRawSignature(t *testing.T) {
	one := func(b ...byte) []byte { return b }
	for name, der := range map[string][]byte{
		"empty":          nil,
		"no sequence":    one(0x31, 6, 2, 1, 1, 2, 1, 1),
		"length beyond":  one(0x30, 7, 2, 1, 1, 2, 1, 1),
		"integer beyond": one(0x30, 6, 2, 9, 1, 2, 1, 1),
		"one integer":    one(0x30, 3, 2, 1, 1),
		"three integers": one(0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1),
		"empty integer":  one(0x30, 5, 2, 0, 2, 1, 1),
		"too long":       append(append(one(0x30, 38, 2, 33), make([]byte, 33)...), 2, 1, 1)[:38],
	} {
		if _, err := appendRaw(nil, der); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	raw, err := appendRaw(nil, one(0x30, 7, 2, 2, 0x12, 0x34, 2, 1, 5))
	if err != nil {
		t.Fatal(err)
	}
	var want [64]byte
	want[30], want[31], want[63] = 0x12, 0x34, 5
	if string(raw) != string(want[:]) {
		t.Errorf("%x, want %x", raw, want)
	}
}
