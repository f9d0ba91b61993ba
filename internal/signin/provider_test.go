package signin_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/signin"
)

// A provider that is away, or another than it should be, is told clearly, and tried again.
func TestProviderIsAway(t *testing.T) {
	w := newTown(t, func(o *signin.OIDC) { o.Issuer += "/other" })
	if _, _, err := w.OIDCStart((&browser{t: t}).visit(http.MethodGet)); !errors.Is(err, signin.ErrProvider) || !strings.Contains(err.Error(), "discovery") {
		t.Errorf("%v", err)
	}
	w = newTown(t)
	w.op.QueueError(&mockoidc.ServerError{Code: http.StatusServiceUnavailable, Error: "temporarily_unavailable"})
	if _, _, err := w.OIDCStart((&browser{t: t}).visit(http.MethodGet)); !errors.Is(err, signin.ErrProvider) {
		t.Errorf("%v", err)
	}
	if _, _, err := w.OIDCStart((&browser{t: t}).visit(http.MethodGet)); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	w = newTown(t, func(o *signin.OIDC) { o.ClientSecret = "wrong" })
	w.person("ann@example.com", domain.PlatformAdmin)
	_, _, err := w.signInAt(ann(nil))
	if !errors.Is(err, signin.ErrProvider) || !strings.Contains(err.Error(), "invalid_client") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong client secret: %v", err)
	}
}

// RFC 9207 §2.4: where the provider's metadata says that its answers name it, one that does not is not its own.
func TestAnswerThatNamesNobody(t *testing.T) {
	w := newTown(t)
	w.person("ann@example.com", domain.PlatformAdmin)
	says, err := http.Get(w.op.DiscoveryEndpoint()) //nolint:noctx // the provider of this test
	if err != nil {
		t.Fatal(err)
	}
	defer says.Body.Close()
	document, err := io.ReadAll(says.Body)
	if err != nil {
		t.Fatal(err)
	}
	w.instead = answers(mockoidc.DiscoveryEndpoint, http.StatusOK, strings.Replace(string(document), "{", `{"authorization_response_iss_parameter_supported":true,`, 1))
	for _, tc := range []struct {
		names string
		want  error
	}{{"", signin.ErrProvider}, {w.op.Issuer(), nil}} {
		b := &browser{t: t, tls: true}
		c := w.start(b, ann(nil))
		c.Issuer = tc.names
		if _, _, err := w.OIDCCallback(b.visit(http.MethodGet), c); !errors.Is(err, tc.want) {
			t.Errorf("%q: %v", tc.names, err)
		}
	}
}

// A key that the provider publishes no more is believed for an hour at most, like all that it said.
func TestWithdrawnKeyOfTheProvider(t *testing.T) {
	w := newTown(t)
	w.person("ann@example.com", domain.PlatformAdmin)
	who := ann(func(c jwt.MapClaims) { c["exp"] = time.Now().Add(3 * time.Hour).Unix() })
	if _, _, err := w.signInAt(who); err != nil {
		t.Fatal(err)
	}
	w.instead = answers(mockoidc.JWKSEndpoint, http.StatusOK, `{"keys":[]}`)
	w.pass(time.Hour - time.Second)
	if _, _, err := w.signInAt(who); err != nil {
		t.Errorf("within the hour: %v", err)
	}
	w.pass(time.Second)
	if _, _, err := w.signInAt(who); !errors.Is(err, signin.ErrProvider) || !strings.Contains(err.Error(), "ID token") {
		t.Errorf("after it: %v", err)
	}
}

// Whatever a provider answers, the log gets the beginning of it.
func TestErrorsOfTheProviderAreBrief(t *testing.T) {
	page := strings.Repeat("ü", 1<<18)
	for what, path := range map[string]string{
		"discovery": mockoidc.DiscoveryEndpoint, "ID token": mockoidc.JWKSEndpoint, "token endpoint": mockoidc.TokenEndpoint, "userinfo": mockoidc.UserinfoEndpoint,
	} {
		w := newTown(t)
		w.person("ann@example.com", domain.PlatformAdmin)
		w.instead = answers(path, http.StatusServiceUnavailable, page)
		b := &browser{t: t, tls: true}
		_, _, err := w.OIDCStart(b.visit(http.MethodGet))
		if err == nil {
			_, _, err = w.signInAt(ann(without("email", "email_verified")))
		}
		if !errors.Is(err, signin.ErrProvider) || !strings.Contains(err.Error(), what) || len(err.Error()) > 500 || !utf8.ValidString(err.Error()) {
			t.Errorf("%s: %d bytes: %.200v", what, len(err.Error()), err)
		}
	}
}

// OpenID Connect Discovery §3: Postern authenticates as the provider's document says, and tries nothing.
func TestTokenEndpointAuthMethod(t *testing.T) {
	said := mockoidc.TokenEndpointAuthMethodsSupported
	defer func() { mockoidc.TokenEndpointAuthMethodsSupported = said }()
	for name, tc := range map[string]struct {
		says []string
		want []string
	}{
		"says nothing": {nil, []string{"basic"}},
		"both":         {[]string{"client_secret_post", "client_secret_basic"}, []string{"basic"}},
		"post only":    {[]string{"client_secret_post"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			mockoidc.TokenEndpointAuthMethodsSupported = tc.says
			w := newTown(t)
			w.person("ann@example.com", domain.PlatformAdmin)
			_, _, err := w.signInAt(ann(nil))
			if diff := cmp.Diff(tc.want, w.requests); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// D-113: code and client secret go to the token endpoint, and not where it sends them.
func TestTokenEndpointRedirects(t *testing.T) {
	w := newTown(t)
	w.person("ann@example.com", domain.PlatformAdmin)
	w.redirect = "http://evil.example" + mockoidc.TokenEndpoint
	_, _, err := w.signInAt(ann(nil))
	if !errors.Is(err, signin.ErrProvider) || len(w.requests) != 1 || w.requests[0] == "evil.example" {
		t.Errorf("%v, asked %v", err, w.requests)
	}
}
