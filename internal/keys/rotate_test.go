package keys_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/seal"
	"github.com/postern-dev/postern/oauth/dialect"
)

// house is an issuer whose keys are rotated over virtual time, as registry does it.
type house struct {
	issuer *domain.Issuer
	ring   *seal.Ring
	list   []domain.Key
	now    time.Time
}

// failer is a testing.TB or a rapid.T.
type failer interface {
	Helper()
	Fatal(args ...any)
}

// newHouse has its first key.
func newHouse(t failer) *house {
	t.Helper()
	h := &house{issuer: issuer("EdDSA"), ring: newRing(t), now: start}
	for _, purpose := range domain.Purposes() {
		k, err := keys.MakeFor(purpose, h.issuer, h.ring, h.now, h.now)
		if err != nil {
			t.Fatal(err)
		}
		h.list = append(h.list, k)
	}
	return h
}

func (h *house) rotate(opts keys.RotateOptions) error {
	changed, removed, err := keys.Rotate(h.issuer, h.list, h.ring, h.now, opts)
	if err != nil {
		return err
	}
	list := slices.DeleteFunc(slices.Clone(h.list), func(k domain.Key) bool { return has(changed, k.ID) || has(removed, k.ID) })
	h.list = append(list, changed...)
	return nil
}

func has(list []domain.Key, id string) bool {
	return slices.ContainsFunc(list, func(k domain.Key) bool { return k.ID == id })
}

// tend is what the server does from time to time.
func (h *house) tend() error {
	spent := keys.Spent(h.list, h.now)
	h.list = slices.DeleteFunc(slices.Clone(h.list), func(k domain.Key) bool { return has(spent, k.ID) })
	for _, purpose := range keys.Due(h.issuer, h.list, h.now) {
		if err := h.rotate(keys.RotateOptions{Purpose: purpose}); err != nil {
			return err
		}
	}
	return nil
}

// signed is a token that lives as long as any may.
type signed struct {
	kid string
	at  time.Time
}

// TestRotateProperty: whatever is rotated when, at any time some key signs for each purpose, and
// for no other, and no valid token fails, even if a node signs by what it knew a minute ago. Nobody who caches the JWKS for Lead
// ever meets a key that is unknown, unless told to hurry.
func TestRotateProperty(t *testing.T) {
	const lag = time.Minute // max_staleness
	rapid.Check(t, func(t *rapid.T) {
		h := newHouse(t)
		old, oldUntil := h.list, h.now // what a node that lags knows, and until when it may
		hurried := map[string]bool{h.list[0].ID: true, h.list[1].ID: true}
		purposes := map[string]domain.Purpose{}
		var tokens []signed
		sign := func(list []domain.Key) {
			for _, purpose := range domain.Purposes() {
				k := keys.SigningFor(purpose, list, h.now)
				if k == nil {
					t.Fatalf("at %s nothing signs for %s", h.now, purpose)
				}
				if was, known := purposes[k.ID]; known && was != purpose {
					t.Fatalf("key %s signs for %s and for %s", k.ID, was, purpose)
				}
				purposes[k.ID] = purpose
				if !hurried[k.ID] && h.now.Sub(k.Published) < keys.Lead {
					t.Fatalf("key %s signs %s after it was published", k.ID, h.now.Sub(k.Published))
				}
				tokens = append(tokens, signed{k.ID, h.now})
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			before := h.list
			purpose := rapid.SampledFrom(domain.Purposes()).Draw(t, "purpose")
			var err error
			switch rapid.SampledFrom([]string{"wait", "wait", "wait long", "tend", "rotate", "now", "import"}).Draw(t, "step") {
			case "wait":
				h.now = h.now.Add(time.Duration(rapid.Int64Range(1, int64(20*time.Minute)).Draw(t, "wait")))
			case "wait long":
				h.now = h.now.Add(time.Duration(rapid.Int64Range(1, int64(30*24*time.Hour)).Draw(t, "wait")))
			case "tend":
				err = h.tend()
			case "rotate":
				if err = h.rotate(keys.RotateOptions{Purpose: purpose}); errors.Is(err, domain.ErrExists) {
					err = nil // one waits for its turn
				}
			case "now":
				if err = h.rotate(keys.RotateOptions{Purpose: purpose, Now: true}); err == nil {
					hurried[keys.SigningFor(purpose, h.list, h.now).ID] = true
				}
			case "import":
				k, e := keys.Import(h.issuer, []byte(ecVector), h.ring, h.now, keys.ImportOptions{})
				if err = e; err == nil && !has(h.list, k.ID) {
					h.list = append(slices.Clone(h.list), k)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(h.list) != len(before) || !slices.EqualFunc(h.list, before, func(a, b domain.Key) bool { return a.ID == b.ID }) {
				old, oldUntil = before, h.now.Add(lag)
			}
			sign(h.list)
			// The moments at which turns change, up to a nanosecond, within what a node may lag.
			here := h.now
			for _, k := range old {
				for _, at := range []time.Time{here, k.SignFrom.Add(-1), k.SignFrom, k.SignFrom.Add(1), oldUntil} {
					if !at.Before(here) && !at.After(oldUntil) {
						h.now = at
						sign(old)
					}
				}
			}
			h.now = here
			for _, s := range tokens {
				if h.now.Sub(s.at) >= dialect.MaxLifetime {
					continue
				}
				i := slices.IndexFunc(h.list, func(k domain.Key) bool { return k.ID == s.kid })
				if i < 0 || !keys.Published(&h.list[i], h.now) {
					t.Fatalf("at %s a token of %s under %s fails", h.now, s.at, s.kid)
				}
			}
			for _, k := range h.list {
				if k.VerifyOnly && (k.SignUntil != nil || k.Expires != nil) {
					t.Fatalf("a key that only verifies was given an end: %+v", k)
				}
			}
		}
	})
}

// Two nodes' rotations by age over a year: a handful of keys at a time, and each in its turn.
func TestRotateByAge(t *testing.T) {
	h := newHouse(t)
	signers := map[string]bool{}
	for h.now.Before(start.Add(366 * 24 * time.Hour)) {
		if err := h.tend(); err != nil {
			t.Fatal(err)
		}
		for _, purpose := range domain.Purposes() {
			k := keys.SigningFor(purpose, h.list, h.now)
			if k == nil {
				t.Fatalf("at %s nothing signs for %s", h.now, purpose)
			}
			if age := h.now.Sub(k.SignFrom); age > h.issuer.KeyMaxAge.Duration() {
				t.Fatalf("a key signs at the age of %s", age)
			}
			signers[k.ID] = true
		}
		if len(h.list) > 4 {
			t.Fatalf("%d keys at a time", len(h.list))
		}
		h.now = h.now.Add(5 * time.Minute)
	}
	if len(signers) != 10 {
		t.Errorf("%d keys in a year, want 5 for each purpose: one for each 90 days begun", len(signers))
	}
}

// D-58: a key that was retired is worth nothing after the overlap, and everything before.
func TestRetired(t *testing.T) {
	h := newHouse(t)
	first := h.list[0].ID
	if err := h.rotate(keys.RotateOptions{}); err != nil {
		t.Fatal(err)
	}
	second := slices.IndexFunc(h.list, func(k domain.Key) bool { return k.ID != first && k.Purpose == domain.PurposeAccess })
	turn := start.Add(keys.Lead)
	for _, c := range []struct {
		name      string
		at        time.Time
		signs     bool // the first
		published bool // the first
		verifies  bool // the second
	}{
		{"at once", start, true, true, true},
		{"before the turn", turn.Add(-1), true, true, true},
		{"at the turn", turn, false, true, true},
		{"while its last token lives", turn.Add(24*time.Hour - 1), false, true, true},
		{"before its end", turn.Add(keys.Overlap - 1), false, true, true},
		{"at its end", turn.Add(keys.Overlap), false, false, true},
	} {
		i := slices.IndexFunc(h.list, func(k domain.Key) bool { return k.ID == first })
		if got := keys.Signing(h.list, c.at).ID == first; got != c.signs {
			t.Errorf("%s: the old key signs: %v", c.name, got)
		}
		if got := keys.Published(&h.list[i], c.at); got != c.published {
			t.Errorf("%s: the old key is published: %v", c.name, got)
		}
		if got := keys.Published(&h.list[second], c.at); got != c.verifies {
			t.Errorf("%s: the new key is published: %v", c.name, got)
		}
		if got := has(keys.Spent(h.list, c.at), first); got == c.published {
			t.Errorf("%s: the old key is spent: %v", c.name, got)
		}
	}
	if keys.Overlap < dialect.MaxLifetime {
		t.Error("a key goes before its last token")
	}
}

// While a key waits for its turn, there is nothing to rotate, unless in a hurry.
func TestRotateTwice(t *testing.T) {
	h := newHouse(t)
	if err := h.rotate(keys.RotateOptions{}); err != nil {
		t.Fatal(err)
	}
	h.now = start.Add(time.Minute)
	err := h.rotate(keys.RotateOptions{})
	if !errors.Is(err, domain.ErrExists) || !strings.Contains(err.Error(), "takes over at 2026-11-23T12:15:00Z already; rotate with --now") {
		t.Fatalf("got %v", err)
	}
	if due := keys.Due(h.issuer, h.list, h.now); len(due) != 0 {
		t.Errorf("%v due while one waits", due)
	}
	if err := h.rotate(keys.RotateOptions{Now: true}); err != nil {
		t.Fatal(err)
	}
	made := keys.Signing(h.list, h.now)
	if !made.SignFrom.Equal(h.now) {
		t.Fatalf("signs from %s", made.SignFrom)
	}
	for _, at := range []time.Duration{0, keys.Lead - time.Minute, keys.Lead, keys.Lead + 1, 24 * time.Hour} {
		if got := keys.Signing(h.list, h.now.Add(at)); got.ID != made.ID {
			t.Errorf("after %s another key signs", at)
		}
	}
	if err := h.rotate(keys.RotateOptions{}); err != nil {
		t.Errorf("none waits now: %v", err)
	}
}

// D-58: emergency. All keys but a new one are gone at once, and so is every token.
func TestKill(t *testing.T) {
	h := newHouse(t)
	imported, err := keys.Import(h.issuer, []byte(ecVector), h.ring, h.now, keys.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	checkpoint := domain.Key{Issuer: "main", ID: "c", Purpose: domain.Purpose("checkpoint")}
	h.list = append(h.list, imported, checkpoint)
	for _, before := range []keys.RotateOptions{{}, {Now: true}} { // a retired one, and one that waits
		if err := h.rotate(before); err != nil && !errors.Is(err, domain.ErrExists) {
			t.Fatal(err)
		}
	}
	before := slices.Clone(h.list)
	h.now = start.Add(time.Hour)
	if err := h.rotate(keys.RotateOptions{Kill: true}); err != nil {
		t.Fatal(err)
	}
	made := keys.Signing(h.list, h.now)
	if made == nil || has(before, made.ID) {
		t.Fatalf("what signs is %v", made)
	}
	for i := range h.list {
		if k := &h.list[i]; k.ID != made.ID && k.Purpose == domain.PurposeAccess {
			t.Errorf("key %s is still there", k.ID)
		}
	}
	identity := keys.SigningFor(domain.PurposeIdentity, h.list, h.now)
	if !has(h.list, "c") || identity == nil || !has(before, identity.ID) {
		t.Fatal("a key for another purpose was killed")
	}
	if err := h.rotate(keys.RotateOptions{Purpose: domain.PurposeIdentity, Kill: true}); err != nil {
		t.Fatal(err)
	}
	if k := keys.SigningFor(domain.PurposeIdentity, h.list, h.now); has(h.list, identity.ID) || k == nil || !has(h.list, made.ID) || !has(h.list, "c") {
		t.Errorf("after the identity's was killed: %+v", h.list)
	}
	if err := h.rotate(keys.RotateOptions{Purpose: "checkpoint", Kill: true}); err == nil || !has(h.list, "c") {
		t.Errorf("a key for a purpose that is not known was rotated: %v", err)
	}
}

func TestDue(t *testing.T) {
	h := newHouse(t)
	age, both := h.issuer.KeyMaxAge.Duration(), domain.Purposes()
	es256 := slices.Clone(h.list)
	for n := range es256 {
		es256[n].Algorithm = "ES256"
	}
	for _, c := range []struct {
		name string
		at   time.Duration
		alg  string
		list []domain.Key
		want []domain.Purpose
	}{
		{"at once", 0, "EdDSA", h.list, nil},
		{"a moment before", age - keys.Lead - 1, "EdDSA", h.list, nil},
		{"so that the next one has its Lead", age - keys.Lead, "EdDSA", h.list, both},
		{"another algorithm", 0, "ES256", h.list, both},
		{"another algorithm, identities under the same", 0, "RS256", es256, []domain.Purpose{domain.PurposeAccess}},
		{"no key", 0, "EdDSA", nil, both},
		{"no key for access", 0, "EdDSA", h.list[1:], []domain.Purpose{domain.PurposeAccess}},
		{"no key for identities, as in an installation that had none", 0, "EdDSA", h.list[:1], []domain.Purpose{domain.PurposeIdentity}},
	} {
		i := *h.issuer
		i.Algorithm = c.alg
		if got := keys.Due(&i, c.list, start.Add(c.at)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// Where nothing signs, a new key does so at once.
func TestRotateWithoutSigner(t *testing.T) {
	h := newHouse(t)
	imported, err := keys.Import(h.issuer, []byte(ecVector), h.ring, h.now, keys.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h.list = []domain.Key{imported}
	if keys.Signing(h.list, h.now) != nil || len(keys.Due(h.issuer, h.list, h.now)) != 2 {
		t.Fatal("a key that only verifies signs")
	}
	if err := h.rotate(keys.RotateOptions{}); err != nil {
		t.Fatal(err)
	}
	if k := keys.Signing(h.list, h.now); k == nil || !has(h.list, imported.ID) {
		t.Errorf("got %+v", h.list)
	}
}

// D-42: HS256 never stands beside an asymmetric key, not even while it is replaced; only where all
// others die is the way free.
func TestRotateToSymmetric(t *testing.T) {
	h := newHouse(t)
	for _, way := range [][2]string{{"EdDSA", "HS256"}, {"HS256", "EdDSA"}} {
		h.issuer.Algorithm = way[0]
		if err := h.rotate(keys.RotateOptions{Kill: true}); err != nil {
			t.Fatal(err)
		}
		h.issuer.Algorithm = way[1]
		for _, opts := range []keys.RotateOptions{{}, {Now: true}} {
			if err := h.rotate(opts); err == nil {
				t.Errorf("%s stands beside %s", way[1], way[0])
			}
		}
	}
	if err := h.rotate(keys.RotateOptions{Kill: true}); err != nil {
		t.Error(err)
	}
}

func TestRotateFails(t *testing.T) {
	h := newHouse(t)
	h.ring = seal.NewRing()
	if err := h.rotate(keys.RotateOptions{Kill: true}); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("got %v", err)
	}
}
