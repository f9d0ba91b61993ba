package resourceserver_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/oauth/jwt"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

func remote(t *testing.T, c resourceserver.RemoteConfig) *resourceserver.Remote {
	t.Helper()
	r, err := resourceserver.NewRemote(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRemoteURL(t *testing.T) { // D-29
	for url, good := range map[string]bool{
		"https://as.example/jwks": true, "http://127.0.0.1:1/jwks": true, "http://[::1]/jwks": true, "http://localhost/jwks": true,
		"http://demo.localhost:8080/": true, "http://as.example/jwks": false, "http://127.0.0.1.example/": false, "http://10.0.0.1/": false,
		"ftp://localhost/": false, "https://": false, "https://u:p@as.example/": false, "": false, "file:///etc/passwd": false, "https://a b/": false,
	} {
		if _, err := resourceserver.NewRemote(resourceserver.RemoteConfig{URL: url}); (err == nil) != good {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// What a hostile or broken server answers is refused, and costs bounded memory and time.
func TestHostileServers(t *testing.T) { // D-29 D-30
	i, _ := start(t)
	good := string(i.JWKS())
	elsewhere := httptest.NewServer(i.Handler())
	t.Cleanup(elsewhere.Close)
	one := good[len(`{"keys":[`) : len(good)-2]
	many := `{"keys":[` + strings.Repeat(`{"kty":"EC"},`, 9999) + one + `]}`
	for _, tc := range []struct {
		name string
		h    http.HandlerFunc
		want error // nil: any
	}{
		{"D-30 10 000 keys", say(many), jwt.ErrTooManyKeys},
		{"D-30 65 keys", say(`{"keys":[` + strings.Repeat(`{"kty":"EC"},`, 64) + one + `]}`), jwt.ErrTooManyKeys},
		{"huge", func(w http.ResponseWriter, _ *http.Request) {
			for range 1 << 14 {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		}, jwt.ErrTooManyKeys},
		{"D-29 redirect to another host", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/.well-known/jwks.json", http.StatusFound)
		}, nil},
		{"redirect for ever", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/more", http.StatusFound) }, nil},
		{"slow body", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"keys":[`))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, nil},
		{"not JSON", say("<html>"), jwt.ErrKey},
		{"keys twice", say(`{"keys":[],"keys":[` + one + `]}`), jwt.ErrKey},
		{"one kid twice", say(`{"keys":[` + one + "," + one + `]}`), jwt.ErrDuplicateKey},
		{"status 404", http.NotFound, nil},
		{"status 204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewServer(tc.h)
			t.Cleanup(server.Close)
			r := remote(t, resourceserver.RemoteConfig{URL: server.URL, Timeout: 200 * time.Millisecond})
			_, err := r.Keys(t.Context(), "any")
			if !errors.Is(err, resourceserver.ErrUnavailable) || (tc.want != nil && !errors.Is(err, tc.want)) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

func say(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

// A huge RSA modulus is passed over like any key that we do not take; its
// neighbours stay (D-30).
func TestHugeModulus(t *testing.T) {
	i, _ := start(t)
	good := string(i.JWKS())
	huge := fmt.Sprintf(`{"kty":"RSA","kid":"huge","e":"AQAB","n":"%s"},`, strings.Repeat("_", 10000))
	server := httptest.NewServer(say(`{"keys":[` + huge + good[len(`{"keys":[`):]))
	t.Cleanup(server.Close)
	keys, err := remote(t, resourceserver.RemoteConfig{URL: server.URL}).Keys(t.Context(), "huge")
	if err != nil || keys.Len() != 1 {
		t.Errorf("%d keys, %v", keys.Len(), err)
	}
}

func TestRedirectWithinTheHost(t *testing.T) {
	i, _ := start(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/.well-known/jwks.json", http.StatusFound)
			return
		}
		i.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	keys, err := remote(t, resourceserver.RemoteConfig{URL: server.URL + "/"}).Keys(t.Context(), "any")
	if err != nil || keys.Len() != 1 {
		t.Errorf("%d keys, %v", keys.Len(), err)
	}
}

// The address of a cloud's metadata service is not dialled, whatever the name.
func TestLinkLocalIsNotDialled(t *testing.T) { // D-29
	r := remote(t, resourceserver.RemoteConfig{URL: "https://169.254.169.254/latest", Timeout: 2 * time.Second})
	_, err := r.Keys(t.Context(), "any")
	if err == nil || !strings.Contains(err.Error(), "link-local") {
		t.Errorf("%v", err)
	}
}
