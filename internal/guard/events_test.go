package guard_test

import (
	"io"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
)

// ARB-18: who adds events holds an action for each of their names; what the event says of
// itself is kept as said.
func TestEvents(t *testing.T) {
	n, _ := newHall(t)
	n.api(domain.API{
		Name: "log", Audience: "urn:reports", Issuers: []string{"main"}, Path: "/log", AuditLog: &domain.AuditLog{}, APIKeys: true,
		Roles: map[string]domain.Rights{"viewer": {Policies: []string{"teller"}}},
		Routes: []policy.Route{{Method: "GET", Path: "/", Actions: []string{"hall:audit"}}, {Method: "GET", Path: "/export", Actions: []string{"hall:audit"}},
			{Method: "POST", Path: "/events", Scopes: []string{"write"}, Actions: []string{"hall:audit"}}},
	})
	update(n, clients, "main/c1", func(c *domain.Client) { c.Policies = []string{"teller"} })
	token, key := n.token("main", "c1", "write"), n.key(nil)
	const log = "https://auth.example.com/log"
	for path, want := range map[string]string{ // ARB-17: with and without the last slash
		"": "/", "/": "/", "/export": "/export", "/export/": "/export", "//": "path_ambiguous", "/export//": "path_ambiguous", "/events": "no_route",
		"x": "no_api", "/other": "no_route",
	} {
		v := n.get(log+path, token)
		got := string(v.Reason())
		if v.Err == nil {
			got = v.Path
		}
		if got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
	n.want(n.get("https://auth.example.com/hall", token), guard.NoAPI) // only an audit log does without the slash
	add := func(credential, kind, body string) guard.Verdict {
		return n.judge(with(request("POST", log+"/events", credential), kind, body))
	}
	const json = "application/json"
	for _, credential := range []string{token, key} {
		n.want(add(credential, json, `{"action":"login"}`), "")
		n.want(add(credential, json, ` [{"action":"login"},{"action":"login"}]`), "")
		v := add(credential, json, `[{"action":"login"},{"action":"logout"}]`)
		if n.want(v, guard.ActionMissing); v.Err.(*guard.Refusal).Missing != "events:logout" {
			t.Error(v.Err)
		}
		n.want(add(credential, json, `{"action":"token.issue"}`), guard.EventRefused)
		n.want(add(credential, "application/x-www-form-urlencoded", "action=login"), guard.BodyType)
		n.want(add(credential, "", `{"action":"login"}`), guard.BodyType)
		n.want(add(credential, json, `{"action":"login","resource":"`+strings.Repeat("x", 64<<10)+`"}`), guard.BodyTooLarge)
	}
	n.want(add(n.token("main", "c1", "read"), json, `{"action":"login"}`), guard.ScopeMissing)
	r := request("POST", log+"/events", token, "Content-Type", json)
	r.Body, r.ContentLength = io.NopCloser(torn{strings.NewReader(`{"action":"login"}`)}), -1
	n.want(n.judge(r), guard.BodyMalformed)
	r = request("POST", log+"/events", token, "Content-Type", json)
	r.Body, r.ContentLength = io.NopCloser(&slow{func() {
		update(n, policies, "teller", func(p *domain.Policy) { p.Actions = map[string]string{"hall:audit": "x"} })
	}, strings.NewReader(`{"action":"login"}`)}), -1
	n.want(n.judge(r), guard.ActionMissing)
}

// ARB-18, D-108: what an event is, to the letter.
func TestEventForms(t *testing.T) {
	n, _ := newHall(t)
	n.api(domain.API{Name: "log", Audience: "urn:reports", Issuers: []string{"main"}, Path: "/log", AuditLog: &domain.AuditLog{},
		Routes: []policy.Route{{Method: "POST", Path: "/events", Scopes: []string{"write"}}}})
	update(n, clients, "main/c1", func(c *domain.Client) { c.Policies = []string{"teller"} })
	token := n.token("main", "c1", "write")
	add := func(body string) guard.Verdict {
		return n.judge(with(request("POST", "https://auth.example.com/log/events", token), "application/json", body))
	}
	for _, c := range []struct{ body, resource, outcome, details string }{
		{`{"action":"login"}`, "", "success", ""},
		{`{"action":"login","resource":"chat/7 é","outcome":"refused"}`, "chat/7 é", "refused", ""},
		{"{\"action\":\"login\",\n \"occurred_at\" : \"2026-01-01T00:00:00Z\", \"actor\":\"root\\n\",\"client_id\":\"c2\",\"n\":1.50}", "", "success",
			`{"occurred_at":"2026-01-01T00:00:00Z","actor":"root\n","client_id":"c2","n":1.50}`},
		{`{"action":"login","details":{"a":[1, 2],"b":null},"c":{}}`, "", "success", `{"a":[1,2],"b":null,"c":{}}`},
		{`{"action":"login","details":{}}`, "", "success", `{}`},
		{`{"action":"login","x\u2028":"` + "a\u2028b\u0085c\u202ed\u2066\u007f" + `"}`, "", "success", `{"x\u2028":"a\u2028b\u0085c\u202ed\u2066\u007f"}`},
		{`{"action":"login","details":{"action":"token.issue","tenant":"t","id":1}}`, "", "success", `{"action":"token.issue","tenant":"t","id":1}`},
	} {
		v := add(c.body)
		if n.want(v, ""); v.Events == nil || len(*v.Events) != 1 {
			t.Errorf("%s: %v", c.body, v.Events)
			continue
		}
		e := (*v.Events)[0]
		if e.Name != "login" || e.Resource != c.resource || string(e.Outcome) != c.outcome || string(e.Details) != c.details {
			t.Errorf("%s: %q %q %q %s", c.body, e.Name, e.Resource, e.Outcome, e.Details)
		}
	}
	long := strings.Repeat("x", 257)
	many := func(k int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`{"action":"login"},`, k), ",") + "]"
	}
	if v := add(many(100)); v.Err != nil || len(*v.Events) != 100 {
		t.Errorf("a hundred: %v", v.Err)
	}
	for _, c := range []struct{ body, says string }{
		{`{}`, "event 1: action is the name"}, {`[]`, "1 to 100 in one array"}, {many(101), "1 to 100"}, {`[{"action":"login"}`, "1 to 100"}, {``, "event 1: it is no JSON object"},
		{`"login"`, "no JSON object"}, {`[["a"]]`, "event 1: it is no JSON object"}, {`[{"action":"login"},7]`, "event 2"}, {`{"action":"login"}x`, "no JSON object"},
		{`{"action":"login","action":"logout"}`, "each name stands once"}, {`{"action":"login","\u0061ction":"logout"}`, "each name stands once"},
		{`[{"action":"login","action":"logout"}]`, "each name stands once"},
		{`{"action":7}`, "action is the name"}, {`{"action":"call.refuse"}`, "action is the name"}, {`{"action":"log\nin"}`, "action is the name"}, {`{"action":"Login"}`, "action is the name"},
		{`{"action":"login","outcome":"blocked"}`, "outcome is"}, {`{"action":"login","outcome":""}`, "outcome is"}, {`{"action":"login","outcome":1}`, "outcome is"},
		{`{"action":"login","resource":7}`, "resource is"}, {`{"action":"login","resource":"a\nb"}`, "resource is"}, {`{"action":"login","resource":"a\u2028b"}`, "resource is"},
		{`{"action":"login","resource":"a\u2029b"}`, "resource is"}, {`{"action":"login","resource":"a\u0085b"}`, "resource is"}, {`{"action":"login","resource":"a\u007fb"}`, "resource is"},
		{`{"action":"login","resource":"a\u202bb"}`, "resource is"}, {`{"action":"login","resource":"a\u2067b"}`, "resource is"}, {`{"action":"login","resource":"` + long + `"}`, "resource is"},
		{`{"action":"login","details":"x"}`, "details is"}, {`{"action":"login","details":[]}`, "details is"}, {`{"action":"login","details":{"a":1,"a":2}}`, "each name stands once"},
		{`{"action":"login","a":1,"details":{"a":2}}`, "keep one"}, {`{"action":"login","x":"` + strings.Repeat("x", 4096) + `"}`, "at most 4096 are kept"},
		{"{\"action\":\"login\",\"x\":\"a\nb\"}", "no JSON object"}, {"{\"action\":\"login\",\"x\":\"\xff\"}", "no JSON object"},
	} {
		v := add(c.body)
		r, ok := v.Err.(*guard.Refusal)
		if !ok || r.Reason != guard.EventRefused || !strings.Contains(r.Err.Error(), c.says) {
			t.Errorf("%.80s: %v, want %q", c.body, v.Err, c.says)
		}
	}
	if v := add(`{"action":"login","x":"` + strings.Repeat("x", 4096-8) + `"}`); v.Err != nil { // {"x":""} is 8
		t.Error(v.Err)
	}
}
