package dialect_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/oauth/dialect"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// minimal has the fields that every file needs; more goes below server.
const minimal = "schema: 1\nname: x\nwire:\n  path: /t\n"

// D-109: whatever is wrong is told with its line and field.
func TestLoadRefuses(t *testing.T) {
	wire := func(s string) string { return minimal + "  " + s + "\n" }
	server := func(s string) string { return minimal + "server:\n  " + s + "\n" }
	for _, tc := range []struct {
		name, in string
		line     int
		field    string
		message  string // a part of it
	}{
		{"empty", "", 0, "", "is empty"},
		{"not YAML", "a: [", 1, "", "is not YAML"},
		{"list", "- a", 0, "", "is not a mapping"},
		{"two documents", minimal + "---\n" + minimal, 0, "", "more than one document"},
		{"too large", minimal + "#" + strings.Repeat("x", 64<<10), 0, "", "larger than 65536 bytes"},
		{"schema", "name: x\nwire: {path: /t}", 1, "schema", "must be 1"},
		{"no path", "schema: 1\nname: x", 1, "wire.path", "absolute path"},
		{"unknown field", minimal + "colour: red", 5, "colour", "here are schema, name, title"},
		{"unknown field inside", server("relm: x"), 6, "server.relm", "is not known"},
		{"merge key", minimal + "server: {<<: {realm: x}}", 5, "server", "not a plain word"},
		{"anchor", server("realm: &a x"), 6, "server.realm", "anchor"},
		{"tag", server("realm: !!str x"), 6, "server.realm", "tag"},
		{"own tag", server("realm: !x x"), 6, "server.realm", "tag"},
		{"null", minimal + "server:", 5, "server", "has no value"},
		{"twice", server("realm: a\n  realm: b"), 7, "server.realm", "second time"},
		{"number for text", server("realm: 5"), 6, "server.realm", "in quotes"},
		{"empty text", server(`realm: ""`), 6, "server.realm", "not empty"},
		{"text for number", server("max_body: x"), 6, "server.max_body", "whole number"},
		{"yes for true", server(`refuse_origin: "yes"`), 6, "server.refuse_origin", "true or false"},
		{"list for mapping", minimal + "server: [a]", 5, "server", "mapping"},
		{"text for list", wire("encodings: form"), 5, "wire.encodings", "a list"},
		{"closed set", wire("placement: query"), 5, "wire.placement", "one of basic_or_body, body, basic"},
		{"no encoding", wire("encodings: []"), 5, "wire.encodings", "at least one"},
		{"encoding twice", wire("encodings: [form, form]"), 5, "wire.encodings[1]", "second time"},
		{"failure", server("errors: {oops: {status: 400}}"), 6, "server.errors.oops", "is not a failure"},
		{"success as answer", server("errors: {scope_invalid: {status: 200}}"), 6, "server.errors.scope_invalid.status", "400 to 499"},
		{"wrong credentials are 401", server("errors: {credentials_wrong: {status: 400}}"), 6, "server.errors.credentials_wrong.status", "must be 401"},
		{"missing credentials are invalid_client", server("errors: {credentials_missing: {code: oops}}"), 6, "server.errors.credentials_missing.code", "invalid_client"},
		{"conflict", server("errors: {credentials_conflict: {status: 401}}"), 6, "server.errors.credentials_conflict", "401 with invalid_client"},
		{"method", server("errors: {method: {status: 400}}"), 6, "server.errors.method.status", "must be 405"},
		{"too many", server("errors: {too_many_attempts: {status: 400}}"), 6, "server.errors.too_many_attempts.status", "must be 429"},
		{"server error", server("errors: {server_error: {status: 400}}"), 6, "server.errors.server_error.status", "500 to 599"},
		{"code", server("errors: {origin: {code: \"a b\"}}"), 6, "server.errors.origin.code", "letters, digits"},
		{"description", server(`errors: {origin: {description: 'a"b'}}`), 6, "server.errors.origin.description", "printable ASCII"},
		{"D-35 header splitting", server(`realm: "a\r\nSet-Cookie: x"`), 6, "server.realm", "printable ASCII"},
		{"realm with quote", server(`realm: 'a"'`), 6, "server.realm", "printable ASCII"},
		{"typ", server("typ: a b"), 6, "server.typ", "letters, digits"},
		{"algorithm none", server("algorithms: [none]"), 6, "server.algorithms[0]", "must be one of ES256"},
		{"no algorithm", server("algorithms: []"), 6, "server.algorithms", "at least one"},
		{"lifetime", server("lifetime: {max: 86401}"), 6, "server.lifetime.max", "1 to 86400"},
		{"default above max", server("lifetime: {default: 100, max: 50}"), 6, "server.lifetime.default", "1 to 50"},
		{"fixed and max", server("lifetime: {default: 100, max: 200, fixed: true}"), 6, "server.lifetime.max", "fixed"},
		{"max_body", server("max_body: 16385"), 6, "server.max_body", "256 to 16384"},
		{"reserved claim", server("claims: [{name: sub, from: tier}]"), 6, "server.claims[0].name", "set by the server"},
		{"claim twice", server("claims: [{name: a, from: tier}, {name: a, value: x}]"), 6, "server.claims[1].name", "once"},
		{"claim without value", server("claims: [{name: a}]"), 6, "server.claims[0]", "either from or value"},
		{"claim with both", server("claims: [{name: a, from: tier, value: x}]"), 6, "server.claims[0]", "either from or value"},
		{"claim from nowhere", server("claims: [{name: a, from: secret}]"), 6, "server.claims[0].from", "must be one of client_id"},
		{"claim from no binding", server("claims: [{name: a, from: \"binding:team\"}]"), 6, "server.claims[0].from", "kind of server.scope.bindings"},
		{"claim from many", server("scope: {bindings: [{pattern: \"t{id:digits}\", kind: t, max: 2}]}\n  claims: [{name: a, from: \"binding:t\"}]"), 7, "server.claims[0].from", "max is 1"},
		{"pattern", server("scope: {bindings: [{pattern: \"team_*\", kind: t}]}"), 6, "server.scope.bindings[0].pattern", "{id:CLASS}"},
		{"pattern without text", server("scope: {bindings: [{pattern: \"{id:name}\", kind: t}]}"), 6, "server.scope.bindings[0].pattern", "{id:CLASS}"},
		{"pattern class", server("scope: {bindings: [{pattern: \"t{id:hex065}\", kind: t}]}"), 6, "server.scope.bindings[0].pattern", "{id:CLASS}"},
		{"kind twice", server("scope: {bindings: [{pattern: \"a{id:name}\", kind: t}, {pattern: \"b{id:name}\", kind: t}]}"), 6, "server.scope.bindings[1].kind", "one binding only"},
		{"no access token", wire("response: [{name: token_type}, {name: expires_in}]"), 5, "wire.response", "one member from access_token, and has 0"},
		{"two expiries", wire("response: [{name: access_token}, {name: token_type}, {name: expires_in}, {name: e, from: expires_in}]"), 5, "wire.response", "has 2"},
		{"token can be left out", wire("response: [{name: access_token, when: changed}, {name: token_type}, {name: expires_in}]"), 5, "wire.response[0].when", "must be always"},
		{"token as number", wire("response: [{name: access_token, as: number}, {name: token_type}, {name: expires_in}]"), 5, "wire.response[0].as", "must be string"},
		{"member without source", wire("response: [{name: access_token}, {name: token_type}, {name: expires_in}, {name: x}]"), 5, "wire.response[3].from", "must be one of access_token"},
		{"member named error", wire("response: [{name: error, from: access_token}, {name: token_type}, {name: expires_in}]"), 5, "wire.response[0].name", "error"},
		{"token type", wire("token_type: mac"), 5, "wire.token_type", "bearer"},
		{"Kelvin is no letter of bearer", wire("token_type: \"bearer\\u212a\""), 5, "wire.token_type", "bearer"},
		{"audience takes a name", wire("audience: {name: client_secret}"), 5, "wire.audience.name", "of its own"},
		{"fixed scope", wire("scope: {fixed: \"a  b\"}"), 5, "wire.scope.fixed", "single spaces"},
		{"fixed scope without scope", wire("scope: {presence: none, fixed: a}"), 5, "wire.scope.fixed", "presence is none"},
		{"name", "schema: 1\nname: X\nwire: {path: /t}", 2, "name", "lower-case"},
		{"title", minimal + "title: \"a\\nb\"", 5, "title", "one line"},
		{"fraction", minimal + "client: {refresh_fraction: 1.5}", 5, "client.refresh_fraction", "at most 0.9"},
		{"fraction NaN", minimal + "client: {refresh_fraction: .nan}", 5, "client.refresh_fraction", "above 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := dialect.Load("f.yaml", []byte(tc.in))
			wrong, ok := errors.AsType[*dialect.FileError](err)
			if !ok || len(wrong.Problems) != 1 {
				t.Fatalf("Load: %v", err)
			}
			got := wrong.Problems[0]
			if got.File != "f.yaml" || got.Line != tc.line || got.Field != tc.field || !contains(got.Message, tc.message) {
				t.Errorf("got %+v, want line %d of %s: %s", got, tc.line, tc.field, tc.message)
			}
		})
	}
	for _, path := range []string{"", "t", "/", "/t/", "//t", "/a//t", "/a/../t", "/./t", "/a?b", "/a#b", "/a%2fb", "/a;b", "/a b", "/é", "/.well-known/x", "/.well-known", "/a\\b", "/*"} {
		if _, err := dialect.Load("f.yaml", fmt.Appendf(nil, "schema: 1\nname: x\nwire: {path: %q}\n", path)); err == nil {
			t.Errorf("path %q was accepted", path)
		}
	}
}

// Every problem is told at once, in the order of the file.
func TestLoadTellsAll(t *testing.T) {
	_, err := dialect.Load("f.yaml", []byte("schema: 2\nname: x\nwire:\n  path: t\n  placement: url\nserver:\n  realm: [a]\n  lifetime: {max: 100000}\nmore: 1\n"))
	want := strings.Join([]string{
		"f.yaml:1: schema must be 1",
		"f.yaml:4: wire.path must be an absolute path of letters, digits and -._~: without dot segments, // or a slash at its end, not below /.well-known, e.g. /oauth2/token",
		"f.yaml:5: wire.placement must be one of basic_or_body, body, basic, basic_over_body, basic_and_body",
		"f.yaml:7: server.realm must be a single value",
		"f.yaml:8: server.lifetime.max must be 1 to 86400",
		"f.yaml:9: more is not known: here are schema, name, title, source, wire, server, admin, client",
	}, "\n")
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Error(diff)
	}
}

// D-109: an alias bomb is refused without being opened.
func TestLoadAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	if _, err := dialect.Load("f.yaml", []byte(b.String())); err == nil {
		t.Error("accepted")
	}
	_, err := dialect.Load("f.yaml", []byte(minimal+"title: &n x\nsource: *n\n"))
	want := "f.yaml:5: title uses an anchor or alias: write the value out\nf.yaml:6: source uses an anchor or alias: write the value out"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func seedFiles(f *testing.F) {
	for _, name := range []string{"rfc.yaml", "trialbee.yaml", "omnilab.yaml", "vibes.yaml", "bipsync.yaml", "arbitex.yaml", "testdata/seventh.yaml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}
