package guard_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/oauth/jwt"
)

// D-54: a provider that goes by the URL of an issuer of ours is none.
func TestProviderThatIsOurs(t *testing.T) {
	n, p := newHall(t)
	token := p.token(nil)
	n.want(n.get(hall+"/me", token), "")
	n.issuer(domain.Issuer{Name: "mine", URL: p.server.URL})
	n.want(n.get(hall+"/me", token), guard.TokenInvalid)
	n.want(n.get(hall+"/me", n.token("main", "c1", "")), "")
}

// D-47: a type is looked at where one is named.
func TestUsersType(t *testing.T) {
	n, p := newHall(t)
	plain, typed := p.token(nil), p.sign(p.key, "at+jwt", p.claims(nil))
	n.want(n.get(hall+"/me", plain), "")
	n.want(n.get(hall+"/me", typed), "")
	update(n, apis, "hall", func(a *domain.API) { a.Users.Type = "at+jwt" })
	n.want(n.get(hall+"/me", plain), guard.TokenInvalid) // remembered or not
	n.want(n.get(hall+"/me", typed), "")
	n.want(n.get(hall+"/me", p.token(map[string]any{"sub": "bob"})), guard.TokenInvalid)
}

// D-43, D-58: keys are fetched from where the API says, seldom; one that is withdrawn takes
// its tokens with it.
func TestUsersKeys(t *testing.T) {
	n, p := newHall(t)
	old := p.token(nil)
	for range 3 {
		n.want(n.get(hall+"/me", old), "")
	}
	header := func(more string) string { return `{"alg":"ES256","kid":"` + p.key.ID + `"` + more + `}` }
	for i := range 50 {
		n.want(n.get(hall+"/me", forge(fmt.Sprintf(`{"alg":"ES256","kid":"k%d"}`, i), p.claims(nil))), guard.TokenInvalid)
	}
	n.want(n.get(hall+"/me", forge(header(`,"jku":"`+p.server.URL+`"`), p.claims(nil))), guard.TokenInvalid)
	if got := p.fetches.Load(); got > 2 {
		t.Errorf("%d fetches", got)
	}
	v := n.get(hall+"/me", old)
	alive := func() bool { return n.guard.Alive(context.Background(), &v) }
	if !alive() {
		t.Error("a user whom the provider vouches for is not alive")
	}
	p.rotate()
	n.wait(6 * time.Minute)
	n.snapshot()
	fresh := p.token(nil)
	n.want(n.get(hall+"/me", fresh), "")
	n.want(n.get(hall+"/me", old), guard.TokenInvalid)
	if alive() {
		t.Error("a stream lives on a key that was withdrawn")
	}
	update(n, apis, "hall", func(a *domain.API) { a.Users.JWKSURI, a.Users.JWKS = "", string(jwks(t, p)) })
	n.want(n.get(hall+"/me", fresh), "")
	n.want(n.get(hall+"/me", old), guard.TokenInvalid)
}

func jwks(t *testing.T, p *provider) []byte {
	set, err := jwt.MarshalJWKS(p.public)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// snapshot lets the node look at its store, after a wait.
func (n *town) snapshot() {
	n.t.Helper()
	n.check(n.snap.Poll(context.Background()))
}

// A provider that cannot be reached makes nobody's token bad: nothing can be said.
func TestProviderOutOfReach(t *testing.T) {
	n, p := newHall(t)
	p.broken.Store(true)
	n.want(n.get(hall+"/me", p.token(nil)), guard.Unavailable)
	n.want(n.get(hall+"/me", n.token("main", "c1", "")), "")
	p.broken.Store(false)
	n.wait(11 * time.Second)
	n.snapshot()
	good := p.token(nil)
	v := n.get(hall+"/me", good)
	n.want(v, "")
	p.broken.Store(true)
	n.wait(61 * time.Second) // tokens live ten minutes
	n.snapshot()
	n.want(n.get(hall+"/me", good), "")
	update(n, apis, "hall", func(a *domain.API) { a.Users.JWKSURI = "http://localhost:1/gone" })
	n.want(n.get(hall+"/me", good), guard.Unavailable)
	if n.guard.Alive(context.Background(), &v) {
		t.Error("a stream goes on though nobody vouches for it")
	}
	update(n, apis, "hall", func(a *domain.API) { a.Users.JWKSURI = "gopher://x" })
	n.want(n.get(hall+"/me", good), guard.Unavailable)
}

// Nobody can have us compute signatures without end.
func TestFailuresOfUsers(t *testing.T) {
	n, p := newHall(t)
	stranger := newProvider(n)
	n.want(n.get(hall+"/me", p.token(nil)), "")
	reasons := map[guard.Reason]int{}
	for i := range 130 {
		stranger.key.ID = p.key.ID
		v := n.get(hall+"/me", p.sign(stranger.key, "JWT", p.claims(map[string]any{"n": i})))
		reasons[v.Reason()]++
	}
	if reasons[guard.TokenInvalid] != 120 || reasons[guard.TooManyFailures] != 10 {
		t.Errorf("%v", reasons)
	}
	n.want(n.get(hall+"/me", p.token(nil)), "") // known
}

// As many users as there are: what is remembered is bounded, and all are judged right.
func TestManyUsers(t *testing.T) {
	if testing.Short() {
		t.Skip("signs thousands of tokens")
	}
	n, p := newHall(t)
	first := p.token(nil)
	for i := range 4200 {
		if v := n.get(hall+"/me", p.token(map[string]any{"sub": fmt.Sprint(i)})); is(v) != fmt.Sprintf("user:%d", i) {
			t.Fatal(is(v), v.Err)
		}
	}
	n.want(n.get(hall+"/me", first), "")
}

// D-58: a key is the one that it was, not one that goes by its id.
func TestUsersKeyOfTheSameID(t *testing.T) {
	n, p := newHall(t)
	old, id := p.token(nil), p.key.ID
	v := n.get(hall+"/me", old)
	n.want(v, "")
	p.rotate()
	p.key.ID = id
	update(n, apis, "hall", func(a *domain.API) {
		a.Users.JWKSURI, a.Users.JWKS = "", strings.ReplaceAll(string(jwks(t, p)), p.public[0].ID, id)
	})
	if n.guard.Alive(context.Background(), &v) {
		t.Error("a stream lives on another key")
	}
	n.want(n.get(hall+"/me", old), guard.TokenInvalid)
	n.want(n.get(hall+"/me", p.token(nil)), "")
}
