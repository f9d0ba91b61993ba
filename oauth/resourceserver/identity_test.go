package resourceserver_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/oauth/oauthtest"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// D-47: what tells an upstream whose call it gets, and an access token, are never taken for
// each other, though both are of one issuer, for one audience and under one key here.
func TestIdentityToken(t *testing.T) {
	i, c := start(t)
	trusted := i.Trusted(c.Now)
	access := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{trusted}, Now: c.Now})
	trusted.Type = resourceserver.IdentityType
	var refused []error
	behind := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{trusted}, Now: c.Now, Token: resourceserver.IdentityToken,
		Refused: func(_ *http.Request, err error) { refused = append(refused, err) }})
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := resourceserver.ClaimsFrom(r.Context())
		_, _ = w.Write([]byte("hello " + claims.ClientID))
	})
	good := i.Identity(nil)
	ok, none := answer{200, "", "hello oauthtest-client"}, answer{401, "Bearer", ""}
	bad := answer{401, `Bearer error="invalid_token", error_description="the access token is not valid here"`,
		`{"error":"invalid_token","error_description":"the access token is not valid here"}` + "\n"}
	malformed := answer{400, `Bearer error="invalid_request", error_description="send one identity token, in one X-Postern-Identity header"`,
		`{"error":"invalid_request","error_description":"send one identity token, in one X-Postern-Identity header"}` + "\n"}
	for _, tc := range []struct {
		name   string
		api    *resourceserver.Verifier
		header string
		values []string
		want   answer
	}{
		{"good", behind, "X-Postern-Identity", []string{good}, ok},
		{"none", behind, "X-Postern-Identity", nil, none},
		{"empty, as where there is nothing to say", behind, "X-Postern-Identity", []string{""}, none},
		{"two", behind, "X-Postern-Identity", []string{good, good}, malformed},
		{"a list", behind, "X-Postern-Identity", []string{good + "," + good}, malformed},
		{"a space", behind, "X-Postern-Identity", []string{good + " "}, malformed},
		{"a scheme", behind, "X-Postern-Identity", []string{"Bearer " + good}, malformed},
		{"padding", behind, "X-Postern-Identity", []string{good + "="}, malformed},
		{"a character of base64, not of base64url", behind, "X-Postern-Identity", []string{"a+b.c.d"}, malformed},
		{"not ASCII", behind, "X-Postern-Identity", []string{"\xc3\xa4." + good}, malformed},
		{"under a name that some servers take for it", behind, "X_postern_identity", []string{good}, none},
		{"in another header", behind, "Authorization", []string{"Bearer " + good}, none},
		{"an access token", behind, "X-Postern-Identity", []string{i.Token("read")}, bad},
		{"an access token in its own header", behind, "Authorization", []string{"Bearer " + i.Token("read")}, none},
		{"another type", behind, "X-Postern-Identity", []string{i.WrongType("")}, bad},
		{"for another API", behind, "X-Postern-Identity", []string{i.Identity(oauthtest.Claims{"aud": "urn:other"})}, bad},
		{"of another issuer", behind, "X-Postern-Identity", []string{i.Identity(oauthtest.Claims{"iss": "https://other.example"})}, bad},
		{"as an access token", access, "Authorization", []string{"Bearer " + good}, bad},
		{"where an access token is wanted", access, "X-Postern-Identity", []string{good}, none},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header[tc.header] = tc.values
		if got := ask(tc.api.Require(hello), r); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
	for _, err := range refused {
		if !errors.Is(err, resourceserver.ErrNoToken) && !errors.Is(err, resourceserver.ErrRequest) && !errors.Is(err, resourceserver.ErrToken) {
			t.Errorf("an error of nobody's: %v", err)
		}
		if errors.Is(err, resourceserver.ErrRequest) && !strings.Contains(err.Error(), "X-Postern-Identity") {
			t.Errorf("%v", err)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Postern-Identity", good)
	c.pass(time.Minute - time.Second)
	if got := ask(behind.Require(hello), r); got != ok {
		t.Errorf("in its last second: %+v", got)
	}
	c.pass(time.Second)
	if got := ask(behind.Require(hello), r); got != bad {
		t.Errorf("after a minute: %+v", got)
	}
}
