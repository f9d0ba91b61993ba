package authserver_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth/jwt"
)

// The whole line once: the token verifies with what is published, carries the epoch and the event
// id; activity, log and metric tell of it, without the secret (D-37).
func TestToken(t *testing.T) {
	n := newNode(t)
	r := n.token("")
	var answer struct {
		Token string `json:"access_token"`
		Scope string `json:"scope"`
	}
	body := text(t, r)
	if err := json.Unmarshal([]byte(body), &answer); err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%d %s: %v", r.StatusCode, body, err)
	}
	set, err := jwt.ParseJWKS([]byte(text(t, n.ask(http.MethodGet, "https://rfc.example.com/.well-known/jwks.json", nil))))
	n.check(err)
	claims, err := jwt.Verify(answer.Token, set, jwt.Expect{Issuer: "https://rfc.example.com", Audience: "urn:api", Type: "at+jwt", Now: start})
	n.check(err)
	event := r.Header.Get("X-Request-Id")
	if claims.ID != "3."+event || claims.Scope != "a" || answer.Scope != "a" {
		t.Errorf("jti %s, event %s, scope %q and %q", claims.ID, event, claims.Scope, answer.Scope)
	}
	if _, err := jwt.Verify(answer.Token, set, jwt.Expect{Issuer: "https://rfc.example.com/below", Audience: "urn:api", Now: start}); err != jwt.ErrIssuer { // TRI-12
		t.Errorf("under another issuer: %v", err)
	}
	refused := n.token("&scope=z")
	if refused.StatusCode != http.StatusBadRequest {
		t.Errorf("refused with %d", refused.StatusCode)
	}
	n.check(n.writer.Close(t.Context()))
	entries, err := n.db.Search(t.Context(), domain.Query{})
	n.check(err)
	slices.SortFunc(entries, func(a, b domain.Entry) int { return strings.Compare(string(a.Action), string(b.Action)) })
	if len(entries) != 2 {
		t.Fatalf("activity: %+v", entries)
	}
	want := domain.Entry{Action: domain.TokenIssued, Issuer: "rfc", Client: clientID, Tenant: tenantID, SecretID: "s1", Scope: "a", Source: "192.0.2.7"}
	want.ID, err = domain.ParseEventID(event)
	n.check(err)
	want.Count = entries[0].Count
	if diff := cmp.Diff(want, entries[0]); diff != "" {
		t.Errorf("issued (-want +got):\n%s", diff)
	}
	want = domain.Entry{Action: domain.TokenRefused, Issuer: "rfc", Client: clientID, Tenant: tenantID, SecretID: "s1", Reason: "scope_invalid", Source: "192.0.2.7", Count: entries[1].Count}
	want.ID, err = domain.ParseEventID(refused.Header.Get("X-Request-Id"))
	n.check(err)
	if diff := cmp.Diff(want, entries[1]); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	logged := n.log.String()
	for _, word := range []string{event, `"client":"` + clientID, `"reason":"scope_invalid"`, `"issuer":"rfc"`} {
		if !strings.Contains(logged, word) {
			t.Errorf("the log does not tell %s: %s", word, logged)
		}
	}
	if strings.Contains(logged, string(n.secret)) || strings.Contains(logged, answer.Token[len(answer.Token)-20:]) {
		t.Errorf("the log tells a secret: %s", logged)
	}
	families, err := n.reg.Gather()
	n.check(err)
	counted := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key := f.GetName()
			for _, l := range m.GetLabel() {
				key += " " + l.GetName() + "=" + l.GetValue()
			}
			counted[key] = m.GetCounter().GetValue()
		}
	}
	if diff := cmp.Diff(map[string]float64{
		"postern_token_requests_total issuer=rfc outcome=issued": 1, "postern_token_requests_total issuer=rfc outcome=scope_invalid": 1,
	}, counted); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// RULES: where the node cannot decide, it says 503 with Retry-After, never 401 and never a token.
func TestUnavailable(t *testing.T) {
	for _, c := range []struct {
		name   string
		breaks func(*node)
		status int
		reason string
	}{
		{"stale", func(n *node) { n.wait(time.Minute + 1) }, 503, "unavailable"},
		{"no key signs", func(n *node) {
			list, err := n.db.Read().Keys.List(n.t.Context(), domain.Page{Prefix: "rfc/"})
			n.check(err)
			for _, k := range list { // that for identities signs on, and no access token
				if k.VerifyOnly = true; k.Purpose == domain.PurposeAccess {
					n.put(k)
				}
			}
			n.check(n.Snapshot.Poll(n.t.Context()))
		}, 503, "unavailable"},
		{"nothing can be recorded", func(n *node) { n.check(n.writer.Close(n.t.Context())) }, 503, "unavailable"},
		{"the client's tenant is not there", func(n *node) {
			c, err := n.db.Read().Clients.Get(n.t.Context(), "rfc/"+clientID)
			n.check(err)
			c.Tenant = "22222222-54d5-4f0c-9a36-0d6f3e1b8a11"
			n.put(c)
			n.check(n.Snapshot.Poll(n.t.Context()))
		}, 500, "server_error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNode(t)
			c.breaks(n)
			r := n.token("")
			body := text(t, r)
			if r.StatusCode != c.status || strings.Contains(body, "access_token") || r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s", r.StatusCode, body)
			}
			if retry := r.Header.Get("Retry-After"); (retry != "") != (c.status == 503) {
				t.Errorf("Retry-After %q", retry)
			}
			if !strings.Contains(n.log.String(), `"reason":"`+c.reason+`"`) || strings.Contains(body, "tenant") {
				t.Errorf("answered %s, logged %s", body, n.log.String())
			}
		})
	}
}
