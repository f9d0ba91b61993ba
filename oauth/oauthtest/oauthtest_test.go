package oauthtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/postern-dev/postern/oauth/jwt"
	"github.com/postern-dev/postern/oauth/oauthtest"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

const audience = "https://api.example.com"

// Each bad token is refused for the reason that it was made for, and for no other:
// oauth/jwt looks at the signature last, so the order of its checks is the proof.
func TestTokens(t *testing.T) { // RFC 9068 §4
	i := oauthtest.New(audience)
	t.Cleanup(i.Close)
	keys, err := jwt.ParseJWKS(i.JWKS())
	if err != nil {
		t.Fatal(err)
	}
	good := jwt.Expect{Issuer: i.URL, Audience: audience, Type: "at+jwt", Now: time.Now()}
	change := func(f func(*jwt.Expect)) jwt.Expect { e := good; f(&e); return e }
	for _, tc := range []struct {
		name, token string
		refused     error
		healed      jwt.Expect // with this expectation it would be good
	}{
		{"good", i.Token("a"), nil, good},
		{"expired", i.Expired("a"), jwt.ErrExpired, change(func(e *jwt.Expect) { e.Now = e.Now.Add(-time.Minute) })},
		{"wrong audience", i.WrongAudience("a"), jwt.ErrAudience, change(func(e *jwt.Expect) { e.Audience += ".elsewhere.example" })},
		{"wrong type", i.WrongType("a"), jwt.ErrType, change(func(e *jwt.Expect) { e.Type = "JWT" })},
		{"other issuer", i.OtherIssuer("a"), jwt.ErrIssuer, change(func(e *jwt.Expect) { e.Issuer += "/elsewhere" })},
		{"foreign", i.Foreign("a"), jwt.ErrSignature, jwt.Expect{}},
		{"tampered", i.Tampered("a"), jwt.ErrSignature, jwt.Expect{}},
		{"unsigned", i.Unsigned("a"), jwt.ErrMalformed, jwt.Expect{}},
	} {
		if _, err := jwt.Verify(tc.token, keys, good); !errors.Is(err, tc.refused) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.refused)
		}
		if tc.healed.Issuer == "" {
			continue
		}
		if c, err := jwt.Verify(tc.token, keys, tc.healed); err != nil || c.Scope != "a" {
			t.Errorf("%s: something else is wrong with it: %v", tc.name, err)
		}
	}
	if !strings.HasSuffix(i.Unsigned(""), ".") {
		t.Error("the unsigned one has a signature")
	}
}

// A library that nobody here wrote reads key set and token.
func TestInterop(t *testing.T) {
	i := oauthtest.New(audience)
	t.Cleanup(i.Close)
	resp, err := http.Get(i.JWKSURL())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	verify := func(token string) error {
		jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			return err
		}
		_, err = jws.Verify(set)
		return err
	}
	if err := verify(i.Token("a")); err != nil {
		t.Errorf("good: %v", err)
	}
	if err := verify(i.Foreign("a")); err == nil {
		t.Error("a foreign token verified")
	}
	if err := verify(i.Unsigned("a")); err == nil {
		t.Error("an unsigned token verified")
	}
	if i.Fetches() != 1 {
		t.Errorf("%d fetches", i.Fetches())
	}
	metadata := httptest.NewRecorder()
	i.Handler().ServeHTTP(metadata, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-authorization-server", nil))
	var m map[string]any
	if err := json.Unmarshal(metadata.Body.Bytes(), &m); err != nil || m["issuer"] != i.URL || m["jwks_uri"] != i.JWKSURL() {
		t.Errorf("metadata %v, %v", m, err)
	}
}

func TestRotateAndWithdraw(t *testing.T) {
	i := oauthtest.New(audience)
	t.Cleanup(i.Close)
	old := i.Token("")
	verifies := func(token string) bool {
		keys, err := jwt.ParseJWKS(i.JWKS())
		if err != nil {
			t.Fatal(err)
		}
		_, err = jwt.Verify(token, keys, jwt.Expect{Issuer: i.URL, Audience: audience, Now: time.Now()})
		return err == nil
	}
	i.Rotate()
	if !verifies(old) || !verifies(i.Token("")) {
		t.Error("rotation took a key away")
	}
	i.Withdraw()
	if verifies(old) || !verifies(i.Token("")) {
		t.Error("withdrawal took the wrong key away")
	}
}

// The test of an API: what it lets through, and what it does not.
func Example() {
	issuer := oauthtest.New("https://api.example.com")
	defer issuer.Close()
	verifier, err := resourceserver.New(resourceserver.Config{
		Issuers:    []resourceserver.Issuer{issuer.Trusted(nil)},
		Revocation: issuer, // so that Revoke is heeded
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	api := verifier.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))

	for _, tc := range []struct{ name, token string }{
		{"good", issuer.Token("read")},
		{"expired", issuer.Expired("read")},
		{"revoked", issuer.RevokedToken("read")},
		{"foreign", issuer.Foreign("read")},
		{"unsigned", issuer.Unsigned("read")},
		{"wrong audience", issuer.WrongAudience("read")},
		{"wrong type", issuer.WrongType("read")},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+tc.token)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(tc.name, w.Code)
	}
	// Output:
	// good 200
	// expired 401
	// revoked 401
	// foreign 401
	// unsigned 401
	// wrong audience 401
	// wrong type 401
}

// A token with claims of one's own.
func ExampleIssuer_With() {
	issuer := oauthtest.New("https://api.example.com")
	defer issuer.Close()
	token := issuer.With(oauthtest.Claims{"client_id": "billing", "tenant_id": "t1", "jti": nil})
	_, claims, err := jwt.ParseClaims(token)
	fmt.Println(claims.ClientID, claims.ID == "", err)
	// Output: billing true <nil>
}
