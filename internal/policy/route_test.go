package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/policy"
)

func booking() policy.Parameter {
	return policy.Parameter{Name: "id", In: policy.InPath, Kind: "booking"}
}

// routes is an API of every kind of rule.
func routes() []policy.Route {
	note := policy.Parameter{Name: "note", In: policy.InPath, ChildOf: "id"}
	return []policy.Route{
		{Method: "GET", Path: "/", Actions: []string{"root"}},
		{Method: "GET", Path: "/bookings", Scopes: []string{"api:read"}, Tags: []string{"lookup"}},
		{Method: "POST", Path: "/bookings"},
		{Method: "GET", Path: "/bookings/{id}", Parameters: []policy.Parameter{booking()}},
		{Method: "GET", Path: "/bookings/recent", Actions: []string{"recent"}},
		{Method: "POST", Path: "/bookings/{id}:cancel", Actions: []string{"cancel"}, Parameters: []policy.Parameter{booking()}},
		{Method: "DELETE", Path: "/bookings/{id}/notes/{note}", Parameters: []policy.Parameter{booking(), note}},
		{Method: "GET", Path: "/bookings/recent/export", Actions: []string{"export"}},
		{Method: "GET", Path: "/search", Parameters: []policy.Parameter{{Name: "team", In: policy.InQuery, Kind: "team"}}},
		{Method: "GET", Path: "/filtered", Parameters: []policy.Parameter{{Name: "filter[team_id]", In: policy.InQuery, Kind: "team"}}},
		{Method: "GET", Path: "/underscored", Parameters: []policy.Parameter{{Name: "team_id", In: policy.InQuery, Kind: "team"}}},
		{Method: "POST", Path: "/teams", Parameters: []policy.Parameter{{Name: "team", In: policy.InBody, Kind: "team"}}},
		{Method: "PUT", Path: "/jobs/{job}", Parameters: []policy.Parameter{{Name: "job", In: policy.InPath, Unscoped: true}}},
	}
}

func table(t testing.TB) *policy.Table {
	t.Helper()
	tab, err := policy.NewTable(routes())
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestMatch(t *testing.T) { // D-60 D-61 D-65
	tab := table(t)
	for _, tc := range []struct{ method, path, want string }{
		{"GET", "/", "/"},
		{"GET", "/bookings", "/bookings"},
		{"HEAD", "/bookings", "/bookings"}, // D-61: what GET may
		{"GET", "/bookings/7", "/bookings/{id}"},
		{"GET", "/bookings/recent", "/bookings/recent"},
		{"GET", "/bookings/recent/export", "/bookings/recent/export"},
		{"DELETE", "/bookings/recent/notes/1", "/bookings/{id}/notes/{note}"}, // back out of the literal
		{"POST", "/bookings/7:cancel", "/bookings/{id}:cancel"},
		{"GET", "/bookings/7:cancel", ""}, // a verb is never part of an id
		{"POST", "/bookings/7:delete", ""},
		{"POST", "/bookings/7:", ""},
		{"POST", "/bookings/:cancel", ""},
		{"POST", "/bookings/7:x:cancel", ""},
		{"GET", "/bookings/", ""}, // a trailing slash is another path
		{"GET", "/Bookings", ""},
		{"get", "/bookings", ""},
		{"TRACE", "/bookings", ""},
		{"CONNECT", "/bookings", ""},
		{"OPTIONS", "/bookings", ""},
		{"HEAD", "/teams", ""},
		{"PUT", "/bookings", ""},
		{"GET", "/nothing", ""},
		{"GET", "/bookings/7/notes", ""},
		{"DELETE", "/bookings/7/notes/1/2", ""},
		{"GET", "/bookings/7:", ""},
		{"GET", "/bookings/%zz", ""}, // what Normalise would have refused
		{"GET", "xbookings", ""},
		{"GET", "", ""},
	} {
		got := ""
		if m, ok := tab.Match(tc.method, tc.path); ok {
			got = m.Route().Path
		}
		if got != tc.want {
			t.Errorf("%s %s: %q, want %q", tc.method, tc.path, got, tc.want)
		}
	}
}

func TestNeed(t *testing.T) { // RULES "Guard, REST"; BIP-09 OMN-06 ARB-06
	tab := table(t)
	one := func(v ...string) map[string][]string { return map[string][]string{"team": v} }
	res := func(kind, id string) []policy.Resource { return []policy.Resource{{Kind: kind, ID: id}} }
	whole := []policy.Resource{{Kind: "booking", All: true}, {Kind: "team", All: true}}
	for _, tc := range []struct {
		name, method, path string
		query, body        map[string][]string
		want               policy.Need
		refused            bool
	}{
		{name: "scope and tag", method: "GET", path: "/bookings", want: policy.Need{Scopes: []string{"api:read"}, Endpoints: []string{"lookup"}}},
		{name: "from the path", method: "GET", path: "/bookings/7", want: policy.Need{Resources: res("booking", "7")}},
		{name: "decoded", method: "GET", path: "/bookings/a%20b", want: policy.Need{Resources: res("booking", "a b")}},
		{name: "with a verb", method: "POST", path: "/bookings/7:cancel", want: policy.Need{Actions: []string{"cancel"}, Resources: res("booking", "7")}},
		{name: "a child is the parent's", method: "DELETE", path: "/bookings/7/notes/1", want: policy.Need{Resources: res("booking", "7")}},
		{name: "mutating, names nothing", method: "POST", path: "/bookings", want: policy.Need{Resources: whole}},
		{name: "mutating, unscoped only", method: "PUT", path: "/jobs/1", want: policy.Need{Resources: whole}},
		{name: "from the query", method: "GET", path: "/search", query: one("t1"), want: policy.Need{Resources: res("team", "t1")}},
		{name: "from the body", method: "POST", path: "/teams", body: one("t1"), want: policy.Need{Resources: res("team", "t1")}},
		{name: "beside a name that only begins alike", method: "GET", path: "/search", query: map[string][]string{"team": {"t1"}, "team.name": {"x"}}, want: policy.Need{Resources: res("team", "t1")}},
		{name: "missing", method: "GET", path: "/search", refused: true},
		{name: "empty", method: "GET", path: "/search", query: one(""), refused: true},
		{name: "twice", method: "GET", path: "/search", query: one("t1", "t1"), refused: true},
		{name: "in query and body", method: "GET", path: "/search", query: one("t1"), body: one("t2"), refused: true},
		{name: "in the wrong place", method: "POST", path: "/teams", query: one("t1"), refused: true},
		{name: "of the path, in the query too", method: "GET", path: "/bookings/7", query: map[string][]string{"id": {"8"}}, refused: true},
		{name: "D-60 in another case too", method: "GET", path: "/search", query: map[string][]string{"team": {"t1"}, "Team": {"t2"}}, refused: true},
		{name: "D-60 with brackets too", method: "GET", path: "/search", query: map[string][]string{"team": {"t1"}, "team[]": {"t2"}}, refused: true},
		{name: "D-60 with a space before it too", method: "GET", path: "/search", query: map[string][]string{"team": {"t1"}, " team": {"t2"}}, refused: true},
		{name: "D-60 with NUL behind it too", method: "GET", path: "/search", query: map[string][]string{"team": {"t1"}, "team\x00x": {"t2"}}, refused: true},
		{name: "D-60 of the path, in the body in another case", method: "PUT", path: "/jobs/1", body: map[string][]string{"JOB": {"2"}}, refused: true},
		{name: "others beside it", method: "GET", path: "/search", query: map[string][]string{"team": {"t1"}, "teams": {"t2"}, "tea": {""}, "x.y": {"", ""}},
			want: policy.Need{Resources: res("team", "t1")}},
		{name: "one with brackets of its own", method: "GET", path: "/filtered", query: map[string][]string{"filter[team_id]": {"t1"}, "filter[name]": {"x"}},
			want: policy.Need{Resources: res("team", "t1")}},
		{name: "D-60 one with brackets of its own, a dot for an underscore", method: "GET", path: "/filtered",
			query: map[string][]string{"filter[team_id]": {"t1"}, "filter[team.id]": {"t2"}}, refused: true},
		{name: "D-60 one with brackets of its own, junk behind them", method: "GET", path: "/filtered",
			query: map[string][]string{"filter[team_id]": {"t1"}, "filter[team_id]x": {"t2"}}, refused: true},
		{name: "D-60 one with brackets of its own, more behind them", method: "GET", path: "/filtered",
			query: map[string][]string{"filter[team_id]": {"t1"}, "filter[team_id][]": {"t2"}}, refused: true},
		{name: "D-60 one with brackets of its own, and what takes the place of all of them", method: "GET", path: "/filtered",
			query: map[string][]string{"filter[team_id]": {"t1"}, "Filter": {"t2"}}, refused: true},
		{name: "D-60 one with brackets of its own, dots for brackets", method: "GET", path: "/filtered",
			query: map[string][]string{"filter[team_id]": {"t1"}, "filter.team_id": {"t2"}}, refused: true},
		{name: "D-60 one with brackets of its own, unclosed", method: "GET", path: "/filtered",
			query: map[string][]string{"filter[team_id]": {"t1"}, "filter[team_id": {"t2"}}, refused: true},
		{name: "one with brackets of its own, others beside it", method: "GET", path: "/filtered",
			query: map[string][]string{"filter[team_id]": {"t1"}, "filter[]": {"x"}, "filter[name][first]": {"x"}, "filters": {"x"}, "team_id": {"x"}, "": {"x"}, "[": {"x"}},
			want:  policy.Need{Resources: res("team", "t1")}},
		{name: "D-60 an unclosed bracket for an underscore", method: "GET", path: "/underscored", // as PHP reads it
			query: map[string][]string{"team_id": {"t1"}, "team[id": {"t2"}}, refused: true},
		{name: "D-60 an unclosed bracket behind it", method: "GET", path: "/search", query: map[string][]string{"team": {"t1"}, "team[x": {"t2"}}, refused: true},
		{name: "D-60 in brackets", method: "GET", path: "/search", query: map[string][]string{"team": {"t1"}, "[team]": {"t2"}}, refused: true},
		{name: "an underscore is no bracket that closes", method: "GET", path: "/underscored", query: map[string][]string{"team_id": {"t1"}, "team[id]": {"t2"}, "team": {"x"}},
			want: policy.Need{Resources: res("team", "t1")}},
		{name: "child of the path, in the body too", method: "DELETE", path: "/bookings/7/notes/1", body: map[string][]string{"note": {"2"}}, refused: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, ok := tab.Match(tc.method, tc.path)
			if !ok {
				t.Fatal("no route")
			}
			got, err := m.Need(tc.query, tc.body, nil)
			if errors.Is(err, policy.ErrParameter) != tc.refused {
				t.Fatalf("%v", err)
			}
			if wrong, ok := errors.AsType[*policy.ParameterError](err); tc.refused && (!ok || !strings.Contains(wrong.Error(), wrong.Name) || wrong.Name == "") {
				t.Errorf("%v does not name the parameter", err)
			}
			if inBody := tc.path == "/teams"; m.NeedsBody() != inBody {
				t.Errorf("needs the body: %t", m.NeedsBody())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestNewTableRefuses(t *testing.T) {
	param := func(p ...policy.Parameter) []policy.Parameter { return p }
	for _, tc := range []struct {
		name   string
		routes []policy.Route
		want   string
	}{
		{"method", []policy.Route{{Method: "TRACE", Path: "/"}}, "method"},
		{"no slash", []policy.Route{{Method: "GET", Path: "a"}}, "begin"},
		{"ends in a slash", []policy.Route{{Method: "GET", Path: "/a/"}}, "normal form"},
		{"not normal", []policy.Route{{Method: "GET", Path: "/%61"}}, "normal form"},
		{"dot segment", []policy.Route{{Method: "GET", Path: "/a/../b"}}, "normal form"},
		{"half a parameter", []policy.Route{{Method: "GET", Path: "/{id"}}, "{name}"},
		{"parameter and text", []policy.Route{{Method: "GET", Path: "/{id}.json"}}, "{name}"},
		{"text and parameter", []policy.Route{{Method: "GET", Path: "/a{id}"}}, "normal form"},
		{"undeclared", []policy.Route{{Method: "GET", Path: "/{id}"}}, "not declared"},
		{"declared elsewhere", []policy.Route{{Method: "GET", Path: "/{id}", Parameters: param(policy.Parameter{Name: "id", In: policy.InQuery, Kind: "a"})}}, "not declared"},
		{"not in the path", []policy.Route{{Method: "GET", Path: "/", Parameters: param(booking())}}, "does not stand"},
		{"twice in the path", []policy.Route{{Method: "GET", Path: "/{id}/{id}", Parameters: param(booking())}}, "exactly once"},
		{"declared twice", []policy.Route{{Method: "GET", Path: "/{id}", Parameters: param(booking(), booking())}}, "twice"},
		{"means nothing", []policy.Route{{Method: "GET", Path: "/{id}", Parameters: param(policy.Parameter{Name: "id", In: policy.InPath})}}, "exactly one"},
		{"means two things", []policy.Route{{Method: "GET", Path: "/{id}", Parameters: param(policy.Parameter{Name: "id", In: policy.InPath, Kind: "a", Unscoped: true})}}, "exactly one"},
		{"nowhere", []policy.Route{{Method: "GET", Path: "/", Parameters: param(policy.Parameter{Name: "id", In: "header", Kind: "a"})}}, "none of path"},
		{"child of nobody", []policy.Route{{Method: "GET", Path: "/{id}", Parameters: param(policy.Parameter{Name: "id", In: policy.InPath, ChildOf: "x"})}}, "names no resource"},
		{"child of itself", []policy.Route{{Method: "GET", Path: "/{id}", Parameters: param(policy.Parameter{Name: "id", In: policy.InPath, ChildOf: "id"})}}, "names no resource"},
		{"child of what is unscoped", []policy.Route{{Method: "GET", Path: "/{a}/{b}", Parameters: param(
			policy.Parameter{Name: "a", In: policy.InPath, Unscoped: true}, policy.Parameter{Name: "b", In: policy.InPath, ChildOf: "a"})}}, "names no resource"},
		{"same form twice", []policy.Route{{Method: "GET", Path: "/{id}", Parameters: param(booking())},
			{Method: "GET", Path: "/{x}", Parameters: param(policy.Parameter{Name: "x", In: policy.InPath, Unscoped: true})}}, "another route"},
		{"all problems", []policy.Route{{Method: "X", Path: "/"}, {Method: "GET", Path: "b"}}, "route GET b"},
	} {
		if _, err := policy.NewTable(tc.routes); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want one that says %q", tc.name, err, tc.want)
		}
	}
}

// BenchmarkCall is all that this package does for a call: path, route, need, decision.
func BenchmarkCall(b *testing.B) {
	tab := table(b)
	rights := policy.Compile(policy.Held{Resources: policy.ResourceScope{"booking": {IDs: []string{"7"}}}})
	said := &policy.Said{}
	var space [4]policy.Resource
	b.ReportAllocs()
	for b.Loop() {
		path, err := policy.Normalise("/bookings/7/notes/1")
		if err != nil {
			b.Fatal(err)
		}
		m, ok := tab.Match("DELETE", path)
		if !ok {
			b.Fatal("no route")
		}
		need, err := m.Need(nil, nil, space[:0])
		if err != nil || !rights.Decide(&need, said).Allowed {
			b.Fatal("refused")
		}
	}
}

// An error that names a parameter is that one error and no other.
func TestParameterError(t *testing.T) {
	err := error(&policy.ParameterError{Name: "team"})
	if !errors.Is(err, policy.ErrParameter) || errors.Is(err, policy.ErrPath) {
		t.Error(err)
	}
}
