package jwt_test

import (
	"crypto/rand"
	"errors"
	"testing"

	"github.com/postern-dev/postern/oauth/jwt"
)

// A signed statement is of its type and of one of the keys, or it is nothing.
func TestVerifySignature(t *testing.T) {
	key, err := jwt.Generate(jwt.EdDSA, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := jwt.Generate(jwt.EdDSA, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(k *jwt.PrivateKey, typ string) string {
		s, err := jwt.NewSigner(k, typ)
		if err != nil {
			t.Fatal(err)
		}
		text, err := s.Sign(nil, []byte(`{"no":"claims"}`))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	set, err := jwt.NewKeys(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	payload, err := jwt.VerifySignature(sign(key, "statement"), "statement", set)
	if err != nil || string(payload) != `{"no":"claims"}` {
		t.Fatalf("%s, %v", payload, err)
	}
	good := sign(key, "statement")
	for name, c := range map[string]struct {
		text, typ string
		want      error
	}{
		"another type":   {sign(key, "JWT"), "statement", jwt.ErrType},
		"no type":        {sign(key, ""), "statement", jwt.ErrType},
		"none asked for": {sign(key, ""), "", jwt.ErrType},
		"another key":    {sign(other, "statement"), "statement", jwt.ErrUnknownKey},
		"another byte":   {good[:len(good)-8] + "AAAAAAAA", "statement", jwt.ErrSignature},
		"no JWS":         {"a.b", "statement", jwt.ErrMalformed},
	} {
		if payload, err := jwt.VerifySignature(c.text, c.typ, set); !errors.Is(err, c.want) || payload != nil {
			t.Errorf("%s: %s, %v, want %v", name, payload, err, c.want)
		}
	}
}
