package admin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/signin"
	"github.com/postern-dev/postern/oauth"
)

// A put that makes something is 201, and one that replaces it 200 (RFC 9110 §9.3.4); what is
// built in was there.
func TestPutTellsWhetherItMade(t *testing.T) {
	_, socket := start(t)
	put := func(path, body string, want int) {
		t.Helper()
		if status, _, answer := raw(t, socket, http.MethodPut, path, body, "Content-Type", isJSON); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, answer, want)
		}
	}
	const tenant = "/tenants/44444444-4444-4444-8444-444444444444"
	for path, bodies := range map[string][2]string{
		"/tiers/gold":      {`{"per_minute":1}`, `{"per_minute":2}`},
		"/policies/reader": {`{"label":"a","actions":{"a:b":"c"}}`, `{"label":"b","actions":{"a:b":"c"}}`},
		tenant:             {`{"label":"a"}`, `{"label":"b"}`},
	} {
		put(path, bodies[0], http.StatusCreated)
		put(path, bodies[0], http.StatusOK) // as it is already, at version 1
		put(path, bodies[1], http.StatusOK)
		if status, _, answer := raw(t, socket, http.MethodDelete, path, ""); status != http.StatusNoContent || answer != "" {
			t.Errorf("delete %s: %d %s", path, status, answer)
		}
		put(path, bodies[1], http.StatusCreated)
	}
	put("/tiers/standard", `{"per_minute":7}`, http.StatusOK)
}

// What is made has a place (RFC 9110 §15.3.2).
func TestLocationOfWhatIsMade(t *testing.T) {
	_, socket := start(t)
	for path, body := range map[string]string{
		"/clients":        `{"issuer":"main","name":"x","platform_wide":true,"audiences":["a"]}`,
		"/clients/import": `{"issuer":"main","id":"old/one","name":"x","platform_wide":true,"audiences":["a"],"client_secret":"a secret of before"}`,
		"/people":         `{"name":"ann@example.com","role":"auditor","all_tenants":true,"all_issuers":true}`,
		"/api-keys":       `{"label":"x","role":"auditor","all_tenants":true,"all_issuers":true}`,
	} {
		status, header, answer := raw(t, socket, http.MethodPost, path, body, "Content-Type", isJSON)
		at := strings.TrimPrefix(header.Get("Location"), "/api/admin")
		if status != http.StatusCreated || at == "" {
			t.Errorf("%s: %d %q %s", path, status, at, answer)
			continue
		}
		if status, there, answer := raw(t, socket, http.MethodGet, at, ""); status != http.StatusOK || there.Get("ETag") != header.Get("ETag") {
			t.Errorf("%s: %d %s", at, status, answer)
		}
	}
}

// Conditions are heeded, or refused; none is passed over (RFC 9110 §13).
func TestConditions(t *testing.T) {
	_, socket := start(t)
	const one = "/tenants/" + tenantID
	for name, c := range map[string]struct {
		method string
		header []string
		status int
	}{
		"as it is":                   {"GET", []string{"If-None-Match", `"1"`}, 304},
		"as it is, with HEAD":        {"HEAD", []string{"If-None-Match", `"1"`}, 304},
		"weakly compared":            {"GET", []string{"If-None-Match", `W/"1"`}, 304},
		"one of several":             {"GET", []string{"If-None-Match", `"7", "1"`}, 304},
		"one of several headers":     {"GET", []string{"If-None-Match", `"7"`, "If-None-Match", `"1"`}, 304},
		"whatever it is":             {"GET", []string{"If-None-Match", `*`}, 304},
		"another one":                {"GET", []string{"If-None-Match", `"2"`}, 200},
		"no tag":                     {"GET", []string{"If-None-Match", `1`}, 200},
		"without a date":             {"GET", []string{"If-Modified-Since", "Mon, 23 Nov 2026 12:00:00 GMT"}, 200},
		"an empty If-Match":          {"DELETE", []string{"If-Match", ""}, 400},
		"two of them":                {"DELETE", []string{"If-Match", `"1"`, "If-Match", `"7"`}, 400},
		"an empty If-None-Match":     {"DELETE", []string{"If-None-Match", ""}, 400},
		"only where it is unchanged": {"DELETE", []string{"If-Unmodified-Since", "Mon, 23 Nov 2026 12:00:00 GMT"}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			status, header, answer := raw(t, socket, c.method, one, "", c.header...)
			if status != c.status {
				t.Errorf("%d %s", status, answer)
			}
			if status == http.StatusNotModified && (answer != "" || header.Get("ETag") != `"1"` || header.Get("Content-Type") != "" || header.Get("X-Request-Id") == "") {
				t.Errorf("%q %v", answer, header)
			}
		})
	}
	if status, _, _ := raw(t, socket, http.MethodGet, "/tenants/none", "", "If-None-Match", "*"); status != http.StatusNotFound {
		t.Errorf("of what is not there: %d", status)
	}
}

// What is taken is told with 415 (RFC 9110 §15.5.16, RFC 5789 §2.2), and a coding that is not
// undone is refused.
func TestUnsupportedMediaTypeTellsWhatIs(t *testing.T) {
	_, socket := start(t)
	for name, c := range map[string]struct {
		method, path string
		header       []string
		tells        string
	}{
		"type":     {"POST", "/clients", []string{"Content-Type", "text/plain"}, "Accept: application/json"},
		"none":     {"POST", "/clients", nil, "Accept: application/json"},
		"of patch": {"PATCH", "/tenants/" + tenantID, []string{"Content-Type", "application/json-patch+json"}, "Accept-Patch: application/json"},
		"coding":   {"PATCH", "/tenants/" + tenantID, []string{"Content-Type", isJSON, "Content-Encoding", "gzip"}, "Accept-Encoding: identity"},
		"codings":  {"PATCH", "/tenants/" + tenantID, []string{"Content-Type", isJSON, "Content-Encoding", "identity", "Content-Encoding", "br"}, "Accept-Encoding: identity"},
	} {
		t.Run(name, func(t *testing.T) {
			status, header, answer := raw(t, socket, c.method, c.path, `{"label":"x"}`, c.header...)
			field, value, _ := strings.Cut(c.tells, ": ")
			if status != http.StatusUnsupportedMediaType || header.Get(field) != value {
				t.Errorf("%d %v %s", status, header, answer)
			}
		})
	}
}

// Whatever Accept says, an answer is of the one type there is (RFC 9110 §12.5.1).
func TestAcceptChoosesNothing(t *testing.T) {
	_, socket := start(t)
	for _, accept := range []string{"json", "json;q=1, application/json;q=0.1", "text/html", "application/cbor", "*/*", "application/json;q=0", ",;"} {
		for path, want := range map[string]string{"/tenants": "application/json", "/tenants/none": "application/problem+json"} {
			if _, header, _ := raw(t, socket, http.MethodGet, path, "", "Accept", accept); header.Get("Content-Type") != want {
				t.Errorf("%s of %s: %q", accept, path, header.Get("Content-Type"))
			}
		}
	}
}

// A challenge says what was wrong with a token, and nothing where there was none (RFC 6750 §3).
func TestChallenges(t *testing.T) {
	reg, _ := start(t)
	const challenge = `Bearer realm="postern admin"`
	client := domain.Client{Issuer: "main", ID: "c", Audiences: []string{domain.AdminAudience}, Scopes: oauth.Scope{"admin:audit"}, PlatformWide: true}
	for name, c := range map[string]struct {
		authorization []string
		scope         oauth.Scope
		path          string
		status        int
		want          string
	}{
		"nothing":              {nil, nil, "/clients", 401, challenge},
		"Basic":                {[]string{"Basic YW5uOmFubg=="}, nil, "/clients", 401, challenge},
		"no token of ours":     {[]string{"Bearer abc"}, nil, "/clients", 401, challenge + `, error="invalid_token"`},
		"two":                  {[]string{"Bearer a", "Bearer b"}, nil, "/clients", 400, challenge + `, error="invalid_request"`},
		"none of the scopes":   {[]string{"Bearer good"}, oauth.Scope{"api:read"}, "/clients", 403, challenge + `, error="insufficient_scope"`},
		"not that scope":       {[]string{"Bearer good"}, oauth.Scope{"admin:audit"}, "/people", 403, challenge + `, error="insufficient_scope"`},
		"enough":               {[]string{"Bearer good"}, oauth.Scope{"admin:audit"}, "/tenants", 200, ""},
		"not there (D-102)":    {[]string{"Bearer good"}, oauth.Scope{"admin:audit"}, "/tenants/none", 404, ""},
		"not allowed, no path": {[]string{"Bearer good"}, oauth.Scope{"admin:audit"}, "/none", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := signin.New(signin.Config{Store: reg.Store, Records: reg.Store.(domain.Records), People: reg, Peppers: reg.Vault.Peppers, Now: time.Now, Local: time.Now,
				Tokens: func(r *http.Request, _ netip.Addr) (string, domain.Client, oauth.Scope, error) {
					if r.Header.Get("Authorization") != "Bearer good" {
						return "", domain.Client{}, nil, domain.ErrNotFound
					}
					return "main", client, c.scope, nil
				}})
			h := admin.New(admin.Config{Registry: reg, SignIn: s, Records: reg.Store.(domain.Records), Audit: admin.Audit{Store: reg.Store}, Log: discard()})
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/admin"+c.path, nil)
			req.RemoteAddr = "127.0.0.1:4711"
			req.Header["Authorization"] = c.authorization
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != c.status || w.Header().Get("WWW-Authenticate") != c.want {
				t.Errorf("%d %q %s", w.Code, w.Header().Get("WWW-Authenticate"), w.Body)
			}
		})
	}
}

// The document tells what is answered: 201 of a put, 304 of a get, and each header that an answer has.
func TestDocumentOfVersions(t *testing.T) {
	_, socket := start(t)
	_, _, answer := raw(t, socket, http.MethodGet, "/openapi.json", "")
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string
			Responses   map[string]struct{ Headers map[string]any }
		}
	}
	if err := json.Unmarshal([]byte(answer), &doc); err != nil {
		t.Fatal(err)
	}
	says := map[string]string{}
	for _, operations := range doc.Paths {
		for _, op := range operations {
			for status, r := range op.Responses {
				says[op.OperationID+" "+status] = strings.Join(slices.Sorted(maps.Keys(r.Headers)), " ")
			}
		}
	}
	for what, want := range map[string]string{
		"put-tier " + strconv.Itoa(http.StatusCreated):        "ETag X-Request-Id",
		"put-tenant " + strconv.Itoa(http.StatusCreated):      "ETag X-Request-Id",
		"put-resources " + strconv.Itoa(http.StatusOK):        "ETag X-Request-Id",
		"get-client " + strconv.Itoa(http.StatusNotModified):  "ETag X-Request-Id",
		"import-client " + strconv.Itoa(http.StatusCreated):   "ETag Idempotency-Replayed Location X-Request-Id",
		"create-client " + strconv.Itoa(http.StatusConflict):  "Retry-After X-Request-Id",
		"create-client " + strconv.Itoa(http.StatusForbidden): "WWW-Authenticate X-Request-Id",
		"create-client 415": "Accept Accept-Encoding Accept-Patch X-Request-Id",
	} {
		if got := says[what]; got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	for _, not := range []string{"put-resources 201", "list-tiers 304"} {
		if _, there := says[not]; there {
			t.Error(not)
		}
	}
}

// A cursor that somebody made up names no place that a store could not look for (D-107).
func TestCursorsThatAreMadeUp(t *testing.T) {
	_, socket := start(t)
	of := sha256.Sum256([]byte("/api/admin/tiers?"))
	for place, want := range map[string]int{"a": http.StatusOK, "a\x00": http.StatusBadRequest, "\xff": http.StatusBadRequest, "": http.StatusBadRequest} {
		cursor := base64.RawURLEncoding.EncodeToString(append(of[:8:8], place...))
		if status, _, answer := raw(t, socket, http.MethodGet, "/tiers?cursor="+cursor, ""); status != want {
			t.Errorf("%q: %d %s", place, status, answer)
		}
	}
}
