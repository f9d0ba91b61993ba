package registry_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
)

// Changes of one tenant that name no version are each made on the current one: none takes
// back what another did.
func TestUpdateTenantTogether(t *testing.T) {
	r := furnished(t)
	const each = 20
	done := make(chan error, 2)
	for _, set := range []func(*domain.Tenant, string){
		func(n *domain.Tenant, v string) { n.Label = v },
		func(n *domain.Tenant, v string) { n.Endpoints = []string{v} },
	} {
		go func() {
			var failed error
			for i := range each {
				_, _, err := r.UpdateTenant(t.Context(), by, tenantID, 0, func(n *domain.Tenant) error {
					n.ID = "another"
					set(n, fmt.Sprint("v", i))
					return nil
				})
				failed = errors.Join(failed, err)
			}
			done <- failed
		}()
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	got, err := r.GetTenant(t.Context(), tenantID)
	if err != nil || got.Label != "v19" || len(got.Endpoints) != 1 || got.Endpoints[0] != "v19" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestUpdateTenantRefuses(t *testing.T) {
	r := furnished(t)
	before, err := r.GetTenant(t.Context(), tenantID)
	if err != nil {
		t.Fatal(err)
	}
	relabel := func(label string) func(*domain.Tenant) error {
		return func(n *domain.Tenant) error { n.Label = label; return nil }
	}
	_, _, err = r.UpdateTenant(t.Context(), by, tenantID, before.Version+1, relabel("x"))
	if !errors.Is(err, domain.ErrConflict) {
		t.Errorf("another version: %v", err)
	}
	_, _, err = r.UpdateTenant(t.Context(), by, "99999999-9999-4999-8999-999999999999", 0, relabel("x"))
	if !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	_, _, err = r.UpdateTenant(t.Context(), by, tenantID, 0, relabel(""))
	problem(t, err, "label")
	if _, _, err = r.UpdateTenant(t.Context(), by, tenantID, before.Version, relabel(before.Label)); err != nil {
		t.Errorf("nothing changed: %v", err)
	}
	if after, err := r.GetTenant(t.Context(), tenantID); err != nil || after.Version != before.Version {
		t.Errorf("%+v, %v", after, err)
	}
}
