package gateway

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/request"
	"github.com/postern-dev/postern/internal/snapshot"
)

// D-62: a name is ours in whatever way some server would read it as ours.
func TestOurs(t *testing.T) {
	for name, want := range map[string]bool{
		"X-Postern-Client": true, "x-postern-client": true, "X_postern_client": true, "X.Postern.Client": true, "X-Postern_Anything-New": true, "X-Postern": true,
		"X-Forwarded-For": true, "X_forwarded-Host": true, "X-Forwarded": true, "X-Forwarded-Client-Cert": true, "Forwarded": true, "X-Real-Ip": true, "X_real_ip": true,
		"True-Client-Ip": true, "X-Original-Url": true, "X-Rewrite-Url": true, "X-Http-Method-Override": true, "X-Http-Method": true, "X-Method-Override": true,
		"X-Request-Id": true, "X_correlation_id": true,
		// D-59: what frames or types a body is said once.
		"Content_type": true, "Content.type": true, "Content_length": true, "Content_encoding": true, "Transfer_encoding": true,
		"Content-Type": false, "Content-Encoding": false, "Content-Language": false, "Content_language": false,
		"": false, "X": false, "X-": false, "Cookie": false, "Accept": false, "X-Posternclient": false, "X-Post": false, "X-Request-Ids": false, "X-Api-Key": false,
		"Traceparent": false, "From": false, "Forwarded-Ish": false,
	} {
		if ours(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
	for name, want := range map[string]bool{
		"X-Ratelimit-Limit": true, "X_ratelimit_remaining": true, "X-Request-Id": true, "X-Correlation-Id": true, "X-Postern-Scope": true,
		"Ratelimit": false, "X-Rate": false, "Set-Cookie": false, "Www-Authenticate": false, "": false,
	} {
		if oursToTell(name) != want {
			t.Errorf("told: %q: %v", name, !want)
		}
	}
}

// Whatever a client sends, an upstream that reads names as loosely as it likes finds each of
// our headers once, with our value.
func FuzzHeaders(f *testing.F) {
	f.Add("X-Postern-Client", "admin", "X_Forwarded_For", "1.2.3.4")
	f.Add("Authorization", "Bearer x", "Connection", "X-Postern-Client")
	f.Add("x.postern~client", "a", "X-POSTERN-TENANT", "b")
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2 string) {
		in := http.Header{}
		in.Add(n1, v1)
		in.Add(n2, v2)
		c := &call{gateway: &Gateway{loop: "postern-0"}, r: &http.Request{Host: "h", Header: in}, ex: &request.Exchange{ID: "event"}, verdict: guard.Verdict{
			API: &snapshot.API{}, Client: &snapshot.Client{Client: domain.Client{ID: "c1", Tenant: "t1"}}}}
		out := c.headers(in)
		loose := map[string][]string{}
		for name, values := range out {
			key := strings.Map(func(r rune) rune {
				if r == '_' || r == '.' || r == '~' {
					return '-'
				}
				return r
			}, strings.ToLower(name))
			loose[key] = append(loose[key], values...)
		}
		for name, want := range map[string]string{
			"x-postern-client": "c1", "x-postern-tenant": "t1", "x-postern-issuer": "", "x-postern-scope": "", "x-postern-resources": "",
			"x-forwarded-host": "h", "x-forwarded-proto": "http", "x-request-id": "event",
		} {
			if !slices.Equal(loose[name], []string{want}) {
				t.Errorf("%s: %q", name, loose[name])
			}
		}
		if loose["authorization"] != nil || loose["x-postern-truncated"] != nil || loose["connection"] != nil {
			t.Errorf("passed: %q", loose)
		}
	})
}
