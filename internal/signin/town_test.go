package signin_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/postern-dev/postern/internal/signin"
)

// user is somebody at the provider, with what their ID token says.
type user struct {
	mockoidc.MockUser
	change func(jwt.MapClaims)
	info   string // what the userinfo endpoint says
}

func (u *user) Userinfo([]string) ([]byte, error) { return []byte(u.info), nil }

func (u *user) Claims(_ []string, base *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	c := jwt.MapClaims{
		"iss": base.Issuer, "sub": u.Subject, "aud": base.Audience, "exp": base.ExpiresAt.Unix(), "iat": base.IssuedAt.Unix(), "nonce": base.Nonce,
		"email": u.Email, "email_verified": u.EmailVerified, "auth_time": base.IssuedAt.Unix(),
	}
	if u.change != nil {
		u.change(c)
	}
	return c, nil
}

func ann(change func(jwt.MapClaims)) *user {
	return &user{MockUser: mockoidc.MockUser{Subject: "248289761001", Email: "Ann@Example.com", EmailVerified: true}, change: change}
}

// without takes claims out.
func without(names ...string) func(jwt.MapClaims) {
	return func(c jwt.MapClaims) {
		for _, name := range names {
			delete(c, name)
		}
	}
}

// town is a scene with an OpenID provider of somebody else's.
type town struct {
	*scene
	op       *mockoidc.MockOIDC
	client   *http.Client
	requests []string                           // to its token endpoint: how Postern authenticated
	redirect string                             // where its token endpoint sends to; empty: nowhere
	instead  func(*http.Request) *http.Response // what it answers instead; nil, or nil of it: what it does
}

func newTown(t *testing.T, change ...func(*signin.OIDC)) *town {
	t.Helper()
	op, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = op.Shutdown() })
	w := &town{op: op, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	o := &signin.OIDC{Issuer: op.Issuer(), ClientID: op.ClientID, RedirectURI: "https://postern.example.com/api/admin/oidc/callback", Transport: w}
	o.ClientSecret = "" // set below, so that a change may leave it out
	for _, f := range change {
		f(o)
	}
	if o.ClientSecret == "" {
		o.ClientSecret = "s3cret"
	}
	op.ClientSecret = "s3cret"
	w.scene = newScene(t, func(c *signin.Config) { c.OIDC = o })
	return w
}

// RoundTrip stands between Postern and the provider, which says that it takes Basic and reads
// forms only.
func (w *town) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.instead != nil {
		if answer := w.instead(r); answer != nil {
			return answer, nil
		}
	}
	if w.redirect != "" && r.URL.Path == mockoidc.TokenEndpoint {
		w.requests = append(w.requests, r.URL.Host)
		return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {w.redirect}}, Body: http.NoBody, Request: r}, nil
	}
	if id, password, ok := r.BasicAuth(); ok && r.URL.Path == mockoidc.TokenEndpoint {
		w.requests = append(w.requests, "basic")
		if err := r.ParseForm(); err != nil {
			return nil, err
		}
		if r.PostForm.Has("client_secret") {
			return nil, errors.New("the secret comes twice")
		}
		r.PostForm.Set("client_id", id)
		r.PostForm.Set("client_secret", password)
		r.Header.Del("Authorization")
		return http.PostForm(r.URL.String(), r.PostForm) //nolint:gosec,noctx // the provider of this test
	}
	return http.DefaultTransport.RoundTrip(r)
}

// start begins a sign-in and lets the provider sign somebody in: the callback is what the
// browser would be sent back with.
func (w *town) start(b *browser, who mockoidc.User) signin.Callback {
	w.t.Helper()
	location, cookies, err := w.OIDCStart(b.visit(http.MethodGet))
	if err != nil {
		w.t.Fatal(err)
	}
	b.keep(cookies)
	w.op.QueueUser(who)
	answer, err := w.client.Get(location) //nolint:noctx // the provider of this test
	if err != nil {
		w.t.Fatal(err)
	}
	_ = answer.Body.Close()
	back, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || answer.StatusCode != http.StatusFound || !strings.HasPrefix(back.String(), "https://postern.example.com/api/admin/oidc/callback?") {
		w.t.Fatal(answer.Status, back, err)
	}
	return signin.Callback{Code: back.Query().Get("code"), State: back.Query().Get("state")}
}

// signInAt does all of it.
func (w *town) signInAt(who mockoidc.User) (*browser, signin.SignedIn, error) {
	w.t.Helper()
	b := &browser{t: w.t, tls: true}
	c := w.start(b, who)
	out, cookies, err := w.OIDCCallback(b.visit(http.MethodGet), c)
	b.keep(cookies)
	return b, out, err
}

// answers are what the provider answers at a path instead.
func answers(path string, status int, body string) func(*http.Request) *http.Response {
	return func(r *http.Request) *http.Response {
		if r.URL.Path != path {
			return nil
		}
		return &http.Response{
			StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(body)), Request: r,
		}
	}
}
