package clientauth

import (
	"strings"
	"sync"
	"testing"

	"github.com/postern-dev/postern/internal/secret"
)

type replaced struct{ issuer, client, secretID, old, new string }

// listen collects what Rehash is told.
func listen(s *scene) func() []replaced {
	var mu sync.Mutex
	var list []replaced
	s.Rehash = func(issuer, client, secretID, oldHash, newHash string) (kept bool) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, replaced{issuer, client, secretID, oldHash, newHash})
		return true
	}
	return func() []replaced {
		s.Wait()
		mu.Lock()
		defer mu.Unlock()
		return list
	}
}

// RULES: a foreign hash is replaced at its first successful use, and only then.
func TestForeignHashIsReplaced(t *testing.T) {
	s := newScene(t, true)
	s.FailureTime = 1
	told := listen(s)
	old := bcrypted(t, "Password123")
	c := s.client("VibesUser", old)
	s.try("VibesUser", "wrong", home) //nolint:errcheck // wrong
	if n := len(told()); n != 0 {
		t.Fatal("replaced by a wrong secret")
	}
	for range 5 {
		r, err := s.try("VibesUser", "Password123", home)
		want(t, r, err, "")
	}
	list := told()
	if len(list) != 1 {
		t.Fatalf("replaced %d times, want once", len(list))
	}
	got := list[0]
	if got.issuer != s.issuer || got.client != "VibesUser" || got.secretID != "s1" || got.old != old || !strings.HasPrefix(got.new, "$argon2id$") {
		t.Errorf("told %+v", got)
	}
	c.Secrets[0].Hash = got.new
	s.put(c)
	before := s.slow.Load()
	r, err := s.try("VibesUser", "Password123", home)
	want(t, r, err, "")
	if s.slow.Load() != before {
		t.Error("the secret is no longer remembered under its new hash")
	}
	v, err := secret.Parse(got.new)
	if err != nil || !v.Verify(s.Peppers, s.issuer, "VibesUser", "s1", "Password123") || v.NeedsRehash(s.Peppers) {
		t.Errorf("the new hash is no good: %v", err)
	}
	if len(told()) != 1 {
		t.Error("a good hash was replaced")
	}
}

// RULES: rotation of the pepper re-makes hashes at their next use.
func TestOldPepperIsReplaced(t *testing.T) {
	s := newScene(t, false)
	told := listen(s)
	plain := generated(s, "a")
	r, err := s.try("a", string(plain), home)
	want(t, r, err, "")
	if len(told()) != 0 {
		t.Fatal("replaced under the current pepper")
	}
	s.try("a", "wrong", home) //nolint:errcheck // wrong; the dummy is made under p1
	if err := s.Peppers.Add("p2", []byte("0123456789abcdef0123456789abcdef"), true); err != nil {
		t.Fatal(err)
	}
	r, err = s.try("a", string(plain), home)
	want(t, r, err, "")
	list := told()
	if len(list) != 1 || !strings.HasPrefix(list[0].new, "$postern$p2$") {
		t.Fatalf("told %+v", list)
	}
	v, err := secret.Parse(list[0].new)
	if err != nil || !v.Verify(s.Peppers, s.issuer, "a", "s1", plain) {
		t.Errorf("the new hash is no good: %v", err)
	}
	if s.nobody().NeedsRehash(s.Peppers) {
		t.Error("the dummy hash is still under the old pepper: it may cost something else")
	}
}

// A hash that could not be kept is made again at the next use.
func TestRehashIsTriedAgain(t *testing.T) {
	s := newScene(t, false)
	calls, kept := 0, false // one use at a time
	s.Rehash = func(string, string, string, string, string) bool {
		calls++
		return kept
	}
	plain := generated(s, "a")
	if err := s.Peppers.Add("p2", []byte("0123456789abcdef0123456789abcdef"), true); err != nil {
		t.Fatal(err)
	}
	use := func(want int) {
		t.Helper()
		if _, err := s.try("a", string(plain), home); err != nil {
			t.Fatal(err)
		}
		if s.Wait(); calls != want {
			t.Fatalf("called %d times, want %d", calls, want)
		}
	}
	use(1)
	use(2)
	kept = true
	use(3)
	use(3)
}
