package clientauth

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
)

// Attempts that only look equal are judged apart: neither the reading of the other nor the row of before.
func TestNotEqual(t *testing.T) {
	hash, another := argon2(t, "a b"), argon2(t, "another")
	second := map[string]struct {
		c    oauth.Credentials
		edit func(*domain.Client)
		want oauth.Failure
	}{
		"other reading":    {c: oauth.Credentials{ID: "u", Secret: "a+b", Basic: true}},
		"other secret":     {c: oauth.Credentials{ID: "u", Secret: "a b"}},
		"changed meantime": {c: oauth.Credentials{ID: "u", Secret: "a+b"}, edit: func(c *domain.Client) { c.Secrets[0].Hash = hash }, want: oauth.FailureCredentialsWrong},
		"right by now":     {c: oauth.Credentials{ID: "u", Secret: "another"}, edit: func(c *domain.Client) { c.Secrets[0].Hash = another }},
	}
	for name, c := range second {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, true)
				row := s.client("u", hash)
				first := c.c
				if c.edit == nil {
					first = oauth.Credentials{ID: "u", Secret: "a+b"}
				}
				go s.send(first, home) //nolint:errcheck // wrong
				synctest.Wait()
				if c.edit != nil {
					row.Version++
					row.Secrets = append([]domain.Secret(nil), row.Secrets...)
					c.edit(row)
					s.put(row)
				}
				r, err := s.send(c.c, home)
				want(t, r, err, c.want)
				if n := s.slow.Load(); n < 2 {
					t.Errorf("%d evaluations: it was given the verdict on another", n)
				}
				time.Sleep(FailureTime)
			})
		})
	}
}

// A right secret that is remembered costs no hash from a new address either, only a guess that is given back.
func TestRememberedFromANewAddress(t *testing.T) {
	s := newScene(t, true)
	s.client("u", argon2(t, "Password123"))
	for range 3 {
		for _, from := range []string{home, enemy, "2001:db8::1"} {
			r, err := s.try("u", "Password123", from)
			want(t, r, err, "")
		}
	}
	if n := s.slow.Load(); n != 1 {
		t.Errorf("%d evaluations, want 1", n)
	}
}

// An issuer with generated secrets reads Basic in one way only.
func TestOneReadingOfGenerated(t *testing.T) {
	s := newScene(t, false)
	plain := string(generated(s, "u"))
	row := s.rows.m["vibes/u"].Client
	row.Imported = true // from when the issuer said imported_secrets
	s.put(&row)
	r, err := s.send(oauth.Credentials{ID: "u", Secret: oauth.Secret(strings.Replace(plain, "_", "%5F", 1)), Basic: true}, home)
	want(t, r, err, oauth.FailureCredentialsWrong)
}
