package policy_test

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/postern-dev/postern/internal/policy"
)

func TestNormalise(t *testing.T) { // D-60
	for in, want := range map[string]string{
		"/":                             "/",
		"/v1/bookings/7":                "/v1/bookings/7",
		"/v1/":                          "/v1/",
		"/%61%2Db%2ec%5F%7E":            "/a-b.c_~",
		"/a%3aread":                     "/a:read",
		"/caf%c3%a9":                    "/caf%C3%A9",
		"/a%20b":                        "/a%20b",
		"/a@b!$&'()*+,=":                "/a@b!$&'()*+,=",
		"/...":                          "/...",
		"/.hidden":                      "/.hidden",
		strings.Repeat("/a", 32):        strings.Repeat("/a", 32),
		strings.Repeat("/a", 33):        "",
		"/" + "a%41"[:4]:                "/aA",
		"":                              "",
		"a":                             "",
		"*":                             "",
		"http://h/a":                    "",
		"//":                            "",
		"//a":                           "",
		"/a//b":                         "",
		"/a//":                          "",
		"/.":                            "",
		"/..":                           "",
		"/a/../b":                       "",
		"/a/./b":                        "",
		"/a/%2e%2E/b":                   "",
		"/a/.%2e":                       "",
		"/a%2fb":                        "",
		"/a%2Fb":                        "",
		`/a\b`:                          "",
		"/a%5cb":                        "",
		"/a;b=c":                        "",
		"/a%3Bb":                        "",
		"/a%252fb":                      "",
		"/a%00b":                        "",
		"/a%0d%0ab":                     "",
		"/a%7f":                         "",
		"/a%":                           "",
		"/a%4":                          "",
		"/a%zz":                         "",
		"/a%M1":                         "", // no digit that counts 22
		"/a%6Q":                         "", // nor 26
		"/a b":                          "",
		"/a?b":                          "",
		"/a#b":                          "",
		"/caf\u00e9":                    "",
		"/%c0%ae%c0%ae/b":               "",
		"/%ff":                          "",
		"/a\x00":                        "",
		"/" + strings.Repeat("a", 4096): "",
	} {
		got, err := policy.Normalise(in)
		if got != want || (err == nil) != (want != "") || (err != nil && !errors.Is(err, policy.ErrPath)) {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
}

// What passes has one reading: it is its own normal form, cleaning changes nothing,
// and decoding it says what decoding the original said.
func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"/a/%2e%2e/b", "/a%3Ab/%C3%A9", "/a//b", "/%2f", "/a/", "/;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := policy.Normalise(in)
		if err != nil {
			if got != "" {
				t.Fatalf("%q with an error", got)
			}
			return
		}
		if again, err := policy.Normalise(got); err != nil || again != got {
			t.Fatalf("%q: twice is %q, %v", got, again, err)
		}
		plain, err := url.PathUnescape(got)
		original, errOriginal := url.PathUnescape(in)
		if err != nil || errOriginal != nil || plain != original || !utf8.ValidString(plain) {
			t.Fatalf("%q became %q", in, got)
		}
		if clean := path.Clean(plain); clean != plain && clean+"/" != plain {
			t.Fatalf("%q cleans to %q", plain, clean)
		}
		if strings.ContainsAny(plain, "\\;%\x00\r\n") || strings.Count(plain, "/") != strings.Count(got, "/") {
			t.Fatalf("%q has two readings", plain)
		}
		u, err := url.ParseRequestURI(got)
		if err != nil || u.EscapedPath() != got || u.RawQuery != "" {
			t.Fatalf("%q: net/url makes another path of it: %v", got, err)
		}
	})
}
