package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/bench/fixture"
)

func ask(t *testing.T, f *floor, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// The floor is only worth something as a measure if its tokens are real ones:
// go-jose, which it does not use, verifies them.
func TestFloorSignsEightClaims(t *testing.T) {
	for _, algorithm := range []string{"ES256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			now := func() time.Time { return time.Unix(1_800_000_000, 0) }
			f, err := newFloor(algorithm, []fixture.Client{{ID: "a", Secret: "s"}}, now)
			if err != nil {
				t.Fatal(err)
			}
			w := ask(t, f, url.Values{"grant_type": {"client_credentials"}, "client_id": {"a"}, "client_secret": {"s"}, "scope": {"read"}})
			var body struct {
				Token string `json:"access_token"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK {
				t.Fatalf("%d %s: %v", w.Code, w.Body, err)
			}
			jws, err := jose.ParseSignedCompact(body.Token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
			if err != nil {
				t.Fatal(err)
			}
			payload, err := jws.Verify(f.public)
			if err != nil {
				t.Fatal(err)
			}
			var claims map[string]any
			if err := json.Unmarshal(payload, &claims); err != nil {
				t.Fatal(err)
			}
			want := []string{"aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sub"}
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(claims))); diff != "" {
				t.Error(diff)
			}
			if claims["exp"] != 1_800_003_600.0 || claims["sub"] != "a" || claims["scope"] != "read" {
				t.Errorf("claims %s", payload)
			}
		})
	}
}

func TestFloorRefuses(t *testing.T) {
	f, err := newFloor("EdDSA", []fixture.Client{{ID: "a", Secret: "s"}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		form   url.Values
		status int
	}{
		"wrong secret":   {url.Values{"grant_type": {"client_credentials"}, "client_id": {"a"}, "client_secret": {"t"}}, 401},
		"unknown client": {url.Values{"grant_type": {"client_credentials"}, "client_id": {"b"}, "client_secret": {"s"}}, 401},
		"other grant":    {url.Values{"grant_type": {"password"}, "client_id": {"a"}, "client_secret": {"s"}}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			if w := ask(t, f, c.form); w.Code != c.status || strings.Contains(w.Body.String(), "access_token") {
				t.Errorf("%d %s, want %d", w.Code, w.Body, c.status)
			}
		})
	}
	if _, err := newFloor("none", nil, time.Now); err == nil {
		t.Error("alg none is accepted")
	}
}
