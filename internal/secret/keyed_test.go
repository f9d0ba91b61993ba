package secret_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

func pepper(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func peppers(t testing.TB) *secret.Peppers {
	t.Helper()
	p := secret.NewPeppers()
	if err := p.Add("p1", pepper(1), true); err != nil {
		t.Fatal(err)
	}
	return p
}

func parse(t testing.TB, hash string) secret.Verifier {
	t.Helper()
	v, err := secret.Parse(hash)
	if err != nil {
		t.Fatalf("%q: %v", hash, err)
	}
	return v
}

// COM-04, COM-05.
func TestGenerate(t *testing.T) {
	form := regexp.MustCompile(`^pst_[A-Za-z0-9_-]{49}$`)
	seen := map[string]bool{}
	for range 1000 {
		s := string(secret.Generate())
		if !form.MatchString(s) || !secret.WellFormed(s) || seen[s] {
			t.Fatalf("%q", s)
		}
		seen[s] = true
		random, err := base64.RawURLEncoding.DecodeString(s[4:47])
		if err != nil || len(random) != 32 {
			t.Fatalf("%d bytes, %v", len(random), err)
		}
		// The checksum as the package documents it.
		sum := sha256.Sum256([]byte(s[:47]))
		if want := base64.RawURLEncoding.EncodeToString(sum[:])[:6]; s[47:] != want {
			t.Fatalf("checksum %s, want %s", s[47:], want)
		}
	}
}

func TestWellFormed(t *testing.T) {
	good := string(secret.Generate())
	for n := range len(good) {
		for _, c := range []byte{good[n] ^ 1, '\n', 0, '+'} {
			if bad := good[:n] + string(rune(c)) + good[n+1:]; bad != good && secret.WellFormed(bad) {
				t.Errorf("%q with byte %d changed", bad, n)
			}
		}
	}
	for _, bad := range []string{"", "pst_", good[:52], good + "A", " " + good[1:], strings.ToUpper(good), strings.Replace(good, "pst_", "abc_", 1)} {
		if secret.WellFormed(bad) {
			t.Errorf("%q", bad)
		}
	}
}

func TestKeyedHash(t *testing.T) {
	p := peppers(t)
	s := secret.Generate()
	hash := p.Hash("iss", "client", "s1", s)

	// Written here a second time, from the words of DESIGN §9.
	mac := hmac.New(sha256.New, pepper(1))
	for _, part := range []string{"iss", "client", "s1", string(s)} {
		_ = binary.Write(mac, binary.BigEndian, uint32(len(part)))
		mac.Write([]byte(part))
	}
	if want := "$postern$p1$" + base64.RawStdEncoding.EncodeToString(mac.Sum(nil)); hash != want {
		t.Errorf("%s, want %s", hash, want)
	}

	v := parse(t, hash)
	if !v.Verify(p, "iss", "client", "s1", s) || v.Imported() || v.NeedsRehash(p) {
		t.Error("the right secret does not verify")
	}
	for name, ok := range map[string]bool{
		"other secret":       v.Verify(p, "iss", "client", "s1", secret.Generate()),
		"other issuer":       v.Verify(p, "other", "client", "s1", s),
		"other client":       v.Verify(p, "iss", "other", "s1", s),
		"other secret id":    v.Verify(p, "iss", "client", "s2", s),
		"shifted parts":      v.Verify(p, "issclient", "", "s1", s),
		"empty":              v.Verify(p, "iss", "client", "s1", ""),
		"longer":             v.Verify(p, "iss", "client", "s1", s+"x"),
		"cut":                v.Verify(p, "iss", "client", "s1", s[:len(s)-1]),
		"1 MB (D-10)":        v.Verify(p, "iss", "client", "s1", oauth.Secret(strings.Repeat("x", 1<<20))),
		"no peppers":         v.Verify(secret.NewPeppers(), "iss", "client", "s1", s),
		"nil peppers":        v.Verify(nil, "iss", "client", "s1", s),
		"the zero verifier":  secret.Verifier{}.Verify(p, "iss", "client", "s1", s),
		"hash as the secret": v.Verify(p, "iss", "client", "s1", oauth.Secret(hash)),
	} {
		if ok {
			t.Errorf("%s verifies", name)
		}
	}
}

func TestPeppers(t *testing.T) {
	p := secret.NewPeppers()
	if _, ok := p.Current(); ok || p.Hash("i", "c", "s", "x") != "" {
		t.Error("hashed without a pepper")
	}
	if _, err := secret.Parse(""); !errors.Is(err, secret.ErrHash) {
		t.Errorf("the empty hash: %v", err)
	}
	p = peppers(t)
	if p.Hash("i", "c", "s", "") != "" || p.Hash("i", "c", "s", oauth.Secret(strings.Repeat("x", 257))) != "" {
		t.Error("hashed a secret that is empty or too long")
	}
	v := parse(t, p.Hash("i", "c", "s", "x"))
	if err := p.Add("p2", pepper(2), false); err != nil {
		t.Fatal(err)
	}
	if v.NeedsRehash(p) {
		t.Error("to be hashed anew, and p1 is current")
	}
	if err := p.Add("p2", pepper(2), true); err != nil {
		t.Fatal(err)
	}
	if id, _ := p.Current(); id != "p2" || !v.NeedsRehash(p) || !v.Verify(p, "i", "c", "s", "x") {
		t.Errorf("after the rotation: current %q, rehash %v", id, v.NeedsRehash(p))
	}
	if again := parse(t, p.Hash("i", "c", "s", "x")); again.NeedsRehash(p) || !again.Verify(p, "i", "c", "s", "x") {
		t.Error("the new hash")
	}
	other := secret.NewPeppers()
	if err := other.Add("p1", pepper(3), true); err != nil {
		t.Fatal(err)
	}
	if v.Verify(other, "i", "c", "s", "x") {
		t.Error("verifies under another pepper of the same id")
	}
	for _, c := range []struct {
		id  string
		key []byte
	}{{"", pepper(1)}, {"a$b", pepper(1)}, {strings.Repeat("a", 65), pepper(1)}, {"a", pepper(1)[:31]}, {"a", nil}} {
		if err := p.Add(c.id, c.key, true); !errors.Is(err, secret.ErrPepper) {
			t.Errorf("%q, %d bytes: %v", c.id, len(c.key), err)
		}
	}
}

func TestPeppersAtOnce(t *testing.T) {
	p := peppers(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			client := fmt.Sprint("c", i)
			for n := range 200 {
				if i == 0 && n%10 == 0 {
					_ = p.Add(fmt.Sprint("q", n), pepper(byte(n)), true)
				}
				s := oauth.Secret(fmt.Sprint("secret", i, n))
				if !parse(t, p.Hash("i", client, "s", s)).Verify(p, "i", client, "s", s) {
					t.Errorf("%s, %d", client, n)
					return
				}
			}
		})
	}
	wg.Wait()
}

// D-37: no way of printing shows a hash or a pepper.
func TestPrinting(t *testing.T) {
	p := secret.NewPeppers()
	if err := p.Add("p", pepper(0xab), true); err != nil {
		t.Fatal(err)
	}
	hash := p.Hash("i", "c", "s", "x")
	v := parse(t, hash)
	sum := hash[strings.LastIndex(hash, "$")+1:]
	raw, _ := base64.RawStdEncoding.DecodeString(sum)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v, "p", p)
	text := log.String()
	for _, x := range []any{p, v, &v, struct{ V secret.Verifier }{v}, struct{ v secret.Verifier }{v}, struct{ p *secret.Peppers }{p}, []secret.Verifier{v}} {
		text += fmt.Sprintf("%v %+v %#v %s %x %q %d", x, x, x, x, x, x, x)
	}
	// Imported hashes as well.
	const foreign = "$2b$10$3Dj1ciHOQDJXDwYdcY4uQOsG/y/u8fuTAb9pprQN0cplTNsRfGLLm"
	imported := struct{ v secret.Verifier }{parse(t, foreign)}
	text += fmt.Sprintf("%v %+v %#v %s %x %q %d", imported, imported, imported, imported, imported, imported, imported)
	for _, bad := range []string{foreign[:12], "36 50 98", sum, fmt.Sprintf("%x", raw[:4]), strings.Trim(fmt.Sprint(raw[:4]), "[]"), "171 171", "abab"} {
		if strings.Contains(text, bad) {
			t.Errorf("shows %q", bad)
		}
	}
	if !strings.Contains(text, "[redacted]") {
		t.Error("says nothing")
	}
}

func TestVerifyAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("the race detector makes sync.Pool forget")
	}
	p := peppers(t)
	s := secret.Generate()
	v := parse(t, p.Hash("iss", "client", "s1", s))
	if n := testing.AllocsPerRun(200, func() { v.Verify(p, "iss", "client", "s1", s) }); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkVerifyKeyed(b *testing.B) {
	p := peppers(b)
	s := secret.Generate()
	v := parse(b, p.Hash("https://as.example.com", "0b5e0a4e-9d1c-4f0e-8a55-5a4b1f7f9d10", "s1", s))
	b.ReportAllocs()
	for b.Loop() {
		if !v.Verify(p, "https://as.example.com", "0b5e0a4e-9d1c-4f0e-8a55-5a4b1f7f9d10", "s1", s) {
			b.Fatal("wrong")
		}
	}
}
