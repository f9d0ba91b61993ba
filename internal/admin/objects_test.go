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
		status, _, answer := raw(t, socket, http.MethodGet, "/tenants?limit=2&after="+after, "")
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
		if after = page.Next; after == "" {
			break
		}
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
