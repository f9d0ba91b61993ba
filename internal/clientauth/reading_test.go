package clientauth

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// generated adds a client with a secret of our making.
func generated(s *scene, id string) oauth.Secret {
	plain := secret.Generate()
	c := s.client(id, s.Peppers.Hash(s.issuer, id, "s1", plain))
	c.Imported = false
	s.put(c)
	return plain
}

// COM-04: Basic is tried as it stands, then URL-decoded, for imported clients only.
func TestReadingsOfBasic(t *testing.T) {
	const id, plain = "user+1", "a+b%41 c"
	hash := argon2(t, plain)
	cases := map[string]struct {
		c      oauth.Credentials
		ours   bool // the client was made by us
		issuer bool // the issuer has no imported secrets
		hashes int32
		want   oauth.Failure
	}{
		"Basic as it stands":          {c: oauth.Credentials{ID: id, Secret: plain, Basic: true}, hashes: 1},
		"Basic encoded":               {c: oauth.Credentials{ID: "user%2B1", Secret: "a%2Bb%2541+c", Basic: true}, hashes: 1},
		"secret encoded, id not":      {c: oauth.Credentials{ID: id, Secret: "a%2Bb%2541+c", Basic: true}, hashes: 1, want: oauth.FailureCredentialsWrong},
		"id encoded, secret not":      {c: oauth.Credentials{ID: "user%2B1", Secret: plain, Basic: true}, hashes: 1, want: oauth.FailureCredentialsWrong},
		"encoded twice":               {c: oauth.Credentials{ID: "user%252B1", Secret: "a%252Bb", Basic: true}, want: oauth.FailureCredentialsWrong},
		"encoded in the body":         {c: oauth.Credentials{ID: "user%2B1", Secret: "a%2Bb%2541+c"}, want: oauth.FailureCredentialsWrong},
		"no encoding at all":          {c: oauth.Credentials{ID: id, Secret: "100%", Basic: true}, hashes: 1, want: oauth.FailureCredentialsWrong},
		"decodes to nothing but NULs": {c: oauth.Credentials{ID: "%00", Secret: "%00", Basic: true}, want: oauth.FailureCredentialsWrong},
		"client of our making":        {c: oauth.Credentials{ID: "user%2B1", Secret: "a%2Bb%2541+c", Basic: true}, ours: true, want: oauth.FailureCredentialsWrong},
		"issuer without":              {c: oauth.Credentials{ID: "user%2B1", Secret: "a%2Bb%2541+c", Basic: true}, issuer: true, want: oauth.FailureCredentialsWrong},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, !c.issuer)
				row := s.client(id, hash)
				row.Imported = !c.ours
				s.put(row)
				start := time.Now()
				r, err := s.send(c.c, home)
				want(t, r, err, c.want)
				if c.want != "" && !c.issuer && time.Since(start) != FailureTime {
					t.Errorf("took %v", time.Since(start))
				}
				if n := s.slow.Load(); n != c.hashes {
					t.Errorf("%d slow hashes, want %d", n, c.hashes)
				}
			})
		})
	}
}

// One attempt is one guess, in however many readings.
func TestTwoReadingsAreOneGuess(t *testing.T) {
	hash := argon2(t, "Password123")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, true)
		s.client("u", hash)
		for i := range 10 {
			r, err := s.send(oauth.Credentials{ID: "u", Secret: oauth.Secret("a+b" + string(rune('0'+i))), Basic: true}, enemy)
			want(t, r, err, oauth.FailureCredentialsWrong)
		}
		if n := s.slow.Load(); n != 20 {
			t.Errorf("%d evaluations, want both readings of each", n)
		}
		r, err := s.try("u", "Password123", enemy)
		want(t, r, err, oauth.FailureTooManyAttempts)
	})
}

// COM-04, COM-05: a generated secret is the same bytes raw and encoded.
func TestGeneratedInBasic(t *testing.T) {
	for _, imports := range []bool{false, true} {
		s := newScene(t, imports)
		plain := generated(s, "0c1f9a1e-6f0e-4b5e-9a53-1f1f6d1f3d10")
		r, err := s.basic("0c1f9a1e-6f0e-4b5e-9a53-1f1f6d1f3d10", string(plain), home)
		want(t, r, err, "")
	}
}

// COM-08: two secrets while one is rotated; activity learns which.
func TestTwoSecrets(t *testing.T) {
	s := newScene(t, true)
	s.FailureTime = 1
	c := s.client("VibesUser", argon2(t, "Password123"))
	plain := secret.Generate()
	c.Secrets = append(c.Secrets, domain.Secret{ID: "s2", Hash: s.Peppers.Hash(s.issuer, c.ID, "s2", plain)})
	s.put(c)
	for text, id := range map[string]string{"Password123": "s1", string(plain): "s2"} {
		r, err := s.try("VibesUser", text, home)
		want(t, r, err, "")
		if r.SecretID != id || r.Client.ID != "VibesUser" || r.Known != "VibesUser" {
			t.Errorf("secret %s of %s, want %s", r.SecretID, r.Client.ID, id)
		}
	}
	if r, _ := s.try("VibesUser", "wrong", home); r.Known != "VibesUser" {
		t.Error("activity is not told which client was tried")
	}
	if r, _ := s.try("nobody", "wrong", home); r.Known != "" {
		t.Error("activity is told of a client that does not exist")
	}
}

// D-40: what was remembered of a secret is worth nothing once it was replaced, also under the same ids.
func TestForgetsWithTheHash(t *testing.T) {
	s := newScene(t, true)
	s.FailureTime = 1
	c := s.client("VibesUser", argon2(t, "Password123"))
	for range 3 {
		r, err := s.try("VibesUser", "Password123", home)
		want(t, r, err, "")
	}
	if n := s.slow.Load(); n != 1 {
		t.Fatalf("%d evaluations, want 1", n)
	}
	c.Note, c.Version = "renamed", 2
	s.put(c)
	r, err := s.try("VibesUser", "Password123", home)
	want(t, r, err, "")
	if n := s.slow.Load(); n != 1 {
		t.Error("a change of something else forgot the secret")
	}
	c.Secrets = []domain.Secret{{ID: "s1", Hash: argon2(t, "another")}}
	s.put(c)
	r, err = s.try("VibesUser", "Password123", home)
	want(t, r, err, oauth.FailureCredentialsWrong)
}

func TestMemoryIsBounded(t *testing.T) { // D-14
	var m memory
	m.init()
	keep := m.of("i", "c", "s", "h", "in daily use")
	m.add(keep)
	for i := range 4 * memoryShards * rememberedPerShard {
		d := digest{byte(i), byte(i >> 8), byte(i >> 16), 1}
		m.add(d)
		if i%(memoryShards*rememberedPerShard/4) == 0 && !m.has(keep) {
			t.Fatal("forgot what is in daily use")
		}
	}
	n := 0
	for i := range m.shards {
		n += len(m.shards[i].young) + len(m.shards[i].old)
	}
	if n > 2*memoryShards*rememberedPerShard {
		t.Errorf("%d remembered", n)
	}
}

// The digest keeps parts apart, uses apart and processes apart.
func TestDigest(t *testing.T) {
	var m, other memory
	m.init()
	other.init()
	seen := map[digest]string{}
	for name, d := range map[string]digest{
		"plain":           m.of("i", "c", "s", "h", "p"),
		"moved by one":    m.of("ic", "", "s", "h", "p"),
		"moved to secret": m.of("i", "c", "s", "", "hp"),
		"another use":     m.digest('g', "p", "i", "c", "s", "h"),
		"another process": other.of("i", "c", "s", "h", "p"),
	} {
		if before, ok := seen[d]; ok {
			t.Errorf("%s and %s are one", name, before)
		}
		seen[d] = name
	}
	if once, again := m.of("i", "c", "s", "h", "p"), m.of("i", "c", "s", "h", "p"); once != again {
		t.Error("not the same twice")
	}
}

var _ Clients = (*rows)(nil)
