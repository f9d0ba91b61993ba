package dialect_test

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

// all is the six and the invented seventh.
func all(t testing.TB) []*dialect.Dialect {
	t.Helper()
	data, err := os.ReadFile("testdata/seventh.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seventh, err := dialect.Load("seventh.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	set, err := dialect.NewSet(seventh)
	if err != nil {
		t.Fatal(err)
	}
	var list []*dialect.Dialect
	for _, name := range set.Names() {
		d, _ := set.Get(name)
		list = append(list, d)
	}
	return list
}

func named(t testing.TB, name string) *dialect.Dialect {
	t.Helper()
	for _, d := range all(t) {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("no dialect %s", name)
	return nil
}

// load reads the smallest file with more lines.
func load(t testing.TB, more string) *dialect.Dialect {
	t.Helper()
	d, err := dialect.Load("x.yaml", []byte("schema: 1\nname: x\n"+more))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSet(t *testing.T) {
	if got := strings.Join(dialect.Builtin().Names(), " "); got != "arbitex bipsync omnilab rfc trialbee vibes" {
		t.Errorf("Names = %s", got)
	}
	mine := load(t, "wire: {path: /t}\n")
	set, err := dialect.NewSet(mine)
	if err != nil || !set.Own("x") || set.Own("rfc") {
		t.Errorf("NewSet: %v", err)
	}
	if _, err := dialect.NewSet(mine, mine); err == nil {
		t.Error("one name twice was accepted")
	}
	if _, ok := set.Get("none"); ok {
		t.Error("Get(none)")
	}
}

// COM-11: the nearly empty file is RFC 6749 and RFC 9068.
func TestDefaults(t *testing.T) {
	d := named(t, "rfc")
	w := d.Wire
	if w.Placement != dialect.BasicOrBody || len(w.Encodings) != 1 || w.Encodings[0] != dialect.Form || w.Audience != (dialect.AudienceParam{Presence: dialect.Optional, Name: "resource"}) ||
		w.Scope != (dialect.ScopeParam{Presence: dialect.Optional}) || w.TokenType != "Bearer" {
		t.Errorf("wire = %+v", w)
	}
	s := d.Server
	if s.Realm != "token" || s.Challenge != dialect.BasicUsed || s.Scope.Omitted != dialect.AllAssigned || s.Typ != "at+jwt" || s.MaxBody != 16384 ||
		s.Lifetime != (dialect.Lifetime{Default: 3600, Max: 86400}) || s.PartnerClients != dialect.PartnersAllowed || strings.Join(s.Algorithms, " ") != "ES256 EdDSA RS256 PS256" {
		t.Errorf("server = %+v", s)
	}
	for f, want := range map[oauth.Failure]dialect.Answer{
		oauth.FailureMethod:               {Status: 405, Code: "invalid_request"},
		oauth.FailureGrantTypeMissing:     {Status: 400, Code: "invalid_request"},
		oauth.FailureGrantTypeUnsupported: {Status: 400, Code: "unsupported_grant_type"},
		oauth.FailureCredentialsMissing:   {Status: 401, Code: "invalid_client"},
		oauth.FailureCredentialsConflict:  {Status: 400, Code: "invalid_request"},
		oauth.FailureTooManyAttempts:      {Status: 429, Code: "temporarily_unavailable"},
		oauth.FailureGrantNotAllowed:      {Status: 400, Code: "unauthorized_client"},
		oauth.FailureScopeMissing:         {Status: 400, Code: "invalid_scope"},
		oauth.FailureAudienceInvalid:      {Status: 400, Code: "invalid_target"},
		oauth.FailureUnavailable:          {Status: 503, Code: "temporarily_unavailable"},
		oauth.FailureServer:               {Status: 500, Code: "server_error"},
	} {
		got := d.Answer(f)
		got.Description = ""
		if got != want {
			t.Errorf("Answer(%s) = %+v, want %+v", f, got, want)
		}
	}
	if got := load(t, "wire: {path: /t}\nserver: {claims: []}\n").Server.Claims; len(got) != 0 {
		t.Errorf("claims: [] became %v", got)
	}
}

// BIP-04, D-15: a pattern matches the whole token, in one spelling.
func TestBind(t *testing.T) {
	for _, tc := range []struct{ dialect, token, kind, id string }{
		{"bipsync", "team_65df73340142feec34d7d6ee", "team", "65df73340142feec34d7d6ee"},
		{"bipsync", "team_65DF73340142FEEC34D7D6EE", "", ""},
		{"bipsync", "team_65df73340142feec34d7d6e", "", ""},
		{"bipsync", "team_65df73340142feec34d7d6eee", "", ""},
		{"bipsync", "xteam_65df73340142feec34d7d6ee", "", ""},
		{"bipsync", "team_*", "", ""},
		{"bipsync", "team_", "", ""},
		{"bipsync", "profile", "", ""},
		{"rfc", "team_65df73340142feec34d7d6ee", "", ""},
		{"seventh", "site:0042:all", "site", "0042"},
		{"seventh", "site::all", "", ""},
		{"seventh", "site:all", "", ""},
		{"seventh", "site:4x:all", "", ""},
		{"seventh", "org-5e0b4a60-1f4e-4a6c-9a51-5b2f6a0c9a11", "org", "5e0b4a60-1f4e-4a6c-9a51-5b2f6a0c9a11"},
		{"seventh", "org-5e0b4a601f4e4a6c9a515b2f6a0c9a110000", "", ""},
	} {
		b, id, ok := named(t, tc.dialect).Bind(tc.token)
		if ok != (tc.id != "") || id != tc.id || ok && b.Kind != tc.kind {
			t.Errorf("%s: Bind(%s) = %v, %q, %v", tc.dialect, tc.token, b, id, ok)
		}
	}
}

// TRI-04, OMN-04, VIB-04, BIP-06, ARB-03, COM-03, D-33
func TestEncodeResponse(t *testing.T) {
	resp := oauth.TokenResponse{AccessToken: "h.p.s", ExpiresIn: 3600e9, Scope: oauth.Scope{"a", "b"}, ScopeChanged: true}
	for name, want := range map[string]string{
		"rfc":      `{"access_token":"h.p.s","token_type":"Bearer","expires_in":3600,"scope":"a b"}`,
		"trialbee": `{"access_token":"h.p.s","expires_in":3600,"token_type":"Bearer"}`,
		"omnilab":  `{"access_token":"h.p.s","token_type":"Bearer","expires_in":3600}`,
		"vibes":    `{"access_token":"h.p.s","token_type":"Bearer","expires_in":3600}`,
		"bipsync":  `{"token_type":"bearer","expires_in":3600,"access_token":"h.p.s"}`,
		"arbitex":  `{"access_token":"h.p.s","token_type":"bearer","expires_in":3600,"scope":"a b"}`,
		"seventh":  `{"ttl":"3600","permissions":"a b","kind":"BEARER","jwt":"h.p.s"}`,
	} {
		w := httptest.NewRecorder()
		named(t, name).EncodeResponse(w, resp)
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s, want %s", name, w.Code, w.Body, want)
		}
		h := w.Header()
		if h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" || h.Get("Content-Type") != "application/json" || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Access-Control-Allow-Origin") != "" || len(h) != 5 {
			t.Errorf("%s: headers %v", name, h)
		}
	}
	w := httptest.NewRecorder()
	resp.ScopeChanged = false
	named(t, "rfc").EncodeResponse(w, resp)
	if strings.Contains(w.Body.String(), "scope") {
		t.Errorf("scope though it is the one asked for: %s", w.Body)
	}
	// Adding to a header must not reach the next answer.
	w.Header().Add("Cache-Control", "private")
	next := httptest.NewRecorder()
	named(t, "rfc").EncodeResponse(next, resp)
	if got := next.Header().Values("Cache-Control"); len(got) != 1 {
		t.Errorf("Cache-Control = %v", got)
	}
}

// ARB-15, ARB-16, COM-01, D-11, D-36
func TestEncodeError(t *testing.T) {
	for _, tc := range []struct {
		name, dialect string
		err           error
		status        int
		want          string
		header, value string
	}{
		{"method", "rfc", oauth.Fail(oauth.FailureMethod), 405, `"error":"invalid_request"`, "Allow", "POST"},
		{"wrong in the body has no challenge", "rfc", oauth.Fail(oauth.FailureCredentialsWrong), 401, `"error":"invalid_client"`, "Www-Authenticate", ""},
		{"wrong by Basic has one", "rfc", &oauth.Error{Failure: oauth.FailureCredentialsWrong, Basic: true}, 401, `"error":"invalid_client"`, "Www-Authenticate", `Basic realm="token"`},
		{"Basic is required", "vibes", oauth.Fail(oauth.FailureCredentialsWrong), 401, `"error":"invalid_client"`, "Www-Authenticate", `Basic realm="token"`},
		{"always", "arbitex", oauth.Fail(oauth.FailureCredentialsMissing), 401, `"error":"invalid_client"`, "Www-Authenticate", `Basic realm="oauth"`},
		{"no challenge without 401", "arbitex", oauth.Fail(oauth.FailureScopeInvalid), 400, `"error":"invalid_scope"`, "Www-Authenticate", ""},
		{"grant type missing", "arbitex", oauth.FailWith(oauth.FailureGrantTypeMissing, "grant_type"), 400, `{"error":"unsupported_grant_type","error_description":"grant_type must be client_credentials"}`, "", ""},
		{"conflict", "vibes", oauth.Fail(oauth.FailureCredentialsConflict), 401, `"error":"invalid_client"`, "", ""},
		{"too many", "rfc", &oauth.Error{Failure: oauth.FailureTooManyAttempts, RetryAfter: 1500e6}, 429, `"error":"temporarily_unavailable"`, "Retry-After", "2"},
		{"unavailable", "seventh", oauth.Fail(oauth.FailureUnavailable), 502, `"error":"later"`, "Retry-After", ""},
		{"parameter of ours", "omnilab", oauth.FailWith(oauth.FailureParameterMissing, "audience"), 400, `"error_description":"a required parameter is missing: audience"`, "", ""},
		{"parameter not of ours", "omnilab", oauth.FailWith(oauth.FailureDuplicateParameter, `x" y`), 400, `"error_description":"a parameter may stand in the request only once"}`, "", ""},
		{"cause is not told", "rfc", &oauth.Error{Failure: oauth.FailureMalformedBody, Err: os.ErrClosed}, 400, `"error_description":"the request body is too large or is not what its Content-Type says"}`, "", ""},
		{"foreign error", "rfc", os.ErrPermission, 500, `{"error":"server_error","error_description":"the server failed: try again later"}`, "", ""},
		{"no failure", "rfc", &oauth.Error{Code: "x", Description: "y"}, 500, `{"error":"server_error","error_description":"the server failed: try again later"}`, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			named(t, tc.dialect).EncodeError(w, tc.err)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) || tc.header != "" && w.Header().Get(tc.header) != tc.value {
				t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("cacheable: %v", w.Header())
			}
		})
	}
	d := named(t, "arbitex")
	if a := d.Answer(oauth.FailureCredentialsMissing); a != d.Answer(oauth.FailureCredentialsMalformed) || a != d.Answer(oauth.FailureCredentialsWrong) {
		t.Error("ARB-15: three answers where there must be one")
	}
	for _, d := range all(t) {
		if d.Answer(oauth.FailureCredentialsMalformed) != d.Answer(oauth.FailureCredentialsWrong) {
			t.Errorf("%s: malformed and wrong differ", d.Name)
		}
	}
}
