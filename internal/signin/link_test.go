package signin_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/signin"
	"github.com/postern-dev/postern/oauth"
)

func (s *scene) noAdminYet() bool {
	s.t.Helper()
	none, err := s.NoAdminYet(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return none
}

// D-99: the first administrator comes by a random link, of which only the hash is kept, in a
// file that nobody else reads; there is no password before.
func TestBootstrap(t *testing.T) {
	s := newScene(t)
	if !s.noAdminYet() {
		t.Fatal("there is an administrator in an empty store")
	}
	if err := os.WriteFile(filepath.Join(s.dir, signin.LinkFile), []byte("old"), 0o644); err != nil { //nolint:gosec // it must not stay so
		t.Fatal(err)
	}
	l, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(l.File)
	if err != nil || string(data) != string(l.Token)+"\n" || filepath.Dir(l.File) != s.dir {
		t.Errorf("%s: %v", l.File, err)
	}
	if info, err := os.Stat(l.File); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	for _, text := range s.records.written {
		if strings.Contains(text, string(l.Token)) || strings.Contains(text, string(l.Token)[4:47]) {
			t.Errorf("stored %q", text)
		}
	}
	p, err := s.Accept(t.Context(), "https://postern.example.com/#"+l.Token, "Ann@example.com", right)
	if err != nil || p.Name != "ann@example.com" || p.Role != domain.PlatformAdmin || !p.AllTenants || !p.AllIssuers {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := os.Stat(l.File); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if c, err := s.caller(s.signIn("ann@example.com"), "POST"); err != nil || !c.Platform {
		t.Errorf("%+v, %v", c, err)
	}
	if s.noAdminYet() {
		t.Error("there is no administrator")
	}
	if _, err := s.Bootstrap(t.Context()); !errors.Is(err, signin.ErrHasAdmin) {
		t.Errorf("a second bootstrap: %v", err)
	}
	changes, err := s.db.Follow(t.Context(), 0, 10)
	if err != nil || len(changes) != 2 {
		t.Fatalf("%+v, %v", changes, err)
	}
	for _, c := range changes {
		if c.Actor != "person:ann@example.com" || strings.Contains(string(c.Object), "argon2") {
			t.Errorf("%s by %s: %s", c.Action, c.Actor, c.Object)
		}
	}
}

// D-99: a link lives an hour and is used once; what is wrong with a name or a password costs it nothing.
func TestLinkIsGoodOnce(t *testing.T) {
	s := newScene(t)
	l, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		token    oauth.Secret
		name     string
		password oauth.Secret
	}{
		"short password": {l.Token, "ann@example.com", "short"},
		"no name":        {l.Token, "", right},
		"no good name":   {l.Token, "ann berg", right},
		"other token":    {"pst_" + oauth.Secret(strings.Repeat("A", 49)), "ann@example.com", right},
		"no token":       {"", "ann@example.com", right},
		"cut":            {l.Token[:50], "ann@example.com", right},
	} {
		if _, err := s.Accept(t.Context(), tc.token, tc.name, tc.password); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	s.pass(59 * time.Minute)
	var good, bad int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := s.Accept(t.Context(), l.Token, "ann@example.com", right)
			var wait *signin.TooMany
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				good++
			case errors.Is(err, signin.ErrLink), errors.Is(err, signin.ErrHasAdmin), errors.As(err, &wait):
				bad++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	people, err := s.people.ListPeople(t.Context(), domain.Page{})
	if err != nil || good != 1 || bad != 7 || len(people) != 1 {
		t.Errorf("%d accepted, %d refused, %d people, %v", good, bad, len(people), err)
	}
	if _, err := s.Accept(t.Context(), l.Token, "eve@example.com", right); !errors.Is(err, signin.ErrLink) {
		t.Errorf("again: %v", err)
	}
}

// D-99: after an hour the link is worth nothing, and a link of another node after the first
// administrator is there.
func TestLinksEnd(t *testing.T) {
	s := newScene(t)
	old, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.pass(time.Hour)
	if _, err := s.Accept(t.Context(), old.Token, "ann@example.com", right); !errors.Is(err, signin.ErrLink) {
		t.Errorf("after an hour: %v", err)
	}
	first, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(t.Context(), second.Token, "ann@example.com", right); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(t.Context(), first.Token, "eve@example.com", right); !errors.Is(err, signin.ErrHasAdmin) {
		t.Errorf("the other link: %v", err)
	}
}

// Who was invited sets the password themselves, under their own name only. Who invites may change people.
func TestInvite(t *testing.T) {
	s := newScene(t)
	admin := domain.Caller{Actor: "person:ann@example.com", Role: domain.PlatformAdmin, Platform: true}
	ben := s.person("ben@example.com", domain.Auditor)
	for name, c := range map[string]domain.Caller{
		"not fresh": {Role: domain.PlatformAdmin},
		"manager":   {Role: domain.IntegrationManager, Platform: true},
		"nobody":    {},
	} {
		if _, err := s.Invite(t.Context(), c, ben.ID); !errors.Is(err, signin.ErrNotAllowed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Invite(t.Context(), admin, "00000000-0000-4000-8000-999999999999"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	l, err := s.Invite(t.Context(), admin, ben.ID)
	if err != nil {
		t.Fatal(err)
	}
	another, err := s.Invite(t.Context(), admin, ben.ID)
	if err != nil {
		t.Fatal(err)
	}
	b := s.signIn("ben@example.com")
	if _, err := s.Accept(t.Context(), l.Token, "ann@example.com", other); !errors.Is(err, signin.ErrLink) {
		t.Errorf("another's name: %v", err)
	}
	p, err := s.Accept(t.Context(), l.Token, "", other)
	if err != nil || p.Role != domain.Auditor {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := s.Accept(t.Context(), another.Token, "", right); !errors.Is(err, signin.ErrLink) {
		t.Errorf("another link, made before the password was set: %v", err)
	}
	if _, err := s.caller(b, "GET"); !errors.Is(err, signin.ErrEnded) {
		t.Errorf("a session of before: %v", err)
	}
	if _, err := s.Password(t.Context(), "ben@example.com", right, home); !errors.Is(err, signin.ErrPassword) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := s.Password(t.Context(), "ben@example.com", other, home); err != nil {
		t.Errorf("the new one: %v", err)
	}
	if l, err = s.Invite(t.Context(), admin, ben.ID); err != nil {
		t.Fatal(err)
	}
	s.put(disabled(p))
	if _, err := s.Accept(t.Context(), l.Token, "", right); !errors.Is(err, signin.ErrLink) {
		t.Errorf("disabled meanwhile: %v", err)
	}
}

// Of several links for one person that are used at the same moment, one is good: the password that it
// sets ends the others.
func TestLinksAtOnce(t *testing.T) {
	s := newScene(t)
	admin := domain.Caller{Actor: "person:ann@example.com", Role: domain.PlatformAdmin, Platform: true}
	ben := s.person("ben@example.com", domain.Auditor)
	var tokens []oauth.Secret
	for range 4 {
		l, err := s.Invite(t.Context(), admin, ben.ID)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, l.Token)
	}
	answers := make(chan error, len(tokens))
	for _, token := range tokens {
		go func() {
			_, err := s.Accept(t.Context(), token, "", other)
			answers <- err
		}()
	}
	good := 0
	for range tokens {
		switch err := <-answers; {
		case err == nil:
			good++
		case !errors.Is(err, signin.ErrLink):
			t.Error(err)
		}
	}
	if good != 1 {
		t.Errorf("%d links were good", good)
	}
}

// RULES "Administration": the machine's own user lets an administrator in again; that is a change
// with the actor's name, and ends what sessions there were.
func TestRecover(t *testing.T) {
	s := newScene(t)
	ann := s.person("ann@example.com", domain.Auditor)
	ben := s.person("ben@example.com", domain.PlatformAdmin, func(p *domain.Person) { p.Reach = domain.Reach{AllTenants: true, AllIssuers: true} })
	b, c := s.signIn(ann.Name), s.signIn(ben.Name)
	s.put(disabled(ann))
	for _, name := range []string{"Ann@example.com", "ben@example.com", "new@example.com"} {
		l, err := s.Recover(t.Context(), "local:0", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Password(t.Context(), name, right, home); !errors.Is(err, signin.ErrPassword) {
			t.Errorf("the password of before: %v", err)
		}
		p, err := s.Accept(t.Context(), l.Token, name, other)
		if err != nil || p.Role != domain.PlatformAdmin || p.Status != domain.Enabled || !p.AllTenants {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := s.Password(t.Context(), name, other, home); err != nil {
			t.Error(err)
		}
	}
	for _, before := range []*browser{b, c} {
		if _, err := s.caller(before, "GET"); !errors.Is(err, signin.ErrEnded) {
			t.Errorf("a session of before: %v", err)
		}
	}
	changes, err := s.db.Follow(t.Context(), 0, 20)
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string]int)
	for _, c := range changes {
		if c.Actor == "local:0" {
			told[c.Action]++
		}
	}
	if diff := cmp.Diff(map[string]int{"person.create": 1, "person.update": 1, "person.set_password": 3}, told); diff != "" {
		t.Error(diff)
	}
}

func disabled(p domain.Person) domain.Person {
	p.Status = domain.Disabled
	return p
}

// failing is a registry that cannot set a password, once, or makes somebody and cannot say so.
type failing struct {
	signin.People
	left   int
	behind bool
}

func (f *failing) CreatePerson(ctx context.Context, by domain.Actor, spec domain.Person) (domain.Person, error) {
	p, err := f.People.CreatePerson(ctx, by, spec)
	if err == nil && f.behind {
		err = domain.ErrBehind
	}
	return p, err
}

func (f *failing) SetPassword(ctx context.Context, by domain.Actor, id string, ifVersion int64, hash string) error {
	if f.left--; f.left >= 0 {
		return errors.New("the disk is full")
	}
	return f.People.SetPassword(ctx, by, id, ifVersion, hash)
}

// A link is not lost where the store fails half-way: it goes on from there.
func TestLinkOutlivesAFailure(t *testing.T) {
	for name, f := range map[string]*failing{"no password": {left: 1}, "made, and not applied here": {behind: true}} {
		t.Run(name, func(t *testing.T) { f.outlived(t) })
	}
}

func (f *failing) outlived(t *testing.T) {
	s := newScene(t, func(c *signin.Config) { f.People, c.People = c.People, f })
	l, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(t.Context(), l.Token, "ann@example.com", right); err == nil {
		t.Fatal("accepted without a password")
	}
	if _, err := s.Accept(t.Context(), l.Token, "ann@example.com", other); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Password(t.Context(), "ann@example.com", other, home); err != nil {
		t.Error(err)
	}
	people, err := s.people.ListPeople(t.Context(), domain.Page{})
	if err != nil || len(people) != 1 {
		t.Errorf("%d people, %v", len(people), err)
	}
	if _, err := s.Accept(t.Context(), l.Token, "", right); !errors.Is(err, signin.ErrLink) {
		t.Errorf("again: %v", err)
	}
}

// RULES "Token endpoint": 256 random bits have no guess limit. Who tries links that are none is told to
// wait; the right one is good all the same.
func TestTheRightLinkIsAlwaysGood(t *testing.T) {
	s := newScene(t)
	ben := s.person("ben@example.com", domain.Auditor)
	admin := domain.Caller{Actor: "person:ann@example.com", Role: domain.PlatformAdmin, Platform: true}
	l, err := s.Invite(t.Context(), admin, ben.ID)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, tls: true}
	waited := false
	for range 20 {
		_, err := s.AcceptLink(b.visit(http.MethodPost), signin.Acceptance{Token: secret.Generate(), Password: right})
		waited = waited || !errors.Is(err, signin.ErrLink)
	}
	if !waited {
		t.Error("links can be tried without end")
	}
	if _, err := s.AcceptLink(b.visit(http.MethodPost), signin.Acceptance{Token: l.Token, Password: right}); err != nil {
		t.Error(err)
	}
}
