package guard_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/resourceserver"
)

// Every reason, in the order in which they are looked for.
func TestReasons(t *testing.T) {
	const jsonType = "application/json"
	for _, c := range []struct {
		name string
		call func(n *town, token string) *http.Request
		want guard.Refusal // Err is not compared
	}{
		{"another host", func(n *town, token string) *http.Request {
			return request("GET", "https://elsewhere.example.com/v1/me", token)
		},
			guard.Refusal{Reason: guard.WrongHost}},
		{"another path", func(n *town, token string) *http.Request {
			return request("GET", "https://auth.example.com/v2/me", token)
		},
			guard.Refusal{Reason: guard.NoAPI}},
		{"the path of the API alone", func(n *town, token string) *http.Request { return request("GET", base, token) },
			guard.Refusal{Reason: guard.NoAPI}},
		{"D-69 stale", func(n *town, token string) *http.Request {
			n.wait(time.Minute + 1)
			return request("GET", base+"/me", token)
		}, guard.Refusal{Reason: guard.Stale, RetryAfter: 5 * time.Second}},
		{"D-69 stale goes before the token", func(n *town, token string) *http.Request {
			n.wait(time.Minute + 1)
			return request("GET", base+"/me", "")
		}, guard.Refusal{Reason: guard.Stale, RetryAfter: 5 * time.Second}},
		{"the tenant of the client is not there", func(n *town, token string) *http.Request {
			remove(n, tenants, tenant1)
			return request("GET", base+"/me", token)
		}, guard.Refusal{Reason: guard.Unavailable, RetryAfter: 5 * time.Second}},
		{"ARB-11 over the limit", func(n *town, token string) *http.Request {
			update(n, clients, "main/c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"reports": 1} })
			n.wait(20 * time.Second)
			n.want(n.get(base+"/me", token), "")
			return request("GET", base+"/me", token)
		}, guard.Refusal{Reason: guard.RateLimited, RetryAfter: 40 * time.Second}},
		{"D-61 method override", func(n *town, token string) *http.Request {
			return request("GET", base+"/me", token, "X-HTTP-Method-Override", "DELETE")
		}, guard.Refusal{Reason: guard.MethodOverride, Missing: "X-Http-Method-Override"}},
		{"D-60 ambiguous path", func(n *town, token string) *http.Request { return request("GET", base+"/studies/../me", token) },
			guard.Refusal{Reason: guard.PathAmbiguous}},
		{"ambiguous query", func(n *town, token string) *http.Request {
			return request("GET", base+"/search?study=s1;study=s3", token)
		},
			guard.Refusal{Reason: guard.QueryAmbiguous}},
		{"D-65 no route", func(n *town, token string) *http.Request { return request("GET", base+"/nothing", token) },
			guard.Refusal{Reason: guard.NoRoute}},
		{"upgrade", func(n *town, token string) *http.Request {
			return request("GET", base+"/me", token, "Connection", "Upgrade", "Upgrade", "websocket")
		}, guard.Refusal{Reason: guard.UpgradeRefused, Missing: "Upgrade"}},
		{"body of another type", func(n *town, token string) *http.Request {
			return with(request("POST", base+"/search", token), "text/plain", `{"study":"s1"}`)
		}, guard.Refusal{Reason: guard.BodyType}},
		{"body too large", func(n *town, token string) *http.Request {
			return with(request("POST", base+"/search", token), jsonType, `{"study":"s1","x":"`+strings.Repeat("x", 1<<20)+`"}`)
		}, guard.Refusal{Reason: guard.BodyTooLarge}},
		{"malformed body", func(n *town, token string) *http.Request {
			return with(request("POST", base+"/search", token), jsonType, `{"study":"s1"`)
		}, guard.Refusal{Reason: guard.BodyMalformed}},
		{"parameter missing", func(n *town, token string) *http.Request { return request("GET", base+"/search", token) },
			guard.Refusal{Reason: guard.Parameter, Missing: "study"}},
		{"OMN-06 endpoint not enabled", func(n *town, token string) *http.Request { return request("DELETE", base+"/bookings", token) },
			guard.Refusal{Reason: guard.EndpointDisabled, Missing: "cancel"}},
		{"scope missing", func(n *town, token string) *http.Request { return request("GET", base+"/studies", token) },
			guard.Refusal{Reason: guard.ScopeMissing, Missing: "write", Scopes: oauth.Scope{"read", "write"}}},
		{"action missing", func(n *town, token string) *http.Request { return request("PUT", base+"/studies/s1", token) },
			guard.Refusal{Reason: guard.ActionMissing, Missing: "studies:write"}},
		{"resource outside", func(n *town, token string) *http.Request { return request("GET", base+"/studies/s3", token) },
			guard.Refusal{Reason: guard.ResourceOutside, Resource: policy.Resource{Kind: "study", ID: "s3"}}},
		{"all of a kind outside", func(n *town, token string) *http.Request { return request("POST", base+"/jobs", token) },
			guard.Refusal{Reason: guard.ResourceOutside, Resource: policy.Resource{Kind: "study", All: true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newTown(t)
			v := n.judge(c.call(n, n.token("main", "c1", "read")))
			got, ok := errors.AsType[*guard.Refusal](v.Err)
			if !ok {
				t.Fatalf("%v", v.Err)
			}
			if diff := cmp.Diff(c.want, guard.Refusal{Reason: got.Reason, Missing: got.Missing, Resource: got.Resource, Scopes: got.Scopes, RetryAfter: got.RetryAfter}); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if v.Reason() != c.want.Reason || !strings.Contains(got.Error(), string(c.want.Reason)) {
				t.Errorf("reason %q, error %v", v.Reason(), got)
			}
		})
	}
}

// The reasons that are about the token, as resourceserver answers them.
func TestTokenReasons(t *testing.T) { // TRI-07, D-63, D-64
	n := newTown(t)
	good := n.token("main", "c1", "read")
	two := request("GET", base+"/me", good)
	two.Header.Add("Authorization", "Bearer "+good)
	for _, c := range []struct {
		name string
		call *http.Request
		want guard.Reason
		is   error
	}{
		{"none", request("GET", base+"/me", ""), guard.TokenMissing, resourceserver.ErrNoToken},
		{"another scheme", request("GET", base+"/me", "", "Authorization", "Basic Zm9vOmJhcg=="), guard.TokenMissing, resourceserver.ErrNoToken},
		{"D-64 the scheme in another case", request("GET", base+"/me", "", "Authorization", "bEARER "+good), "", nil},
		{"D-64 two spaces", request("GET", base+"/me", "", "Authorization", "Bearer  "+good), guard.TokenMalformed, resourceserver.ErrRequest},
		{"D-64 a comma", request("GET", base+"/me", "", "Authorization", "Bearer "+good+", Basic x"), guard.TokenMalformed, resourceserver.ErrRequest},
		{"D-63 two tokens in one header", request("GET", base+"/me", "", "Authorization", "Bearer "+good+" "+good), guard.TokenMalformed, resourceserver.ErrRequest},
		{"D-63 two headers", two, guard.TokenMalformed, resourceserver.ErrRequest},
		{"D-63 in the query", request("GET", base+"/me?access_token="+good, ""), guard.TokenMalformed, resourceserver.ErrRequest},
		{"D-63 in the query too", request("GET", base+"/me?access%5ftoken="+good, good), guard.TokenMalformed, resourceserver.ErrRequest},
		{"D-63 in a form too", with(request("POST", base+"/search", good), "application/x-www-form-urlencoded", "study=s1&access_token="+good),
			guard.TokenMalformed, resourceserver.ErrRequest},
		{"malformed", request("GET", base+"/me", "x.y"), guard.TokenInvalid, resourceserver.ErrToken},
		{"tampered", request("GET", base+"/me", tampered(good)), guard.TokenInvalid, resourceserver.ErrToken},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := n.judge(c.call)
			if v.Reason() != c.want || !errors.Is(v.Err, c.is) {
				t.Errorf("%q, %v", v.Reason(), v.Err)
			}
			if c.want != "" && !strings.Contains(c.name, "form") && (v.Client != nil || v.Limit.Known) {
				t.Error("a client is known without a good token") // RULES: a 401 without a client has no headers
			}
		})
	}
	for range resourceserver.DefaultFailures {
		n.get(base+"/me", tampered(good))
	}
	fresh := n.token("main", "c1", "write")
	if v := n.get(base+"/me", fresh); v.Reason() != guard.TooManyFailures || !errors.Is(v.Err, resourceserver.ErrTooManyFailures) {
		t.Errorf("%q, %v", v.Reason(), v.Err)
	}
	put(n, policies, domain.Policy{Name: "another", Actions: map[string]string{"a": "b"}})
	n.want(n.get(base+"/me", fresh), guard.TooManyFailures) // a new view forgives nothing
	n.want(n.get(base+"/me", good), "")                     // who is known is served
}

// tampered changes one character in the middle of the signature.
func tampered(token string) string {
	at, other := len(token)-20, "A"
	if token[at] == 'A' {
		other = "B"
	}
	return token[:at] + other + token[at+1:]
}

// What a verdict says of a call that passes.
func TestVerdict(t *testing.T) {
	n := newTown(t)
	v := n.judge(request("GET", "https://AUTH.example.com:443/v1/studies/%73%31?a=%31&b", n.token("main", "c1", "write read")))
	if v.Err != nil || v.API.Name != "reports" || v.Issuer.Name != "main" || v.Client.ID != "c1" || v.Tenant.ID != tenant1 {
		t.Fatalf("%+v", v)
	}
	if v.Path != "/studies/s1" || v.RawQuery != "a=%31&b" || v.Route.Path != "/studies/{study}" || v.API.Realm != "reports" {
		t.Errorf("%s ? %s, route %+v", v.Path, v.RawQuery, v.Route)
	}
	if diff := cmp.Diff(oauth.Scope{"write", "read"}, v.Scopes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(policy.ResourceScope{"study": {IDs: []string{"s1", "s2"}}}, v.Resources); diff != "" {
		t.Error(diff)
	}
	if v.Claims.ClientID != "c1" {
		t.Errorf("%+v", v.Claims)
	}
	want := guard.Limit{Known: true, PerMinute: 600, Remaining: 599, Reset: start.Add(time.Minute).Unix()}
	if diff := cmp.Diff(want, v.Limit); diff != "" {
		t.Error(diff)
	}
}

// The body that was judged is the body that is forwarded.
func TestBodyIsForwardedAsJudged(t *testing.T) {
	n := newTown(t)
	token := n.token("main", "c1", "")
	for contentType, body := range map[string]string{
		"application/json": " {\"a\" : [1, 2], \"study\"\t: \"\\u00731\" } ", "application/x-www-form-urlencoded; charset=UTF-8": "a=%20+&study=%73%31&&a=",
	} {
		r := with(request("POST", base+"/search", token), contentType, body)
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
		n.want(n.judge(r), "")
		got, err := io.ReadAll(r.Body)
		if err != nil || string(got) != body || r.ContentLength != int64(len(body)) || r.TransferEncoding != nil || r.Body.Close() != nil {
			t.Errorf("%q, %v, length %d", got, err, r.ContentLength)
		}
		r = with(request("POST", base+"/search", token), contentType, body)
		r.ContentLength, r.Trailer = -1, http.Header{"X-Sum": nil}
		n.want(n.judge(r), "")
		if r.ContentLength != -1 {
			t.Error("trailers can no longer follow")
		}
	}
	untouched := with(request("PUT", base+"/studies/s1", token), "text/plain", "anything")
	was := untouched.Body
	n.judge(untouched)
	if untouched.Body != was {
		t.Error("a body was read that no rule asks for")
	}
}
