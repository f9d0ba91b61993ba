package dialect_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/dialect"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	grant    = "grant_type=client_credentials"
	inBody   = grant + "&client_id=id&client_secret=hunter2"
	inJSON   = `{"grant_type":"client_credentials","client_id":"id","client_secret":"hunter2","audience":"api"}`
	team     = "&scope=team_65df73340142feec34d7d6ee"
)

func basic(pair string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) }

// request makes a POST; headers come in pairs.
func request(contentType, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func with(r *http.Request, change func(*http.Request)) *http.Request { change(r); return r }

func TestDecodeRequestFails(t *testing.T) {
	auth := func(v string) []string { return []string{"Authorization", v} }
	for _, tc := range []struct {
		name, dialect string
		r             *http.Request
		want          oauth.Failure
	}{
		{"D-05 GET", "rfc", with(request(formType, inBody), func(r *http.Request) { r.Method = "GET" }), oauth.FailureMethod},
		{"D-05 HEAD", "rfc", with(request(formType, inBody), func(r *http.Request) { r.Method = "HEAD" }), oauth.FailureMethod},
		{"OPTIONS", "omnilab", with(request("", ""), func(r *http.Request) { r.Method = "OPTIONS" }), oauth.FailureMethod},
		{"lower-case method", "rfc", with(request(formType, inBody), func(r *http.Request) { r.Method = "post" }), oauth.FailureMethod},
		{"OMN-07 browser", "omnilab", request(jsonType, inJSON, "Origin", "https://a.example"), oauth.FailureOrigin},
		{"OMN-07 null origin", "omnilab", request(jsonType, inJSON, "Origin", "null"), oauth.FailureOrigin},
		{"D-04 credentials in the query", "rfc", with(request(formType, inBody), func(r *http.Request) { r.URL.RawQuery = "client_secret=hunter2" }), oauth.FailureQueryString},
		{"D-04 anything in the query", "rfc", with(request(formType, inBody), func(r *http.Request) { r.URL.RawQuery = "x" }), oauth.FailureQueryString},
		{"no content type", "rfc", request("", inBody), oauth.FailureContentType},
		{"D-06 JSON as form only", "rfc", request(jsonType, inJSON), oauth.FailureContentType},
		{"D-06 form to JSON only", "omnilab", request(formType, inBody), oauth.FailureContentType},
		{"OMN-02 text", "omnilab", request("text/plain", inJSON), oauth.FailureContentType},
		{"two content types", "bipsync", request(formType, inBody+team, "Content-Type", jsonType), oauth.FailureContentType},
		{"two content types in one", "bipsync", request(formType+", "+jsonType, inBody+team), oauth.FailureContentType},
		{"bad media type", "rfc", request(formType+"; charset", inBody), oauth.FailureContentType},
		{"D-34 gzip", "rfc", request(formType, inBody, "Content-Encoding", "gzip"), oauth.FailureMalformedBody},
		{"second coding", "rfc", request(formType, inBody, "Content-Encoding", "identity", "Content-Encoding", "br"), oauth.FailureMalformedBody},
		{"D-03 too large", "rfc", request(formType, inBody+"&x="+strings.Repeat("x", 16384)), oauth.FailureMalformedBody},
		{"D-03 too large without length", "rfc", with(request(formType, inBody+"&x="+strings.Repeat("x", 16384)), func(r *http.Request) { r.ContentLength = -1 }), oauth.FailureMalformedBody},
		{"max_body", "seventh", request(jsonType, `{"x":"`+strings.Repeat("x", 4096)+`"}`), oauth.FailureMalformedBody},
		{"half a percent", "rfc", request(formType, inBody+"&x=%4"), oauth.FailureMalformedBody},
		{"percent and letters", "rfc", request(formType, inBody+"&x=%zz"), oauth.FailureMalformedBody},
		{"not UTF-8", "rfc", request(formType, inBody+"&x=%ff"), oauth.FailureMalformedBody},
		{"not UTF-8, raw", "rfc", request(formType, inBody+"&x=\xff"), oauth.FailureMalformedBody},
		{"D-03 number", "omnilab", request(jsonType, `{"grant_type":1}`), oauth.FailureMalformedBody},
		{"D-03 null", "omnilab", request(jsonType, strings.Replace(inJSON, `"api"`, `null`, 1)), oauth.FailureMalformedBody},
		{"D-03 array", "omnilab", request(jsonType, `[`+inJSON+`]`), oauth.FailureMalformedBody},
		{"D-03 nested", "omnilab", request(jsonType, `{"x":{}}`), oauth.FailureMalformedBody},
		{"D-03 NaN", "omnilab", request(jsonType, `{"x":NaN}`), oauth.FailureMalformedBody},
		{"D-03 trailing", "omnilab", request(jsonType, inJSON+"{}"), oauth.FailureMalformedBody},
		{"D-03 deep", "omnilab", request(jsonType, `{"x":`+strings.Repeat("[", 9000)), oauth.FailureMalformedBody},
		{"OMN-05 16 KiB", "omnilab", request(jsonType, inJSON+strings.Repeat(" ", 16384)), oauth.FailureMalformedBody},
		{"D-01 twice", "rfc", request(formType, inBody+"&client_id=id"), oauth.FailureDuplicateParameter},
		{"D-01 twice by escape", "rfc", request(formType, inBody+"&client%5Fid=id"), oauth.FailureDuplicateParameter},
		{"D-01 unknown twice", "rfc", request(formType, inBody+"&x=&x=1"), oauth.FailureDuplicateParameter},
		{"D-01 resource twice", "rfc", request(formType, inBody+"&resource=a&resource=b"), oauth.FailureDuplicateParameter},
		{"D-01 among many", "rfc", request(formType, inBody+"&1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17&18&9"), oauth.FailureDuplicateParameter},
		{"D-02 twice", "omnilab", request(jsonType, `{"client_id":"a","client_id":"a"}`), oauth.FailureDuplicateParameter},
		{"D-02 by escape", "omnilab", request(jsonType, `{"client_id":"a","client\u005fid":"b"}`), oauth.FailureDuplicateParameter},
		{"D-02 by case", "omnilab", request(jsonType, `{"client_id":"a","Client_Id":"b"}`), oauth.FailureDuplicateParameter},
		{"no body", "rfc", request(formType, ""), oauth.FailureGrantTypeMissing},
		{"COM-02 empty grant type", "rfc", request(formType, "grant_type=&client_id=id&client_secret=s"), oauth.FailureGrantTypeMissing},
		{"empty JSON grant type", "omnilab", request(jsonType, `{"grant_type":""}`), oauth.FailureGrantTypeMissing},
		{"D-17 case", "rfc", request(formType, "grant_type=Client_Credentials&client_id=id&client_secret=s"), oauth.FailureGrantTypeUnsupported},
		{"D-17 space", "rfc", request(formType, "grant_type=client_credentials+&client_id=id&client_secret=s"), oauth.FailureGrantTypeUnsupported},
		{"D-17 password", "rfc", request(formType, "grant_type=password"), oauth.FailureGrantTypeUnsupported},
		{"; does not separate", "rfc", request(formType, "grant_type=client_credentials;client_id=id"), oauth.FailureGrantTypeUnsupported},
		{"ARB-14 before credentials", "arbitex", request(formType, "grant_type=x"), oauth.FailureGrantTypeUnsupported},
		{"OMN-03 audience missing", "omnilab", request(jsonType, `{"grant_type":"client_credentials"}`), oauth.FailureParameterMissing},
		{"OMN-03 audience empty", "omnilab", request(jsonType, strings.Replace(inJSON, `"api"`, `""`, 1)), oauth.FailureParameterMissing},
		{"VIB-03 scope missing", "vibes", request(formType, inBody, auth(basic("id:hunter2"))...), oauth.FailureParameterMissing},
		{"BIP-03 scope missing before credentials", "bipsync", request(formType, grant), oauth.FailureParameterMissing},
		{"nothing", "rfc", request(formType, grant), oauth.FailureCredentialsMissing},
		{"D-18 no secret", "rfc", request(formType, grant+"&client_id=id"), oauth.FailureCredentialsMissing},
		{"empty secret", "trialbee", request(formType, grant+"&client_id=id&client_secret="), oauth.FailureCredentialsMissing},
		{"no id", "trialbee", request(formType, grant+"&client_secret=s"), oauth.FailureCredentialsMissing},
		{"VIB-02 no header", "vibes", request(formType, inBody+"&scope=s"), oauth.FailureCredentialsMissing},
		{"VIB-02 no body", "vibes", request(formType, grant+"&scope=s", auth(basic("id:hunter2"))...), oauth.FailureCredentialsMissing},
		{"VIB-02 no secret in the body", "vibes", request(formType, grant+"&scope=s&client_id=id", auth(basic("id:hunter2"))...), oauth.FailureCredentialsMissing},
		{"basic only, in the body", "seventh", request(jsonType, inJSON), oauth.FailureCredentialsMissing},
		{"TRI-02 Basic", "trialbee", request(formType, grant, auth(basic("id:hunter2"))...), oauth.FailureCredentialsMalformed},
		{"TRI-02 Basic beside the body", "trialbee", request(formType, inBody, auth(basic("id:hunter2"))...), oauth.FailureCredentialsMalformed},
		{"TRI-02 empty header", "trialbee", request(formType, inBody, auth("")...), oauth.FailureCredentialsMalformed},
		{"D-09 no colon", "rfc", request(formType, grant, auth(basic("idhunter2"))...), oauth.FailureCredentialsMalformed},
		{"D-09 bad base64", "rfc", request(formType, grant, auth("Basic !!!!")...), oauth.FailureCredentialsMalformed},
		{"D-09 no padding", "rfc", request(formType, grant, auth("Basic aWQ6YQ")...), oauth.FailureCredentialsMalformed},
		{"D-09 odd last bits", "rfc", request(formType, grant, auth("Basic aWQ6YR==")...), oauth.FailureCredentialsMalformed},
		{"D-09 URL base64", "rfc", request(formType, grant, auth("Basic aWQ6Pz8_")...), oauth.FailureCredentialsMalformed},
		{"D-09 line end", "rfc", with(request(formType, grant), func(r *http.Request) { r.Header["Authorization"] = []string{"Basic aWQ6\r\nYQ=="} }), oauth.FailureCredentialsMalformed},
		{"D-09 control character", "rfc", request(formType, grant, auth(basic("id:a\x00b"))...), oauth.FailureCredentialsMalformed},
		{"D-09 C1 control character", "rfc", request(formType, grant, auth(basic("id:a\u0085b"))...), oauth.FailureCredentialsMalformed},
		{"D-09 not UTF-8", "rfc", request(formType, grant, auth(basic("id:\xff"))...), oauth.FailureCredentialsMalformed},
		{"D-09 no id", "rfc", request(formType, grant, auth(basic(":a"))...), oauth.FailureCredentialsMalformed},
		{"D-09 no secret", "rfc", request(formType, grant, auth(basic("id:"))...), oauth.FailureCredentialsMalformed},
		{"D-10 endless header", "rfc", request(formType, grant, auth(basic("id:"+strings.Repeat("x", 1<<20)))...), oauth.FailureCredentialsMalformed},
		{"Bearer", "rfc", request(formType, inBody, auth("Bearer x")...), oauth.FailureCredentialsMalformed},
		{"scheme alone", "rfc", request(formType, inBody, auth("Basic")...), oauth.FailureCredentialsMalformed},
		{"ARB-02 malformed Basic is not saved by the body", "arbitex", request(formType, inBody, auth("Basic !")...), oauth.FailureCredentialsMalformed},
		{"D-08 rfc", "rfc", request(formType, grant, append(auth(basic("a:b")), auth(basic("a:b"))...)...), oauth.FailureCredentialsConflict},
		{"D-08 arbitex", "arbitex", request(formType, grant, append(auth(basic("a:b")), auth(basic("a:b"))...)...), oauth.FailureCredentialsMalformed},
		{"D-08 trialbee", "trialbee", request(formType, inBody, append(auth(basic("a:b")), auth(basic("a:b"))...)...), oauth.FailureCredentialsMalformed},
		{"D-07 both, equal", "rfc", request(formType, inBody, auth(basic("id:hunter2"))...), oauth.FailureCredentialsConflict},
		{"D-07 secret alone in the body", "rfc", request(formType, grant+"&client_secret=hunter2", auth(basic("id:hunter2"))...), oauth.FailureCredentialsConflict},
		{"D-07 another id in the body", "rfc", request(formType, grant+"&client_id=other", auth(basic("id:hunter2"))...), oauth.FailureCredentialsConflict},
		{"basic only, secret in the body", "seventh", request(jsonType, inJSON, auth(basic("id:hunter2"))...), oauth.FailureCredentialsConflict},
		{"VIB-02 secrets differ", "vibes", request(formType, inBody+"&scope=s", auth(basic("id:other"))...), oauth.FailureCredentialsConflict},
		{"VIB-02 ids differ", "vibes", request(formType, inBody+"&scope=s", auth(basic("other:hunter2"))...), oauth.FailureCredentialsConflict},
		{"VIB-02 decoded twice", "vibes", request(formType, grant+"&client_id=a%2Bb&client_secret=s&scope=s", auth(basic("a%252Bb:s"))...), oauth.FailureCredentialsConflict},
	} {
		t.Run(tc.dialect+" "+tc.name, func(t *testing.T) {
			used := len(tc.r.Header["Authorization"]) > 0
			req, err := named(t, tc.dialect).DecodeRequest(tc.r)
			failed, ok := errors.AsType[*oauth.Error](err)
			if !ok || failed.Failure != tc.want || failed.Basic != used {
				t.Fatalf("DecodeRequest = %v, %+v; want %s", err, failed, tc.want)
			}
			if diff := cmp.Diff(oauth.TokenRequest{}, req); diff != "" || strings.Contains(err.Error(), "hunter2") { // D-37
				t.Errorf("%v beside %s", err, diff)
			}
			w := httptest.NewRecorder()
			named(t, tc.dialect).EncodeError(w, err)
			if strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("told: %s", w.Body)
			}
		})
	}
}

func TestDecodeRequest(t *testing.T) {
	creds := oauth.Credentials{ID: "id", Secret: "hunter2"}
	byBasic := oauth.Credentials{ID: "id", Secret: "hunter2", Basic: true}
	want := func(c oauth.Credentials, audience string, scope ...string) oauth.TokenRequest {
		return oauth.TokenRequest{GrantType: "client_credentials", Credentials: c, Audience: audience, Scope: scope}
	}
	for _, tc := range []struct {
		name, dialect string
		r             *http.Request
		want          oauth.TokenRequest
	}{
		{"body", "rfc", request(formType, inBody), want(creds, "")},
		{"TRI-01 content type in capitals with charset", "trialbee", request("Application/X-WWW-Form-URLEncoded ; Charset=UTF-8", inBody), want(creds, "")},
		{"Basic", "rfc", request(formType, grant+"&scope=a+b&resource=r", "Authorization", basic("id:hunter2")), want(byBasic, "r", "a", "b")},
		{"Basic with the same id in the body", "rfc", request(formType, grant+"&client_id=id", "Authorization", "bAsIc  "+basic("id:hunter2")[6:]), want(byBasic, "")},
		{"Basic with the same id, encoded", "rfc", request(formType, grant+"&client_id=i:d", "Authorization", basic("i%3Ad:x%3A")), want(oauth.Credentials{ID: "i%3Ad", Secret: "x%3A", Basic: true}, "")},
		{"secret with colons", "rfc", request(formType, grant, "Authorization", basic("id:a:b")), want(oauth.Credentials{ID: "id", Secret: "a:b", Basic: true}, "")},
		{"ARB-02 Basic wins", "arbitex", request(formType, inBody, "Authorization", basic("other:secret")), want(oauth.Credentials{ID: "other", Secret: "secret", Basic: true}, "")},
		{"ARB-02 body", "arbitex", request(formType, inBody), want(creds, "")},
		{"VIB-02 vendor's example", "vibes", request(formType, grant+"&client_id=VibesUser&client_secret=Password123&scope=https://rbm.vibes.com/rbm.agents", "Authorization", "Basic VmliZXNVc2VyOlBhc3N3b3JkMTIz"),
			want(oauth.Credentials{ID: "VibesUser", Secret: "Password123"}, "", "https://rbm.vibes.com/rbm.agents")},
		{"VIB-02 Basic URL-encoded", "vibes", request(formType, grant+"&client_id=a:b&client_secret=p%25q&scope=s", "Authorization", basic("a%3Ab:p%25q")), want(oauth.Credentials{ID: "a:b", Secret: "p%q"}, "", "s")},
		{"OMN-02", "omnilab", request(jsonType+"; charset=utf-8", inJSON), want(creds, "api")},
		{"JSON escapes", "omnilab", request(jsonType, strings.Replace(inJSON, `client_id`, `client\u005fid`, 1)), want(creds, "api")},
		{"other case is unknown", "bipsync", request(formType, inBody+team+"&Scope=x"), want(creds, "", "team_65df73340142feec34d7d6ee")},
		{"BIP-02 JSON", "bipsync", request(jsonType, `{"grant_type":"client_credentials","client_id":"id","client_secret":"hunter2","scope":"profile"}`), want(creds, "", "profile")},
		{"COM-02 unknown and empty", "trialbee", request(formType, inBody+"&scope=&resource=r&x=y&z&"), want(creds, "")},
		{"content coding identity", "rfc", request(formType, inBody, "Content-Encoding", "Identity"), want(creds, "")},
		{"Origin elsewhere", "rfc", request(formType, inBody, "Origin", "https://a.example"), want(creds, "")},
		{"exactly 16 KiB", "rfc", request(formType, inBody+"&x="+strings.Repeat("x", 16384-len(inBody)-3)), want(creds, "")},
		{"unencoded UTF-8", "rfc", request(formType, grant+"&client_id=é&client_secret=%C3%A9"), want(oauth.Credentials{ID: "é", Secret: "é"}, "")},
		{"; in a value", "rfc", request(formType, grant+"&client_id=a;b&client_secret=c=d"), want(oauth.Credentials{ID: "a;b", Secret: "c=d"}, "")},
		{"D-10 long secret arrives whole", "rfc", request(formType, grant+"&client_id=a&client_secret="+strings.Repeat("x", 3000)), want(oauth.Credentials{ID: "a", Secret: oauth.Secret(strings.Repeat("x", 3000))}, "")},
		{"seventh", "seventh", request(jsonType, `{"grant_type":"client_credentials","api":"api"}`, "Authorization", basic("id:hunter2")), want(byBasic, "api")},
	} {
		t.Run(tc.dialect+" "+tc.name, func(t *testing.T) {
			got, err := named(t, tc.dialect).DecodeRequest(tc.r)
			if err != nil {
				t.Fatal(err)
			}
			// Secret prints as [redacted] wherever it is printed, so it is compared apart.
			if got.Credentials.Secret != tc.want.Credentials.Secret {
				t.Error("another secret")
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// D-15: a malformed scope is judged after the credentials.
func TestDecodeRequestScopeError(t *testing.T) {
	d := named(t, "rfc")
	for _, scope := range []string{"a++b", "+a", "a%00", "a%22", "a%5C", "a%0Ab", "%C3%A9"} {
		req, err := d.DecodeRequest(request(formType, inBody+"&scope="+scope))
		if err != nil || !errors.Is(req.ScopeError, oauth.ErrScopeSyntax) || req.Scope != nil {
			t.Errorf("scope=%s: %v, %v", scope, req.ScopeError, err)
		}
	}
	_, err := d.DecodeRequest(request(formType, grant+"&scope=a++b"))
	if failed, ok := errors.AsType[*oauth.Error](err); !ok || failed.Failure != oauth.FailureCredentialsMissing {
		t.Errorf("without credentials: %v", err)
	}
}

// BIP-02: what mime/multipart writes is read; what is no plain field is refused.
func TestMultipart(t *testing.T) {
	d := named(t, "bipsync")
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, p := range [][2]string{{"grant_type", "client_credentials"}, {"client_id", "id"}, {"client_secret", "a\r\n--b"}, {"scope", "profile"}, {"x", ""}} {
		if err := w.WriteField(p[0], p[1]); err != nil {
			t.Fatal(err)
		}
	}
	_ = w.Close()
	req, err := d.DecodeRequest(request(w.FormDataContentType(), body.String()))
	if err != nil || req.Credentials.ID != "id" || req.Credentials.Secret != "a\r\n--b" || req.Scope.String() != "profile" {
		t.Fatalf("%+v, %v", req, err)
	}
	const head = "--b\r\nContent-Disposition: form-data; name=\"x\""
	for _, tc := range []struct {
		name, contentType, body string
		want                    oauth.Failure
	}{
		{"text part", "", head + "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nv\r\n--b--", oauth.FailureGrantTypeMissing},
		{"file", "", head + "; filename=\"f\"\r\n\r\nv\r\n--b--", oauth.FailureMalformedBody},
		{"file by star", "", head + "; filename*=utf-8''f\r\n\r\nv\r\n--b--", oauth.FailureMalformedBody},
		{"name by star", "", "--b\r\nContent-Disposition: form-data; name*=utf-8''x\r\n\r\nv\r\n--b--", oauth.FailureMalformedBody},
		{"name twice", "", head + "; name=y\r\n\r\nv\r\n--b--", oauth.FailureMalformedBody},
		{"disposition twice", "", head + "\r\nContent-Disposition: form-data; name=y\r\n\r\nv\r\n--b--", oauth.FailureMalformedBody},
		{"octets", "", head + "\r\nContent-Type: application/octet-stream\r\n\r\nv\r\n--b--", oauth.FailureMalformedBody},
		{"transfer encoding", "", head + "\r\nContent-Transfer-Encoding: base64\r\n\r\ndg==\r\n--b--", oauth.FailureMalformedBody},
		{"no name", "", "--b\r\n\r\nv\r\n--b--", oauth.FailureMalformedBody},
		{"not closed", "", head + "\r\n\r\nv\r\n--b", oauth.FailureMalformedBody},
		{"cut", "", head + "\r\n\r\nv", oauth.FailureMalformedBody},
		{"preamble", "", "x\r\n" + head + "\r\n\r\nv\r\n--b--", oauth.FailureMalformedBody},
		{"epilogue", "", head + "\r\n\r\nv\r\n--b--x", oauth.FailureMalformedBody},
		{"line feeds", "", strings.ReplaceAll(head+"\r\n\r\nv\r\n--b--", "\r", ""), oauth.FailureMalformedBody},
		{"not UTF-8", "", head + "\r\n\r\n\xff\r\n--b--", oauth.FailureMalformedBody},
		{"twice", "", head + "\r\n\r\nv\r\n" + head + "\r\n\r\n\r\n--b--", oauth.FailureDuplicateParameter},
		{"no boundary", "multipart/form-data", "", oauth.FailureMalformedBody},
		{"bad boundary", `multipart/form-data; boundary="b\"c"`, "", oauth.FailureMalformedBody},
		{"long boundary", "multipart/form-data; boundary=" + strings.Repeat("b", 71), "", oauth.FailureMalformedBody},
		{"boundary twice", "multipart/form-data; boundary=b; boundary=c", head, oauth.FailureContentType},
		{"mixed", "multipart/mixed; boundary=b", head, oauth.FailureContentType},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.contentType == "" {
				tc.contentType = "multipart/form-data; boundary=b"
			}
			_, err := d.DecodeRequest(request(tc.contentType, tc.body))
			if failed, ok := errors.AsType[*oauth.Error](err); !ok || failed.Failure != tc.want {
				t.Errorf("%v, want %s", err, tc.want)
			}
		})
	}
}

// The order of checks is that of oauth.Failures: each request has one fault
// less than the one before, and its first fault is what is told.
func TestOrderOfChecks(t *testing.T) {
	d, err := dialect.Load("x.yaml", []byte("schema: 1\nname: x\nwire: {path: /t, audience: {presence: required}}\nserver: {refuse_origin: true}\n"))
	if err != nil {
		t.Fatal(err)
	}
	type fault struct {
		failure oauth.Failure
		mend    func(r *http.Request, body *string)
	}
	body := "%&x&x"
	r := request("text/plain", "", "Origin", "null")
	r.Method, r.URL.RawQuery = "PUT", "q"
	for _, f := range []fault{
		{oauth.FailureMethod, func(r *http.Request, _ *string) { r.Method = "POST" }},
		{oauth.FailureOrigin, func(r *http.Request, _ *string) { r.Header.Del("Origin") }},
		{oauth.FailureQueryString, func(r *http.Request, _ *string) { r.URL.RawQuery = "" }},
		{oauth.FailureContentType, func(r *http.Request, _ *string) { r.Header.Set("Content-Type", formType) }},
		{oauth.FailureMalformedBody, func(_ *http.Request, body *string) { *body = "x&x" }},
		{oauth.FailureDuplicateParameter, func(_ *http.Request, body *string) { *body = "x" }},
		{oauth.FailureGrantTypeMissing, func(_ *http.Request, body *string) { *body = "grant_type=x" }},
		{oauth.FailureGrantTypeUnsupported, func(_ *http.Request, body *string) { *body = grant }},
		{oauth.FailureParameterMissing, func(_ *http.Request, body *string) { *body = grant + "&resource=r" }},
		{oauth.FailureCredentialsMissing, func(r *http.Request, _ *string) { r.Header.Set("Authorization", "Basic !") }},
		{oauth.FailureCredentialsMalformed, func(r *http.Request, body *string) {
			r.Header.Set("Authorization", basic("a:b"))
			*body += "&client_secret=c"
		}},
		{oauth.FailureCredentialsConflict, nil},
	} {
		try := request("", body)
		try.Method, try.Header, try.URL = r.Method, r.Header.Clone(), r.URL
		_, err := d.DecodeRequest(try)
		if failed, ok := errors.AsType[*oauth.Error](err); !ok || failed.Failure != f.failure {
			t.Fatalf("got %v, want %s", err, f.failure)
		}
		if f.mend != nil {
			f.mend(r, &body)
		}
	}
}

func BenchmarkDecodeRequestForm(b *testing.B) {
	d := named(b, "rfc")
	body := "grant_type=client_credentials&client_id=5e0b4a60-1f4e-4a6c-9a51-5b2f6a0c9a11&client_secret=pst_0123456789012345678901234567890123456789012&scope=api%3Aread"
	reader := strings.NewReader(body)
	r := request(formType, body)
	r.Body = struct {
		*strings.Reader
		nopCloser
	}{reader, nopCloser{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		if _, err := d.DecodeRequest(r); err != nil {
			b.Fatal(err)
		}
	}
}

type nopCloser struct{}

func (nopCloser) Close() error { return nil }

// sink is a ResponseWriter that costs nothing.
type sink struct{ h http.Header }

func (s sink) Header() http.Header         { return s.h }
func (s sink) Write(b []byte) (int, error) { return len(b), nil }
func (s sink) WriteHeader(int)             {}

func BenchmarkEncodeResponse(b *testing.B) {
	d, w := named(b, "rfc"), sink{make(http.Header)}
	resp := oauth.TokenResponse{AccessToken: oauth.Secret(strings.Repeat("x", 600)), ExpiresIn: 3600e9}
	b.ReportAllocs()
	for b.Loop() {
		d.EncodeResponse(w, resp)
	}
}
