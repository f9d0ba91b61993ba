package domain_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
)

const uuid1 = "7c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a11"

// lines is problems as people read them.
func lines(problems []domain.Problem) []string {
	var list []string
	for _, p := range problems {
		list = append(list, p.Place()+": "+p.Message)
	}
	return list
}

func TestTenantProblems(t *testing.T) {
	good := func() *domain.Tenant {
		return &domain.Tenant{
			ID: uuid1, Label: "Ümlaut & Co.", Hosts: map[string][]string{"bip": {"One-API.example.com", "one.localhost:8084", "[::1]:8084"}},
			Resources: map[string][]string{"team": {team1}, "study_site": {"a b"[:1]}}, Ceiling: &domain.Ceiling{Scopes: oauth.Scope{"a"}},
		}
	}
	for _, c := range []struct {
		name   string
		change func(*domain.Tenant)
		want   []string
	}{
		{"good", func(*domain.Tenant) {}, nil},
		{"no id", func(t *domain.Tenant) { t.ID = "" },
			[]string{"id: \"\" is no UUID: write 8-4-4-4-12 lower-case hexadecimal digits, as uuidgen makes them"}},
		{"upper case id", func(t *domain.Tenant) { t.ID = strings.ToUpper(uuid1) },
			[]string{"id: \"" + strings.ToUpper(uuid1) + "\" is no UUID: write 8-4-4-4-12 lower-case hexadecimal digits, as uuidgen makes them"}},
		{"no label", func(t *domain.Tenant) { t.Label = "" }, []string{"label: is missing; people know the tenant by it"}},
		{"long label", func(t *domain.Tenant) { t.Label = strings.Repeat("x", 201) }, []string{"label: is 201 bytes long; at most 200 are kept"}},
		{"D-108 control characters", func(t *domain.Tenant) { t.Label = "a\rb" }, []string{"label: holds bytes that are no text; write UTF-8 without control characters"}},
		{"no UTF-8", func(t *domain.Tenant) { t.Label = "a\xff" }, []string{"label: holds bytes that are no text; write UTF-8 without control characters"}},
		{"D-20 hosts that are none", func(t *domain.Tenant) {
			t.Hosts = map[string][]string{"bip": {"https://x", "x.", "a..b", "x:0", "", "*.example.com", "x/y", "a b", "ok.example"}}
		}, []string{
			`hosts.bip[0]: "https://x" is no host: write name or name:port, as in api.example.com or localhost:8080`,
			`hosts.bip[1]: "x." is no host: write name or name:port, as in api.example.com or localhost:8080`,
			`hosts.bip[2]: "a..b" is no host: write name or name:port, as in api.example.com or localhost:8080`,
			`hosts.bip[3]: "x:0" is no host: write name or name:port, as in api.example.com or localhost:8080`,
			`hosts.bip[4]: "" is no host: write name or name:port, as in api.example.com or localhost:8080`,
			`hosts.bip[5]: "*.example.com" is no host: write name or name:port, as in api.example.com or localhost:8080`,
			`hosts.bip[6]: "x/y" is no host: write name or name:port, as in api.example.com or localhost:8080`,
			`hosts.bip[7]: "a b" is no host: write name or name:port, as in api.example.com or localhost:8080`,
		}},
		{"ids that are none", func(t *domain.Tenant) {
			t.Resources = map[string][]string{"team": {"*", "", "a b", strings.Repeat("x", 257)}}
		}, []string{
			"resources.team[0]: `*` is no id; for all of them write `all: true` in a client's resource_scope",
			`resources.team[1]: "" is no id: 1 to 256 bytes without spaces or control characters`,
			`resources.team[2]: "a b" is no id: 1 to 256 bytes without spaces or control characters`,
			`resources.team[3]: "` + strings.Repeat("x", 257) + `" is no id: 1 to 256 bytes without spaces or control characters`,
		}},
		{"kind that is none", func(t *domain.Tenant) { t.Resources = map[string][]string{"Team": nil} },
			[]string{"resources.Team: \"Team\" is no resource kind: lower case, digits, `-` and `_`"}},
		{"OMN-06 endpoints", func(t *domain.Tenant) {
			t.Endpoints = []string{"booking-lookup", "Booking.Cancel:all", "*", "booking-lookup"}
		}, []string{
			"endpoints[2]: \"*\" is no tag: letters, digits and `:._-`, at most 64, the first a letter or digit",
			`endpoints[3]: "booking-lookup" stands there twice`,
		}},
		{"ceiling", func(t *domain.Tenant) { t.Ceiling.Scopes = oauth.Scope{"a", "a", "b c"} }, []string{
			`ceiling.scopes[1]: "a" stands there twice`,
			`ceiling.scopes[2]: "b c" is no scope: printable ASCII without spaces, quotes or backslashes (RFC 6749 §3.3)`,
		}},
		{"every problem at once, in an order that is always the same", func(t *domain.Tenant) {
			t.Hosts = map[string][]string{"c": {""}, "a": {""}, "b": {""}}
			t.Resources = map[string][]string{"c": {""}, "a": {""}, "b": {""}}
		}, []string{
			`hosts.a[0]: "" is no host: write name or name:port, as in api.example.com or localhost:8080`,
			`hosts.b[0]: "" is no host: write name or name:port, as in api.example.com or localhost:8080`,
			`hosts.c[0]: "" is no host: write name or name:port, as in api.example.com or localhost:8080`,
			`resources.a[0]: "" is no id: 1 to 256 bytes without spaces or control characters`,
			`resources.b[0]: "" is no id: 1 to 256 bytes without spaces or control characters`,
			`resources.c[0]: "" is no id: 1 to 256 bytes without spaces or control characters`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 8 { // maps have another order each time
				n := good()
				c.change(n)
				if diff := cmp.Diff(c.want, lines(n.Problems())); diff != "" {
					t.Fatalf("problems (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestIssuerProblems(t *testing.T) {
	good := func() *domain.Issuer {
		i := &domain.Issuer{Name: "main", URL: "https://auth.example.com/one"}
		i.Defaults()
		return i
	}
	const badURL = " is no issuer URL: write https://host or https://host/prefix"
	const query = "url: has a query, a fragment or a user; an issuer has none (RFC 8414 §2)"
	const path = "url: has a path that ends in / or holds //, dots or escapes; write it plainly, without the last /"
	for _, c := range []struct {
		name   string
		change func(*domain.Issuer)
		want   []string
	}{
		{"good", func(*domain.Issuer) {}, nil},
		{"at the root", func(i *domain.Issuer) { i.URL = "https://auth.example.com" }, nil},
		{"with a port", func(i *domain.Issuer) { i.URL = "https://auth.example.com:8443/a:b/c-d_e.f~g" }, nil},
		{"http on this machine", func(i *domain.Issuer) { i.URL = "http://one-api.localhost:8084" }, nil},
		{"http on this machine, by address", func(i *domain.Issuer) { i.URL = "http://[::1]:8084" }, nil},
		{"http elsewhere", func(i *domain.Issuer) { i.URL = "http://auth.example.com" },
			[]string{"url: is http beyond this machine; an issuer is https (RFC 8414 §2)"}},
		{"http on what looks like this machine", func(i *domain.Issuer) { i.URL = "http://localhost.example.com" },
			[]string{"url: is http beyond this machine; an issuer is https (RFC 8414 §2)"}},
		{"no url", func(i *domain.Issuer) { i.URL = "" }, []string{`url: ""` + badURL}},
		{"another scheme", func(i *domain.Issuer) { i.URL = "ftp://x" }, []string{`url: "ftp://x"` + badURL}},
		{"no scheme", func(i *domain.Issuer) { i.URL = "auth.example.com" }, []string{`url: "auth.example.com"` + badURL}},
		{"no host", func(i *domain.Issuer) { i.URL = "https:///x" }, []string{`url: "https:///x"` + badURL}},
		{"a port alone", func(i *domain.Issuer) { i.URL = "https://:8080" },
			[]string{`url: ":8080" is no host: write name or name:port, as in api.example.com or localhost:8080`}},
		{"a query", func(i *domain.Issuer) { i.URL = "https://x/?a=b" }, []string{query}},
		{"an empty query", func(i *domain.Issuer) { i.URL = "https://x?" }, []string{query}},
		{"a fragment", func(i *domain.Issuer) { i.URL = "https://x#a" }, []string{query}},
		{"an empty fragment", func(i *domain.Issuer) { i.URL = "https://x#" }, []string{query}},
		{"a user", func(i *domain.Issuer) { i.URL = "https://u@x" }, []string{query}},
		{"a slash at the end", func(i *domain.Issuer) { i.URL = "https://x/" }, []string{path}},
		{"two slashes", func(i *domain.Issuer) { i.URL = "https://x/a//b" }, []string{path}},
		{"dots", func(i *domain.Issuer) { i.URL = "https://x/a/../b" }, []string{path}},
		{"an escape", func(i *domain.Issuer) { i.URL = "https://x/a%2Fb" }, []string{path}},
		{"an escape of what needs none", func(i *domain.Issuer) { i.URL = "https://x/%61" }, []string{path}},
		{"a space", func(i *domain.Issuer) { i.URL = "https://x/a b" }, []string{path}},
		{"names", func(i *domain.Issuer) { i.Name, i.Environment = "Main", "" }, []string{
			"name: \"Main\" is no issuer name: lower case, digits and `-`, at most 64",
			`environment: "" is no environment: one lower-case word such as stage or prod`,
		}},
		{"a name that reads as a key of the store", func(i *domain.Issuer) { i.Name = "a/b" },
			[]string{"name: \"a/b\" is no issuer name: lower case, digits and `-`, at most 64"}},
		{"hosts", func(i *domain.Issuer) { i.Hosts = []string{"ok.example", "no:port"} },
			[]string{`hosts[1]: "no:port" is no host: write name or name:port, as in api.example.com or localhost:8080`}},
		{"no dialect", func(i *domain.Issuer) { i.Dialect = "none" },
			[]string{"dialect: there is no dialect \"none\"; `postern dialect list` shows those there are"}},
		{"BIP-07 HS256 where the dialect does not allow it", func(i *domain.Issuer) { i.Algorithm = "HS256" },
			[]string{`algorithm: "HS256" is not one that dialect rfc allows: ES256, EdDSA, RS256, PS256`}},
		{"ARB-03 HS256 where the dialect allows it", func(i *domain.Issuer) { i.Dialect, i.Algorithm = "arbitex", "HS256" }, nil},
		{"D-41 none", func(i *domain.Issuer) { i.Algorithm = "none" },
			[]string{`algorithm: "none" is not one that dialect rfc allows: ES256, EdDSA, RS256, PS256`}},
		{"keys that live an hour", func(i *domain.Issuer) { i.KeyMaxAge = 3600 }, []string{"key_max_age: is 3600 seconds; at least one day (1d)"}},
		{"scopes", func(i *domain.Issuer) { i.Scopes = oauth.Scope{`a"`} },
			[]string{`scopes[0]: "a\"" is no scope: printable ASCII without spaces, quotes or backslashes (RFC 6749 §3.3)`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := good()
			c.change(i)
			d, _ := dialects.Get(i.Dialect)
			if diff := cmp.Diff(c.want, lines(i.Problems(d))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// COM-11: what is left out is the RFC's.
func TestIssuerDefaults(t *testing.T) {
	i := domain.Issuer{}
	i.Defaults()
	want := domain.Issuer{Dialect: "rfc", Algorithm: "ES256", Environment: "prod", KeyMaxAge: 90 * 86400}
	if diff := cmp.Diff(want, i); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	set := domain.Issuer{Dialect: "x", Algorithm: "EdDSA", Environment: "stage", KeyMaxAge: 1}
	kept := set
	kept.Defaults()
	if diff := cmp.Diff(set, kept); diff != "" {
		t.Errorf("what was said is kept (-want +got):\n%s", diff)
	}
}

func TestInvalid(t *testing.T) {
	if err := domain.AsError("client", nil); err != nil {
		t.Errorf("no problem is an error: %v", err)
	}
	one := domain.AsError(`client "a"`, []domain.Problem{{Field: "id", Message: "is odd"}})
	if got, want := one.Error(), `client "a": id: is odd`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	two := domain.AsError(`client "a"`, []domain.Problem{{Field: "id", Message: "is odd"}, {Field: "name", Message: "is missing"}})
	if got, want := two.Error(), "client \"a\"\n  id: is odd\n  name: is missing"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var invalid *domain.Invalid
	if !errors.As(two, &invalid) || len(invalid.Problems) != 2 {
		t.Errorf("got %#v", two)
	}
}
