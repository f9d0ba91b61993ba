package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/domain"
)

const shop = `kind: Policy
name: looks
actions: {stock:read: look at shelves}
---
kind: Issuer
name: shop
url: https://shop.example
---
kind: Tenant
id: 5c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a11
label: Harbour
resources: {depot: [north, south]}
---
kind: API
name: stock
audience: urn:stock
issuers: [shop]
upstream: UPSTREAM
routes:
  - {method: GET, path: "/depots/{depot}", actions: [stock:read], parameters: [{name: depot, kind: depot}]}
---
kind: Client
issuer: shop
name: till
tenant: 5c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a11
audiences: [urn:stock]
policies: [looks]
resource_scope: {depot: {ids: [north]}}
`

// withGateway carries tokens and calls on one listener.
func withGateway(c *config.Config) {
	c.Listeners[0].Surfaces = append(c.Listeners[0].Surfaces, config.Gateway)
}

// COM-09: the change that made a client, the token it got, the one it did not get, and the call
// it was refused are all there afterwards, the call with client, rule and event id; in the log and
// the counters too. D-37: the token is nowhere.
func TestTrailOfCalls(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path+" of "+r.Header.Get("X-Postern-Tenant"))
	}))
	defer upstream.Close()
	w := openAt(t, time.Now, withGateway) // batches of activity wait by the clock
	list, err := w.create(strings.Replace(shop, "UPSTREAM", upstream.URL, 1))
	if err != nil {
		t.Fatal(err)
	}
	client := list[0]
	c := &wire{address: w.addresses[0]}
	defer c.close()
	send := func(lines ...string) *answer {
		t.Helper()
		a, err := c.send(compose(lines, "shop.example"))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	form := "grant_type=client_credentials&client_id=" + client.ID + "&client_secret="
	ask := func(secret string) *answer {
		return send("POST /oauth2/token HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "", form+secret)
	}
	token := tokenOf(ask(string(client.secret)).body)
	refusedToken := ask("wrong")
	call := func(depot string) *answer {
		return send("GET /depots/"+depot+" HTTP/1.1", "Authorization: Bearer "+token, "")
	}
	if a := call("north"); a.status != 200 || string(a.body) != "/depots/north of 5c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a11" {
		t.Fatalf("%+v", a)
	}
	refusedCall := call("south")
	if refusedToken.status != 401 || refusedCall.status != 403 {
		t.Fatal(refusedToken.status, refusedCall.status)
	}
	wantEntry(t, w, refusedToken, domain.TokenRefused, client.ID, "credentials_wrong", "")
	wantEntry(t, w, refusedCall, domain.CallRefused, client.ID, "resource_outside", "stock GET /depots/{depot}")
	metrics, err := http.Get("http://" + w.addresses[0] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	counted, err := io.ReadAll(metrics.Body)
	if err != nil || metrics.Body.Close() != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`postern_calls_total{api="stock",outcome="allowed",tier="standard"} 1`,
		`postern_calls_total{api="stock",outcome="resource_outside",tier="standard"} 1`,
	} {
		if !strings.Contains(string(counted), line+"\n") {
			t.Errorf("not counted: %s", line)
		}
	}
	if log := w.log.String(); strings.Contains(log, token) || !strings.Contains(log, `"reason":"resource_outside"`) {
		t.Errorf("the log tells a token, or not why: %s", log)
	}
}

// wantEntry waits for the entry that an answer's event id names.
func wantEntry(t *testing.T, w *world, a *answer, action domain.Action, client, reason, resource string) {
	t.Helper()
	id, err := domain.ParseEventID(a.get("X-Request-Id")[0])
	if err != nil {
		t.Fatal(err)
	}
	db, err := w.database()
	if err != nil {
		t.Fatal(err)
	}
	var got [4]string
	for range 300 {
		err = db.QueryRow(`SELECT act.value, cli.value, rea.value, coalesce(res.value, '') FROM activity a
 JOIN interned act ON act.id = a.action JOIN interned cli ON cli.id = a.client JOIN interned rea ON rea.id = a.reason
 LEFT JOIN interned res ON res.id = a.resource WHERE a.id = ?`, id[:]).Scan(&got[0], &got[1], &got[2], &got[3])
		if err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if want := [4]string{string(action), client, reason, resource}; err != nil || got != want {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}
