package token_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/strictjson"
	"github.com/postern-dev/postern/internal/token"
	"github.com/postern-dev/postern/oauth"
	"github.com/postern-dev/postern/oauth/jwt"
)

func identity() token.Identity {
	return token.Identity{
		Issuer: &domain.Issuer{Name: "x", URL: "https://auth.example.com/x"}, Audience: "urn:api", Client: clientID, Tenant: tenantID,
		Scope:     oauth.Scope{"studies:read", "sites:read"},
		Resources: domain.ResourceScope{"study": {IDs: []string{"s1", `"2"`}}, "site": {All: true}, "ward": {All: true, IDs: []string{"w"}}, "none": {}},
	}
}

// payload signs, and reads what an upstream would.
func payload(t testing.TB, s *jwt.Signer, f token.Identity) string {
	t.Helper()
	compact, err := token.SignIdentity(nil, s, f.Append(nil), event, now)
	if err != nil {
		t.Fatal(err)
	}
	header, body, err := jwt.Parse(string(compact))
	if err != nil || header.Type != domain.IdentityType || strictjson.Check(body) != nil {
		t.Fatalf("%+v %s: %v", header, body, err)
	}
	return string(body)
}

func TestIdentity(t *testing.T) {
	s := signer(t, jwt.ES256, domain.IdentityType)
	const id = `{"iss":"https://auth.example.com/x","aud":"urn:api","sub":"` + clientID + `","client_id":"` + clientID + `"`
	const end = `,"iat":1795428000,"exp":1795428060,"jti":"017f22e2-79b0-7cc3-98c4-dc0c0c07398f"}`
	if d := cmp.Diff(id+`,"tenant_id":"`+tenantID+`","scope":"studies:read sites:read","resources":`+
		`{"none":{},"site":{"all":true},"study":{"ids":["s1","\"2\""]},"ward":{"all":true,"ids":["w"]}}`+end, payload(t, s, identity())); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	f := identity()
	f.Tenant, f.Scope, f.Resources = "", nil, nil
	if d := cmp.Diff(id+`,"resources":{}`+end, payload(t, s, f)); d != "" {
		t.Errorf("platform-wide, holding nothing (-want +got)\n%s", d)
	}
}

// What it says of resources is what the JSON of a resource scope is.
func TestIdentityResources(t *testing.T) {
	s := signer(t, jwt.EdDSA, domain.IdentityType)
	f := identity()
	var got struct{ Resources domain.ResourceScope }
	if err := json.Unmarshal([]byte(payload(t, s, f)), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(f.Resources, got.Resources); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// A list that is too long is left out and named, never cut; a token is always one that
// verifiers and servers take.
func TestIdentityTruncated(t *testing.T) {
	long := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("%08d", i))
		}
		return list
	}
	s := signer(t, jwt.ES256, domain.IdentityType)
	for _, c := range []struct {
		name              string
		scopes, resources int
		want              string
		scope, resource   bool
	}{
		{"short", 10, 10, "", true, true},
		{"just short enough", 10, 350, "", true, true},
		{"resources", 10, 400, `["resources"]`, true, false},
		{"a million of them", 10, 1_000_000, `["resources"]`, true, false},
		{"scope", 500, 10, `["scope"]`, false, true},
		{"one leaves no room for the other", 300, 300, `["resources"]`, true, false},
		{"both", 500, 500, `["scope","resources"]`, false, false},
	} {
		f := identity()
		f.Scope, f.Resources = long(c.scopes), domain.ResourceScope{"a": {All: true}, "study": {IDs: long(c.resources)}, "z": {All: true}}
		var got map[string]json.RawMessage
		if err := json.Unmarshal([]byte(payload(t, s, f)), &got); err != nil {
			t.Fatal(err)
		}
		_, scope := got["scope"]
		_, resources := got["resources"]
		if string(got["truncated"]) != c.want || scope != c.scope || resources != c.resource {
			t.Errorf("%s: truncated %s, scope %v, resources %v", c.name, got["truncated"], scope, resources)
		}
		if scope && string(got["scope"]) != `"`+f.Scope.String()+`"` {
			t.Errorf("%s: the scope was cut", c.name)
		}
		if resources {
			var scope domain.ResourceScope
			if err := json.Unmarshal(got["resources"], &scope); err != nil || cmp.Diff(f.Resources, scope) != "" {
				t.Errorf("%s: the resources were cut, %v", c.name, err)
			}
		}
	}
	f := identity()
	f.Audience = strings.Repeat("x", jwt.MaxSize)
	if _, err := token.SignIdentity(nil, s, f.Append(nil), event, now); err != jwt.ErrTooLarge {
		t.Errorf("more than a token holds: %v", err)
	}
}

// RULES: every claim string passes one escaper.
func FuzzIdentity(f *testing.F) {
	f.Add("client", "tenant", "urn:api", "https://auth.example.com", "study", "s1")
	f.Add("\"\\\x00\xff", "\u2028", "</script>", "\U0001F600", "\"", "\xed\xa0\x80")
	s := signer(f, jwt.EdDSA, domain.IdentityType)
	f.Fuzz(func(t *testing.T, client, tenant, aud, iss, kind, id string) {
		facts := token.Identity{
			Issuer: &domain.Issuer{URL: iss}, Audience: aud, Client: client, Tenant: tenant,
			Resources: domain.ResourceScope{kind: {IDs: []string{id}}},
		}
		compact, err := token.SignIdentity(nil, s, facts.Append(nil), event, now)
		if err == jwt.ErrTooLarge {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		_, body, err := jwt.Parse(string(compact))
		if err != nil || strictjson.Check(body) != nil {
			t.Fatalf("no JSON: %s, %v", body, err)
		}
		var got struct {
			Iss, Aud, Sub string
			Client        string `json:"client_id"`
			Tenant        string `json:"tenant_id"`
			Resources     domain.ResourceScope
			Truncated     []string
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		for want, have := range map[string]string{client: got.Sub, tenant: got.Tenant, aud: got.Aud, iss: got.Iss} {
			if have != valid(want) {
				t.Errorf("%q became %q", want, have)
			}
		}
		if want := (domain.ResourceScope{valid(kind): {IDs: []string{valid(id)}}}); got.Truncated == nil && cmp.Diff(want, got.Resources) != "" {
			t.Errorf("%+v became %+v", want, got.Resources)
		}
		if got.Client != valid(client) {
			t.Errorf("%q became %q", client, got.Client)
		}
	})
}

func BenchmarkIdentity(b *testing.B) {
	for _, alg := range []jwt.Algorithm{jwt.ES256, jwt.EdDSA} {
		b.Run(string(alg), func(b *testing.B) {
			s, f := signer(b, alg, domain.IdentityType), identity()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := token.SignIdentity(nil, s, f.Append(nil), event, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
