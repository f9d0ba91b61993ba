package signin_test

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/signin"
)

// A session is the caller that the person is, with Platform while the sign-in is fresh.
func TestSessionIsTheCaller(t *testing.T) {
	s := newScene(t)
	s.person("ann@example.com", domain.PlatformAdmin, func(p *domain.Person) { p.Reach = domain.Reach{AllTenants: true, AllIssuers: true} })
	s.person("ben@example.com", domain.IntegrationManager, func(p *domain.Person) { p.Reach = domain.Reach{Tenants: []string{"t1"}, Issuers: []string{"stage"}} })
	ann, ben := s.signIn("ann@example.com"), s.signIn("ben@example.com")
	for b, want := range map[*browser]domain.Caller{
		ann: {Actor: "person:ann@example.com", Role: domain.PlatformAdmin, Reach: domain.Reach{AllTenants: true, AllIssuers: true}, Platform: true},
		ben: {Actor: "person:ben@example.com", Role: domain.IntegrationManager, Reach: domain.Reach{Tenants: []string{"t1"}, Issuers: []string{"stage"}}},
	} {
		got, err := s.caller(b, http.MethodPost)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	s.pass(signin.Fresh - time.Second)
	if c, err := s.caller(ann, http.MethodPost); err != nil || !c.Platform {
		t.Errorf("just fresh: %+v, %v", c, err)
	}
	s.pass(time.Second)
	if c, err := s.caller(ann, http.MethodPost); err != nil || c.Platform || c.Role != domain.PlatformAdmin {
		t.Errorf("no longer fresh: %+v, %v", c, err)
	}
	v := ann.visit(http.MethodGet)
	c, session, err := s.Caller(v.Request, v.Source)
	if who := signin.Tell(c, session); err != nil || who.Name != "ann@example.com" || who.Platform || who.FreshUntil == nil || !who.FreshUntil.Equal(s.clock()) {
		t.Errorf("who: %+v, %v", who, err)
	}
}

// D-98: no session is taken up that the browser brings along; each sign-in makes a new one and
// ends the old one.
func TestSessionFixation(t *testing.T) {
	s := newScene(t)
	s.person("ann@example.com", domain.PlatformAdmin)
	planted := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	b := &browser{t: t, tls: true, cookies: map[string]*http.Cookie{"__Host-postern": {Name: "__Host-postern", Value: planted}}}
	var seen []string
	for range 2 {
		old := b.cookies["__Host-postern"].Value
		_, cookies, err := s.Begin(b.visit(http.MethodPost), signin.NamePassword{Name: "ann@example.com", Password: right})
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, old)
		b.keep(cookies)
		if slices.Contains(seen, b.cookies["__Host-postern"].Value) {
			t.Error("the token is one that was there before")
		}
		if _, err := s.caller(b, http.MethodPost); err != nil {
			t.Errorf("the new session: %v", err)
		}
		before := &browser{t: t, tls: true, cookies: map[string]*http.Cookie{"__Host-postern": {Name: "__Host-postern", Value: old}}}
		if _, err := s.caller(before, http.MethodPost); !errors.Is(err, signin.ErrEnded) {
			t.Errorf("the old one: %v", err)
		}
	}
}

// D-98: a session ends when it is idle, and in any case half a day after the sign-in.
func TestSessionTimeouts(t *testing.T) {
	s := newScene(t)
	s.person("ann@example.com", domain.PlatformAdmin)
	idle := s.signIn("ann@example.com")
	s.pass(29 * time.Minute)
	if _, err := s.caller(idle, http.MethodPost); err != nil {
		t.Errorf("after 29 minutes: %v", err)
	}
	s.pass(29 * time.Minute)
	if _, err := s.caller(idle, http.MethodPost); err != nil {
		t.Errorf("after 29 minutes more: %v", err)
	}
	s.pass(30 * time.Minute)
	if _, err := s.caller(idle, http.MethodPost); !errors.Is(err, signin.ErrEnded) {
		t.Errorf("idle for half an hour: %v", err)
	}
	busy := s.signIn("ann@example.com")
	for range 36 { // of 20 minutes: 12 hours
		if _, err := s.caller(busy, http.MethodPost); err != nil {
			t.Fatal(err)
		}
		s.pass(20 * time.Minute)
	}
	if _, err := s.caller(busy, http.MethodPost); !errors.Is(err, signin.ErrEnded) {
		t.Errorf("after twelve busy hours: %v", err)
	}
}

// D-98: signing out ends the session on the server, also for requests under way then.
func TestSignOut(t *testing.T) {
	s := newScene(t)
	s.person("ann@example.com", domain.PlatformAdmin)
	b := s.signIn("ann@example.com")
	stolen := &browser{t: t, tls: true, cookies: map[string]*http.Cookie{"__Host-postern": b.cookies["__Host-postern"]}}
	s.pass(2 * time.Minute)
	s.records.during = func() { // a request is in the midst of being known, and notes that the session is used
		s.records.during = nil
		cookies, err := s.SignOut(b.visit(http.MethodDelete))
		if err != nil {
			t.Error(err)
		}
		b.keep(cookies)
	}
	_, _ = s.caller(stolen, http.MethodGet)
	if s.records.during != nil {
		t.Fatal("nothing was under way")
	}
	if _, err := s.caller(stolen, http.MethodGet); !errors.Is(err, signin.ErrEnded) {
		t.Errorf("after signing out: %v", err)
	}
	if _, err := s.caller(b, http.MethodGet); !errors.Is(err, signin.ErrNone) {
		t.Errorf("the cookie is still there: %v", err)
	}
	if _, err := s.SignOut(b.visit(http.MethodDelete)); err != nil {
		t.Errorf("signing out twice: %v", err)
	}
	var actions []domain.Action
	for _, e := range s.entries {
		actions = append(actions, e.Action)
		if e.Actor != "person:ann@example.com" || e.Source != home.String() {
			t.Errorf("recorded %+v", e)
		}
	}
	if diff := cmp.Diff([]domain.Action{signin.SessionBegan, signin.SessionEnded}, actions); diff != "" {
		t.Error(diff)
	}
}

// D-98, COM-12: a person's sessions end with the next request after the person changed.
func TestSessionEndsWithThePerson(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*domain.Person)
		ends   bool
	}{
		"epoch":    {func(p *domain.Person) { p.Epoch++ }, true},
		"disabled": {func(p *domain.Person) { p.Status = domain.Disabled }, true},
		"role":     {func(p *domain.Person) { p.Role = domain.Auditor }, true},
		"reach":    {func(p *domain.Person) { p.Reach = domain.Reach{Tenants: []string{"t2"}} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			p := s.person("ann@example.com", domain.IntegrationManager)
			b := s.signIn("ann@example.com")
			tc.change(&p)
			p = s.put(p)
			c, err := s.caller(b, http.MethodGet)
			if tc.ends != errors.Is(err, signin.ErrEnded) || !tc.ends && (err != nil || !cmp.Equal(c.Reach, p.Reach)) {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
	t.Run("deleted", func(t *testing.T) {
		s := newScene(t)
		p := s.person("ann@example.com", domain.IntegrationManager)
		b := s.signIn("ann@example.com")
		if _, err := s.db.Change(t.Context(), domain.System, func(tables domain.Tables) ([]domain.Change, error) {
			return []domain.Change{{Kind: domain.KindPerson, Key: p.ID, Action: "person.delete"}}, tables.People.Delete(t.Context(), p.ID, p.Version)
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.caller(b, http.MethodGet); !errors.Is(err, signin.ErrEnded) {
			t.Errorf("%v", err)
		}
	})
}

// D-98: what is stored of a session does not let anybody in.
func TestSessionIsHashedAtRest(t *testing.T) {
	s := newScene(t)
	s.person("ann@example.com", domain.PlatformAdmin)
	token := s.signIn("ann@example.com").cookies["__Host-postern"].Value
	if len(s.records.written) == 0 {
		t.Fatal("nothing was stored")
	}
	for _, text := range s.records.written {
		if strings.Contains(text, token) || strings.Contains(text, string(right)) {
			t.Errorf("stored %q", text)
		}
		b := &browser{t: t, tls: true, cookies: map[string]*http.Cookie{"__Host-postern": {Name: "__Host-postern", Value: strings.Map(printable, text)}}}
		if _, err := s.caller(b, http.MethodGet); !errors.Is(err, signin.ErrEnded) {
			t.Errorf("%q lets in: %v", text, err)
		}
	}
}

func printable(r rune) rune {
	if r <= ' ' || r > '~' || strings.ContainsRune(`",;\`, r) {
		return -1
	}
	return r
}

// RULES "Administration": the session cookie is Strict, no script's, of this host only.
func TestCookies(t *testing.T) {
	s := newScene(t)
	s.person("ann@example.com", domain.PlatformAdmin)
	in := signin.NamePassword{Name: "ann@example.com", Password: right}
	plain := &browser{t: t}
	encrypted := &browser{t: t, tls: true}
	proxied := (&browser{t: t}).visit(http.MethodPost)
	proxied.Request = proxied.Request.WithContext(signin.BehindTLS(proxied.Request.Context()))
	proxied.Request.Header.Set("Origin", "https://postern.example.com")
	for name, tc := range map[string]struct {
		visit  signin.Visit
		cookie string
		secure bool
	}{
		"plain":     {plain.visit(http.MethodPost), "postern", false},
		"TLS":       {encrypted.visit(http.MethodPost), "__Host-postern", true},
		"TLS proxy": {proxied, "__Host-postern", true},
	} {
		_, cookies, err := s.Begin(tc.visit, in)
		if err != nil || len(cookies) != 1 {
			t.Fatal(err, cookies)
		}
		c := cookies[0]
		want := &http.Cookie{Name: tc.cookie, Value: c.Value, Path: "/", Secure: tc.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode}
		if diff := cmp.Diff(want, c); diff != "" || len(c.Value) != 43 {
			t.Errorf("%s: %s", name, diff)
		}
	}
	// Over TLS a cookie that anybody could have set is not looked at.
	_, cookies, err := s.Begin(plain.visit(http.MethodPost), in)
	if err != nil {
		t.Fatal(err)
	}
	plain.keep(cookies)
	v := plain.visit(http.MethodGet)
	v.Request.TLS = &tls.ConnectionState{}
	if _, _, err := s.Caller(v.Request, v.Source); !errors.Is(err, signin.ErrNone) {
		t.Errorf("a cookie without the prefix, over TLS: %v", err)
	}
}

// D-95: a session changes something from a page of this server only.
func TestCrossSiteRequests(t *testing.T) {
	s := newScene(t)
	s.person("ann@example.com", domain.PlatformAdmin)
	b := s.signIn("ann@example.com")
	for name, tc := range map[string]struct {
		method string
		header map[string]string
		good   bool
	}{
		"without TLS":           {http.MethodPost, map[string]string{"Origin": "http://postern.example.com"}, false},
		"two origins":           {http.MethodPost, map[string]string{"Origin": "https://postern.example.com", "origin": "https://evil.example"}, false},
		"two sites":             {http.MethodPost, map[string]string{"Sec-Fetch-Site": "same-origin", "sec-fetch-site": "cross-site"}, false},
		"same origin":           {http.MethodPost, map[string]string{"Origin": "https://postern.example.com", "Sec-Fetch-Site": "same-origin"}, true},
		"same origin, old":      {http.MethodPatch, map[string]string{"Origin": "https://postern.example.com"}, true},
		"other site":            {http.MethodPost, map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, false},
		"other site, old":       {http.MethodPost, map[string]string{"Origin": "https://evil.example"}, false},
		"sibling":               {http.MethodPost, map[string]string{"Origin": "https://www.example.com", "Sec-Fetch-Site": "same-site"}, false},
		"null":                  {http.MethodDelete, map[string]string{"Origin": "null"}, false},
		"other port":            {http.MethodPost, map[string]string{"Origin": "https://postern.example.com:8443"}, false},
		"says nothing":          {http.MethodPut, nil, false},
		"says nothing of it":    {http.MethodPost, map[string]string{"Origin": "", "Sec-Fetch-Site": ""}, false},
		"reading, other site":   {http.MethodGet, map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, true},
		"reading, says nothing": {http.MethodHead, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			v := b.visit(tc.method)
			v.Request.Header.Del("Origin")
			for _, k := range slices.Sorted(maps.Keys(tc.header)) { // a second one has a name in lower case
				v.Request.Header.Add(k, tc.header[k])
			}
			_, _, err := s.Caller(v.Request, v.Source)
			if tc.good && err != nil || !tc.good && !errors.Is(err, signin.ErrOrigin) {
				t.Errorf("%v", err)
			}
		})
	}
	// Nor does it sign a browser in or out, or sets a password.
	v := (&browser{t: t, tls: true}).visit(http.MethodPost)
	v.Request.Header.Set("Origin", "https://evil.example")
	if _, _, err := s.Begin(v, signin.NamePassword{Name: "ann@example.com", Password: right}); !errors.Is(err, signin.ErrOrigin) {
		t.Errorf("signs in: %v", err)
	}
	if _, err := s.AcceptLink(v, signin.Acceptance{}); !errors.Is(err, signin.ErrOrigin) {
		t.Errorf("sets a password: %v", err)
	}
	v = b.visit(http.MethodDelete)
	v.Request.Header.Set("Origin", "https://evil.example")
	if _, err := s.SignOut(v); !errors.Is(err, signin.ErrOrigin) {
		t.Errorf("signs out: %v", err)
	}
}
