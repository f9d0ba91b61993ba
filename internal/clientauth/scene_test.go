package clientauth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/ratelimit"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
)

// scene is an issuer with its clients, and the authenticator before them. Its
// time is the real one, or that of synctest.
type scene struct {
	*Authenticator
	t       testing.TB
	rows    rows
	issuer  string
	imports bool

	keyed, slow atomic.Int32 // hashes evaluated
	keyedTime   time.Duration
	slowTime    time.Duration
}

// rows are the clients by key.
type rows struct {
	mu   sync.Mutex
	m    map[string]*snapshot.Client
	fail error
	read time.Duration // what looking up an unknown id takes
}

func (r *rows) Client(_ context.Context, issuer, id string) (*snapshot.Client, error) {
	r.mu.Lock()
	c := r.m[domain.ClientKey(issuer, id)]
	r.mu.Unlock()
	if r.fail != nil {
		return nil, r.fail
	}
	if c == nil {
		time.Sleep(r.read)
		return nil, domain.ErrNotFound
	}
	return c, nil
}

// newScene opens an issuer: with imported secrets, or with generated ones only.
func newScene(t testing.TB, imports bool) *scene {
	s := &scene{t: t, rows: rows{m: map[string]*snapshot.Client{}}, issuer: "vibes", imports: imports}
	s.Authenticator = New(Config{
		Clients:  &s.rows,
		Peppers:  peppers(t, "p1"),
		Gate:     secret.NewGate(),
		Guesses:  ratelimit.NewGuesses(time.Now),
		Failures: ratelimit.NewFailures(time.Now),
		Now:      time.Now,
	})
	real := s.verify
	s.verify = func(v secret.Verifier, issuer, client, secretID string, plain oauth.Secret) bool {
		if v.Imported() {
			s.slow.Add(1)
			time.Sleep(s.slowTime)
		} else {
			s.keyed.Add(1)
			time.Sleep(s.keyedTime)
		}
		if strings.HasPrefix(client, "crowd") { // takes time, and no CPU
			return false
		}
		return real(v, issuer, client, secretID, plain)
	}
	return s
}

func peppers(t testing.TB, ids ...string) *secret.Peppers {
	t.Helper()
	p := secret.NewPeppers()
	for i, id := range ids {
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		if err := p.Add(id, key, i == len(ids)-1); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// client adds an imported client, or one of our making, with these hashes as its secrets s1, s2 …
func (s *scene) client(id string, hashes ...string) *domain.Client {
	c := &domain.Client{Issuer: s.issuer, ID: id, Status: domain.Enabled, Tenant: "t1", Imported: s.imports, Version: 1}
	for i, h := range hashes {
		c.Secrets = append(c.Secrets, domain.Secret{ID: "s" + string(rune('1'+i)), Hash: h})
	}
	s.put(c)
	return c
}

// put makes the row the current one.
func (s *scene) put(c *domain.Client) {
	s.t.Helper()
	prepared, err := snapshot.NewClient(*c)
	if err != nil {
		s.t.Fatal(err)
	}
	s.rows.mu.Lock()
	defer s.rows.mu.Unlock()
	s.rows.m[c.Key()] = prepared
}

// try authenticates with body credentials.
func (s *scene) try(id, plain, source string) (Result, error) {
	return s.send(oauth.Credentials{ID: id, Secret: oauth.Secret(plain)}, source)
}

// basic authenticates with an Authorization header that encodes as RFC 6749 §2.3.1 says, which is what x/oauth2 does.
func (s *scene) basic(id, plain, source string) (Result, error) {
	return s.send(oauth.Credentials{ID: url.QueryEscape(id), Secret: oauth.Secret(url.QueryEscape(plain)), Basic: true}, source)
}

func (s *scene) send(c oauth.Credentials, source string) (Result, error) {
	return s.Authenticate(context.Background(), s.request(c, source))
}

func (s *scene) request(c oauth.Credentials, source string) Request {
	return Request{Issuer: s.issuer, ImportedSecrets: s.imports, Credentials: c, Source: netip.MustParseAddr(source)}
}

// want checks the outcome: empty is success.
func want(t testing.TB, r Result, err error, failure oauth.Failure) {
	t.Helper()
	if failure == "" {
		if err != nil || r.Client == nil || r.SecretID == "" {
			t.Fatalf("refused: %v, %+v", err, r.Known)
		}
		return
	}
	var e *oauth.Error
	if !errors.As(err, &e) || e.Failure != failure {
		t.Fatalf("got %v, want %s", err, failure)
	}
	if r.Client != nil || r.SecretID != "" {
		t.Fatal("refused, and yet a client was returned")
	}
	if retry := e.RetryAfter > 0; retry != (failure != oauth.FailureCredentialsWrong) {
		t.Errorf("%s with Retry-After %v", failure, e.RetryAfter)
	}
	if e.RetryAfter%time.Second != 0 {
		t.Errorf("Retry-After is %v: whole seconds", e.RetryAfter)
	}
}

// Hashes of the secret "Password123" and others, made once.
func argon2(t testing.TB, plain string) string {
	t.Helper()
	h, err := secret.HashImported(oauth.Secret(plain))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func bcrypted(t testing.TB, plain string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(plain), bcrypt.MinCost+6) // 10, the usual one
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

func ago(d time.Duration) *time.Time { t := time.Now().Add(-d); return &t }
