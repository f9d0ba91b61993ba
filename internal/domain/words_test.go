package domain_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/postern-dev/postern/internal/domain"
)

// D-20: what is forgiven in a host, and what is not.
func TestHost(t *testing.T) {
	for in, want := range map[string]string{
		"one-api.example.com":      "one-api.example.com",
		"ONE-Api.Example.COM":      "one-api.example.com",
		"one-api.example.com:443":  "one-api.example.com",
		"one-api.example.com:80":   "one-api.example.com",
		"one-api.example.com:8443": "one-api.example.com:8443",
		"one-api.example.com.":     "one-api.example.com.",
		"one-api.example.com.:443": "one-api.example.com.",
		"one-api.example.com:":     "one-api.example.com:",
		"one-api.example.com:0443": "one-api.example.com:0443",
		"one-api.example.com:1443": "one-api.example.com:1443",
		" one-api.example.com":     " one-api.example.com",
		"[::1]:443":                "[::1]",
		"":                         "",
	} {
		if got := domain.Host(in); got != want {
			t.Errorf("Host(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestIssuerAddress(t *testing.T) {
	for _, c := range []struct {
		url           string
		hosts         []string
		prefix, every string
	}{
		{"https://Auth.example.com", nil, "", "auth.example.com"},
		{"https://auth.example.com:443/a/b", []string{"ALT.example.com", "x:80", "x:81"}, "/a/b", "auth.example.com alt.example.com x x:81"},
		{"http://localhost:8080/a:b", nil, "/a:b", "localhost:8080"},
		{"http://[::1", nil, "", ""},
	} {
		i := domain.Issuer{URL: c.url, Hosts: c.hosts}
		if i.Prefix() != c.prefix || strings.Join(i.AllHosts(), " ") != c.every {
			t.Errorf("%s: %q %q", c.url, i.Prefix(), i.AllHosts())
		}
	}
}

func TestParseSeconds(t *testing.T) {
	for in, want := range map[string]domain.Seconds{
		"0": 0, "3600": 3600, "45s": 45, "30m": 1800, "12h": 43200, "90d": 7776000, "0d": 0, "007": 7, "8589934592": 1 << 33, "99420d": 99420 * 86400,
		"": -1, "d": -1, "-1": -1, "+1": -1, "1.5": -1, "1e3": -1, "1w": -1, "1h30m": -1, " 1": -1, "1 s": -1, "0x10": -1, "1_000": -1,
		"8589934593": -1, "99421d": -1, "9223372036854775807d": -1, "99999999999999999999": -1, "١": -1,
	} {
		got, err := domain.ParseSeconds(in)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q: %d, %v", in, got, err)
		}
	}
	_, err := domain.ParseSeconds("soon")
	if want := `"soon" is no duration: write seconds, or a number with s, m, h or d, as in 90d`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if d := domain.Seconds(90).Duration(); d != 90*time.Second {
		t.Errorf("90 seconds are %s", d)
	}
}

func TestSecondsYAML(t *testing.T) {
	var v struct{ A, B, C domain.Seconds }
	if err := yaml.Unmarshal([]byte("a: 3600\nb: 90d\nc: \"45s\"\n"), &v); err != nil || v.A != 3600 || v.B != 90*86400 || v.C != 45 {
		t.Errorf("%+v, %v", v, err)
	}
	err := yaml.Unmarshal([]byte("a: 1\nb: 1.5\n"), &v)
	if err == nil || !strings.Contains(err.Error(), "line 2:") || !strings.Contains(err.Error(), `"1.5" is no duration`) {
		t.Errorf("got %v", err)
	}
	if err := yaml.Unmarshal([]byte("a: [1]\n"), &v); err == nil {
		t.Error("a list was taken for a duration")
	}
}

func FuzzParseSeconds(f *testing.F) {
	for _, s := range []string{"3600", "90d", "12h", "-1", "+1", "99421d", "1\x00", ""} {
		f.Add(s)
	}
	form := regexp.MustCompile(`^[0-9]+[smhd]?$`)
	f.Fuzz(func(t *testing.T, s string) {
		v, err := domain.ParseSeconds(s)
		if err != nil {
			return
		}
		if !form.MatchString(s) || v < 0 || v > 1<<33 {
			t.Errorf("%q: %d", s, v)
		}
	})
}

// OMN-08: RFC 9562 §5.7, and ids made later are greater.
func TestEventID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	at := time.Date(2026, 11, 23, 12, 0, 0, 123_456_789, time.FixedZone("", 3600))
	var before domain.EventID
	seen := map[domain.EventID]bool{}
	for range 1000 {
		id := domain.NewEventID(at)
		if !form.MatchString(id.String()) {
			t.Fatalf("%s is no UUID of version 7", id)
		}
		if back, err := domain.ParseEventID(id.String()); err != nil || back != id {
			t.Fatalf("%s reads as %s, %v", id, back, err)
		}
		if got := id.Time(); !got.Equal(at.Truncate(time.Millisecond)) || got.Location() != time.UTC {
			t.Fatalf("made at %s, says %s", at, got)
		}
		if bytes.Compare(id[:], before[:]) <= 0 || id.String() <= before.String() {
			t.Fatalf("%s comes after %s", before, id)
		}
		if seen[id] {
			t.Fatal("one id twice")
		}
		seen[id], before = true, id
		at = at.Add(time.Millisecond)
	}
	if got := string(before.Append([]byte("x."))); got != "x."+before.String() {
		t.Errorf("appended: %s", got)
	}
}

// The example of RFC 9562 appendix A.6.
func TestEventIDVector(t *testing.T) {
	id, err := domain.ParseEventID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
	if err != nil || id.String() != "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" {
		t.Fatalf("%s, %v", id, err)
	}
	if want := time.Date(2022, 2, 22, 19, 22, 22, 0, time.UTC); !id.Time().Equal(want) {
		t.Errorf("made at %s, want %s", id.Time(), want)
	}
}

func FuzzParseEventID(f *testing.F) {
	for _, s := range []string{
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e279b07cc398c4dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}", "017f22e2\n79b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f ",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := domain.ParseEventID(s)
		switch {
		case err != nil && (!errors.Is(err, domain.ErrEventID) || id != domain.EventID{}):
			t.Errorf("%q: %s, %v", s, id, err)
		case err == nil && id.String() != strings.ToLower(s):
			t.Errorf("%q reads as %s", s, id)
		}
	})
}
