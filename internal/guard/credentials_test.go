package guard_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/guard"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/secret"
	"github.com/postern-dev/postern/oauth"
)

// D-54, D-55, ARB-07: what a credential is taken for. Its form, or its issuer, key and audience
// prove it; no claim that is there or is not makes it anything else.
func TestWhatACredentialIs(t *testing.T) {
	n, p := newHall(t)
	good := n.key(nil)
	mine := func(changes map[string]any) string { return n.sign("main", "at+jwt", n.payload(changes)) } // of our issuer
	stranger := newProvider(n)
	user := map[string]any{roleOf: "editor", tenantOf: tenant1}
	from := func(m map[string]any, more ...any) map[string]any {
		all := map[string]any{}
		for k, v := range m {
			all[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i].(string)] = more[i+1]
		}
		return all
	}
	for _, c := range []struct{ name, credential, want string }{
		{"a client's token", n.token("main", "c1", "read"), "client:c1"},
		{"a client's token with a user's role", mine(user), "client:c1"},
		{"a client's token with a user's role and another token_type", mine(from(user, "token_type", "user")), "client:c1"},
		{"a client's token without client_id", mine(map[string]any{"client_id": nil}), "token_invalid"},
		{"a client's token without client_id, with a user's role", mine(from(user, "client_id", nil, "sub", "ann")), "token_invalid"},
		{"a client's token about a user", mine(from(user, "sub", "ann")), "token_invalid"},
		{"a client's token with the provider's audience", mine(from(user, "aud", "hall")), "token_invalid"},
		{"a client's token with both audiences, without client_id", mine(from(user, "aud", []string{"hall", "urn:reports"}, "client_id", nil)), "token_invalid"},
		{"a client's token that says the provider's issuer", mine(from(user, "iss", p.server.URL, "aud", "hall", "client_id", nil)), "token_invalid"},
		{"a client's token that says the provider's issuer, with its client_id", mine(from(user, "iss", p.server.URL, "aud", "hall")), "token_invalid"},

		{"a user's token", p.token(nil), "user:ann"},
		{"a user's token with a client_id", p.token(map[string]any{"client_id": "c1", "sub": "c1"}), "user:c1"},
		{"a user's token that says it is m2m", p.token(map[string]any{"token_type": "m2m", "client_id": "c1", "sub": "c1", "scope": "read write", "jti": "1.x"}), "user:c1"},
		{"D-55 a user's token that says M2M", p.token(map[string]any{"token_type": []string{"M2M"}}), "user:ann"},
		{"a user's token for our audience", p.token(map[string]any{"aud": "urn:reports"}), "token_invalid"},
		{"a user's token that says our issuer", p.token(map[string]any{"iss": "https://auth.example.com", "aud": "urn:reports", "client_id": "c1", "sub": "c1", "jti": "1.x"}), "token_invalid"},
		{"a user's token of an issuer with a slash", p.token(map[string]any{"iss": p.server.URL + "/"}), "token_invalid"},
		{"a user's token without an issuer", p.token(map[string]any{"iss": nil}), "token_invalid"},
		{"a user's token of another provider", stranger.token(nil), "token_invalid"},
		{"a user's token signed by another provider", p.sign(stranger.key, "JWT", p.claims(nil)), "token_invalid"},
		{"a user's token signed by us", n.sign("main", "JWT", p.claims(nil)), "token_invalid"},
		{"a user's token without a signature", forge(`{"alg":"none","typ":"JWT"}`, p.claims(nil)), "token_invalid"},
		{"a user's token with a psychic signature", forge(`{"alg":"ES256","kid":"`+p.key.ID+`"}`, p.claims(nil)), "token_invalid"},
		{"a user's token with a claim twice", p.sign(p.key, "JWT", strings.Replace(p.claims(nil), "{", `{"sub":"bob",`, 1)), "token_invalid"},
		{"an expired one", p.token(map[string]any{"exp": start.Unix()}), "token_invalid"},
		{"one of tomorrow", p.token(map[string]any{"nbf": start.Add(time.Minute).Unix()}), "token_invalid"},
		{"nobody's", p.token(map[string]any{"sub": nil}), "token_invalid"},
		{"somebody's with a line break", p.token(map[string]any{"sub": "ann\nX: y"}), "token_invalid"},
		{"somebody's in other letters", p.token(map[string]any{"sub": "änn"}), "token_invalid"},
		{"somebody's with a control character", p.token(map[string]any{"sub": "a\x7f"}), "token_invalid"},
		{"somebody's whose name is too long", p.token(map[string]any{"sub": strings.Repeat("a", 256)}), "token_invalid"},
		{"somebody's with a long name", p.token(map[string]any{"sub": strings.Repeat("a", 255)}), "user:" + strings.Repeat("a", 255)},

		{"no tenant", p.token(map[string]any{tenantOf: nil}), "token_invalid"},
		{"an empty tenant", p.token(map[string]any{tenantOf: ""}), "token_invalid"},
		{"a null tenant", p.token(map[string]any{tenantOf: []any{nil}}), "token_invalid"},
		{"a tenant that is not there", p.token(map[string]any{tenantOf: "7c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a33"}), "token_invalid"},
		{"several tenants", p.token(map[string]any{tenantOf: []string{tenant1, tenant2}}), "token_invalid"},
		{"one tenant in a list", p.token(map[string]any{tenantOf: []string{tenant1}}), "user:ann"},
		{"no role", p.token(map[string]any{roleOf: nil}), "role_unknown"},
		{"a role in another case", p.token(map[string]any{roleOf: "Viewer"}), "role_unknown"},
		{"a role that the API does not know", p.token(map[string]any{roleOf: "platform-admin"}), "role_unknown"},
		{"several roles", p.token(map[string]any{roleOf: []string{"viewer", "editor"}}), "role_unknown"},
		{"one role in a list", p.token(map[string]any{roleOf: []string{"viewer"}}), "user:ann"},

		{"an API key", good, "key"},
		{"an API key with another secret", otherSecret(good), "token_invalid"},
		{"an API key with a digit changed", good[:len(good)-1] + map[bool]string{true: "A", false: "B"}[strings.HasSuffix(good, "B")], "token_invalid"},
		{"an API key in capitals", upper(good), "token_invalid"},
		{"a key that nobody made", string(secret.APIKey(domain.NewEventID(start).String(), secret.Generate())), "token_invalid"},
		{"the beginning of a key", "pak_", "token_invalid"},
		{"a JWT that begins like a key", "pak_" + n.token("main", "c1", "read"), "token_invalid"},
		{"an expired key", n.key(func(k *domain.APIKey) { k.Expires = new(start) }), "token_invalid"},
		{"a key that expires later", n.key(func(k *domain.APIKey) { k.Expires = new(start.Add(time.Second)) }), "key"},
		{"a key of administration", n.key(func(k *domain.APIKey) { k.Audience, k.Role = domain.AdminAudience, domain.PlatformAdmin }), "token_invalid"},
		{"a key of another API", n.key(func(k *domain.APIKey) { k.Audience = "urn:chat" }), "token_invalid"},
		{"a key with a role that the API does not know", n.key(func(k *domain.APIKey) { k.Role = domain.Auditor }), "role_unknown"},
		{"a key of no tenant", n.key(func(k *domain.APIKey) { k.Reach = domain.Reach{} }), "token_invalid"},
		{"a key of several tenants", n.key(func(k *domain.APIKey) { k.Tenants = []string{tenant1, tenant2} }), "token_invalid"},
		{"a key of a tenant that is not there", n.key(func(k *domain.APIKey) { k.Tenants = []string{"7c1f4a52-54d5-4f0c-9a36-0d6f3e1b8a33"} }), "token_invalid"},
		{"a key of all tenants", n.key(func(k *domain.APIKey) { k.Reach = domain.Reach{AllTenants: true} }), "key"},
		{"a client's secret", string(secret.Generate()), "token_invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // the second time it is remembered
				got := is(n.get(hall+"/me", c.credential))
				if strings.HasPrefix(got, "key:") && len(got) == len("key:")+36 {
					got = "key"
				}
				if got != c.want {
					t.Errorf("taken for %s, want %s", got, c.want)
				}
			}
			// An API that takes clients alone knows nobody else.
			if got := is(n.get(base+"/me", c.credential)); got != "token_invalid" && (!strings.HasPrefix(got, "client:") || got != c.want) {
				t.Errorf("elsewhere taken for %s", got)
			}
		})
	}
}

// ARB-07: a role gives actions and resources, within the tenant; scopes are not looked at.
func TestRoles(t *testing.T) {
	n, p := newHall(t)
	put(n, policies, domain.Policy{Name: "later", Actions: map[string]string{"studies:write": "x"}})
	who := map[string]string{
		"viewer": p.token(nil), "editor": p.token(map[string]any{roleOf: "editor"}), "empty": p.token(map[string]any{roleOf: "empty"}),
		"editor of two": p.token(map[string]any{roleOf: "editor", tenantOf: tenant2}),
		"editor's key":  n.key(func(k *domain.APIKey) { k.Role = "editor" }), "key of all": n.key(func(k *domain.APIKey) { k.Role, k.Reach = "editor", domain.Reach{AllTenants: true} }),
	}
	for _, c := range []struct {
		who, method, path string
		want              guard.Reason
	}{
		{"viewer", "GET", "/studies/s1", ""},
		{"viewer", "GET", "/studies/s2", guard.ResourceOutside},
		{"viewer", "GET", "/studies/s9", guard.ResourceOutside}, // which is not the tenant's
		{"viewer", "PUT", "/studies/s1", guard.ActionMissing},
		{"viewer", "GET", "/nothing", guard.NoRoute},
		{"empty", "GET", "/me", ""},
		{"empty", "GET", "/studies/s1", guard.ActionMissing},
		{"editor", "PUT", "/studies/s2", ""},
		{"editor", "PUT", "/studies/s9", guard.ResourceOutside},
		{"editor", "GET", "/bookings", ""},
		{"editor of two", "GET", "/bookings", guard.EndpointDisabled},
		{"editor's key", "PUT", "/studies/s1", ""},
		{"editor's key", "PUT", "/studies/s9", guard.ResourceOutside},
		{"key of all", "PUT", "/studies/s9", ""},
		{"key of all", "GET", "/bookings", ""},
	} {
		v := n.judge(request(c.method, hall+c.path, who[c.who]))
		if v.Reason() != c.want {
			t.Errorf("%s %s %s: %q (%v), want %q", c.who, c.method, c.path, v.Reason(), v.Err, c.want)
		}
	}
	v := n.get(hall+"/me", who["viewer"])
	if v.Scopes != nil || len(v.Resources["study"].IDs) != 1 || v.Tenant == nil || v.Tenant.ID != tenant1 {
		t.Errorf("scopes %v, resources %v, tenant %v", v.Scopes, v.Resources, v.Tenant)
	}
	// COM-12: what is taken away is gone at once.
	update(n, policies, "viewer", func(p *domain.Policy) { p.Actions = nil })
	n.want(n.get(hall+"/studies/s1", who["viewer"]), guard.ActionMissing)
	update(n, tenants, tenant1, func(t *domain.Tenant) { t.Ceiling = &domain.Ceiling{Policies: []string{"viewer"}} })
	n.want(n.judge(request("PUT", hall+"/studies/s1", who["editor"])), guard.ActionMissing)
	update(n, apis, "hall", func(a *domain.API) { delete(a.Roles, "editor") })
	n.want(n.get(hall+"/me", who["editor"]), guard.RoleUnknown)
	update(n, apis, "hall", func(a *domain.API) { a.APIKeys = false })
	n.want(n.get(hall+"/me", who["key of all"]), guard.TokenInvalid)
	update(n, apis, "hall", func(a *domain.API) { a.Users = nil })
	n.want(n.get(hall+"/me", who["viewer"]), guard.TokenInvalid)
}

// D-57: a host that is a tenant's serves no other tenant's users and keys.
func TestActorsAtHosts(t *testing.T) {
	n, p := newHall(t)
	for credential, want := range map[string]guard.Reason{
		p.token(nil): guard.TokenInvalid,
		p.token(map[string]any{tenantOf: tenant2}): "",
		n.key(nil): guard.TokenInvalid,
		n.key(func(k *domain.APIKey) { k.Tenants = []string{tenant2} }):            "",
		n.key(func(k *domain.APIKey) { k.Reach = domain.Reach{AllTenants: true} }): "",
	} {
		n.want(n.get(hallHost+"/me", credential), want)
	}
}

// ARB-11: limits are per user and per key, by the tier of the role, whatever tokens they have.
func TestActorsLimits(t *testing.T) {
	n, p := newHall(t)
	update(n, apis, "hall", func(a *domain.API) { a.RateLimits = map[string]int64{"standard": 3} })
	spend := func(credential string, times int) (passed int) {
		for range times {
			if v := n.get(hall+"/me", credential); v.Err == nil {
				passed++
			} else if n.want(v, guard.RateLimited); !v.Limit.Known || v.Actor == nil {
				t.Error("the limit is not told")
			}
		}
		return passed
	}
	if got := spend(p.token(nil), 2) + spend(p.token(map[string]any{"jti": "another"}), 4); got != 3 {
		t.Errorf("one user with two tokens made %d calls, want 3", got)
	}
	if got := spend(p.token(map[string]any{"sub": "bob"}), 4); got != 3 {
		t.Errorf("D-68: another user made %d calls, want 3", got)
	}
	if got := spend(p.token(map[string]any{roleOf: "editor", "sub": "eve"}), 10); got != 10 {
		t.Errorf("a premium user made %d calls", got)
	}
	key := n.key(nil)
	if got := spend(key, 2); got != 2 {
		t.Errorf("a key made %d calls", got)
	}
	update(n, policies, "editor", func(p *domain.Policy) { p.Label = "a new view" })
	if got := spend(key, 4); got != 1 {
		t.Errorf("a key made %d calls more in a new view, want 1", got)
	}
	if got := spend(n.key(nil), 4); got != 3 {
		t.Errorf("another key made %d calls", got)
	}
	// Of somebody without a role that the API knows too: no refusal is without an end.
	lost := n.key(func(k *domain.APIKey) { k.Role = "none" })
	for i := range 5 {
		want := guard.RoleUnknown
		if i >= 3 {
			want = guard.RateLimited
		}
		n.want(n.get(hall+"/me", lost), want)
	}
}

// A key that is deleted, or has expired, is dead at once, for streams too (D-70).
func TestKeysDie(t *testing.T) {
	n, p := newHall(t)
	var id string
	key := n.key(func(k *domain.APIKey) { k.Expires, id = new(start.Add(30*time.Second)), k.ID })
	for name, change := range map[string]struct{ do, undo func() }{
		"another audience": {func() { update(n, apiKeys, id, func(k *domain.APIKey) { k.Audience = "urn:x" }) },
			func() { update(n, apiKeys, id, func(k *domain.APIKey) { k.Audience = "urn:reports" }) }},
		"another tenant": {func() { update(n, apiKeys, id, func(k *domain.APIKey) { k.Tenants = []string{tenant2} }) },
			func() { update(n, apiKeys, id, func(k *domain.APIKey) { k.Tenants = []string{tenant1} }) }},
		"two tenants": {func() { update(n, apiKeys, id, func(k *domain.APIKey) { k.Tenants = []string{tenant1, tenant2} }) },
			func() { update(n, apiKeys, id, func(k *domain.APIKey) { k.Tenants = []string{tenant1} }) }},
		"another role": {func() { update(n, apiKeys, id, func(k *domain.APIKey) { k.Role = "empty" }) },
			func() { update(n, apiKeys, id, func(k *domain.APIKey) { k.Role = "viewer" }) }},
		"no role": {func() { update(n, apis, "hall", func(a *domain.API) { delete(a.Roles, "viewer") }) },
			func() {
				update(n, apis, "hall", func(a *domain.API) { a.Roles["viewer"] = domain.Rights{Policies: []string{"viewer"}} })
			}},
		"no keys": {func() { update(n, apis, "hall", func(a *domain.API) { a.APIKeys = false }) },
			func() { update(n, apis, "hall", func(a *domain.API) { a.APIKeys = true }) }},
		"late": {func() { n.wait(31 * time.Second); n.snapshot() }, func() { n.wait(-31 * time.Second); n.snapshot() }},
	} {
		v := n.get(hall+"/me", key)
		if n.want(v, ""); !n.guard.Alive(context.Background(), &v) {
			t.Fatalf("%s: not alive before", name)
		}
		change.do()
		if n.guard.Alive(context.Background(), &v) {
			t.Errorf("%s: a stream lives on", name)
		}
		change.undo()
	}
	v, user := n.get(hall+"/me", key), n.get(hall+"/me", p.token(nil))
	remove(n, apiKeys, id)
	n.want(n.get(hall+"/me", key), guard.TokenInvalid)
	if n.guard.Alive(context.Background(), &v) {
		t.Error("deleted: a stream lives on")
	}
	update(n, apis, "hall", func(a *domain.API) { a.Users.Issuer = "https://another.example.com" })
	if n.guard.Alive(context.Background(), &user) {
		t.Error("another provider: a stream lives on")
	}
	update(n, apis, "hall", func(a *domain.API) { a.Users = nil })
	if n.guard.Alive(context.Background(), &user) {
		t.Error("no users: a stream lives on")
	}
}

// A key whose hash cannot be read is worth nothing, and stops nobody else.
func TestUnreadableKey(t *testing.T) {
	n, _ := newHall(t)
	good := n.key(nil)
	put(n, apiKeys, domain.APIKey{ID: domain.NewEventID(start).String(), Audience: "urn:reports", Hash: "?"})
	n.want(n.get(hall+"/me", good), "")
}

// What is taken from somebody does not wait for the body that they send slowly.
func TestActorsSlowBody(t *testing.T) {
	n, p := newHall(t)
	var id string
	key := n.key(func(k *domain.APIKey) { id = k.ID })
	send := func(credential string, meanwhile func()) guard.Verdict {
		r := request("POST", hall+"/search", credential, "Content-Type", "application/json")
		r.Body, r.ContentLength = io.NopCloser(&slow{meanwhile, strings.NewReader(`{"study":"s1"}`)}), -1
		return n.judge(r)
	}
	n.want(send(key, func() {}), "")
	n.want(send(p.token(nil), func() {}), "")
	n.want(send(p.token(nil), func() { n.wait(11 * time.Minute); n.snapshot() }), guard.TokenInvalid)
	n.want(send(key, func() { remove(n, apiKeys, id) }), guard.TokenInvalid)
}

// Where an API speaks GraphQL, its rules ask scopes of clients alone.
func TestActorsGraphQL(t *testing.T) {
	n, p := newHall(t)
	n.api(domain.API{
		Name: "graph", Audience: "urn:reports", Issuers: []string{"main"}, Path: "/graph", APIKeys: true,
		Users: &domain.Users{Issuer: p.server.URL, Audience: "hall", JWKSURI: p.server.URL, RoleClaim: roleOf, TenantClaim: tenantOf},
		Roles: map[string]domain.Rights{"viewer": {Policies: []string{"viewer"}, ResourceScope: policy.ResourceScope{"study": {IDs: []string{"s1"}}}}},
		GraphQL: &domain.GraphQL{Path: "/graphql", Schema: `
type Query {
  study(id: ID! @scopedBy(kind: "study")): Study @requiresScopes(scopes: [["never"]]) @policy(policies: [["studies:read"]])
  secret: String @requiresScopes(scopes: [["never"]]) @policy(policies: [["studies:write"]]) @unscoped
}
type Study @scoped(kind: "study") { id: ID! @authenticated }
`},
	})
	ask := func(credential, query string) guard.Verdict {
		return n.judge(with(request("POST", "https://auth.example.com/graph/graphql", credential), "application/json", `{"query":"`+query+`"}`))
	}
	for _, credential := range []string{p.token(nil), n.key(nil)} {
		n.want(ask(credential, `{study(id:\"s1\"){id}}`), "")
		n.want(ask(credential, `{study(id:\"s2\"){id}}`), guard.ResourceOutside)
		n.want(ask(credential, `{secret}`), guard.ActionMissing)
	}
	n.want(ask(n.token("main", "c1", "read"), `{study(id:\"s1\"){id}}`), guard.ScopeMissing)
}

// What explain tells of clients, it tells of an API that takes others too.
func TestExplainBesideActors(t *testing.T) {
	n, _ := newHall(t)
	scope := oauth.Scope{"read"}
	x := n.guard.Explain(context.Background(), guard.ExplainRequest{Issuer: "main", Client: "c1", API: "hall", Method: http.MethodGet, Path: "/studies/s1", Scopes: &scope})
	if x.Err != nil || x.Client == nil || x.Actor != nil {
		t.Errorf("%v", x.Err)
	}
	x = n.guard.Explain(context.Background(), guard.ExplainRequest{Issuer: "main", Client: "c1", API: "hall", Method: http.MethodPut, Path: "/studies/s1", Scopes: &scope})
	if len(x.Missing) != 2 {
		t.Errorf("%v", x.Missing)
	}
}

// What costs no signature spends nothing of what a source may fail; who is of a tenant that
// is gone is nobody's; unlimited is unlimited; only an audit log reads events.
func TestActorsEdges(t *testing.T) {
	n, p := newHall(t)
	for i := range 130 {
		n.want(n.get(hall+"/me", p.token(map[string]any{"exp": start.Unix(), "n": i})), guard.TokenInvalid)
	}
	n.want(n.get(hall+"/me", p.token(nil)), "")
	update(n, apis, "hall", func(a *domain.API) {
		a.Roles["free"] = domain.Rights{Policies: []string{"viewer"}, Tier: "unlimited"}
		a.Routes = append(a.Routes, policy.Route{Method: "POST", Path: "/events", Actions: []string{"studies:read"}, Parameters: []policy.Parameter{{Name: "study", In: policy.InQuery, Kind: "study"}}})
	})
	free := n.key(func(k *domain.APIKey) { k.Role, k.Tenants = "free", []string{tenant2} })
	for range 3 {
		if v := n.get(hall+"/me", free); v.Err != nil || v.Limit.Known {
			t.Errorf("%v, %+v", v.Err, v.Limit)
		}
	}
	n.want(n.judge(with(request("POST", hall+"/events?study=s1", n.key(nil)), "text/plain", "no event")), "")
	v := n.get(hall+"/me", free)
	remove(n, tenants, tenant2)
	if n.guard.Alive(context.Background(), &v) {
		t.Error("a stream of a tenant that is gone lives on")
	}
}
