package gateway_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
)

// RFC 8586: an upstream that is the gateway itself is told at the first return, not when no
// connection is left (D-66).
func TestLoop(t *testing.T) {
	s := newScene(t)
	s.change(func(a *domain.API) { a.Upstream = s.front.URL })
	c := s.dial()
	c.send("GET /x HTTP/1.1\nHost: h\n\n")
	res := c.want(508, "")
	// The inner call ends first; the outer one has the answer of its upstream.
	if inner, outer := s.log.wait(1), s.log.wait(2); !strings.Contains(inner+outer, `"reason":"loop"`) || strings.Count(inner+outer, `"status":508`) != 2 {
		t.Errorf("not one round: %s%s", inner, outer)
	}
	if n := s.counted("reports", "loop", "standard"); n != 1 {
		t.Errorf("%v loops counted, want 1", n)
	}
	if res.Header.Get("X-Request-Id") == "" {
		t.Error("no event id")
	}
}
