package clientauth

import (
	"context"
	"testing"

	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/internal/snapshot"
	"github.com/postern-dev/postern/oauth"
)

// quick is a scene without the counting of hashes.
func quick(b *testing.B, imports bool) *scene {
	s := newScene(b, imports)
	s.verify = New(s.Config).verify
	return s
}

func run(b *testing.B, s *scene, in Request) {
	b.Helper()
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if r, err := s.Authenticate(ctx, in); err != nil || r.Client == nil {
			b.Fatal(err)
		}
	}
}

// At most 1.5 µs and one allocation.
func BenchmarkGenerated(b *testing.B) {
	s := quick(b, false)
	const id = "0c1f9a1e-6f0e-4b5e-9a53-1f1f6d1f3d10"
	plain := generated(s, id)
	s.Clients = one{s.rows.m["vibes/"+id]}
	run(b, s, s.request(oauth.Credentials{ID: id, Secret: plain}, home))
}

func BenchmarkGeneratedAmongImported(b *testing.B) {
	s := quick(b, true)
	plain := generated(s, "a")
	run(b, s, s.request(oauth.Credentials{ID: "a", Secret: plain}, home))
}

func BenchmarkRemembered(b *testing.B) {
	s := quick(b, true)
	s.client("VibesUser", argon2(b, "Password123"))
	run(b, s, s.request(oauth.Credentials{ID: "VibesUser", Secret: "Password123"}, home))
}

func BenchmarkWrongGenerated(b *testing.B) {
	s := quick(b, false)
	in := s.request(oauth.Credentials{ID: "nobody", Secret: "x"}, home)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Authenticate(context.Background(), in); err == nil {
			b.Fatal("let in")
		}
	}
}

// What this package adds to the keyed hash allocates nothing.
func TestSuccessAllocatesNothing(t *testing.T) {
	for _, imports := range []bool{false, true} {
		s := newScene(t, imports)
		generated(s, "a")
		s.verify = func(secret.Verifier, string, string, string, oauth.Secret) bool { return true }
		in := s.request(oauth.Credentials{ID: "a", Secret: "pst_"}, home)
		s.Clients = one{s.rows.m["vibes/a"]}
		n := testing.AllocsPerRun(100, func() {
			if _, err := s.Authenticate(context.Background(), in); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

// one is an issuer with a single client, found without building a key.
type one struct{ c *snapshot.Client }

func (o one) Client(context.Context, string, string) (*snapshot.Client, error) { return o.c, nil }
