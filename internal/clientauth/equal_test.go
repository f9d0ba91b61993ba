package clientauth

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// wrongs are attempts that fail, each for its own reason. right is the secret of every client.
func wrongs(s *scene, right string, hash func(client, secretID string) string) map[string]Request {
	one := func(id string) *domain.Client { return s.client(id, hash(id, "s1")) }
	one("good")
	one("two")
	s.client("two", hash("two", "s1"), hash("two", "s2"))
	edit := func(id string, f func(*domain.Client)) {
		c := one(id)
		f(c)
		s.put(c)
	}
	edit("disabled", func(c *domain.Client) { c.Status = domain.Disabled })
	edit("over", func(c *domain.Client) { c.ValidUntil = ago(time.Second) })
	edit("old secret", func(c *domain.Client) { c.Secrets[0].Expires = ago(time.Second) })
	edit("no secret", func(c *domain.Client) { c.Secrets = nil })
	edit("platform-wide", func(c *domain.Client) { c.Tenant, c.PlatformWide = "", true })
	other := *one("elsewhere")
	s.rows.mu.Lock()
	delete(s.rows.m, other.Key())
	s.rows.mu.Unlock()
	other.Issuer = "another issuer"
	s.put(&other)

	at := func(id, plain string) Request {
		return s.request(oauth.Credentials{ID: id, Secret: oauth.Secret(plain)}, "192.0.2.1")
	}
	hosted := func(id, plain, tenant string) Request {
		r := at(id, plain)
		r.Tenant = tenant
		return r
	}
	return map[string]Request{
		"unknown":                            at("nobody", right),
		"wrong secret":                       at("good", right+"x"),
		"wrong secret, two alive":            at("two", right+"x"),
		"secret of another length":           at("good", "x"),
		"disabled, right secret":             at("disabled", right), // D-11
		"disabled, wrong secret":             at("disabled", right+"x"),
		"valid until yesterday":              at("over", right),
		"expired secret":                     at("old secret", right),
		"client without a secret":            at("no secret", right),      // D-18
		"of another issuer":                  at("elsewhere", right),      // TRI-12
		"of another tenant's host":           hosted("good", right, "t2"), // D-21
		"platform-wide at the host of one":   hosted("platform-wide", right, "t1"),
		"known with the case of its id bent": at("GOOD", right),
	}
}

// D-11, D-12, D-21, COM-07: with generated secrets, one error and two keyed hashes, whatever was wrong.
func TestGeneratedFailuresAreAlike(t *testing.T) {
	s := newScene(t, false)
	right := secret.Generate()
	cases := wrongs(s, string(right), func(client, id string) string { return s.Peppers.Hash(s.issuer, client, id, right) })
	for name, in := range cases {
		t.Run(name, func(t *testing.T) {
			s.keyed.Store(0)
			r, err := s.Authenticate(context.Background(), in)
			want(t, r, err, oauth.FailureCredentialsWrong)
			if diff := cmp.Diff(oauth.Fail(oauth.FailureCredentialsWrong), err); diff != "" {
				t.Errorf("the error tells more than the others: %s", diff)
			}
			if n := s.keyed.Load(); n != 2 {
				t.Errorf("%d keyed hashes, want 2 as for any other failure", n)
			}
			if n := s.slow.Load(); n != 0 {
				t.Errorf("%d slow hashes", n)
			}
		})
	}
	for _, id := range []string{"good", "two"} { // the counterproof
		r, err := s.try(id, string(right), "192.0.2.1")
		want(t, r, err, "")
	}
}

// D-11, COM-07: with imported secrets, one error after the same time, whatever was wrong, idle or under load.
func TestImportedFailuresAreAlike(t *testing.T) {
	const right = "Password123" // VIB-06
	foreign := map[string]string{"argon2id": argon2(t, right), "bcrypt": bcrypted(t, right)}
	for kind, hash := range foreign {
		for name := range wrongs(newScene(t, true), right, func(string, string) string { return hash }) {
			for _, crowd := range []int{0, 12} {
				t.Run(fmt.Sprintf("%s/%s/behind %d", kind, name, crowd), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { imported(t, right, hash, name, crowd) })
				})
			}
		}
	}
}

func imported(t *testing.T, right, hash, name string, crowd int) {
	s := newScene(t, true)
	s.slowTime = 90 * time.Millisecond // of fake time, and some real
	s.keyedTime = 3 * time.Millisecond
	s.rows.read = 20 * time.Millisecond
	in := wrongs(s, right, func(string, string) string { return hash })[name]
	for i := range crowd { // evaluated ones that queue at the gate
		id := fmt.Sprintf("crowd%d", i)
		s.client(id, hash)
		go s.try(id, "wrong", fmt.Sprintf("198.51.100.%d", i)) //nolint:errcheck // wrong
	}
	synctest.Wait()
	start := time.Now()
	r, err := s.Authenticate(context.Background(), in)
	want(t, r, err, oauth.FailureCredentialsWrong)
	if diff := cmp.Diff(oauth.Fail(oauth.FailureCredentialsWrong), err); diff != "" {
		t.Errorf("the error tells more than the others: %s", diff)
	}
	queue := time.Duration(crowd/2) * s.slowTime
	if crowd > 0 && s.rows.m[domain.ClientKey(in.Issuer, in.Credentials.ID)] == nil {
		queue -= s.rows.read // was in the look-up while the queue moved on
	}
	if took := time.Since(start); took != queue+FailureTime {
		t.Errorf("took %v, want %v of queue and %v, as any other failure", took, queue, FailureTime)
	}
	time.Sleep(time.Minute)
}

// D-10: beyond 256 bytes nothing is looked up and nothing hashed; 72 bytes are not cut off.
func TestLength(t *testing.T) {
	long := make([]byte, 1<<20)
	for i := range long {
		long[i] = 'x'
	}
	for _, imports := range []bool{false, true} {
		s := newScene(t, imports)
		s.client(string(long[:257]), argon2(t, "x"))
		for name, c := range map[string]oauth.Credentials{
			"secret of 1 MB":     {ID: "a", Secret: oauth.Secret(long)},
			"secret of 257":      {ID: "a", Secret: oauth.Secret(long[:257])},
			"id of 257":          {ID: string(long[:257]), Secret: "x"},
			"no secret":          {ID: "a"},
			"no id":              {Secret: "x"},
			"Basic of 257 bytes": {ID: "%61", Secret: oauth.Secret("%" + string(long[:256])), Basic: true},
		} {
			s.rows.fail = fmt.Errorf("%s: looked up", name)
			r, err := s.send(c, "192.0.2.1")
			want(t, r, err, oauth.FailureCredentialsWrong)
		}
		if s.keyed.Load()+s.slow.Load() != 0 {
			t.Error("something was hashed")
		}
	}
	s := newScene(t, true)
	s.FailureTime = 1
	s.client("seventy-two", argon2(t, string(long[:80])))
	r, err := s.try("seventy-two", string(long[:79]), "192.0.2.1")
	want(t, r, err, oauth.FailureCredentialsWrong)
	r, err = s.try("seventy-two", string(long[:80]), "192.0.2.1")
	want(t, r, err, "")
}

// A node that has lost its store says so, and that is no verdict on the client.
func TestUnavailable(t *testing.T) {
	s := newScene(t, false)
	s.rows.fail = domain.ErrStale
	r, err := s.try("a", "b", "192.0.2.1")
	want(t, r, err, oauth.FailureUnavailable)
}

// Secrets that may be weak are worth nothing in an issuer that does not say imported_secrets.
func TestImportedSecretInAnIssuerWithout(t *testing.T) {
	s := newScene(t, false)
	s.client("a", argon2(t, "Password123"))
	r, err := s.try("a", "Password123", "192.0.2.1")
	want(t, r, err, oauth.FailureCredentialsWrong)
	if s.slow.Load() != 0 || s.keyed.Load() != 2 {
		t.Error("it costs something else than another failure")
	}
}

// COM-07: a hash slower than failures take is told apart once; then all failures take longer.
func TestSlowHashRaisesTheTime(t *testing.T) {
	hash := argon2(t, "Password123")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, true)
		s.slowTime = 700 * time.Millisecond
		s.client("slow", hash)
		for i, step := range []struct {
			id   string
			took time.Duration
		}{{"nobody", FailureTime}, {"slow", 2 * FailureTime}, {"nobody", 2 * FailureTime}, {"slow", 2 * FailureTime}} {
			start := time.Now()
			r, err := s.try(step.id, fmt.Sprint(i), "192.0.2.1")
			want(t, r, err, oauth.FailureCredentialsWrong)
			if took := time.Since(start); took != step.took {
				t.Errorf("%d: %s took %v, want %v", i, step.id, took, step.took)
			}
		}
		s.failing.raise(time.Hour)
		if s.failing.time() > maxFailing {
			t.Error("without a bound")
		}
	})
}

// Without a pepper nobody is let in, and nothing breaks.
func TestNoPepper(t *testing.T) {
	s := newScene(t, false)
	s.Authenticator = New(Config{Clients: &s.rows, Peppers: secret.NewPeppers(), Failures: s.Failures, Now: time.Now})
	r, err := s.try("nobody", "x", "192.0.2.1")
	want(t, r, err, oauth.FailureCredentialsWrong)
}
