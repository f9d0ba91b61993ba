package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/internal/registry"
)

// Lists come page by page, in the order of their keys, each object once.
func TestPages(t *testing.T) {
	reg, socket := start(t)
	want := []string{tenantID}
	for i := range 4 {
		id := fmt.Sprintf("33333333-3333-4333-8333-%012d", i)
		want = append(want, id)
		if _, _, err := reg.PutTenant(t.Context(), domain.System, domain.Tenant{ID: id, Label: "x"}, 0); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	after := ""
	for range want {
		status, _, answer := raw(t, socket, http.MethodGet, "/tenants?limit=2"+after, "")
		var page struct {
			Items []admin.Tenant
			Next  string
		}
		if err := json.Unmarshal([]byte(answer), &page); err != nil || status != http.StatusOK || len(page.Items) > 2 {
			t.Fatalf("%d %s %v", status, answer, err)
		}
		for _, one := range page.Items {
			got = append(got, one.ID)
		}
		if page.Next == "" {
			break
		}
		after = "&cursor=" + page.Next
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%v, not %v", got, want)
	}
	for _, bad := range []string{"limit=0", "limit=501", "limit=x"} {
		if status, _, answer := raw(t, socket, http.MethodGet, "/tenants?"+bad, ""); status != http.StatusUnprocessableEntity || !strings.Contains(answer, "query.limit") {
			t.Errorf("%s: %d %s", bad, status, answer)
		}
	}
}

// What is shown can be changed at the version that it was shown with.
func TestShowTellsTheVersion(t *testing.T) {
	_, socket := start(t)
	for path, says := range map[string]string{"/issuers/main": `"url":"https://id.example.com"`, "/tenants/" + tenantID: `"label":"T"`} {
		status, header, answer := raw(t, socket, http.MethodGet, path, "")
		if status != http.StatusOK || header.Get("ETag") != `"1"` || !strings.Contains(answer, says) || !strings.Contains(answer, `"version":1`) {
			t.Errorf("%s: %d %s %s", path, status, header.Get("ETag"), answer)
		}
	}
	for _, path := range []string{"/issuers/none", "/tenants/none", "/tenants/%2E%2E", "/issuers/" + strings.Repeat("x", 300)} {
		if status, _, answer := raw(t, socket, http.MethodGet, path, ""); status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}

// What is in use is not deleted, and the answer says by what.
func TestDelete(t *testing.T) {
	_, socket := start(t)
	conn := admin.Dial(socket)
	ctx := t.Context()
	made, err := conn.CreateClient(ctx, newClient())
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"tenant": conn.DeleteTenant(ctx, tenantID, 0), "issuer": conn.DeleteIssuer(ctx, "main", 0)} {
		var p *admin.Problem
		if !errors.As(err, &p) || p.Status != http.StatusConflict || !strings.Contains(p.Detail, "is still in use: by client \""+made.ID+"\"") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := conn.DeleteClient(ctx, "main", made.ID); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.DeleteTenant(ctx, tenantID, 1), conn.DeleteIssuer(ctx, "main", 1)); err != nil {
		t.Error(err)
	}
	tenants, err := conn.ListTenants(ctx)
	issuers, err2 := conn.ListIssuers(ctx)
	if err != nil || err2 != nil || len(tenants)+len(issuers) != 0 {
		t.Errorf("%v %v %v %v", tenants, err, issuers, err2)
	}
}

// guarded puts what stands behind the gateway into the store.
func guarded(t *testing.T, reg *registry.Registry) {
	t.Helper()
	ctx := t.Context()
	_, _, err := reg.PutPolicy(ctx, domain.System, domain.Policy{Name: "reader", Label: "Reader", Actions: map[string]string{"studies:read": "See studies"}}, 0)
	_, _, err2 := reg.PutTier(ctx, domain.System, domain.Tier{Name: "gold", PerMinute: 9}, 0)
	api := domain.API{Name: "reports", Audience: "https://api.example.com", Issuers: []string{"main"}, Upstream: "http://127.0.0.1:9", RateLimits: map[string]int64{"gold": 3},
		Routes: []domain.Route{{Method: "GET", Path: "/studies/{id}", Actions: []string{"studies:read"}, Parameters: []policy.Parameter{{Name: "id", Kind: "study"}}}}}
	_, _, err3 := reg.PutAPI(ctx, domain.System, api, 0)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
}

func TestAPIsPoliciesTiers(t *testing.T) {
	reg, socket := start(t)
	guarded(t, reg)
	conn := admin.Dial(socket)
	ctx := t.Context()
	apis, err := conn.ListAPIs(ctx)
	if err != nil || len(apis) != 1 || apis[0].Version != 1 || apis[0].Routes[0].Parameters[0].Kind != "study" {
		t.Errorf("%+v, %v", apis, err)
	}
	if one, err := conn.GetAPI(ctx, "reports"); err != nil || one.Audience != "https://api.example.com" || one.RateLimits["gold"] != 3 {
		t.Errorf("%+v, %v", one, err)
	}
	policies, err := conn.ListPolicies(ctx)
	if err != nil || len(policies) != 1 {
		t.Errorf("%+v, %v", policies, err)
	}
	if one, err := conn.GetPolicy(ctx, "reader"); err != nil || one.Actions["studies:read"] != "See studies" {
		t.Errorf("%+v, %v", one, err)
	}
	tiers, err := conn.ListTiers(ctx)
	names := ""
	for _, one := range tiers {
		names += fmt.Sprintf("%s/%d ", one.Name, one.Version)
	}
	if err != nil || names != "gold/1 premium/0 standard/0 unlimited/0 " { // ARB-11: three are built in
		t.Errorf("%s, %v", names, err)
	}
	if status, header, answer := raw(t, socket, http.MethodGet, "/tiers/standard", ""); status != http.StatusOK || header.Values("ETag") != nil || !strings.Contains(answer, `"per_minute":600`) {
		t.Errorf("%d %v %s", status, header, answer)
	}
}

func TestDeleteAPIsPoliciesTiers(t *testing.T) {
	reg, socket := start(t)
	guarded(t, reg)
	n := newClient()
	n.Policies, n.Tier, n.RateLimits = []string{"reader"}, "gold", map[string]int64{"reports": 2}
	made, err := admin.Dial(socket).CreateClient(t.Context(), n)
	if err != nil || made.RateLimits["reports"] != 2 {
		t.Fatalf("%+v, %v", made.Client, err)
	}
	remove := func(path, version string, want int, says string) {
		t.Helper()
		status, _, answer := raw(t, socket, http.MethodDelete, path, "", "If-Match", version)
		if status != want || !strings.Contains(answer, says) {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	for path, says := range map[string]string{"/apis/reports": "API reports is still in use: by client", "/policies/reader": "policy reader is still in use: by client", "/tiers/gold": "tier gold is still in use: API reports has a rate limit for it"} {
		remove(path, "*", http.StatusConflict, says)
		remove(path, `"7"`, http.StatusPreconditionFailed, "version 7 is not the current one")
		remove(path, "new", http.StatusBadRequest, "If-Match")
		remove(path+"-none", "*", http.StatusNotFound, "not found")
	}
	remove("/tiers/standard", "*", http.StatusNotFound, "tier standard is built in")
	if _, err := admin.Dial(socket).UpdateClient(t.Context(), "main", made.ID, 0, patchOf(t, `{"policies":null,"tier":null,"rate_limits":null}`)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/apis/reports", "/policies/reader", "/tiers/gold"} {
		remove(path, `"1"`, http.StatusNoContent, "")
		remove(path, "*", http.StatusNotFound, "not found")
	}
}

// A client's own rate limits are set, refused where they are none, and taken away.
func TestRateLimitsOfAClient(t *testing.T) {
	reg, socket := start(t)
	guarded(t, reg)
	conn := admin.Dial(socket)
	made, err := conn.CreateClient(t.Context(), newClient())
	if err != nil {
		t.Fatal(err)
	}
	for body, says := range map[string]string{`{"rate_limits":{"reports":0}}`: `"location":"rate_limits.reports"`, `{"rate_limits":{"none":1}}`: `"location":"rate_limits.none"`,
		`{"rate_limits":{"reports":"3"}}`: `"location":"rate_limits"`, `{"rate_limits":{"reports":1.5}}`: `"location":"rate_limits"`} {
		status, _, answer := raw(t, socket, http.MethodPatch, "/issuers/main/clients/"+made.ID, body, "Content-Type", isJSON)
		if status != http.StatusUnprocessableEntity || !strings.Contains(answer, says) {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	for _, tc := range []struct {
		patch string
		want  int64
	}{{`{"rate_limits":{"reports":3}}`, 3}, {`{"note":"x"}`, 3}, {`{"rate_limits":null}`, 0}} {
		if got, err := conn.UpdateClient(t.Context(), "main", made.ID, 0, patchOf(t, tc.patch)); err != nil || got.RateLimits["reports"] != tc.want {
			t.Errorf("%s: %+v, %v", tc.patch, got.RateLimits, err)
		}
	}
}
