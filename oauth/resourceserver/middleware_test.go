package resourceserver_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/oauth/resourceserver"
)

type answer struct {
	Status          int
	Challenge, Body string
}

func ask(h http.Handler, r *http.Request) answer {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Header().Get("WWW-Authenticate"), w.Body.String()}
}

func TestRequire(t *testing.T) { // RFC 6750 §3; D-63 D-64 D-72
	i, c := start(t)
	var refused []error
	v := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{i.Trusted(c.Now)}, Realm: "api", Revocation: i, Now: c.Now,
		Refused: func(_ *http.Request, err error) { refused = append(refused, err) }})
	api := v.Require(resourceserver.RequireScope("read", "list")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, ok := resourceserver.ClaimsFrom(r.Context())
		if !ok {
			t.Error("no claims behind Require")
		}
		_, _ = w.Write([]byte("hello " + claims.ClientID))
	})))
	good := i.Token("list read more")
	bad := answer{401, `Bearer realm="api", error="invalid_token", error_description="the access token is not valid here"`,
		`{"error":"invalid_token","error_description":"the access token is not valid here"}` + "\n"}
	malformed := answer{400, `Bearer realm="api", error="invalid_request", error_description="send one token, in one Authorization header"`,
		`{"error":"invalid_request","error_description":"send one token, in one Authorization header"}` + "\n"}
	ok, none := answer{200, "", "hello oauthtest-client"}, answer{401, `Bearer realm="api"`, ""}
	for _, tc := range []struct {
		name, target string
		headers      []string
		want         answer
	}{
		{"good", "/", []string{"Bearer " + good}, ok},
		{"D-64 scheme in any case", "/", []string{"bEARER " + good}, ok},
		{"other parameters", "/?token=x&access_tokens=y", []string{"Bearer " + good}, ok},
		{"no token", "/", nil, none},
		{"another scheme", "/", []string{"Basic YTpi"}, none},
		{"D-63 two headers", "/", []string{"Bearer " + good, "Bearer " + good}, malformed},
		{"D-63 a second scheme", "/", []string{"Basic YTpi", "Bearer " + good}, malformed},
		{"D-63 query", "/?access_token=" + good, nil, malformed},
		{"D-63 query and header", "/?access_token=" + good, []string{"Bearer " + good}, malformed},
		{"D-63 query, escaped", "/?a=b&access%5ftoken=", []string{"Bearer " + good}, malformed},
		{"D-64 two spaces", "/", []string{"Bearer  " + good}, malformed},
		{"D-64 space behind", "/", []string{"Bearer " + good + " "}, malformed},
		{"D-64 tab", "/", []string{"Bearer\t" + good}, none},
		{"D-64 comma", "/", []string{"Bearer " + good + ", Bearer " + good}, malformed},
		{"D-64 parameter", "/", []string{`Bearer token="` + good + `"`}, malformed},
		{"empty", "/", []string{"Bearer "}, malformed},
		{"only the scheme", "/", []string{"Bearer"}, malformed},
		{"D-72 expired", "/", []string{"Bearer " + i.Expired("read list")}, bad},
		{"D-72 forged", "/", []string{"Bearer " + i.Foreign("read list")}, bad},
		{"D-72 revoked", "/", []string{"Bearer " + i.RevokedToken("read list")}, bad},
		{"D-72 no JWT at all", "/", []string{"Bearer abc"}, bad},
		{"scope", "/", []string{"Bearer " + i.Token("read")}, answer{403,
			`Bearer realm="api", error="insufficient_scope", error_description="the access token lacks a scope that is required here", scope="read list"`,
			`{"error":"insufficient_scope","error_description":"the access token lacks a scope that is required here"}` + "\n"}},
		{"D-54 no scope", "/", []string{"Bearer " + i.Token("")}, answer{403,
			`Bearer realm="api", error="insufficient_scope", error_description="the access token lacks a scope that is required here", scope="read list"`,
			`{"error":"insufficient_scope","error_description":"the access token lacks a scope that is required here"}` + "\n"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, tc.target, nil)
			r.Header["Authorization"] = tc.headers
			if diff := cmp.Diff(tc.want, ask(api, r)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	if len(refused) != 18 { // all but three that passed and the two that lacked scope
		t.Errorf("told of %d refusals", len(refused))
	}
	for _, err := range refused {
		if strings.Contains(err.Error(), "eyJ") {
			t.Errorf("an error carries a token: %v", err)
		}
	}
}

// A token in a form body is no token (RFC 6750 §2.2), and the body is left alone.
func TestFormBodyIsNotRead(t *testing.T) { // D-63
	i, c := start(t)
	v := verifier(t, resourceserver.Config{Issuers: []resourceserver.Issuer{i.Trusted(c.Now)}, Now: c.Now})
	body := strings.NewReader("access_token=" + i.Token(""))
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	before := body.Len()
	if got := ask(v.Require(http.NotFoundHandler()), r); got.Status != 401 || got.Challenge != "Bearer" || body.Len() != before {
		t.Errorf("%+v, %d bytes left of %d", got, body.Len(), before)
	}
}

func TestRequireScopeAlone(t *testing.T) {
	h := resourceserver.RequireScope("a")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("let through") }))
	if got := ask(h, httptest.NewRequest(http.MethodGet, "/", nil)); got.Status != 401 {
		t.Errorf("%+v", got)
	}
	for _, scopes := range [][]string{nil, {""}, {`a"b`}, {"a b"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("RequireScope(%q) was taken", scopes)
				}
			}()
			resourceserver.RequireScope(scopes...)
		}()
	}
}

func TestRefuse(t *testing.T) {
	for _, tc := range []struct {
		err    error
		status int
		retry  string
	}{
		{resourceserver.ErrTooManyFailures, 429, "60"},
		{resourceserver.ErrUnavailable, 503, "5"},
		{errors.New("something with a password in it"), 500, ""},
	} {
		w := httptest.NewRecorder()
		resourceserver.Refuse(w, "api", tc.err)
		if w.Code != tc.status || w.Body.Len() != 0 || w.Header().Get("WWW-Authenticate") != "" ||
			w.Header().Get("Retry-After") != tc.retry || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v: %d %q %v", tc.err, w.Code, w.Body, w.Header())
		}
	}
}

// Whatever is taken for a token is one, and stands alone in the header.
func FuzzBearer(f *testing.F) {
	for _, s := range []string{"Bearer abc", "bearer abc==", "Bearer  a", "Bearer a,b", "Basic x", "Bearer a Bearer b", "Bearer =", "Bearer\xc2\xa0a"} {
		f.Add(s, "")
	}
	f.Add("Bearer a", "access%5Ftoken=x")
	f.Fuzz(func(t *testing.T, header, query string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{header}
		r.URL.RawQuery = query
		token, err := resourceserver.Bearer(r)
		if r.URL.Query().Has("access_token") && err == nil {
			t.Fatalf("a token in the query %q was passed over", query)
		}
		if err != nil {
			if token != "" {
				t.Fatalf("%q with an error", token)
			}
			return
		}
		if token == "" || !strings.EqualFold(header[:len(header)-len(token)], "Bearer ") || strings.ContainsAny(token, " ,\t\"\r\n") {
			t.Fatalf("%q out of %q", token, header)
		}
	})
}
