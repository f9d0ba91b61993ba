package gateway_test

import (
	"context"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
)

// A client over its limit is told of in activity once a second, however often it calls; the
// id is that of the first call refused, by which it is found.
func TestOverTheLimitIsOneEntry(t *testing.T) {
	n := newTown(t)
	n.update("c1", func(c *domain.Client) { c.RateLimits = map[string]int64{"reports": 2} })
	c, bearer := n.dial(), n.token("c1")
	first := ""
	for i := range 7 {
		want := 200
		if i >= 2 {
			want = 429
		}
		c.send("GET /v1/me HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer " + bearer + "\n\n")
		if res := c.want(want, ""); i == 2 {
			first = res.Header.Get("X-Request-Id")
		}
	}
	n.check(n.writer.Close(context.Background()))
	n.kept.mu.Lock()
	defer n.kept.mu.Unlock()
	told := uint32(0)
	for _, e := range n.kept.entries {
		told += e.Count
		if e.Client != "c1" || e.Reason != "rate_limited" || e.Resource != "reports" {
			t.Errorf("%+v", e)
		}
	}
	if list := n.kept.entries; told != 5 || len(list) == 5 || list[0].ID.String() != first {
		t.Errorf("%d calls in %+v", told, list)
	}
}
