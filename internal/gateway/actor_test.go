package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/auditlog"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/snapshot"
)

// asUser makes the call one of a user.
func (s *scene) asUser(why error) {
	s.guard.edit = func(_ *http.Request, v *guard.Verdict) {
		v.Issuer, v.Client, v.Scopes, v.Err = nil, nil, nil, why
		v.Actor, v.Tenant = &guard.Actor{Kind: guard.User, ID: "ann", Role: "agent", Tenant: "t7", Tier: "premium"}, &domain.Tenant{ID: "t7"}
	}
}

// ARB-07, D-62: the upstream is told who calls, and cannot be told so by anybody else.
func TestActorForwarded(t *testing.T) {
	s := newScene(t)
	s.asUser(nil)
	c := s.dial()
	c.send("GET /x HTTP/1.1\nHost: api.example.com\nX-Postern-Actor: user:root\nX_Postern_Actor: user:root\nX-Postern-Client: root\nAuthorization: Bearer secret\n\n")
	c.want(200, "ok")
	head, _, _ := strings.Cut(s.upstream.text(), "\r\n\r\n")
	_, got := fields(head)
	for name, want := range map[string]string{
		"X-Postern-Actor": "user:ann", "X-Postern-Client": "", "X-Postern-Tenant": "t7", "X-Postern-Issuer": "", "X-Postern-Scope": "", "X-Postern-Resources": "",
	} {
		if list := got[name]; len(list) != 1 || list[0] != want {
			t.Errorf("%s: %q, want %q", name, list, want)
		}
	}
	if strings.Contains(s.upstream.text(), "root") || strings.Contains(s.upstream.text(), "secret") {
		t.Errorf("the upstream saw %s", s.upstream.text())
	}
	if line := s.log.wait(1); !strings.Contains(line, `"actor":"user:ann"`) || strings.Contains(line, `"client"`) {
		t.Error(line)
	}
	if s.counted("reports", "allowed", "premium") != 1 {
		t.Error("it is not counted under the tier of its role")
	}
}

// COM-09: what is refused to them is known to be theirs.
func TestActorRefused(t *testing.T) {
	s := newScene(t)
	s.guard.api.Issuers = []*snapshot.Issuer{{Issuer: domain.Issuer{Name: "main"}}}
	s.asUser(&guard.Refusal{Reason: guard.RoleUnknown})
	c := s.dial()
	c.send("GET /x HTTP/1.1\nHost: api.example.com\nConnection: close\n\n")
	res, body, err := c.answer("GET")
	if err != nil || res.StatusCode != 403 || !strings.Contains(body, "the role of this user or API key is none that this API knows") {
		t.Errorf("%v %v %s", err, res, body)
	}
	list := s.recorded()
	if len(list) != 1 || list[0].Actor != "user:ann" || list[0].Tenant != "t7" || list[0].Issuer != "main" || list[0].Client != "" || list[0].Reason != "role_unknown" {
		t.Errorf("%+v", list)
	}
}

// ARB-17: an audit log is answered here, and by nobody else; where nothing answers it, that
// is told.
func TestAuditLogAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		surface *auditlog.Surface
		status  int
	}{
		"a server without": {nil, 500},
		"nothing there":    {auditlog.New(auditlog.Config{}), 404},
	} {
		s := newScene(t)
		s.change(func(a *domain.API) { a.AuditLog = &domain.AuditLog{} })
		s.gateway.AuditLog = c.surface
		client := s.dial()
		client.send("GET /other HTTP/1.1\nHost: api.example.com\nConnection: close\n\n")
		res, _, err := client.answer("GET")
		if err != nil || res.StatusCode != c.status || res.Header.Get("X-Request-Id") == "" || res.Header.Get("X-RateLimit-Limit") != "600" || s.upstream.text() != "" {
			t.Errorf("%s: %v %v %q", name, err, res, s.upstream.text())
		}
	}
}

// What is wrong with an event is told to who sent it.
func TestEventRefused(t *testing.T) {
	s := newScene(t)
	s.guard.edit = func(_ *http.Request, v *guard.Verdict) {
		v.Err = &guard.Refusal{Reason: guard.EventRefused, Err: &guard.EventError{Item: 2, Text: "outcome is success or refused"}}
	}
	c := s.dial()
	c.send("POST /events HTTP/1.1\nHost: api.example.com\nContent-Length: 2\nConnection: close\n\n{}")
	res, body, err := c.answer("POST")
	if err != nil || res.StatusCode != 400 || !strings.Contains(body, "event 2: outcome is success or refused") {
		t.Errorf("%v %v %s", err, res, body)
	}
}
