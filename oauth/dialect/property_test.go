package dialect_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

func scopes() *rapid.Generator[oauth.Scope] {
	return rapid.Map(rapid.SliceOfNDistinct(rapid.StringMatching(`[!#-\[\]-~]{1,20}`), 1, 4, rapid.ID[string]), func(s []string) oauth.Scope { return s })
}

// What EncodeRequest writes, DecodeRequest reads back, in all six and in a
// seventh that needs no line of Go.
func TestRequestRoundTrip(t *testing.T) {
	for _, d := range all(t) {
		t.Run(d.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				req := oauth.TokenRequest{GrantType: oauth.ClientCredentials, Credentials: oauth.Credentials{
					ID: rapid.StringN(1, 30, 60).Draw(t, "id"), Secret: oauth.Secret(rapid.StringN(1, 40, 90).Draw(t, "secret"))}}
				if d.Wire.Scope.Presence == dialect.Required || d.Wire.Scope.Presence == dialect.Optional && rapid.Bool().Draw(t, "with scope") {
					req.Scope = scopes().Draw(t, "scope")
				}
				if d.Wire.Audience.Presence == dialect.Required || d.Wire.Audience.Presence == dialect.Optional && rapid.Bool().Draw(t, "with audience") {
					req.Audience = rapid.StringN(1, 30, 60).Draw(t, "audience")
				}
				sent, err := d.EncodeRequest(t.Context(), "https://issuer.example"+d.Wire.Path, req)
				if err != nil {
					t.Fatal(err)
				}
				got, err := d.DecodeRequest(sent)
				if err != nil {
					t.Fatal(err)
				}
				c := got.Credentials
				if c.Basic { // as it stood there: raw, or URL-encoded once
					id, err := url.QueryUnescape(c.ID)
					secret, err2 := url.QueryUnescape(string(c.Secret))
					if (c.ID != req.Credentials.ID || c.Secret != req.Credentials.Secret) && (err != nil || err2 != nil || id != req.Credentials.ID || secret != string(req.Credentials.Secret)) {
						t.Fatalf("other credentials: %q", c.ID)
					}
				} else if c != req.Credentials {
					t.Fatalf("other credentials: %q", c.ID)
				}
				got.Credentials = req.Credentials
				if diff := cmp.Diff(req, got); diff != "" {
					t.Fatal(diff)
				}
			})
		})
	}
}

// What EncodeResponse writes, DecodeResponse reads back.
func TestResponseRoundTrip(t *testing.T) {
	for _, d := range all(t) {
		t.Run(d.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				resp := oauth.TokenResponse{
					AccessToken:  oauth.Secret(rapid.StringMatching(`[!-~]{1,200}`).Draw(t, "token")),
					TokenType:    d.Wire.TokenType,
					ExpiresIn:    time.Duration(rapid.IntRange(1, 86400).Draw(t, "seconds")) * time.Second,
					Scope:        scopes().Draw(t, "scope"),
					ScopeChanged: rapid.Bool().Draw(t, "changed"),
				}
				w := httptest.NewRecorder()
				d.EncodeResponse(w, resp)
				got, err := d.DecodeResponse(w.Result())
				if err != nil {
					t.Fatal(err)
				}
				want := resp
				want.Scope, want.ScopeChanged = nil, false
				for _, f := range d.Wire.Response {
					if f.From == dialect.FromScope && (f.When == dialect.Always || resp.ScopeChanged) {
						want.Scope, want.ScopeChanged = resp.Scope, f.When == dialect.Changed
					}
				}
				if got.AccessToken != want.AccessToken {
					t.Fatal("another token")
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatal(diff)
				}
			})
		})
	}
}

// What EncodeError writes, DecodeResponse reads back.
func TestErrorRoundTrip(t *testing.T) {
	for _, d := range all(t) {
		for _, f := range oauth.Failures() {
			w := httptest.NewRecorder()
			d.EncodeError(w, &oauth.Error{Failure: f, RetryAfter: 7 * time.Second})
			_, err := d.DecodeResponse(w.Result())
			a := d.Answer(f)
			want := &oauth.Error{Status: a.Status, Code: a.Code, Description: a.Description, RetryAfter: 7 * time.Second}
			if diff := cmp.Diff(error(want), err); diff != "" {
				t.Errorf("%s %s: %s", d.Name, f, diff)
			}
		}
	}
}

func TestEncodeRequestRefuses(t *testing.T) {
	good := oauth.TokenRequest{Credentials: oauth.Credentials{ID: "id", Secret: "hunter2"}}
	for _, tc := range []struct {
		name, dialect, url string
		change             func(*oauth.TokenRequest)
	}{
		{"relative URL", "rfc", "/token", nil},
		{"query", "rfc", "https://a/t?x", nil},
		{"empty query", "rfc", "https://a/t?", nil},
		{"user", "rfc", "https://u:p@a/t", nil},
		{"fragment", "rfc", "https://a/t#x", nil},
		{"scheme", "rfc", "ftp://a/t", nil},
		{"no secret", "rfc", "https://a/t", func(r *oauth.TokenRequest) { r.Credentials.Secret = "" }},
		{"secret not UTF-8", "omnilab", "https://a/t", func(r *oauth.TokenRequest) { r.Credentials.Secret, r.Audience = "\xff", "a" }},
		{"another grant", "rfc", "https://a/t", func(r *oauth.TokenRequest) { r.GrantType = "password" }},
		{"audience without parameter", "trialbee", "https://a/t", func(r *oauth.TokenRequest) { r.Audience = "a" }},
		{"no audience", "omnilab", "https://a/t", nil},
		{"no scope", "bipsync", "https://a/t", nil},
		{"bad scope", "rfc", "https://a/t", func(r *oauth.TokenRequest) { r.Scope = oauth.Scope{"a\"b"} }},
		{"too large", "trialbee", "https://a/t", func(r *oauth.TokenRequest) { r.Credentials.ID = string(make([]byte, 16384)) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := good
			if tc.change != nil {
				tc.change(&req)
			}
			if r, err := named(t, tc.dialect).EncodeRequest(t.Context(), tc.url, req); err == nil {
				t.Errorf("accepted: %v", r.URL)
			}
		})
	}
	r, err := named(t, "vibes").EncodeRequest(t.Context(), "https://a/t", good)
	if err != nil {
		t.Fatal(err)
	}
	if _ = r.ParseForm(); r.PostForm.Get("scope") != "https://rbm.vibes.com/rbm.agents" { // VIB-03
		t.Errorf("scope = %q", r.PostForm.Get("scope"))
	}
	if id, secret, ok := r.BasicAuth(); !ok || id != "id" || secret != "hunter2" {
		t.Error("VIB-02: no Basic")
	}
}

// COM-10, D-119, D-120, D-121
func TestDecodeResponse(t *testing.T) {
	d := named(t, "rfc")
	answer := func(status int, body string) *http.Response {
		w := httptest.NewRecorder()
		w.WriteHeader(status)
		_, _ = w.WriteString(body)
		return w.Result()
	}
	ok := func(expires string) string {
		return `{"access_token":"t","token_type":"BeArEr","refresh_token":{"x":1}` + expires + `}`
	}
	for expires, want := range map[string]time.Duration{
		``: 0, `,"expires_in":60`: time.Minute, `,"expires_in":"60"`: time.Minute, `,"expires_in":59.9`: 59 * time.Second, `,"expires_in":6e1`: time.Minute,
		`,"expires_in":1e12`: 24 * time.Hour, `,"expires_in":"1000000000000"`: 24 * time.Hour, `,"expires_in":1e999`: 24 * time.Hour,
	} {
		got, err := d.DecodeResponse(answer(200, ok(expires)))
		if err != nil || got.ExpiresIn != want || got.AccessToken != "t" {
			t.Errorf("%s: %v, %v", expires, got.ExpiresIn, err)
		}
	}
	for _, tc := range []struct {
		name   string
		status int
		body   string
	}{
		{"zero", 200, ok(`,"expires_in":0`)},
		{"negative", 200, ok(`,"expires_in":-5`)},
		{"words", 200, ok(`,"expires_in":"hunter2"`)},
		{"infinite", 200, ok(`,"expires_in":"-1e999"`)},
		{"null", 200, ok(`,"expires_in":null`)},
		{"hexadecimal", 200, ok(`,"expires_in":"0x10"`)},
		{"D-119 mac", 200, `{"access_token":"t","token_type":"mac"}`},
		{"no type", 200, `{"access_token":"t"}`},
		{"no token", 200, `{"token_type":"bearer"}`},
		{"token with line end", 200, `{"access_token":"a\nb","token_type":"bearer"}`},
		{"token is a number", 200, `{"access_token":5,"token_type":"bearer"}`},
		{"token in another case", 200, `{"Access_Token":"t","token_type":"bearer"}`},
		{"twice", 200, `{"access_token":"t","access_token":"u","token_type":"bearer"}`},
		{"D-121 HTML", 200, `<html>hunter2</html>`},
		{"D-121 endless", 200, ok(`,"x":"` + string(make([]byte, 70000)) + `"`)},
		{"redirect", 302, ok(``)},
		{"created", 201, ok(``)},
		{"HTML error", 502, `<html>hunter2</html>`},
		{"endless error", 500, `{"error":"x"}` + string(make([]byte, 70000))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := d.DecodeResponse(answer(tc.status, tc.body))
			failed, ok := err.(*oauth.Error)
			if !ok || failed.Status != tc.status || len(err.Error()) > 200 || contains(err.Error(), "hunter2") {
				t.Errorf("%v", err)
			}
		})
	}
	_, err := d.DecodeResponse(answer(400, `{"error":"bad\u0000\"code","error_description":"line\nend","error_uri":5}`))
	if e := err.(*oauth.Error); e.Code != "bad??code" || e.Description != "line?end" {
		t.Errorf("%+v", e)
	}
	late := answer(503, `{}`)
	late.Header.Set("Date", "Mon, 23 Nov 2026 10:00:00 GMT")
	late.Header.Set("Retry-After", "Mon, 23 Nov 2026 10:00:30 GMT")
	if _, err := d.DecodeResponse(late); err.(*oauth.Error).RetryAfter != 30*time.Second {
		t.Errorf("%+v", err)
	}
}
