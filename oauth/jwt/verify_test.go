package jwt_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/oauth/jwt"
)

const (
	issuer   = "https://as.example.com"
	audience = "https://api.example.com"
	now      = 1_800_000_000
)

func expect() jwt.Expect {
	return jwt.Expect{Issuer: issuer, Audience: audience, Type: "at+jwt", Now: time.Unix(now, 0)}
}

// claims are good ones, with the given members put in their place.
func claims(change map[string]string) string {
	members := []string{"iss", "sub", "aud", "client_id", "iat", "exp", "jti"}
	values := map[string]string{
		"iss": `"` + issuer + `"`, "sub": `"c1"`, "aud": `"` + audience + `"`, "client_id": `"c1"`,
		"iat": fmt.Sprint(now), "exp": fmt.Sprint(now + 3600), "jti": `"1.x"`,
	}
	for name, value := range change {
		if _, known := values[name]; !known {
			members = append(members, name)
		}
		values[name] = value
	}
	var b []string
	for _, m := range members {
		if values[m] != "" {
			b = append(b, `"`+m+`":`+values[m])
		}
	}
	return "{" + strings.Join(b, ",") + "}"
}

func generate(t testing.TB, alg jwt.Algorithm) *jwt.PrivateKey {
	t.Helper()
	k, err := jwt.Generate(alg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, k *jwt.PrivateKey, typ, payload string) string {
	t.Helper()
	s, err := jwt.NewSigner(k, typ)
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Sign(nil, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

func keySet(t testing.TB, k *jwt.PrivateKey) jwt.Keys {
	t.Helper()
	var keys jwt.Keys
	var err error
	if k.Algorithm.Symmetric() {
		keys, err = jwt.NewSymmetricKeys(k)
	} else {
		keys, err = jwt.NewKeys(k.Public())
	}
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func TestGoodTokens(t *testing.T) {
	for _, alg := range jwt.Algorithms() {
		t.Run(string(alg), func(t *testing.T) {
			k := generate(t, alg)
			payload := claims(map[string]string{"scope": `"a b"`, "nbf": fmt.Sprint(now)})
			token := sign(t, k, "at+jwt", payload)
			c, err := jwt.Verify(token, keySet(t, k), expect())
			if err != nil {
				t.Fatal(err)
			}
			if c.Issuer != issuer || c.Subject != "c1" || len(c.Audience) != 1 || c.Audience[0] != audience ||
				c.ClientID != "c1" || c.Scope != "a b" || c.ID != "1.x" || string(c.Raw) != payload ||
				c.Expires.Unix() != now+3600 || c.IssuedAt.Unix() != now || c.NotBefore.Unix() != now {
				t.Errorf("claims %+v", c)
			}
			h, raw, err := jwt.Parse(token)
			if err != nil || string(raw) != payload || h != (jwt.Header{Algorithm: alg, Type: "at+jwt", KeyID: k.ID}) {
				t.Errorf("Parse: %+v, %s, %v", h, raw, err)
			}
		})
	}
}

// The payload is judged after a good signature too: every case here is signed by
// the right key.
func TestSignedPayloads(t *testing.T) {
	k := generate(t, jwt.EdDSA)
	keys := keySet(t, k)
	set := func(name, value string) map[string]string { return map[string]string{name: value} }
	at := func(offset int) string { return fmt.Sprint(now + offset) }
	for _, c := range []struct {
		name    string
		payload string
		want    error
	}{
		{"as it should be", claims(nil), nil},
		{"D-48 other issuer", claims(set("iss", `"https://as.example.com/"`)), jwt.ErrIssuer},
		{"D-48 issuer in other case", claims(set("iss", `"https://AS.example.com"`)), jwt.ErrIssuer},
		{"D-48 no issuer", claims(set("iss", "")), jwt.ErrIssuer},
		{"issuer is a number", claims(set("iss", "1")), jwt.ErrMalformed},
		{"D-48 other audience", claims(set("aud", `"https://api.example.com.evil"`)), jwt.ErrAudience},
		{"D-48 audience array with ours", claims(set("aud", `["x", "`+audience+`"]`)), nil},
		{"D-48 audience array with a part of ours", claims(set("aud", `["x","https://api.example.com/v1"]`)), jwt.ErrAudience},
		{"D-48 empty audience array", claims(set("aud", `[]`)), jwt.ErrAudience},
		{"D-48 no audience", claims(set("aud", "")), jwt.ErrAudience},
		{"audience array with a number", claims(set("aud", `["`+audience+`",1]`)), jwt.ErrMalformed},
		{"audience null", claims(set("aud", `null`)), jwt.ErrMalformed},
		{"audience object", claims(set("aud", `{"a":"`+audience+`"}`)), jwt.ErrMalformed},
		{"audience nested", claims(set("aud", `[["`+audience+`"]]`)), jwt.ErrMalformed},
		{"space before a string", claims(set("aud", "\n  \""+audience+"\" ")), nil},

		{"D-49 no exp", claims(set("exp", "")), jwt.ErrMalformed},
		{"D-49 exp null", claims(set("exp", "null")), jwt.ErrMalformed},
		{"D-49 exp string", claims(set("exp", `"`+at(60)+`"`)), jwt.ErrMalformed},
		{"D-49 exp negative", claims(set("exp", "-1")), jwt.ErrMalformed},
		{"D-49 exp float", claims(set("exp", at(60)+".5")), jwt.ErrMalformed},
		{"D-49 exp float of a whole number", claims(set("exp", at(60)+".0")), jwt.ErrMalformed},
		{"D-49 exp exponent", claims(set("exp", "1e400")), jwt.ErrMalformed},
		{"D-49 exp small exponent", claims(set("exp", "2e9")), jwt.ErrMalformed},
		{"D-49 exp beyond 64 bits", claims(set("exp", "18446744073709551617")), jwt.ErrMalformed},
		{"D-49 exp beyond the year 9999", claims(set("exp", "253402300800")), jwt.ErrMalformed},
		{"D-49 exp array", claims(set("exp", "["+at(60)+"]")), jwt.ErrMalformed},
		{"D-49 exp zero", claims(set("exp", "0")), jwt.ErrExpired},
		{"exp only in other case", claims(map[string]string{"exp": "", "EXP": at(60)}), jwt.ErrMalformed},
		{"exp now", claims(set("exp", at(0))), jwt.ErrExpired},
		{"exp in a second", claims(set("exp", at(1))), nil},
		{"D-49 iat within leeway", claims(set("iat", at(5))), nil},
		{"D-49 iat beyond leeway", claims(set("iat", at(6))), jwt.ErrNotYet},
		{"D-49 nbf within leeway", claims(set("nbf", at(5))), nil},
		{"D-49 nbf beyond leeway", claims(set("nbf", at(6))), jwt.ErrNotYet},
		{"nbf string", claims(set("nbf", `"1"`)), jwt.ErrMalformed},
		{"iat negative", claims(set("iat", `-1`)), jwt.ErrMalformed},

		{"D-50 exp twice", claims(set("sub", `"c1","exp":`+at(9999))), jwt.ErrMalformed},
		{"D-50 sub twice by escape", claims(set("sub", `"c1","s\u0075b":"c2"`)), jwt.ErrMalformed},
		{"D-50 a claim of no interest twice", claims(set("x", `1,"x":1`)), jwt.ErrMalformed},
		{"D-50 twice, deeper", claims(set("x", `{"y":1,"y":2}`)), jwt.ErrMalformed},
		{"subject is a number", claims(set("sub", `1`)), jwt.ErrMalformed},
		{"client_id is null", claims(set("client_id", `null`)), jwt.ErrMalformed},
		{"scope is an array", claims(set("scope", `["a"]`)), jwt.ErrMalformed},
		{"payload is an array", `[]`, jwt.ErrMalformed},
		{"payload is a nested token (D-46)", sign(t, k, "at+jwt", claims(nil)), jwt.ErrMalformed},
		{"payload has something after it", claims(nil) + "{}", jwt.ErrMalformed},
		{"payload is no UTF-8", claims(set("x", "\"\xff\"")), jwt.ErrMalformed},
		{"payload is deep", claims(set("x", strings.Repeat("[", 99)+strings.Repeat("]", 99))), jwt.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := jwt.Verify(sign(t, k, "at+jwt", c.payload), keys, expect())
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if err != nil && (got.Raw != nil || got.Subject != "") {
				t.Errorf("claims beside the error: %+v", got)
			}
		})
	}
}

func TestExpectations(t *testing.T) {
	k := generate(t, jwt.ES256)
	token := sign(t, k, "at+jwt", claims(nil))
	for _, c := range []struct {
		name   string
		change func(*jwt.Expect)
		want   error
	}{
		{"no issuer", func(e *jwt.Expect) { e.Issuer = "" }, jwt.ErrExpect},
		{"no audience", func(e *jwt.Expect) { e.Audience = "" }, jwt.ErrExpect},
		{"no time", func(e *jwt.Expect) { e.Now = time.Time{} }, jwt.ErrExpect},
		{"any type", func(e *jwt.Expect) { e.Type = "" }, nil},
		{"D-57 other environment", func(e *jwt.Expect) { e.Issuer = "https://stage.as.example.com" }, jwt.ErrIssuer},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := expect()
			c.change(&e)
			if _, err := jwt.Verify(token, keySet(t, k), e); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	if _, err := jwt.Verify(token, jwt.Keys{}, expect()); !errors.Is(err, jwt.ErrUnknownKey) {
		t.Errorf("empty set: %v", err)
	}
}

// D-47, RFC 9068 §4.
func TestTypes(t *testing.T) {
	k := generate(t, jwt.EdDSA)
	for _, c := range []struct {
		typ, want string
		err       error
	}{
		{"at+jwt", "at+jwt", nil},
		{"AT+JWT", "at+jwt", nil},
		{"application/at+jwt", "at+jwt", nil},
		{"Application/AT+jwt", "at+jwt", nil},
		{"at+jwt", "application/at+jwt", nil},
		{"jwt", "JWT", nil},
		{"", "at+jwt", jwt.ErrType},
		{"JWT", "at+jwt", jwt.ErrType},
		{"dpop+jwt", "at+jwt", jwt.ErrType},
		{"application/x/at+jwt", "at+jwt", jwt.ErrType},
		{"application/", "at+jwt", jwt.ErrType},
		{" at+jwt", "at+jwt", jwt.ErrType},
	} {
		e := expect()
		e.Type = c.want
		if _, err := jwt.Verify(sign(t, k, c.typ, claims(nil)), keySet(t, k), e); !errors.Is(err, c.err) {
			t.Errorf("%q where %q is wanted: %v, want %v", c.typ, c.want, err, c.err)
		}
	}
}
