package resourceserver_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/postern-dev/postern/oauth/jwt"
	"github.com/postern-dev/postern/oauth/oauthtest"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// A claim is read by its exact name, and only where it is a string (D-55).
func TestText(t *testing.T) {
	i, c := start(t)
	v := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{i.Trusted(c.Now)}, Now: c.Now})
	token := i.With(oauthtest.Claims{"a": "1", "empty": "", "list": []string{"1"}, "number": 1, "yes": true, "in": map[string]string{"side": "1"}})
	claims, err := v.Verify(t.Context(), "peer", token)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "1", "empty": "", "client_id": oauthtest.ClientID, "iss": i.URL} {
		if got, ok := claims.Text(name); !ok || got != want {
			t.Errorf("%s: %q, %t", name, got, ok)
		}
	}
	for _, name := range []string{"A", "list", "number", "yes", "in", "side", "exp", "absent", ""} {
		if got, ok := claims.Text(name); ok {
			t.Errorf("%s: %q", name, got)
		}
	}
	if _, ok := (resourceserver.Claims{}).Text("a"); ok {
		t.Error("a text of no token")
	}
}

// Whoever reads claims at each call reads the payload at the first only.
func TestTextAllocatesNothing(t *testing.T) {
	i, c := start(t)
	v := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{i.Trusted(c.Now)}, Now: c.Now})
	token, ctx := i.With(oauthtest.Claims{"tenant_id": "t1"}), t.Context()
	read := func() {
		claims, err := v.Verify(ctx, "192.0.2.1", token)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := claims.Text("tenant_id"); !ok || got != "t1" {
			t.Fatal(got)
		}
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(read)
	}
	all.Wait()
	if n := testing.AllocsPerRun(1000, read); n != 0 {
		t.Errorf("%v allocations for a claim read before", n)
	}
}

// D-58: the key under which a token verified can be asked for again.
func TestClaimsKey(t *testing.T) {
	i, c := start(t)
	v := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{i.Trusted(c.Now)}, Now: c.Now})
	claims, err := v.Verify(t.Context(), "peer", i.Token(""))
	if err != nil {
		t.Fatal(err)
	}
	kid, identity := claims.Key()
	if want, ok := keysOf(t, i).Identity(kid); !ok || identity != want {
		t.Errorf("%s: %+v, want %+v", kid, identity, want)
	}
	if kid, identity := (resourceserver.Claims{}).Key(); kid != "" || identity != (jwt.Identity{}) {
		t.Error("a key of no token")
	}
}

// Verifiers that share a budget count a source's failures together.
func TestSharedBudget(t *testing.T) {
	i, c := start(t)
	shared := resourceserver.NewBudget(2)
	config := resourceserver.Config{Issuers: []resourceserver.Issuer{i.Trusted(c.Now)}, Budget: shared, Failures: 100, Now: c.Now}
	one, two := verifier(t, config), verifier(t, config)
	for n, v := range []*resourceserver.Verifier{one, two, one, two} {
		want := jwt.ErrSignature
		if n >= 2 {
			want = resourceserver.ErrTooManyFailures
		}
		if _, err := v.Verify(t.Context(), "192.0.2.1", i.Foreign("")); !errors.Is(err, want) {
			t.Errorf("forgery %d: %v, want %v", n, err, want)
		}
	}
}
