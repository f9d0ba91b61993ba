package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/postern-dev/postern/oauth"
)

// OIDC is an OpenID provider, and what it knows Postern by.
type OIDC struct {
	Issuer       string // its issuer identifier, exactly
	ClientID     string
	ClientSecret oauth.Secret
	RedirectURI  string            // as registered there
	Transport    http.RoundTripper // nil: http.DefaultTransport
	// Timeout is for all that one request of a browser asks of the provider. Zero:
	// DefaultProviderTimeout.
	Timeout time.Duration
}

// DefaultProviderTimeout is OIDC.Timeout where that says nothing.
const DefaultProviderTimeout = 8 * time.Second

const (
	maxProviderBody = 1 << 20          // bytes of one answer
	maxProviderWhy  = 300              // bytes of what an error says of one
	believed        = time.Hour        // how long discovery document and keys are
	beginLives      = 10 * time.Minute // from the start of a sign-in to its end
)

// provider speaks to an OpenID provider. Its discovery document is read at the first
// sign-in, so that a provider that is away keeps nobody else from signing in, and then every
// hour: with it go the keys that it once published, which go-oidc would believe for ever.
type provider struct {
	OIDC
	now    func() time.Time
	client *http.Client
	found  atomic.Pointer[found]
}

// found is what the discovery document says.
type found struct {
	*oidc.Provider
	oauth       oauth2.Config
	verifier    *oidc.IDTokenVerifier
	namesItself bool // its answers have `iss` (RFC 9207 §3)
	since       time.Time
}

func newProvider(o OIDC, now func() time.Time) *provider {
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultProviderTimeout
	}
	return &provider{OIDC: o, now: now, client: &http.Client{
		Transport: bounded{o.Transport}, Timeout: o.Timeout,
		// A code and a client secret go where discovery said, and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// bounded reads no more of an answer than maxProviderBody.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, maxProviderBody), answer.Body}
	}
	return answer, err
}

// algorithms are those by which an ID token may be signed: a closed list.
func algorithms() []string {
	return []string{oidc.RS256, oidc.PS256, oidc.ES256, oidc.EdDSA}
}

// failed is ErrProvider: what was asked of it, and the beginning of why that failed. go-oidc
// puts whole answers into its errors.
func failed(what string, err error) error {
	why := err.Error()
	if len(why) > maxProviderWhy {
		why = strings.ToValidUTF8(why[:maxProviderWhy], "") + "…"
	}
	return fmt.Errorf("%w: %s: %s", ErrProvider, what, why)
}

// discover returns what the discovery document says, read within the last hour.
func (p *provider) discover(ctx context.Context) (*found, error) {
	if f := p.found.Load(); f != nil && p.now().Sub(f.since) < believed {
		return f, nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	o, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.Issuer)
	if err != nil {
		return nil, failed("discovery", err)
	}
	var says struct {
		Methods     []string `json:"token_endpoint_auth_methods_supported"`
		NamesItself bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := o.Claims(&says); err != nil {
		return nil, failed("discovery", err)
	}
	endpoint := o.Endpoint()
	// OpenID Connect Discovery §3: client_secret_basic where it does not say. It is not
	// found out by trying.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if len(says.Methods) > 0 && !slices.Contains(says.Methods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	f := &found{
		Provider: o,
		oauth: oauth2.Config{
			ClientID: p.ClientID, ClientSecret: string(p.ClientSecret), Endpoint: endpoint, RedirectURL: p.RedirectURI,
			Scopes: []string{oidc.ScopeOpenID, "email"},
		},
		// What reads the provider's keys lives longer than this request.
		verifier: o.VerifierContext(oidc.ClientContext(context.WithoutCancel(ctx), p.client),
			&oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: algorithms(), Now: p.now}),
		namesItself: says.NamesItself, since: p.now(),
	}
	p.found.Store(f)
	return f, nil
}

// at is the URL that the browser is sent to. The provider is asked to have people prove anew
// who they are where the last time was too long ago for Fresh (OpenID Connect Core §3.1.2.1).
func (f *found) at(b begun) string {
	return f.oauth.AuthCodeURL(b.state(), oidc.Nonce(b.nonce()), oauth2.S256ChallengeOption(b.verifier()),
		oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(Fresh/time.Second))))
}

// Callback is what the provider sends the browser back with (OpenID Connect Core §3.1.2.5,
// RFC 6749 §4.1.2.1, RFC 9207).
type Callback struct {
	Code, State, Error, Issuer string
}

// identity is who signed in at the provider.
type identity struct {
	subject  string // `<issuer>#<sub>`
	sub      string // as the provider has it, and as an administrator may have written it
	email    string // verified; else empty
	signedIn time.Time
}

// exchange redeems the code and reads the ID token.
func (p *provider) exchange(ctx context.Context, b begun, c Callback) (identity, error) {
	switch {
	case subtle.ConstantTimeCompare([]byte(b.state()), []byte(c.State)) != 1:
		return identity{}, ErrState
	case c.Issuer != "" && c.Issuer != p.Issuer: // RFC 9207 §2.4
		return identity{}, fmt.Errorf("%w: the answer names the issuer %q", ErrProvider, c.Issuer)
	case c.Error != "":
		return identity{}, denied(c.Error)
	case c.Code == "":
		return identity{}, fmt.Errorf("%w: it sent neither code nor error", ErrProvider)
	}
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	f, err := p.discover(ctx)
	if err != nil {
		return identity{}, err
	}
	if f.namesItself && c.Issuer == "" { // RFC 9207 §2.4: what lacks it is somebody else's answer
		return identity{}, fmt.Errorf("%w: the answer names no issuer, and the provider's metadata says that its answers do", ErrProvider)
	}
	ctx = oidc.ClientContext(ctx, p.client)
	tokens, err := f.oauth.Exchange(ctx, c.Code, oauth2.VerifierOption(b.verifier()))
	if err != nil {
		return identity{}, exchangeError(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := f.verifier.Verify(ctx, raw)
	if err != nil {
		return identity{}, failed("ID token", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(b.nonce())) != 1 {
		return identity{}, fmt.Errorf("%w: ID token: its nonce is not the one of this sign-in", ErrProvider)
	}
	return f.read(ctx, p, id, tokens)
}

// denied is the provider's error. Its word is shown where it is one.
func denied(code string) error {
	if strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") != "" || len(code) > 64 {
		code = ""
	}
	return &deniedError{code}
}

// exchangeError keeps the body of the provider's answer out: it is nobody's to read.
func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return fmt.Errorf("%w: token endpoint: status %d, error %q", ErrProvider, refused.Response.StatusCode, refused.ErrorCode)
	}
	var broken *url.Error
	if errors.As(err, &broken) {
		return fmt.Errorf("%w: token endpoint: %w", ErrProvider, broken.Err)
	}
	return fmt.Errorf("%w: token endpoint: its answer is none", ErrProvider)
}
