package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/config"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/seal"
)

// two tenants with a client each, for what somebody sees of them.
const neighbours = `kind: Issuer
name: main
url: https://main.example
---
kind: Tenant
id: ` + globex + `
label: Globex
---
kind: Tenant
id: ` + umbra + `
label: Umbra
---
kind: Client
issuer: main
name: of-globex
tenant: ` + globex + `
audiences: [urn:x]
---
kind: Client
issuer: main
name: of-umbra
tenant: ` + umbra + `
audiences: [urn:x]
`

// office is a Postern whose administrators sign in at Dex, as docs/signing-in.md says.
type office struct {
	*world
	t     *testing.T
	dex   *dex
	clock *offset
	admin string // where the admin API is, without the path
}

// offset is the time that it is, and a while.
type offset struct{ clock }

func (o *offset) now() time.Time { return time.Now().Add(o.clock.now().Sub(time.Time{})) }

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, dex: newDex(t), clock: new(offset)}
	dir := t.TempDir()
	secret := o.dex.client("postern")["secret"].(string)
	for name, text := range map[string]string{"postern.yaml": o.dex.recipe["postern.yaml"], "oidc-secret": secret + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.NewMaster(filepath.Join(dir, "master.key")); err != nil {
		t.Fatal(err)
	}
	said, err := config.Load(filepath.Join(dir, "postern.yaml"))
	if err != nil {
		t.Fatalf("the recipe's postern.yaml: %v", err)
	}
	o.world = openAt(t, o.clock.now, func(c *config.Config) { *c = *said; c.Log.Level = "debug" })
	o.admin = "http://" + o.addresses[1]
	if _, err := o.create(neighbours); err != nil {
		t.Fatal(err)
	}
	return o
}

// hire makes somebody who administers.
func (o *office) hire(p domain.Person) {
	o.t.Helper()
	if _, err := o.node.Registry.CreatePerson(o.t.Context(), administrator, p); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) start() string { return o.admin + "/api/admin/oidc/start" }

// ask calls the admin API from a page of it.
func (o *office) ask(b *browser, method, path, body string) page {
	o.t.Helper()
	return b.open(method, o.admin+"/api/admin"+path, body, "Origin", o.admin, "Content-Type", "application/json")
}

// want holds a page against a status, and what its text has in it.
func (p page) want(t *testing.T, status int, text ...string) {
	t.Helper()
	for _, s := range text {
		if !strings.Contains(p.text, s) {
			t.Errorf("lacks %q: %s", s, p)
		}
	}
	if p.status != status {
		t.Errorf("want %d: %s", status, p)
	}
}

// logged wants a word in the log that was not there before.
func (o *office) logged(t *testing.T, word string, do func()) {
	t.Helper()
	before := len(o.log.String())
	do()
	for range 500 { // a line is written when the answer has left
		if strings.Contains(o.log.String()[before:], word) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the log lacks %q: %s", word, o.log.String()[before:])
}

// pass lets time pass for Postern.
func (o *office) pass(d time.Duration) {
	o.t.Helper()
	o.clock.tick(d)
	if err := o.node.Snapshot.Poll(context.Background()); err != nil {
		o.t.Fatal(err)
	}
}

// People who administer sign in at Dex, by its own login page (OpenID Connect Core §3.1, RFC 7636).
func TestSignInWithDex(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	anyone := newBrowser(t)
	o.logged(t, "discovery: ", func() { anyone.open(http.MethodGet, o.start(), "").want(t, http.StatusBadGateway, "OpenID provider") })
	o.dex.add("staticPasswords", o.dex.person("bob@example.com", nil), o.dex.person("eve@example.com", nil),
		o.dex.person("mal@example.com", map[string]any{"emailVerified": false}))
	o.dex.add("staticClients", map[string]any{"id": "other", "name": "Other", "secret": "s", "redirectURIs": []any{"https://other.example/cb"}})
	o.dex.start()
	everywhere := domain.Reach{AllTenants: true, AllIssuers: true}
	o.hire(domain.Person{Name: "ann@example.com", Role: domain.PlatformAdmin, Reach: everywhere})
	o.hire(domain.Person{Name: "mal@example.com", Role: domain.PlatformAdmin, Reach: everywhere})
	o.hire(domain.Person{Name: "bob@example.com", Role: domain.TenantDeveloper, Reach: domain.Reach{Tenants: []string{globex}, AllIssuers: true}})
	t.Run("a platform admin", o.platformAdmin)
	t.Run("a role and its reach", o.tenantDeveloper)
	t.Run("who is nobody here", o.strangers)
	t.Run("what is not this browser's sign-in", o.replays)
	t.Run("a provider that is set up otherwise", o.misfits)
	t.Run("fresh keys, and a quarter of an hour", o.later)
}

func (o *office) platformAdmin(t *testing.T) {
	b := newBrowser(t)
	b.logIn(o.start(), "ann@example.com").want(t, http.StatusOK, `"actor":"person:ann@example.com"`, `"role":"platform-admin"`, `"platform":true`, `"fresh_until":`)
	o.ask(b, http.MethodPut, "/policies/picks", `{"actions":{"stock:pick":"take goods"}}`).want(t, http.StatusCreated)
	o.ask(b, http.MethodGet, "/clients?issuer=main", "").want(t, http.StatusOK, "of-globex", "of-umbra")
	session := newBrowser(t)
	session.Jar = copied(t, b, o.admin)
	o.ask(b, http.MethodDelete, "/session", "").want(t, http.StatusNoContent)
	o.ask(b, http.MethodGet, "/whoami", "").want(t, http.StatusUnauthorized)
	o.ask(session, http.MethodGet, "/whoami", "").want(t, http.StatusUnauthorized) // ended on the server too
}

// copied is a jar with the cookies that a browser has for a place.
func copied(t *testing.T, b *browser, at string) http.CookieJar {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	jar := newBrowser(t).Jar
	jar.SetCookies(u, b.Jar.Cookies(u))
	return jar
}

func (o *office) tenantDeveloper(t *testing.T) {
	b := newBrowser(t)
	for range 2 { // by the e-mail, then by the subject
		b.logIn(o.start(), "bob@example.com").want(t, http.StatusOK, `"role":"tenant-developer"`, `"platform":false`)
	}
	seen := o.ask(b, http.MethodGet, "/clients?issuer=main", "")
	if seen.want(t, http.StatusOK, "of-globex"); strings.Contains(seen.text, "of-umbra") {
		t.Errorf("sees another tenant's: %s", seen)
	}
	o.ask(b, http.MethodPut, "/policies/picks", `{"actions":{"stock:pick":"take it all"}}`).want(t, http.StatusForbidden)
}

func (o *office) strangers(t *testing.T) {
	for _, email := range []string{"eve@example.com", "mal@example.com"} {
		b := newBrowser(t)
		o.logged(t, `their sub there is`, func() {
			p := b.logIn(o.start(), email)
			if p.want(t, http.StatusForbidden, "knows you and Postern does not"); strings.Contains(p.text, "their sub") {
				t.Errorf("told %s", p)
			}
		})
		o.ask(b, http.MethodGet, "/whoami", "").want(t, http.StatusUnauthorized)
	}
}

func (o *office) replays(t *testing.T) {
	callback := o.admin + config.CallbackPath
	b := newBrowser(t)
	at := b.held(o.start(), "ann@example.com", callback)
	thief := newBrowser(t)
	thief.Jar = copied(t, b, o.admin)
	newBrowser(t).open(http.MethodGet, at.String(), "").want(t, http.StatusBadRequest, "not begun in this browser")
	b.open(http.MethodGet, at.String(), "").want(t, http.StatusOK)
	b.open(http.MethodGet, at.String(), "").want(t, http.StatusBadRequest, "not begun in this browser")
	o.logged(t, "invalid_grant", func() { thief.open(http.MethodGet, at.String(), "").want(t, http.StatusBadGateway) })

	at = b.held(o.start(), "ann@example.com", callback)
	q := at.Query()
	q.Set("state", q.Get("state")[1:]+"A")
	b.open(http.MethodGet, callback+"?"+q.Encode(), "").want(t, http.StatusBadRequest, "not begun in this browser")

	// A code of another client, in a sign-in of this browser's.
	other := o.dex.issuer() + "/auth?" + url.Values{
		"client_id": {"other"}, "redirect_uri": {"https://other.example/cb"}, "response_type": {"code"}, "scope": {"openid email"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}.Encode()
	code := newBrowser(t).held(other, "ann@example.com", "https://other.example/cb").Query().Get("code")
	at = b.held(o.start(), "ann@example.com", callback)
	q = at.Query()
	q.Set("code", code)
	o.logged(t, "invalid_grant", func() { b.open(http.MethodGet, callback+"?"+q.Encode(), "").want(t, http.StatusBadGateway) })
}

// misfits restart Dex, whose keys are new then.
func (o *office) misfits(t *testing.T) {
	client, flows := o.dex.client("postern"), o.dex.config["oauth2"].(map[string]any)
	secret, uris, pkce := client["secret"], client["redirectURIs"], flows["pkce"]
	client["secret"] = "another"
	o.dex.restart()
	o.logged(t, `status 401, error \"invalid_client\"`, func() { newBrowser(t).logIn(o.start(), "ann@example.com").want(t, http.StatusBadGateway) })

	client["secret"], client["redirectURIs"] = secret, []any{"http://127.0.0.1/elsewhere"}
	o.dex.restart()
	newBrowser(t).open(http.MethodGet, o.start(), "").want(t, http.StatusBadRequest, "Unregistered redirect_uri")

	client["redirectURIs"], flows["pkce"] = uris, map[string]any{"codeChallengeMethodsSupported": []any{"plain"}}
	o.dex.restart()
	newBrowser(t).open(http.MethodGet, o.start(), "").want(t, http.StatusForbidden, "refused the sign-in: invalid_request")

	flows["pkce"] = pkce
	o.dex.restart()
	b := newBrowser(t)
	at := b.held(o.start(), "ann@example.com", o.admin+config.CallbackPath)
	o.dex.stop()
	o.logged(t, "connection refused", func() { b.open(http.MethodGet, at.String(), "").want(t, http.StatusBadGateway) })
	o.dex.start()
}

func (o *office) later(t *testing.T) {
	b := newBrowser(t)
	b.logIn(o.start(), "ann@example.com").want(t, http.StatusOK, `"platform":true`)
	o.pass(16 * time.Minute)
	o.ask(b, http.MethodGet, "/whoami", "").want(t, http.StatusOK, `"platform":false`)
	o.ask(b, http.MethodPut, "/policies/picks", `{"actions":{"stock:pick":"take goods"}}`).want(t, http.StatusForbidden, "sign in anew")
	var p struct{ Items []domain.Person }
	if err := json.Unmarshal([]byte(o.ask(b, http.MethodGet, "/people", "").text), &p); err != nil {
		t.Fatal(err)
	}
	for _, one := range p.Items {
		if bound := strings.HasPrefix(one.Subject, o.dex.issuer()+"#"); bound == (one.Name == "mal@example.com") {
			t.Errorf("%s is bound to %q", one.Name, one.Subject)
		}
	}
}
