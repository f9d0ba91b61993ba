package jwt_test

import (
	"errors"
	"testing"

	"github.com/postern-dev/postern/oauth/jwt"
)

// Two keys under one id are told apart, and so are two uses of one key (D-58).
func TestIdentity(t *testing.T) {
	one, other := generate(t, jwt.ES256), generate(t, jwt.ES256)
	same := one.Public()
	same.ID = other.ID
	identity := func(k jwt.PublicKey) jwt.Identity {
		set, err := jwt.NewKeys(k)
		if err != nil {
			t.Fatal(err)
		}
		id, ok := set.Identity(k.ID)
		if !ok || id.Thumbprint == "" {
			t.Fatalf("Identity = %v, %t", id, ok)
		}
		return id
	}
	if identity(one.Public()) != identity(same) {
		t.Error("one key under two ids has two identities")
	}
	if identity(other.Public()) == identity(same) {
		t.Error("two keys under one id have one identity")
	}
	if _, ok := (jwt.Keys{}).Identity(one.ID); ok {
		t.Error("an empty set knows a key")
	}
}

func TestParseClaimsAndCheck(t *testing.T) {
	k := generate(t, jwt.ES256)
	token := sign(t, k, "at+jwt", claims(nil))
	h, c, err := jwt.ParseClaims(token)
	if err != nil || h.KeyID != k.ID {
		t.Fatalf("ParseClaims = %v, %v", h, err)
	}
	want := expect()
	if err := want.Check(h, &c); err != nil {
		t.Errorf("Check = %v", err)
	}
	late := want
	late.Now = c.Expires
	other := want
	other.Type = "JWT"
	for _, tc := range []struct {
		name string
		want jwt.Expect
		err  error
	}{{"expired", late, jwt.ErrExpired}, {"type D-47", other, jwt.ErrType}, {"nothing expected", jwt.Expect{}, jwt.ErrExpect}} {
		if err := tc.want.Check(h, &c); !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.err)
		}
	}
	if _, _, err := jwt.ParseClaims(sign(t, k, "at+jwt", `{"exp":"soon"}`)); !errors.Is(err, jwt.ErrMalformed) { // D-49
		t.Errorf("a claim of the wrong kind: %v", err)
	}
}
