package signin_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/signin"
	"github.com/postern-dev/postern/internal/sqlite"
	"github.com/postern-dev/postern/oauth"
)

const (
	right = oauth.Secret("tall grass by the river")
	other = oauth.Secret("seven lamps on a boat")
)

var (
	home   = netip.MustParseAddr("192.0.2.7")
	abroad = netip.MustParseAddr("203.0.113.9")
)

// scene is a SignIn over a real store, at a time of its own.
type scene struct {
	*signin.SignIn
	t       *testing.T
	db      *sqlite.DB
	records *watched
	people  *registry.Registry
	gate    *secret.Gate
	dir     string

	made int // people

	mu      sync.Mutex
	now     time.Time
	entries []domain.Entry
}

func newScene(t *testing.T, change ...func(*signin.Config)) *scene {
	t.Helper()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	peppers := secret.NewPeppers()
	if err := peppers.Add("p1", bytes.Repeat([]byte{7}, 32), true); err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, db: db, records: &watched{DB: db}, gate: secret.NewGate(), dir: t.TempDir(), now: time.Now().Truncate(time.Second)}
	s.people = &registry.Registry{Store: db, Now: s.clock}
	c := signin.Config{
		Store: db, Records: s.records, People: s.people, Peppers: peppers, Gate: s.gate, Now: s.clock, Local: s.clock, Directory: s.dir,
		Record: func(_ context.Context, e domain.Entry) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.entries = append(s.entries, e)
			return nil
		},
	}
	for _, f := range change {
		f(&c)
	}
	s.SignIn = signin.New(c)
	return s
}

func (s *scene) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *scene) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// cheap is the cheapest argon2id that is taken: a test makes hundreds of guesses.
func cheap(password oauth.Secret) string {
	salt := []byte("0123456789abcdef")
	sum := argon2.IDKey([]byte(password), salt, 1, 4<<10, 1, 32)
	text := base64.RawStdEncoding.EncodeToString
	return "$argon2id$v=19$m=4096,t=1,p=1$" + text(salt) + "$" + text(sum)
}

// person makes one with the password right.
func (s *scene) person(name string, role domain.Role, change ...func(*domain.Person)) domain.Person {
	s.t.Helper()
	p := domain.Person{Name: name, Role: role, Status: domain.Enabled, Password: cheap(right)}
	for _, f := range change {
		f(&p)
	}
	return s.put(p)
}

// browser keeps cookies, as browsers do.
type browser struct {
	t       *testing.T
	tls     bool
	cookies map[string]*http.Cookie
}

func (b *browser) visit(method string) signin.Visit {
	scheme := "http"
	if b.tls {
		scheme = "https"
	}
	r := httptest.NewRequestWithContext(b.t.Context(), method, scheme+"://postern.example.com/api/admin/session", nil)
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	if method != http.MethodGet {
		r.Header.Set("Origin", scheme+"://postern.example.com")
	}
	return signin.Visit{Request: r, Source: home}
}

func (b *browser) keep(cookies []*http.Cookie) {
	if b.cookies == nil {
		b.cookies = make(map[string]*http.Cookie)
	}
	for _, c := range cookies {
		if err := c.Valid(); err != nil {
			b.t.Error(err)
		}
		b.cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
}

// signIn is a browser in which somebody signed in.
func (s *scene) signIn(name string) *browser {
	s.t.Helper()
	b := &browser{t: s.t, tls: true}
	_, cookies, err := s.Begin(b.visit(http.MethodPost), signin.NamePassword{Name: name, Password: right})
	if err != nil {
		s.t.Fatal(err)
	}
	b.keep(cookies)
	return b
}

// caller is who a request of the browser is.
func (s *scene) caller(b *browser, method string) (domain.Caller, error) {
	v := b.visit(method)
	c, _, err := s.Caller(v.Request, v.Source)
	return c, err
}

// watched remembers all that was written as records.
type watched struct {
	*sqlite.DB
	mu      sync.Mutex
	written []string
	during  func() // called before a record is replaced
}

func (w *watched) note(parts ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written = append(w.written, parts...)
}

func (w *watched) AddRecord(ctx context.Context, space, key string, value []byte, now, expires time.Time) error {
	w.note(key, string(value))
	return w.DB.AddRecord(ctx, space, key, value, now, expires)
}

func (w *watched) SetRecord(ctx context.Context, space, key string, value []byte, expires time.Time) error {
	if w.during != nil {
		w.during()
	}
	w.note(key, string(value))
	return w.DB.SetRecord(ctx, space, key, value, expires)
}

// put writes a person as it stands, whatever registry would say to it.
func (s *scene) put(p domain.Person) domain.Person {
	s.t.Helper()
	if p.ID == "" {
		s.made++
		p.ID, p.Epoch, p.Created = fmt.Sprintf("00000000-0000-4000-8000-%012d", s.made), 1, s.clock()
	}
	_, err := s.db.Change(s.t.Context(), domain.System, func(t domain.Tables) ([]domain.Change, error) {
		_, err := t.People.Put(s.t.Context(), p, p.Version)
		return []domain.Change{{Kind: domain.KindPerson, Key: p.ID, Action: "person.test"}}, err
	})
	if err == nil {
		p, err = s.db.Read().People.Get(s.t.Context(), p.ID)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}
