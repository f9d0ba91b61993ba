package seal_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/postern-dev/postern/internal/seal"
)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func ring(t testing.TB) *seal.Ring {
	t.Helper()
	r := seal.NewRing()
	if err := r.Add("k1", key(1), true); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealAndOpen(t *testing.T) {
	r := ring(t)
	context := []string{"https://as.example.com", "kid", "access"}
	for _, plaintext := range []string{"", "x", strings.Repeat("long ", 10_000)} {
		sealed, err := r.Seal(context, []byte(plaintext))
		if err != nil {
			t.Fatal(err)
		}
		if len(plaintext) > 1 && bytes.Contains(sealed, []byte(plaintext[:5])) {
			t.Error("the plaintext can be seen")
		}
		got, err := r.Open(context, sealed)
		if err != nil || string(got) != plaintext {
			t.Errorf("%d bytes came back as %d, %v", len(plaintext), len(got), err)
		}
		again, _ := r.Seal(context, []byte(plaintext))
		if bytes.Equal(sealed, again) {
			t.Error("sealed twice alike: the nonce is not random")
		}
		if !bytes.Equal(sealed[1:4], []byte("\x02k1")) {
			t.Errorf("the id of the key is not in %x", sealed[:8])
		}
	}
}

// A sealed value that was moved does not open, also where the parts of the
// context would read the same without their lengths.
func TestOtherContext(t *testing.T) {
	r := ring(t)
	sealed, err := r.Seal([]string{"issuer", "kid", "access"}, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for _, context := range [][]string{
		nil,
		{"issuer", "kid"},
		{"issuer", "kid", "access", ""},
		{"issuer", "kid", "checkpoint"},
		{"other", "kid", "access"},
		{"issuer", "kida", "ccess"},
		{"issuerkidaccess"},
		{"issuer", "kid\x00\x00\x00\x06access"},
	} {
		if _, err := r.Open(context, sealed); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%q: %v, want ErrOpen", context, err)
		}
	}
}

func TestChanged(t *testing.T) {
	r := ring(t)
	if err := r.Add("k2", key(2), false); err != nil {
		t.Fatal(err)
	}
	sealed, err := r.Seal(nil, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range sealed {
		if _, err := r.Open(nil, sealed[:n]); err == nil {
			t.Errorf("opened when cut to %d bytes", n)
		}
		changed := bytes.Clone(sealed)
		changed[n] ^= 1
		if _, err := r.Open(nil, changed); err == nil {
			t.Errorf("opened with byte %d changed", n)
		}
	}
	if _, err := r.Open(nil, append(bytes.Clone(sealed), 0)); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("longer: %v", err)
	}
	other := bytes.Replace(sealed, []byte("k1"), []byte("k2"), 1)
	if _, err := r.Open(nil, other); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("under another key: %v", err)
	}
}

func TestRing(t *testing.T) {
	r := seal.NewRing()
	if _, err := r.Seal(nil, nil); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("empty: %v, want ErrNoKey", err)
	}
	if err := r.Add("old", key(1), true); err != nil {
		t.Fatal(err)
	}
	old, err := r.Seal(nil, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Add("new", key(2), true); err != nil {
		t.Fatal(err)
	}
	if err := r.Add("third", key(3), false); err != nil {
		t.Fatal(err)
	}
	if id, ok := r.Current(); id != "new" || !ok {
		t.Errorf("current is %q", id)
	}
	if got, err := r.Open(nil, old); err != nil || string(got) != "x" {
		t.Errorf("old value: %q, %v", got, err)
	}
	if _, err := ring(t).Open(nil, old); !errors.Is(err, seal.ErrUnknownKey) {
		t.Errorf("%v, want ErrUnknownKey", err)
	}
	for _, c := range []struct {
		id  string
		key []byte
	}{{"", key(1)}, {"a b", key(1)}, {strings.Repeat("a", 65), key(1)}, {"a", key(1)[:31]}, {"a", nil}, {"a", append(key(1), 1)}} {
		if err := r.Add(c.id, c.key, true); !errors.Is(err, seal.ErrKey) {
			t.Errorf("%q, %d bytes: %v, want ErrKey", c.id, len(c.key), err)
		}
	}
}

func TestRingAtOnce(t *testing.T) {
	r := ring(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 50 {
				if i == 0 {
					_ = r.Add(fmt.Sprintf("k%d", n), key(byte(n)), true)
				}
				sealed, err := r.Seal([]string{"c"}, []byte("x"))
				if err != nil {
					t.Error(err)
					return
				}
				if i > 0 {
					continue
				}
				if got, err := r.Open([]string{"c"}, sealed); err != nil || string(got) != "x" {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestMaster(t *testing.T) {
	file := filepath.Join(t.TempDir(), "master.key")
	m, err := seal.NewMaster(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	read, err := seal.ReadMaster(file)
	if err != nil || read.ID() != m.ID() || m.ID() == "" {
		t.Fatalf("%v, %v", read, err)
	}
	sealed, err := m.SealKey("k1", key(7))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read.OpenKey("k1", sealed); err != nil || !bytes.Equal(got, key(7)) {
		t.Errorf("%v", err)
	}
	if _, err := read.OpenKey("k2", sealed); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("under another id: %v, want ErrOpen", err)
	}
	other, err := seal.NewMaster(filepath.Join(t.TempDir(), "other.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.OpenKey("k1", sealed); !errors.Is(err, seal.ErrWrongMasterKey) {
		t.Errorf("%v, want ErrWrongMasterKey", err)
	}
	if _, err := (seal.Master{}).OpenKey("k1", sealed); !errors.Is(err, seal.ErrWrongMasterKey) {
		t.Errorf("zero: %v", err)
	}
	if _, err := (seal.Master{}).SealKey("k1", key(7)); err == nil {
		t.Error("the zero master seals")
	}
	if _, err := m.OpenKey("k1", sealed[:10]); !errors.Is(err, seal.ErrMalformed) {
		t.Errorf("cut: %v", err)
	}
	if _, err := m.SealKey("k1", key(7)[:31]); !errors.Is(err, seal.ErrKey) {
		t.Errorf("short: %v", err)
	}
}

func TestMasterFiles(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(key(9))
	for _, c := range []struct {
		name, content string
		mode          os.FileMode
		want          error
	}{
		{"with a line end", good + "\n", 0o600, nil},
		{"without", good, 0o600, nil},
		{"of Windows", good + "\r\n", 0o600, nil},
		{"read only", good, 0o400, nil},
		{"two line ends", good + "\n\n", 0o600, seal.ErrNotKeyFile},
		{"line end inside", good[:10] + "\n" + good[10:], 0o600, seal.ErrNotKeyFile},
		{"space before", " " + good, 0o600, seal.ErrNotKeyFile},
		{"readable by the group", good, 0o640, seal.ErrPermissions},
		{"readable by everybody", good, 0o604, seal.ErrPermissions},
		{"writable by the group", good, 0o620, seal.ErrPermissions},
		{"empty", "", 0o600, seal.ErrNotKeyFile},
		{"31 bytes", base64.StdEncoding.EncodeToString(key(9)[:31]), 0o600, seal.ErrNotKeyFile},
		{"64 bytes", base64.StdEncoding.EncodeToString(append(key(9), key(9)...)), 0o600, seal.ErrNotKeyFile},
		{"not base64", strings.Repeat("!", 44), 0o600, seal.ErrNotKeyFile},
		{"large", strings.Repeat("A", 1<<20), 0o600, seal.ErrNotKeyFile},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "k")
			if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, c.mode); err != nil {
				t.Fatal(err)
			}
			m, err := seal.ReadMaster(file)
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if c.want == nil {
				return
			}
			var told *seal.FileError
			if !errors.As(err, &told) || told.File != file || told.Hint == "" || !strings.Contains(err.Error(), file) {
				t.Errorf("%#v", err)
			}
			if m.ID() != "" || c.content != "" && strings.Contains(err.Error(), c.content) {
				t.Errorf("something came with the error: %v", err)
			}
		})
	}
	dir := t.TempDir()
	if _, err := seal.ReadMaster(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want ErrNotExist", err)
	}
	if _, err := seal.ReadMaster(dir); err == nil {
		t.Error("a directory was read")
	}
	file := filepath.Join(dir, "k")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.NewMaster(file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v, want ErrExist", err)
	}
	if b, _ := os.ReadFile(file); string(b) != "mine" {
		t.Errorf("overwritten with %d bytes", len(b))
	}
	if _, err := seal.NewMaster(filepath.Join(dir, "no", "k")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want ErrNotExist", err)
	}
}

// D-37: no way of printing shows a key.
func TestPrinting(t *testing.T) {
	file := filepath.Join(t.TempDir(), "k")
	if err := os.WriteFile(file, []byte(base64.StdEncoding.EncodeToString(key(0xab))), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := seal.ReadMaster(file)
	if err != nil {
		t.Fatal(err)
	}
	r := seal.NewRing()
	if err := r.Add("k", key(0xab), true); err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{m, r, struct{ M seal.Master }{m}, struct{ m seal.Master }{m}, struct{ r *seal.Ring }{r}} {
		s := fmt.Sprintf("%v %+v %#v %x %s %q %d", v, v, v, v, v, v, v)
		for _, bad := range []string{"171 171", "0xab, 0xab", "abab", "q6ur", "2880154539"} {
			if strings.Contains(s, bad) {
				t.Errorf("%T shows %q", v, bad)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	r := ring(f)
	good, err := r.Seal([]string{"c"}, []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, "c")
	f.Add(good, "d")
	f.Add([]byte{1, 255}, "c")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, sealed []byte, context string) {
		got, err := r.Open([]string{context}, sealed)
		// The seeds, from whichever process made them, are all that was sealed.
		if err == nil && (context != "c" || string(got) != "x") {
			t.Fatalf("opened %x", sealed)
		}
		if err != nil && got != nil {
			t.Fatal("a plaintext beside an error")
		}
	})
}
