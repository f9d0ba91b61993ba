package admin_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/oauth"
)

const otherTenant = "22222222-2222-4222-8222-222222222222"

func patchOf(t *testing.T, text string) admin.Patch {
	t.Helper()
	var p admin.Patch
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// COM-12: what is taken from a tenant, and what that takes from its clients.
func TestUpdateTenant(t *testing.T) {
	reg, socket := start(t)
	conn := admin.Dial(socket)
	got, err := conn.UpdateTenant(t.Context(), tenantID, 0, patchOf(t, `{"endpoints":["lookup","cancel"],"resources":{"study":["1","2"]},"hosts":{"main":["t.example.com"]}}`))
	if err != nil || len(got.Endpoints) != 2 || got.Label != "T" || got.Version != 2 || len(got.Warnings) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	n := newClient()
	n.ResourceScope = domain.ResourceScope{"study": {IDs: []string{"1", "2"}}}
	if _, err := conn.CreateClient(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	got, err = conn.UpdateTenant(t.Context(), tenantID, 2, patchOf(t, `{"endpoints":["lookup"],"resources":{"study":["1"]},"ceiling":{"scopes":[]}}`))
	if err != nil || len(got.Warnings) != 2 || got.Warnings[0].Field != "scopes[0]" || got.Warnings[1].Field != "resource_scope.study.ids[1]" {
		t.Errorf("%+v, %v", got, err)
	}
	kept, err := reg.GetTenant(t.Context(), tenantID)
	want := domain.Tenant{ID: tenantID, Label: "T", Hosts: map[string][]string{"main": {"t.example.com"}}, Resources: map[string][]string{"study": {"1"}},
		Endpoints: []string{"lookup"}, Ceiling: &domain.Ceiling{Scopes: oauth.Scope{}}, Version: 3}
	if diff := cmp.Diff(want, kept, cmp.Comparer(func(a, b domain.Ceiling) bool { return len(a.Scopes)+len(a.Policies) == len(b.Scopes)+len(b.Policies) })); diff != "" || err != nil {
		t.Errorf("%s %v", diff, err)
	}
	got, err = conn.UpdateTenant(t.Context(), tenantID, 0, patchOf(t, `{"endpoints":null,"hosts":null,"resources":null,"ceiling":null}`))
	if err != nil || got.Endpoints != nil || got.Hosts != nil || got.Resources != nil || got.Ceiling != nil || got.Label != "T" {
		t.Errorf("null sets back: %+v, %v", got, err)
	}
}

func TestTenantRefusals(t *testing.T) {
	reg, socket := start(t)
	before, err := reg.GetTenant(t.Context(), tenantID)
	if err != nil {
		t.Fatal(err)
	}
	const one = "/tenants/" + tenantID
	for _, tc := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		says                     string
	}{
		{"no label", "PATCH", one, `{"label":null}`, nil, 422, `"location":"label"`},
		{"id", "PATCH", one, `{"id":"` + otherTenant + `"}`, nil, 422, "never changes"},
		{"origin (D-74)", "PATCH", one, `{"origin":"x"}`, nil, 422, `"location":"origin"`},
		{"version (D-74)", "PATCH", one, `{"version":9}`, nil, 422, `"location":"version"`},
		{"another case", "PATCH", one, `{"Label":"x"}`, nil, 422, `"location":"Label"`},
		{"another type", "PATCH", one, `{"endpoints":"lookup"}`, nil, 422, `"location":"endpoints"`},
		{"in the ceiling", "PATCH", one, `{"ceiling":{"scope":["a"]}}`, nil, 422, `"location":"ceiling"`},
		{"no host", "PATCH", one, `{"hosts":{"main":["a b"]}}`, nil, 422, `"location":"hosts.main[0]"`},
		{"no issuer", "PATCH", one, `{"hosts":{"none":["a.example.com"]}}`, nil, 422, `"location":"hosts.none"`},
		{"a star", "PATCH", one, `{"resources":{"study":["*"]}}`, nil, 422, `"location":"resources.study[0]"`},
		{"old version", "PATCH", one, `{"label":"x"}`, []string{"If-Match", `"7"`}, 412, "version 7 is not the current one"},
		{"no ETag", "PATCH", one, `{"label":"x"}`, []string{"If-Match", "x"}, 400, "If-Match"},
		{"unknown", "PATCH", "/tenants/" + otherTenant, `{"label":"x"}`, nil, 404, "not found"},
		{"put without a label", "PUT", one, `{}`, nil, 422, `"location":"label"`},
		{"put more than there is", "PUT", one, `{"label":"x","origin":"y"}`, nil, 422, `"location":"body.origin"`},
		{"put no UUID", "PUT", "/tenants/x", `{"label":"x"}`, nil, 422, `"location":"id"`},
		{"put an old version", "PUT", one, `{"label":"x"}`, []string{"If-Match", `"7"`}, 412, "not the current one"},
		{"put only where it is there", "PUT", "/tenants/" + otherTenant, `{"label":"x"}`, []string{"If-Match", `"1"`}, 412, "what is not there"},
		{"put only where anything is there", "PUT", "/tenants/" + otherTenant, `{"label":"x"}`, []string{"If-Match", "*"}, 412, "what is not there"},
		{"delete an old version", "DELETE", one, "", []string{"If-Match", `"7"`}, 412, "not the current one"},
		{"delete another", "DELETE", "/tenants/" + otherTenant, "", nil, 404, "not found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, _, answer := raw(t, socket, tc.method, tc.path, tc.body, append([]string{"Content-Type", isJSON}, tc.header...)...)
			if status != tc.status || !strings.Contains(answer, tc.says) {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
	if after, err := reg.GetTenant(t.Context(), tenantID); err != nil || after.Version != before.Version {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestPutTenant(t *testing.T) {
	reg, socket := start(t)
	const one = "/tenants/" + otherTenant
	status, header, answer := raw(t, socket, http.MethodPut, one, `{"label":"New","endpoints":["a"]}`, "Content-Type", isJSON)
	if status != http.StatusCreated || header.Get("ETag") != `"1"` {
		t.Fatalf("%d %s %s", status, header.Get("ETag"), answer)
	}
	status, header, answer = raw(t, socket, http.MethodPut, one, `{"label":"Newer","ceiling":{"scopes":["a"]}}`, "Content-Type", isJSON, "If-Match", header.Get("ETag"))
	if status != http.StatusOK || header.Get("ETag") != `"2"` {
		t.Fatalf("%d %s %s", status, header.Get("ETag"), answer)
	}
	got, err := reg.GetTenant(t.Context(), otherTenant)
	if err != nil || got.Label != "Newer" || got.Endpoints != nil || got.Ceiling == nil || !got.Ceiling.Scopes.Contains("a") {
		t.Errorf("replaced: %+v, %v", got, err)
	}
}
