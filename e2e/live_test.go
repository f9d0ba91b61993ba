package e2e

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/oauth/jwt"
)

// live is an issuer that other people's programs can reach: by http, at a port of its own,
// with one client.
type live struct {
	base, id, secret string
	audience         string
}

// tenant is that of the clients of live issuers.
const liveTenant = `kind: Tenant
id: aa000000-0000-4000-8000-000000000001
label: Live
`

// openLive starts issuers in the time that it is: one per entry, `name` → extra lines of YAML.
func openLive(t *testing.T, names []string, extra map[string]string) (*world, map[string]live) {
	t.Helper()
	w := openAt(t, time.Now, func(c *config.Config) {
		surface := c.Listeners[0]
		c.Listeners = nil
		for range names {
			c.Listeners = append(c.Listeners, surface)
		}
	})
	issuers := make(map[string]live)
	if _, err := w.create(liveTenant); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		l := live{base: "http://" + w.addresses[i], audience: "urn:live:" + name}
		list, err := w.create(fmt.Sprintf(`kind: Issuer
name: %s
url: %s
%s
---
kind: Client
issuer: %s
name: live
tenant: aa000000-0000-4000-8000-000000000001
scopes: ["a:read", "a:write"]
audiences: [%q]
`, name, l.base, extra[name], name, l.audience))
		if err != nil {
			t.Fatal(err)
		}
		l.id, l.secret = list[0].ID, string(list[0].secret)
		issuers[name] = l
	}
	return w, issuers
}

// jwks is what the issuer publishes.
func (l *live) jwks(t *testing.T) []byte {
	t.Helper()
	resp, err := http.Get(l.base + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(err, resp.Status)
	}
	return data
}

// verify checks a token by what the issuer publishes.
func (l *live) verify(t *testing.T, token string) {
	t.Helper()
	keys, err := jwt.ParseJWKS(l.jwks(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.Verify(token, keys, jwt.Expect{Issuer: l.base, Audience: l.audience, Now: time.Now()}); err != nil {
		t.Fatalf("%v: %s", err, token)
	}
}
