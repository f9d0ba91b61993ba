package server

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/request"
)

// What can change while a node runs does; all else is named.
func TestReload(t *testing.T) {
	var out bytes.Buffer
	n := &Node{Config: config.Default(), level: new(slog.LevelVar), proxies: request.NewProxies()}
	n.Log, n.lines = newLog(n.Config.Log, n.level, &out)
	from := func() string {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "10.0.0.1:9"
		r.Header.Set("X-Forwarded-For", "192.0.2.7")
		return request.Begin(httptest.NewRecorder(), r, time.Now(), n.proxies).Source.String()
	}
	n.Log.Debug("quiet")
	if out.Len() > 0 || from() != "10.0.0.1" {
		t.Errorf("before: %q, %s", out.String(), from())
	}
	next := config.Default()
	next.Log.Level = "debug"
	next.TrustedProxies = []config.Network{{Prefix: netip.MustParsePrefix("10.0.0.0/8")}}
	next.Limits.ReadTimeout++
	next.Node = "other"
	if d := cmp.Diff([]string{"limits.read_timeout", "node"}, n.Reload(next)); d != "" {
		t.Error(d)
	}
	n.Log.Debug("loud")
	n.lines.Flush()
	if !bytes.Contains(out.Bytes(), []byte("loud")) || from() != "192.0.2.7" {
		t.Errorf("after: %q, %s", out.String(), from())
	}
}
