package domain_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth"
)

// bookings is an API without a fault.
func bookings() *domain.API {
	a := &domain.API{
		Name: "bookings", Label: "Bookings & more", Audience: "https://bookings.example.com", Issuers: []string{"i"}, Hosts: []string{"api.example.com", "localhost:8082"},
		Path: "/v1", Upstream: "http://10.0.0.7:9000/internal", RateLimits: map[string]int64{"standard": 100, "gold": 1},
		Routes: []domain.Route{
			{Method: "GET", Path: "/bookings/{id}", Actions: []string{"bookings:read"}, Tags: []string{"booking-lookup"}, Parameters: []policy.Parameter{{Name: "id", Kind: "booking"}}},
			{Method: "POST", Path: "/bookings/{id}:cancel", Scopes: oauth.Scope{"bookings:write"}, Parameters: []policy.Parameter{{Name: "id", Kind: "booking"}}},
		},
	}
	a.Defaults()
	return a
}

func TestAPIProblems(t *testing.T) {
	const noPath = " is no path to stand below: begin with /, do not end in it, write no //, dots, escapes or ;, as in /v1; leave it out for the root"
	const noURL = "upstream: is no URL of an upstream: write http://host:port or https://host/path"
	const query = "upstream: has a query or a fragment, and a key in it would be no secret; write http://host:port or https://host/path"
	const path = "upstream: has a path that ends in / or holds //, dots or ;: write http://host:port or https://host/path, without the last /"
	for _, c := range []struct {
		name   string
		change func(*domain.API)
		want   []string
	}{
		{"good", func(*domain.API) {}, nil},
		{"at the root, wherever its issuers are, nothing allowed yet", func(a *domain.API) { a.Path, a.Hosts, a.Routes = "", nil, nil }, nil},
		{"names", func(a *domain.API) { a.Name, a.Label = "a/b", "a\x00" }, []string{
			"name: \"a/b\" is no API name: lower case, digits and `-`, at most 64",
			"label: holds bytes that are no text; write UTF-8 without control characters",
		}},
		{"D-57 no audience", func(a *domain.API) { a.Audience = "" },
			[]string{`audience: "" is no audience: 1 to 256 printable ASCII characters without spaces`}},
		{"no issuer", func(a *domain.API) { a.Issuers = nil },
			[]string{"issuers: is empty; name at least one issuer whose tokens the API takes"}},
		{"issuers", func(a *domain.API) { a.Issuers = []string{"i", "none", "i"} },
			[]string{`issuers[1]: there is no issuer "none"; name one that was made`, `issuers[2]: "i" stands there twice`}},
		{"D-20 hosts", func(a *domain.API) { a.Hosts = []string{"*.example.com", "a", "A:443"} }, []string{
			`hosts[0]: "*.example.com" is no host: write name or name:port, as in api.example.com or localhost:8080`,
			`hosts[2]: "A:443" stands there twice`,
		}},
		{"D-60 path without a slash", func(a *domain.API) { a.Path = "v1" }, []string{`path: "v1"` + noPath}},
		{"D-60 path that ends in one", func(a *domain.API) { a.Path = "/v1/" }, []string{`path: "/v1/"` + noPath}},
		{"D-60 the root said twice", func(a *domain.API) { a.Path = "/" }, []string{`path: "/"` + noPath}},
		{"D-60 path with dots", func(a *domain.API) { a.Path = "/v1/../v2" }, []string{`path: "/v1/../v2"` + noPath}},
		{"D-60 path with an escape", func(a *domain.API) { a.Path = "/a%20b" }, []string{`path: "/a%20b"` + noPath}},
		{"D-60 path with ;", func(a *domain.API) { a.Path = "/v1;x" }, []string{`path: "/v1;x"` + noPath}},
		{"no upstream", func(a *domain.API) { a.Upstream = "" }, []string{"upstream: is missing; write http://host:port or https://host/path"}},
		{"D-66 another scheme", func(a *domain.API) { a.Upstream = "file:///etc/passwd" }, []string{noURL}},
		{"no scheme", func(a *domain.API) { a.Upstream = "localhost:9000" }, []string{noURL}},
		{"a secret that is no URL is not repeated", func(a *domain.API) { a.Upstream = "http://u:pa%ss@x" }, []string{noURL}},
		{"a password is not repeated", func(a *domain.API) { a.Upstream = "http://u:hunter2@x" },
			[]string{"upstream: has a user or password in it, which every reader of the objects would see; write http://host:port or https://host/path, and let the upstream know the gateway by its network or by TLS"}},
		{"a key is not repeated", func(a *domain.API) { a.Upstream = "http://x/?key=hunter2" }, []string{query}},
		{"an empty query", func(a *domain.API) { a.Upstream = "http://x?" }, []string{query}},
		{"a fragment", func(a *domain.API) { a.Upstream = "http://x#a" }, []string{query}},
		{"a port alone", func(a *domain.API) { a.Upstream = "http://:9000" },
			[]string{"upstream: has a host that is none: write http://host:port or https://host/path"}},
		{"http beyond this machine", func(a *domain.API) { a.Upstream = "http://bookings_api:9000" }, nil},
		{"by address", func(a *domain.API) { a.Upstream = "http://[::1]:9000" }, nil},
		{"D-60 upstream that ends in /", func(a *domain.API) { a.Upstream = "http://x/" }, []string{path}},
		{"D-60 upstream with dots", func(a *domain.API) { a.Upstream = "http://x/a/../b" }, []string{path}},
		{"D-65 every route that is no rule", func(a *domain.API) {
			a.Routes = append(a.Routes, domain.Route{Method: "TRACE", Path: "/"}, domain.Route{Method: "GET", Path: "/x"}, domain.Route{Method: "GET", Path: "/{y}"})
		}, []string{
			"routes[2]: route TRACE /: method is none of GET, HEAD, POST, PUT, PATCH, DELETE",
			`routes[4]: route GET /{y}: parameter "y" of the path is not declared exactly once`,
		}},
		{"D-60 routes of one form", func(a *domain.API) {
			a.Routes = append(a.Routes, domain.Route{Method: "GET", Path: "/bookings/{other}", Parameters: []policy.Parameter{{Name: "other", In: policy.InPath, Unscoped: true}}})
		}, []string{"routes[2]: route GET /bookings/{other}: another route has this method and a path of this form"}},
		{"words of routes", func(a *domain.API) {
			r := &a.Routes[0]
			r.Scopes, r.Actions, r.Tags = oauth.Scope{"a b"}, []string{"bookings:read", "*", "bookings:read"}, []string{"", "Booking.Lookup"}
			r.Parameters = []policy.Parameter{{Name: "id", In: policy.InPath, Kind: "Booking"}}
		}, []string{
			`routes[0].scopes[0]: "a b" is no scope: printable ASCII without spaces, quotes or backslashes (RFC 6749 §3.3)`,
			"routes[0].actions[1]: \"*\" is no action: letters, digits and `:._-`, at most 64, the first a letter or digit",
			`routes[0].actions[2]: "bookings:read" stands there twice`,
			"routes[0].tags[0]: \"\" is no tag: letters, digits and `:._-`, at most 64, the first a letter or digit",
			"routes[0].parameters[0].kind: \"Booking\" is no resource kind: lower case, digits, `-` and `_`",
		}},
		{"ARB-11 limits", func(a *domain.API) {
			a.RateLimits = map[string]int64{"silver": 5, "standard": 0, "unlimited": -1, "premium": 1}
		}, []string{
			`rate_limits.silver: there is no tier "silver"; there are standard, premium, unlimited and those that were made`,
			"rate_limits.standard: is 0 calls a minute; at least 1",
			"rate_limits.unlimited: is -1 calls a minute; at least 1",
		}},
		{"bounds", func(a *domain.API) {
			a.MaxBody, a.ServeStale, a.Timeouts = -1, 3601, domain.Timeouts{Connect: -1, Answer: 3601, Idle: 3600}
		}, []string{
			"max_body: is -1 bytes; from 1 to 1073741824", "timeouts.connect: is -1 seconds; from 1s to 1h",
			"timeouts.answer: is 3601 seconds; from 1s to 1h", "serve_stale: is 3601 seconds; at most 1h",
		}},
		{"the widest bounds", func(a *domain.API) { a.MaxBody, a.ServeStale, a.Timeouts.Connect = 1<<30, 3600, 1 }, nil},
		{"a body too large", func(a *domain.API) { a.MaxBody = 1<<30 + 1 }, []string{"max_body: is 1073741825 bytes; from 1 to 1073741824"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := bookings()
			c.change(a)
			if diff := cmp.Diff(c.want, lines(a.Problems(exists))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// What is left out is filled; what was said is kept, and so is what the caller holds.
func TestAPIDefaults(t *testing.T) {
	given := []domain.Route{{Method: "GET", Path: "/{a}", Parameters: []policy.Parameter{{Name: "a", Kind: "k"}, {Name: "b", In: policy.InQuery, Kind: "k"}}}}
	a := domain.API{Routes: given}
	a.Defaults()
	want := domain.API{
		MaxBody: 10 << 20, Timeouts: domain.Timeouts{Connect: 5, Answer: 30, Idle: 60},
		Routes: []domain.Route{{Method: "GET", Path: "/{a}", Parameters: []policy.Parameter{{Name: "a", In: policy.InPath, Kind: "k"}, {Name: "b", In: policy.InQuery, Kind: "k"}}}},
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if given[0].Parameters[0].In != "" {
		t.Error("the caller's routes were changed")
	}
	set := domain.API{MaxBody: 1, Timeouts: domain.Timeouts{Connect: 1, Answer: 2, Idle: 3}, ServeStale: 4}
	kept := set
	kept.Defaults()
	if diff := cmp.Diff(set, kept); diff != "" {
		t.Errorf("what was said is kept (-want +got):\n%s", diff)
	}
}

func TestPolicyProblems(t *testing.T) {
	const noWord = ": letters, digits and `:._-`, at most 64, the first a letter or digit"
	const noLine = ": needs one line that says what it lets a client do; whoever grants the policy reads it"
	long := strings.Repeat("x", 65)
	for _, c := range []struct {
		name string
		is   domain.Policy
		want []string
	}{
		{"good", domain.Policy{Name: "studies:read", Actions: map[string]string{"studies:read": "read studies", "Sites.List_all-0": "list sites"}}, nil},
		{"COM-12 emptied", domain.Policy{Name: "p"}, nil},
		{"no name", domain.Policy{}, []string{`name: "" is no policy name` + noWord}},
		{"a name too long", domain.Policy{Name: long}, []string{`name: "` + long + `" is no policy name` + noWord}},
		{"a name that reads as a key of the store", domain.Policy{Name: "a/b"}, []string{`name: "a/b" is no policy name` + noWord}},
		{"a line end", domain.Policy{Name: "a\n"}, []string{`name: "a\n" is no policy name` + noWord}},
		{"TRI-08 actions", domain.Policy{Name: "p", Actions: map[string]string{"*": "all", ":read": "x", "c d": "x", "ok": ""}}, []string{
			`actions.*: "*" is no action` + noWord, `actions.:read: ":read" is no action` + noWord, `actions.c d: "c d" is no action` + noWord, "actions.ok" + noLine,
		}},
		{"a description of two lines", domain.Policy{Name: "p", Actions: map[string]string{"a": "one\ntwo", "b": " "}}, []string{"actions.a" + noLine, "actions.b" + noLine}},
		{"texts", domain.Policy{Name: "p", Label: "a\x1b", Actions: map[string]string{"a": strings.Repeat("x", 201)}},
			[]string{"label: holds bytes that are no text; write UTF-8 without control characters", "actions.a: is 201 bytes long; at most 200 are kept"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, lines(c.is.Problems())); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTierProblems(t *testing.T) { // ARB-11
	for _, c := range []struct {
		name string
		is   domain.Tier
		want []string
	}{
		{"good", domain.Tier{Name: "gold", PerMinute: 1}, nil},
		{"in the place of a built-in one", domain.Tier{Name: "standard", Unlimited: true}, nil},
		{"a name", domain.Tier{Name: "Gold", PerMinute: 1}, []string{"name: \"Gold\" is no tier name: lower case, digits and `-`, at most 64"}},
		{"neither", domain.Tier{Name: "gold"}, []string{"per_minute: is missing; say how many calls a minute, or unlimited: true"}},
		{"both", domain.Tier{Name: "gold", PerMinute: 1, Unlimited: true}, []string{"unlimited: is set and so is per_minute; a tier has one of them"}},
		{"less than one", domain.Tier{Name: "gold", PerMinute: -1}, []string{"per_minute: is -1 calls a minute; at least 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, lines(c.is.Problems())); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	for _, built := range domain.BuiltinTiers() {
		if got, ok := domain.BuiltinTier(built.Name); !ok || got != built || got.Problems() != nil {
			t.Errorf("%+v, %v", got, ok)
		}
	}
	if _, ok := domain.BuiltinTier("gold"); ok {
		t.Error("gold is not built in")
	}
}

// Whatever is wrong, it is told of a field, and says more than that it is wrong. An API
// that is right has a table, one reading of its path, and an upstream without a secret.
func TestProblemsSayWhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		odd := func(label string, right ...string) string {
			if rapid.IntRange(0, 30).Draw(t, label+" is odd") > 0 { // so that some have no problem
				return rapid.SampledFrom(right).Draw(t, label)
			}
			return rapid.OneOf(rapid.StringMatching(`[a-z/:.@?#%{}\x00 -]{0,12}`), rapid.String()).Draw(t, label)
		}
		number := func(label string) int64 {
			return rapid.SampledFrom(append(slices.Repeat([]int64{60}, 30), -1, 0, 1, 1<<40)).Draw(t, label)
		}
		a := domain.API{
			Name: odd("name", "api"), Label: odd("label", ""), Audience: odd("audience", "urn:x"), Issuers: []string{odd("issuer", "i")}, Hosts: []string{odd("host", "a.example")},
			Path: odd("path", "", "/v1"), Upstream: odd("upstream", "http://x", "https://x/y", "http://x:1", "http://u:p@x"), RateLimits: map[string]int64{odd("tier", "standard"): number("limit")},
			MaxBody: number("body"), ServeStale: domain.Seconds(number("stale")), Timeouts: domain.Timeouts{Connect: domain.Seconds(number("connect"))},
			Routes: []domain.Route{{Method: odd("method", "GET", "POST"), Path: odd("route", "/a/{id}"), Actions: []string{odd("action", "a:b")}, Tags: []string{odd("tag", "t")},
				Parameters: []policy.Parameter{{Name: odd("parameter", "id"), Kind: odd("kind", "k")}}}},
		}
		a.Defaults()
		p := domain.Policy{Name: odd("policy", "p"), Label: odd("label", ""), Actions: map[string]string{odd("action", "a"): odd("line", "does a")}}
		tier := domain.Tier{Name: odd("tier", "gold"), PerMinute: number("calls"), Unlimited: rapid.Bool().Draw(t, "unlimited")}
		problems := a.Problems(exists)
		for _, told := range [][]domain.Problem{problems, p.Problems(), tier.Problems()} {
			for _, one := range told {
				if one.Field == "" || len(strings.Fields(one.Message)) < 4 {
					t.Errorf("%q: %q", one.Field, one.Message)
				}
			}
		}
		if len(problems) > 0 {
			return
		}
		if _, err := policy.NewTable(a.Routes); err != nil || strings.ContainsAny(a.Upstream, "@?#") || strings.HasSuffix(a.Path, "/") {
			t.Errorf("%+v has no problem: %v", a, err)
		}
	})
}
