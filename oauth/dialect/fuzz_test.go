package dialect_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

// RULES, "a dialect cannot say these away": whatever Load accepts, keeps the floor.
func FuzzFloor(f *testing.F) {
	seedFiles(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := dialect.Load("f.yaml", data)
		if err != nil {
			if _, ok := errors.AsType[*dialect.FileError](err); !ok {
				t.Fatalf("not a FileError: %v", err)
			}
			return
		}
		floor(t, d)
		floorOnTheWire(t, d)
	})
}

// floor asserts it in the data, in other words than the code that checks it.
func floor(t *testing.T, d *dialect.Dialect) {
	legal := regexp.MustCompile(`^[ !#-\[\]-~]+$`) // RFC 6749 §5.2
	for _, f := range oauth.Failures() {
		a := d.Answer(f)
		if a.Status < 400 || a.Status > 599 || !legal.MatchString(a.Code) || !legal.MatchString(a.Description) {
			t.Errorf("%s: %+v", f, a)
		}
		if unable := f == oauth.FailureUnavailable || f == oauth.FailureServer; unable != (a.Status >= 500) {
			t.Errorf("%s: %+v", f, a)
		}
		if strings.HasPrefix(string(f), "credentials_") && f != oauth.FailureCredentialsConflict && (a.Status != 401 || a.Code != "invalid_client") {
			t.Errorf("%s: %+v", f, a)
		}
	}
	if !legal.MatchString(d.Server.Realm) {
		t.Errorf("realm %q", d.Server.Realm)
	}
	if l := d.Server.Lifetime; l.Max > 86400 || l.Default > l.Max || l.Default < 1 || l.Fixed && l.Default != l.Max {
		t.Errorf("lifetime %+v", l)
	}
	if d.Server.MaxBody > 16384 || d.Client.MaxBody > 1<<20 {
		t.Error("bodies without bound")
	}
	for _, c := range d.Server.Claims {
		if slices.Contains([]string{"iss", "aud", "sub", "client_id", "iat", "exp", "jti"}, c.Name) {
			t.Errorf("claim %s", c.Name)
		}
	}
	u, err := url.Parse("https://h" + d.Wire.Path)
	if err != nil || u.Path != d.Wire.Path || u.RawQuery != "" || u.Fragment != "" || u.JoinPath().Path != d.Wire.Path {
		t.Errorf("path %q", d.Wire.Path)
	}
	for _, a := range d.Server.Algorithms {
		if !slices.Contains([]string{"ES256", "EdDSA", "RS256", "PS256", "HS256"}, a) {
			t.Errorf("algorithm %s", a)
		}
	}
	for _, token := range []string{"", "*", "\x00", "a b"} {
		if _, _, ok := d.Bind(token); ok {
			t.Errorf("Bind(%q)", token)
		}
	}
}

// floorOnTheWire asserts it in what is answered.
func floorOnTheWire(t *testing.T, d *dialect.Dialect) {
	types := map[dialect.Encoding]string{dialect.Form: formType, dialect.JSON: jsonType, dialect.Multipart: "multipart/form-data; boundary=b"}
	for _, e := range d.Wire.Encodings {
		body := map[dialect.Encoding]string{dialect.Form: "a=1&a=1", dialect.JSON: `{"a":"1","a":"1"}`,
			dialect.Multipart: strings.Repeat("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n", 2) + "--b--"}[e]
		for want, r := range map[oauth.Failure]*http.Request{
			oauth.FailureDuplicateParameter: request(types[e], body),
			oauth.FailureQueryString:        with(request(types[e], ""), func(r *http.Request) { r.URL.RawQuery = "client_id=x" }),
			oauth.FailureMethod:             with(request(types[e], ""), func(r *http.Request) { r.Method = "GET" }),
		} {
			_, err := d.DecodeRequest(r)
			if failed, ok := errors.AsType[*oauth.Error](err); !ok || failed.Failure != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
		// Client authentication: a request without any is never accepted.
		r := request(types[e], map[dialect.Encoding]string{dialect.Form: grant + "&scope=a&" + url.QueryEscape(d.Wire.Audience.Name) + "=a",
			dialect.JSON:      `{"grant_type":"client_credentials","scope":"a","` + d.Wire.Audience.Name + `":"a"}`,
			dialect.Multipart: "--b\r\nContent-Disposition: form-data; name=grant_type\r\n\r\nclient_credentials\r\n--b--"}[e])
		if _, err := d.DecodeRequest(r); err == nil {
			t.Error("accepted without credentials")
		}
	}
	w := httptest.NewRecorder()
	d.EncodeResponse(w, oauth.TokenResponse{AccessToken: "t", ExpiresIn: time.Second})
	if w.Header().Get("Cache-Control") != "no-store" || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
	if got, err := d.DecodeResponse(w.Result()); err != nil || got.AccessToken != "t" || got.ExpiresIn != time.Second {
		t.Errorf("%v", err)
	}
	w = httptest.NewRecorder()
	d.EncodeError(w, &oauth.Error{Failure: oauth.FailureCredentialsWrong, Basic: true})
	if w.Header().Get("Cache-Control") != "no-store" || !json.Valid(w.Body.Bytes()) || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
}

func fuzzBody(f *testing.F, name, contentType string, seeds ...string) {
	d := named(f, name)
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := d.DecodeRequest(request(contentType, string(body)))
		if err != nil {
			failed, ok := errors.AsType[*oauth.Error](err)
			if !ok || !slices.Contains(oauth.Failures(), failed.Failure) {
				t.Fatalf("%v", err)
			}
			w := httptest.NewRecorder()
			d.EncodeError(w, err)
			if !json.Valid(w.Body.Bytes()) || w.Code < 400 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			return
		}
		if req.GrantType != oauth.ClientCredentials || req.Credentials.ID == "" || req.Credentials.Secret == "" || !utf8.ValidString(req.Credentials.ID) {
			t.Fatalf("%+v", req)
		}
		if contentType == formType { // another parser agrees, where it takes the same bytes
			if q, err := url.ParseQuery(string(body)); err == nil && (q.Get("client_id") != req.Credentials.ID || q.Get("client_secret") != string(req.Credentials.Secret) || len(q["client_id"]) != 1) {
				t.Fatalf("net/url reads %q", q)
			}
		}
		if strings.HasPrefix(contentType, "multipart") {
			if r := request(contentType, string(body)); r.ParseMultipartForm(1<<20) == nil && r.PostForm.Get("client_id") != req.Credentials.ID {
				t.Fatalf("mime/multipart reads %q", r.PostForm)
			}
		}
	})
}

func FuzzDecodeForm(f *testing.F) {
	fuzzBody(f, "rfc", formType, inBody, inBody+"&scope=a%20b&&x", "%", "a=&a=1")
}
func FuzzDecodeJSON(f *testing.F) { fuzzBody(f, "omnilab", jsonType, inJSON, `{"a":null}`, `{}`) }
func FuzzDecodeMultipart(f *testing.F) {
	const head = "--b\r\nContent-Disposition: form-data; name="
	fuzzBody(f, "bipsync", "multipart/form-data; boundary=b",
		head+"\"grant_type\"\r\n\r\nclient_credentials\r\n"+head+"client_id\r\n\r\nid\r\n"+head+"client_secret\r\n\r\ns\r\n"+head+"scope\r\n\r\na\r\n--b--\r\n", head+"a; filename=b\r\n\r\n\r\n--b--")
}

// What is read from a Basic header is what net/http reads.
func FuzzBasic(f *testing.F) {
	d := named(f, "rfc")
	for _, s := range []string{basic("id:secret"), basic("a:b:c"), "basic  YTpi", "Basic YTpi=", "Bearer x", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := request(formType, grant)
		r.Header["Authorization"] = []string{header}
		req, err := d.DecodeRequest(r)
		if err != nil {
			if failed, ok := errors.AsType[*oauth.Error](err); !ok || !failed.Basic {
				t.Fatalf("%v", err)
			}
			return
		}
		r.Header.Set("Authorization", "Basic "+strings.TrimLeft(header[6:], " "))
		if id, secret, ok := r.BasicAuth(); !ok || id != req.Credentials.ID || secret != string(req.Credentials.Secret) || !req.Credentials.Basic {
			t.Fatalf("net/http reads %q", id)
		}
	})
}

func FuzzDecodeResponse(f *testing.F) {
	d := named(f, "arbitex")
	f.Add(200, []byte(`{"access_token":"t","token_type":"bearer","expires_in":"3600","scope":"a b"}`))
	f.Add(401, []byte(`{"error":"invalid_client","error_description":"no"}`))
	f.Add(200, []byte(`{"access_token":"t","token_type":"bearer","expires_in":1e400}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 100 || status > 599 {
			return
		}
		w := httptest.NewRecorder()
		w.Code = status
		_, _ = w.Body.Write(body)
		got, err := d.DecodeResponse(w.Result())
		if err != nil {
			failed, ok := errors.AsType[*oauth.Error](err)
			if !ok || failed.Status != status || !regexp.MustCompile(`^[ !#-\[\]-~]*$`).MatchString(failed.Code+failed.Description) {
				t.Fatalf("%v", err)
			}
			return
		}
		if status != 200 || got.ExpiresIn < 0 || got.ExpiresIn > dialect.MaxLifetime || got.AccessToken == "" || !strings.EqualFold(got.TokenType, "bearer") {
			t.Fatalf("%+v", got)
		}
	})
}

// What the codec escapes, encoding/json reads.
func FuzzEscape(f *testing.F) {
	d := named(f, "rfc")
	f.Add("a\"\\\x00\u2028\xff")
	f.Fuzz(func(t *testing.T, token string) {
		w := httptest.NewRecorder()
		d.EncodeResponse(w, oauth.TokenResponse{AccessToken: oauth.Secret(token)})
		var got struct {
			T string `json:"access_token"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.T != string([]rune(token)) {
			t.Fatalf("%v: %q from %q", err, got.T, w.Body)
		}
	})
}
