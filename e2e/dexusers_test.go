package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/oauth2"

	"github.com/postern-dev/postern/oauth/jwt"
)

const warehouse = `kind: Policy
name: stock-reader
actions: {stock:read: look at shelves}
---
kind: Policy
name: stock-keeper
actions: {stock:move: move goods}
---
kind: Tenant
id: ` + globex + `
label: Globex
resources: {depot: [north, south]}
---
kind: API
name: warehouse
audience: urn:warehouse
issuers: [main]
path: /warehouse
upstream: UPSTREAM
users: USERS
roles:
  picker: {policies: [stock-reader], resource_scope: {depot: {ids: [north]}}}
  foreman: {policies: [stock-reader, stock-keeper], resource_scope: {depot: {all: true}}}
routes:
  - {method: GET, path: "/depots/{depot}", actions: [stock:read], parameters: [{name: depot, kind: depot}]}
  - {method: POST, path: "/depots/{depot}", actions: [stock:move], parameters: [{name: depot, kind: depot}]}
`

// inDocs are the users of an API as docs/gateway.md has them for Dex, on one line.
func (d *dex) inDocs() string {
	var users map[string]string
	err := yaml.Unmarshal([]byte(d.recipe["users"]), &users)
	line, wrong := json.Marshal(users)
	if err != nil || wrong != nil || users["issuer"] != d.issuer() {
		d.t.Fatal(err, wrong, users)
	}
	return string(line)
}

// tokens are what a client of Dex gets for somebody who logs in.
func (d *dex) tokens(client, email string, scopes ...string) (id, access string) {
	d.t.Helper()
	c := oauth2.Config{
		ClientID: client, ClientSecret: "s", RedirectURL: "https://" + client + ".example/cb", Scopes: append(scopes, "openid"),
		Endpoint: oauth2.Endpoint{AuthURL: d.issuer() + "/auth", TokenURL: d.issuer() + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	verifier := oauth2.GenerateVerifier()
	at := newBrowser(d.t).held(c.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), email, c.RedirectURL)
	token, err := c.Exchange(d.t.Context(), at.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		d.t.Fatal(err)
	}
	id, _ = token.Extra("id_token").(string)
	return id, token.AccessToken
}

// call calls the API as somebody.
func (o *office) call(method, path, token string) page {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), method, "http://"+o.addresses[0]+"/warehouse"+path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Host = "main.example"
	r.Header.Set("Authorization", "Bearer "+token)
	return newBrowser(o.t).show(r)
}

// ARB-07, D-54: the users of an API are those that Dex vouches for, with the role and the tenant that it says.
func TestUsersOfDex(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s of %s, token %q", r.Header.Get("X-Postern-Actor"), r.Header.Get("X-Postern-Tenant"), r.Header.Get("Authorization"))
	}))
	t.Cleanup(upstream.Close)
	if _, err := o.create(strings.NewReplacer("UPSTREAM", upstream.URL, "USERS", o.dex.inDocs()).Replace(warehouse)); err != nil {
		t.Fatal(err)
	}
	for email, groups := range map[string][]any{"pat@example.com": {"picker"}, "fay@example.com": {"foreman"}, "two@example.com": {"picker", "foreman"}, "odd@example.com": {"visitor"}} {
		o.dex.add("staticPasswords", o.dex.person(email, map[string]any{"groups": groups, "preferredUsername": globex}))
	}
	o.dex.add("staticPasswords", o.dex.person("out@example.com", map[string]any{"groups": []any{"picker"}, "preferredUsername": "out"}))
	for _, id := range []string{"warehouse-web", "other"} {
		o.dex.add("staticClients", map[string]any{"id": id, "name": id, "secret": "s", "redirectURIs": []any{"https://" + id + ".example/cb"}})
	}
	o.dex.start()

	early, _ := o.dex.tokens("warehouse-web", "pat@example.com", "groups", "profile")
	o.dex.stop()
	o.call(http.MethodGet, "/depots/north", early).want(t, http.StatusServiceUnavailable)
	o.dex.start() // with other keys
	o.pass(11 * time.Second)
	o.call(http.MethodGet, "/depots/north", early).want(t, http.StatusUnauthorized)
	o.pass(11 * time.Second) // D-43: keys that are not known are not looked for at once again
	o.users(t)
}

func (o *office) users(t *testing.T) {
	pat, patAccess := o.dex.tokens("warehouse-web", "pat@example.com", "groups", "profile")
	fay, _ := o.dex.tokens("warehouse-web", "fay@example.com", "groups", "profile")
	two, _ := o.dex.tokens("warehouse-web", "two@example.com", "groups", "profile")
	odd, _ := o.dex.tokens("warehouse-web", "odd@example.com", "groups", "profile")
	out, _ := o.dex.tokens("warehouse-web", "out@example.com", "groups", "profile")
	bare, _ := o.dex.tokens("warehouse-web", "pat@example.com", "profile")
	foreign, _ := o.dex.tokens("other", "pat@example.com", "groups", "profile")
	_, claims, err := jwt.ParseClaims(pat)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, method, path, token string
		status                    int
	}{
		{"his role", http.MethodGet, "/depots/north", pat, http.StatusOK},
		{"by the access token", http.MethodGet, "/depots/north", patAccess, http.StatusOK},
		{"another depot", http.MethodGet, "/depots/south", pat, http.StatusForbidden},
		{"more than his role", http.MethodPost, "/depots/north", pat, http.StatusForbidden},
		{"a wider role", http.MethodPost, "/depots/south", fay, http.StatusOK},
		{"a depot of nobody's", http.MethodGet, "/depots/west", fay, http.StatusForbidden},
		{"two roles are none", http.MethodGet, "/depots/north", two, http.StatusForbidden},
		{"a role that the API does not know", http.MethodGet, "/depots/north", odd, http.StatusForbidden},
		{"no role", http.MethodGet, "/depots/north", bare, http.StatusForbidden},
		{"no tenant", http.MethodGet, "/depots/north", out, http.StatusUnauthorized},
		{"another audience", http.MethodGet, "/depots/north", foreign, http.StatusUnauthorized},
		{"a signature of another token", http.MethodGet, "/depots/north", pat[:strings.LastIndex(pat, ".")] + fay[strings.LastIndex(fay, "."):], http.StatusUnauthorized},
	} {
		p := o.call(tc.method, tc.path, tc.token)
		if p.want(t, tc.status); t.Failed() {
			t.Fatal(tc.name)
		}
	}
	o.call(http.MethodGet, "/depots/north", pat).want(t, http.StatusOK, "user:"+claims.Subject+" of "+globex+`, token ""`)
	newBrowser(t).open(http.MethodGet, o.admin+"/api/admin/whoami", "", "Authorization", "Bearer "+pat).want(t, http.StatusUnauthorized) // a user administers nothing
	o.dex.stop()
	o.pass(50 * time.Minute) // its keys are believed for an hour
	o.call(http.MethodGet, "/depots/north", pat).want(t, http.StatusOK)
	o.pass(11 * time.Minute)
	o.call(http.MethodGet, "/depots/north", pat).want(t, http.StatusUnauthorized) // it has expired
}
