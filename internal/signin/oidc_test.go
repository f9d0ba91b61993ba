package signin_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/signin"
)

// A person signs in at somebody else's provider: matched once by the verified e-mail, then by
// the subject, whatever their name is by then.
func TestOpenIDConnect(t *testing.T) {
	w := newTown(t)
	p := w.person("ann@example.com", domain.PlatformAdmin, func(p *domain.Person) { p.Password, p.Reach = "", domain.Reach{AllTenants: true, AllIssuers: true} })
	b, out, err := w.signInAt(ann(nil))
	if err != nil || out.Name != "ann@example.com" || !out.Platform {
		t.Fatalf("%+v, %v", out, err)
	}
	if diff := cmp.Diff([]string{"basic"}, w.requests); diff != "" {
		t.Error(diff)
	}
	c, err := w.caller(b, http.MethodPost)
	if err != nil || c.Actor != "person:ann@example.com" || !c.Platform {
		t.Errorf("%+v, %v", c, err)
	}
	if len(b.cookies) != 1 || b.cookies["__Host-postern"] == nil {
		t.Errorf("cookies left: %v", b.cookies)
	}
	p, err = w.db.Read().People.Get(t.Context(), p.ID)
	if err != nil || p.Subject != w.op.Issuer()+"#248289761001" {
		t.Fatalf("%+v, %v", p, err)
	}
	p.Name = "anna@example.com"
	w.put(p)
	w.person("ann@example.com", domain.Auditor)
	if _, out, err := w.signInAt(ann(nil)); err != nil || out.Name != "anna@example.com" {
		t.Errorf("by the subject: %+v, %v", out, err)
	}
}

// An administrator may write whose `sub` it is; from the first sign-in on it is that provider's.
func TestSubjectOfAnAdministrator(t *testing.T) {
	w := newTown(t)
	p := w.person("anna@example.com", domain.PlatformAdmin, func(p *domain.Person) { p.Subject = "248289761001" })
	w.person("ann@example.com", domain.Auditor)
	if _, out, err := w.signInAt(ann(nil)); err != nil || out.Name != "anna@example.com" {
		t.Errorf("%+v, %v", out, err)
	}
	if p, err := w.db.Read().People.Get(t.Context(), p.ID); err != nil || p.Subject != w.op.Issuer()+"#248289761001" {
		t.Errorf("%+v, %v", p, err)
	}
}

// Nobody is made by signing in, and nobody is taken for another.
func TestOpenIDConnectKnowsPeopleOnly(t *testing.T) {
	exists := func(w *town) { w.person("ann@example.com", domain.PlatformAdmin) }
	for name, tc := range map[string]struct {
		people func(*town)
		who    *user
	}{
		"nobody":           {func(*town) {}, ann(nil)},
		"not verified":     {exists, ann(func(c jwt.MapClaims) { c["email_verified"] = false })},
		"verified?":        {exists, ann(func(c jwt.MapClaims) { delete(c, "email_verified") })},
		"verified: yes":    {exists, ann(func(c jwt.MapClaims) { c["email_verified"] = "yes" })},
		"verified: 1":      {exists, ann(func(c jwt.MapClaims) { c["email_verified"] = 1 })},
		"another's e-mail": {exists, ann(func(c jwt.MapClaims) { c["email"] = "eve@example.com" })},
		"disabled": {func(w *town) {
			w.person("ann@example.com", domain.PlatformAdmin, func(p *domain.Person) { p.Status = domain.Disabled })
		}, ann(nil)},
		"bound to another": {func(w *town) {
			w.person("ann@example.com", domain.PlatformAdmin, func(p *domain.Person) { p.Subject = w.op.Issuer() + "#1" })
		}, ann(nil)},
		"the same sub elsewhere": {func(w *town) {
			w.person("ann@example.com", domain.PlatformAdmin, func(p *domain.Person) { p.Subject = "https://old.example.com#248289761001" })
		}, ann(nil)},
		"a sub that reads as somebody else's elsewhere": {func(w *town) {
			w.person("x@example.com", domain.PlatformAdmin, func(p *domain.Person) { p.Subject = "https://old.example.com#1" })
		}, ann(func(c jwt.MapClaims) { c["sub"] = "https://old.example.com#1" })},
		"disabled, by the subject": {func(w *town) {
			w.person("x@example.com", domain.PlatformAdmin, func(p *domain.Person) {
				p.Subject, p.Status = w.op.Issuer()+"#248289761001", domain.Disabled
			})
		}, ann(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			tc.people(w)
			before, err := w.db.Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			b, _, err := w.signInAt(tc.who)
			if !errors.Is(err, signin.ErrNobody) || strings.Contains(err.Error(), "ann") {
				t.Errorf("%v", err)
			}
			if after, err := w.db.Head(t.Context()); err != nil || after.Seq != before.Seq || len(b.cookies) != 0 {
				t.Errorf("%d changes, %v, cookies %v", after.Seq-before.Seq, err, b.cookies)
			}
		})
	}
}

// What an ID token must say (OpenID Connect Core §3.1.3.7), and that it is signed by the
// provider in a way that we know.
func TestIDTokens(t *testing.T) {
	for name, change := range map[string]func(jwt.MapClaims){
		"nonce of another sign-in": func(c jwt.MapClaims) { c["nonce"] = "x" },
		"no nonce":                 func(c jwt.MapClaims) { delete(c, "nonce") },
		"other issuer":             func(c jwt.MapClaims) { c["iss"] = "https://evil.example" },
		"other audience":           func(c jwt.MapClaims) { c["aud"] = "somebody-else" },
		"expired":                  func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"no sub":                   func(c jwt.MapClaims) { delete(c, "sub") },
		"long sub":                 func(c jwt.MapClaims) { c["sub"] = strings.Repeat("a", 200) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			w.person("ann@example.com", domain.PlatformAdmin)
			b, _, err := w.signInAt(ann(change))
			if !errors.Is(err, signin.ErrProvider) {
				t.Errorf("%v", err)
			}
			if len(b.cookies) != 0 {
				t.Errorf("cookies %v", b.cookies)
			}
		})
	}
	t.Run("other key", func(t *testing.T) {
		w := newTown(t)
		w.person("ann@example.com", domain.PlatformAdmin)
		if _, _, err := w.signInAt(ann(nil)); err != nil { // the keys are read
			t.Fatal(err)
		}
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		forger, err := mockoidc.NewServer(key)
		if err != nil {
			t.Fatal(err)
		}
		forger.Keypair.Kid = w.op.Keypair.Kid
		b := &browser{t: t, tls: true}
		c := w.start(b, ann(nil))
		published := *w.op.Keypair
		w.op.Keypair.PrivateKey = forger.Keypair.PrivateKey
		_, _, err = w.OIDCCallback(b.visit(http.MethodGet), c)
		*w.op.Keypair = published
		if !errors.Is(err, signin.ErrProvider) {
			t.Errorf("%v", err)
		}
	})
}

// D-98, RFC 6749 §10.12: a sign-in ends in the browser where it was begun, once, in time.
func TestCallbacks(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(w *town, b *browser, c *signin.Callback)
		want   error
	}{
		"other state":        {func(_ *town, _ *browser, c *signin.Callback) { c.State += "x" }, signin.ErrState},
		"no state":           {func(_ *town, _ *browser, c *signin.Callback) { c.State = "" }, signin.ErrState},
		"other browser":      {func(_ *town, b *browser, _ *signin.Callback) { clear(b.cookies) }, signin.ErrState},
		"another sign-in":    {func(w *town, b *browser, _ *signin.Callback) { w.start(b, ann(nil)) }, signin.ErrState},
		"too late":           {func(w *town, _ *browser, _ *signin.Callback) { w.pass(10 * time.Minute) }, signin.ErrState},
		"from the future":    {func(w *town, _ *browser, _ *signin.Callback) { w.pass(-time.Second) }, signin.ErrState},
		"other code":         {func(_ *town, _ *browser, c *signin.Callback) { c.Code = "x" }, signin.ErrProvider},
		"no code":            {func(_ *town, _ *browser, c *signin.Callback) { c.Code = "" }, signin.ErrProvider},
		"other issuer":       {func(_ *town, _ *browser, c *signin.Callback) { c.Issuer = "https://evil.example" }, signin.ErrProvider},
		"denied":             {func(_ *town, _ *browser, c *signin.Callback) { c.Error = "access_denied" }, signin.ErrDenied},
		"denied, other":      {func(_ *town, _ *browser, c *signin.Callback) { c.Error, c.State = "access_denied", "x" }, signin.ErrState},
		"cookie made longer": {func(_ *town, b *browser, _ *signin.Callback) { b.cookies["__Host-postern-oidc"].Value += "0" }, signin.ErrState},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			w.person("ann@example.com", domain.PlatformAdmin)
			b := &browser{t: t, tls: true}
			c := w.start(b, ann(nil))
			tc.change(w, b, &c)
			_, cookies, err := w.OIDCCallback(b.visit(http.MethodGet), c)
			b.keep(cookies)
			if !errors.Is(err, tc.want) || len(b.cookies) != 0 {
				t.Errorf("%v, cookies %v", err, b.cookies)
			}
		})
	}
	t.Run("twice", func(t *testing.T) {
		w := newTown(t)
		w.person("ann@example.com", domain.PlatformAdmin)
		b := &browser{t: t, tls: true}
		c := w.start(b, ann(nil))
		if _, _, err := w.OIDCCallback(b.visit(http.MethodGet), c); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.OIDCCallback(b.visit(http.MethodGet), c); !errors.Is(err, signin.ErrProvider) {
			t.Errorf("%v", err)
		}
	})
	if err := callbackError(t, "access_denied"); !errors.Is(err, signin.ErrDenied) || !strings.HasSuffix(err.Error(), ": access_denied") {
		t.Errorf("told %v", err)
	}
	if err := callbackError(t, "<b>call me</b>"); !errors.Is(err, signin.ErrDenied) || strings.Contains(err.Error(), "call") {
		t.Errorf("told %v", err)
	}
}

func callbackError(t *testing.T, word string) error {
	w := newTown(t)
	b := &browser{t: t, tls: true}
	c := w.start(b, ann(nil))
	c.Error = word
	_, _, err := w.OIDCCallback(b.visit(http.MethodGet), c)
	return err
}

// A sign-in is as fresh as the provider's own (auth_time); one that does not say is not fresh.
func TestOpenIDConnectIsAsFreshAsTheProvider(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(jwt.MapClaims)
		fresh  bool
	}{
		"now":        {nil, true},
		"an hour":    {func(c jwt.MapClaims) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }, false},
		"not said":   {func(c jwt.MapClaims) { delete(c, "auth_time") }, false},
		"the future": {func(c jwt.MapClaims) { c["auth_time"] = time.Now().Add(time.Hour).Unix() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			w.person("ann@example.com", domain.PlatformAdmin)
			b, out, err := w.signInAt(ann(tc.change))
			if err != nil || out.Platform != tc.fresh {
				t.Fatalf("%+v, %v", out, err)
			}
			w.pass(signin.Fresh)
			if c, err := w.caller(b, http.MethodGet); err != nil || c.Platform {
				t.Errorf("a quarter of an hour later: %+v, %v", c, err)
			}
		})
	}
}

// The request is what OpenID Connect Core §3.1.2.1 and RFC 7636 want, and its cookie is Lax, short-lived and no script's.
func TestOIDCStart(t *testing.T) {
	w := newTown(t)
	b := &browser{t: t, tls: true}
	var seen []string
	for range 2 {
		location, cookies, err := w.OIDCStart(b.visit(http.MethodGet))
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(location)
		if err != nil || !strings.HasPrefix(location, w.op.AuthorizationEndpoint()+"?") {
			t.Fatal(location, err)
		}
		q := u.Query()
		for name, want := range map[string]string{
			"response_type": "code", "client_id": w.op.ClientID, "redirect_uri": "https://postern.example.com/api/admin/oidc/callback", "scope": "openid email",
			"code_challenge_method": "S256", "max_age": "900",
		} {
			if q.Get(name) != want {
				t.Errorf("%s is %q", name, q.Get(name))
			}
		}
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			if len(q.Get(name)) != 43 || slices.Contains(seen, q.Get(name)) {
				t.Errorf("%s is %q", name, q.Get(name))
			}
			seen = append(seen, q.Get(name))
		}
		want := &http.Cookie{Name: "__Host-postern-oidc", Value: cookies[0].Value, Path: "/", MaxAge: 600, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
		if diff := cmp.Diff([]*http.Cookie{want}, cookies); diff != "" {
			t.Error(diff)
		}
		if strings.Contains(location, cookies[0].Value[:43]) {
			t.Error("what only the browser has is told to the provider")
		}
	}
	if _, _, err := newScene(t).OIDCStart(b.visit(http.MethodGet)); !errors.Is(err, signin.ErrNoOIDC) {
		t.Errorf("without a provider: %v", err)
	}
}

// OpenID Connect Core §5.4: the e-mail may come from the userinfo endpoint, of the same person only.
func TestUserinfo(t *testing.T) {
	for name, tc := range map[string]struct {
		info string
		want error
	}{
		"verified":      {`{"sub":"248289761001","email":"ann@example.com","email_verified":true}`, nil},
		"a text":        {`{"sub":"248289761001","email":"ann@example.com","email_verified":"true"}`, nil},
		"not verified":  {`{"sub":"248289761001","email":"ann@example.com"}`, signin.ErrNobody},
		"no e-mail":     {`{"sub":"248289761001"}`, signin.ErrNobody},
		"somebody else": {`{"sub":"1","email":"ann@example.com","email_verified":true}`, signin.ErrProvider},
		"nobody":        {`{"email":"ann@example.com","email_verified":true}`, signin.ErrProvider},
		"no JSON":       {`ann`, signin.ErrProvider},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			w.person("ann@example.com", domain.PlatformAdmin)
			who := ann(without("email", "email_verified"))
			who.info = tc.info
			if _, _, err := w.signInAt(who); !errors.Is(err, tc.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// Ten times a source may come back with what is worth nothing: each costs the provider a request.
func TestCallbacksOfASource(t *testing.T) {
	w := newTown(t)
	w.person("ann@example.com", domain.PlatformAdmin)
	b := &browser{t: t, tls: true}
	c := w.start(b, ann(nil))
	for range 10 {
		if _, _, err := w.OIDCCallback(b.visit(http.MethodGet), signin.Callback{Code: "x", State: c.State}); !errors.Is(err, signin.ErrProvider) {
			t.Fatal(err)
		}
	}
	var wait *signin.TooMany
	if _, _, err := w.OIDCCallback(b.visit(http.MethodGet), c); !errors.As(err, &wait) {
		t.Errorf("%v", err)
	}
}
