package oauthtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/postern-dev/postern/oauth/jwt"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// Issuer is an authorization server on a loopback address. It is also the
// resourceserver.Revocation of its own tokens. Safe for concurrent use. Its
// methods panic where only a broken program can make them fail.
type Issuer struct {
	URL      string           // `iss`
	Audience string           // whom its tokens are for unless one says otherwise
	Now      func() time.Time // the clock that tokens are made by; set it before use

	server  *httptest.Server
	mu      sync.Mutex
	key     *jwt.PrivateKey
	public  []jwt.PublicKey
	revoked map[string]bool // by jti
	fetches int
}

// New starts an issuer of tokens for the audience. Close it after use.
func New(audience string) *Issuer {
	i := &Issuer{Audience: audience, Now: time.Now, revoked: map[string]bool{}}
	i.Rotate()
	i.server = httptest.NewServer(i.Handler())
	i.URL = i.server.URL
	return i
}

// Close stops it.
func (i *Issuer) Close() { i.server.Close() }

// JWKSURL is where its key set lies.
func (i *Issuer) JWKSURL() string { return i.URL + "/.well-known/jwks.json" }

// JWKS is its key set.
func (i *Issuer) JWKS() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	return must(jwt.MarshalJWKS(i.public))
}

// Fetches counts how often the key set was asked for.
func (i *Issuer) Fetches() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

// Handler serves the key set and the metadata of RFC 8414.
func (i *Issuer) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/jwks.json", func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		i.fetches++
		i.mu.Unlock()
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(i.JWKS())
	})
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		b := jwt.AppendString([]byte(`{"issuer":`), i.URL)
		b = jwt.AppendString(append(b, `,"jwks_uri":`...), i.JWKSURL())
		_, _ = w.Write(append(b, `,"response_types_supported":[]}`...))
	})
	return mux
}

// Rotate makes a new key to sign with. The old ones stay published.
func (i *Issuer) Rotate() {
	key := must(jwt.Generate(jwt.ES256, rand.Reader))
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key, i.public = key, append(i.public, key.Public())
}

// Withdraw takes all keys but the newest out of the key set.
func (i *Issuer) Withdraw() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.public = i.public[len(i.public)-1:]
}

// Trusted is the issuer as the configuration of a resource server names it, with
// its key set fetched over HTTP by this clock; nil is time.Now.
func (i *Issuer) Trusted(now func() time.Time) resourceserver.Issuer {
	keys := must(resourceserver.NewRemote(resourceserver.RemoteConfig{URL: i.JWKSURL(), Now: now}))
	return resourceserver.Issuer{URL: i.URL, Audience: i.Audience, Keys: keys}
}

// Revoke makes Revoked true for the token, which must be one of this issuer's.
func (i *Issuer) Revoke(token string) {
	_, c, err := jwt.ParseClaims(token)
	if err != nil || c.Issuer != i.URL {
		panic("oauthtest: revoke what is no token of this issuer")
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.revoked[c.ID] = true
}

// Revoked implements resourceserver.Revocation.
func (i *Issuer) Revoked(_ context.Context, c resourceserver.Claims) (bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return c.Issuer == i.URL && i.revoked[c.ID], nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("oauthtest: %v", err))
	}
	return v
}
