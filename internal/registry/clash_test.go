package registry_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth/dialect"
)

// RULES: issuer endpoints precede API routes, and any overlap is refused.
func TestClashes(t *testing.T) {
	main := domain.Issuer{Name: "main", URL: "https://id.example.com", Dialect: "bipsync"}             // /v1/oauth/token
	below := domain.Issuer{Name: "below", URL: "https://id.example.com/auth", Dialect: "rfc"}          // /auth/oauth2/token
	colon := domain.Issuer{Name: "colon", URL: "https://id.example.com", Dialect: "omnilab"}           // /v1/oauth:token
	tenant := domain.Tenant{ID: tenantID, Hosts: map[string][]string{"main": {"One.example.com:443"}}} // BIP-01
	param := func(names ...string) (list []policy.Parameter) {
		for _, n := range names {
			list = append(list, policy.Parameter{Name: n, In: policy.InPath, Unscoped: true})
		}
		return list
	}
	api := func(name, path string, hosts []string, routes ...string) domain.API {
		a := domain.API{Name: name, Issuers: []string{"main"}, Path: path, Hosts: hosts}
		for _, r := range routes {
			var names []string
			for _, segment := range strings.Split(r, "{")[1:] {
				n, _, _ := strings.Cut(segment, "}")
				names = append(names, n)
			}
			a.Routes = append(a.Routes, domain.Route{Method: "GET", Path: r, Parameters: param(names...)})
		}
		return a
	}
	id, one := []string{"id.example.com"}, []string{"one.example.com"}
	for _, c := range []struct {
		name    string
		issuers []domain.Issuer
		apis    []domain.API
		want    string // api field, in order
	}{
		{"beside it", []domain.Issuer{main}, []domain.API{api("a", "/v1", nil, "/teams/{t}", "/oauth", "/oauth/token/{x}")}, ""},
		{"the token endpoint", []domain.Issuer{main}, []domain.API{api("a", "/v1", nil, "/ok", "/oauth/token")}, "a routes[1]"},
		{"by parameters", []domain.Issuer{main}, []domain.API{api("a", "", nil, "/{a}/{b}/{c}")}, "a routes[0]"},
		{"as the whole path", []domain.Issuer{main}, []domain.API{api("a", "/v1/oauth/token", nil, "/")}, "a routes[0]"},
		{"like it, not a segment", []domain.Issuer{main}, []domain.API{api("a", "/v1/oauth/to", nil, "/ken", "/")}, ""},
		{"JWKS, both sets, and metadata", []domain.Issuer{main},
			[]domain.API{api("a", "/.well-known", nil, "/jwks.json", "/postern-identity-jwks.json", "/oauth-authorization-server", "/other")}, "a routes[0] a routes[1] a routes[2]"},
		{"RFC 8414 §3.1 metadata of a prefix", []domain.Issuer{main, below}, []domain.API{api("a", "", nil, "/.well-known/oauth-authorization-server/auth")}, "a routes[0]"},
		{"below the prefix", []domain.Issuer{main, below}, []domain.API{api("a", "", id, "/auth/.well-known/{x}", "/auth/oauth2/token")}, "a routes[0] a routes[1]"},
		{"a verb is not a colon in a parameter", []domain.Issuer{colon}, []domain.API{api("a", "/v1", id, "/{x}")}, ""},
		{"a verb", []domain.Issuer{colon}, []domain.API{api("a", "/v1", id, "/{x}:token")}, "a routes[0]"},
		{"an issuer that the API does not trust", []domain.Issuer{main, below}, []domain.API{api("a", "/auth", id, "/oauth2/token")}, "a routes[0]"},
		{"a tenant's host", []domain.Issuer{main}, []domain.API{api("a", "/v1", one, "/oauth/token")}, "a routes[0]"},
		{"another host", []domain.Issuer{main}, []domain.API{api("a", "/v1", []string{"x.example.com"}, "/oauth/token")}, ""},
		{"another port", []domain.Issuer{main}, []domain.API{api("a", "/v1", []string{"id.example.com:8443"}, "/oauth/token")}, ""},
		{"a longer path takes the request", []domain.Issuer{main}, []domain.API{api("a", "", nil, "/{a}/{b}/{c}"), api("b", "/v1", nil, "/teams")}, ""},
		{"one path twice", []domain.Issuer{main}, []domain.API{api("a", "/v1", nil), api("b", "/v1", []string{"ONE.example.com"})}, "a path b path"},
		{"one path at two hosts", []domain.Issuer{main}, []domain.API{api("a", "/v1", one), api("b", "/v1", id)}, ""},
		{"three at the root", []domain.Issuer{main}, []domain.API{api("a", "", id), api("b", "", id), api("c", "", id)}, "a path a path b path b path c path c path"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &registry.Registry{Dialects: dialect.Builtin()}
			var got []string
			for _, clash := range r.Clashes(c.issuers, []domain.Tenant{tenant}, c.apis) {
				got = append(got, clash.API+" "+clash.Problem.Field)
				if !strings.Contains(clash.Problem.Message, "give one of them another path") {
					t.Errorf("it does not say what to do: %s", clash.Problem.Message)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// Whoever comes second is refused: the API, the issuer, or the tenant with a host.
func TestClashRefused(t *testing.T) {
	r := furnished(t) // main is of rfc: /oauth2/token
	ctx := t.Context()
	a := theAPI()
	a.Path, a.Routes = "/oauth2", []domain.Route{{Method: "POST", Path: "/token"}}
	_, _, err := r.PutAPI(ctx, by, a, 0)
	want := "POST /token would hide behind id.example.com/oauth2/token, an endpoint of issuer main; give one of them another path or host"
	if got := problem(t, err, "routes[0]"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	a.Hosts = []string{"api.example.com"}
	must[domain.API](t)(r.PutAPI(ctx, by, a, 0))
	b := theAPI()
	b.Name, b.Path = "b", "/oauth2"
	must[domain.API](t)(r.PutAPI(ctx, by, b, 0))
	_, _, err = r.PutIssuer(ctx, by, domain.Issuer{Name: "two", URL: "https://api.example.com"}, 0)
	problem(t, err, "url")
	_, _, err = r.PutTenant(ctx, by, domain.Tenant{ID: tenantID, Label: "T", Hosts: map[string][]string{"main": {"api.example.com"}}}, 0)
	if got := problem(t, err, "hosts"); !strings.Contains(got, "API ") {
		t.Error(got)
	}
	must[domain.Tenant](t)(r.PutTenant(ctx, by, domain.Tenant{ID: tenantID, Label: "T", Hosts: map[string][]string{"main": {"t.example.com"}}}, 0))
	b.Name = "c" // the path of b, at a tenant's host
	b.Hosts = []string{"t.example.com"}
	_, _, err = r.PutAPI(ctx, by, b, 0)
	problem(t, err, "path")
}
