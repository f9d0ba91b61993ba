package registry_test

import (
	"errors"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// Together commits all or nothing.
func TestTogether(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	before := len(r.feed(t))
	fill := func(in *registry.Registry, route string) error {
		if _, _, err := in.PutPolicy(ctx, by, reader(), 0); err != nil {
			return err
		}
		c := spec()
		c.Policies = []string{"reader"} // made a moment ago, in the same transaction
		if _, _, err := in.CreateClient(ctx, by, c); err != nil {
			return err
		}
		a := theAPI()
		a.Routes[0].Path = route
		_, _, err := in.PutAPI(ctx, by, a, 0)
		return err
	}
	err := r.Together(ctx, by, func(in *registry.Registry) error { return fill(in, "no slash") })
	problem(t, err, "routes[0]")
	if _, err := r.GetPolicy(ctx, "reader"); !errors.Is(err, domain.ErrNotFound) || len(r.feed(t)) != before {
		t.Errorf("half of it is there: %v, %s", err, r.actions(t, before))
	}
	if err := r.Together(ctx, by, func(in *registry.Registry) error { return fill(in, "/studies/{study}") }); err != nil {
		t.Fatal(err)
	}
	if got, want := r.actions(t, before), "policy.create reader, client.create main/"+clientID+", api.create api"; got != want {
		t.Errorf("changes %s, want %s", got, want)
	}
	err = r.Together(ctx, by, func(in *registry.Registry) error {
		return in.DeleteClient(ctx, "somebody else", "main", clientID, 0)
	})
	if err == nil {
		t.Error("a change was written to somebody else's name")
	}
}

// Hosts are looked at as the transaction has left them, not as it found them.
func TestTogetherSeesHosts(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	const other = "33333333-3333-4333-8333-333333333333"
	tenant := func(in *registry.Registry, id string, hosts ...string) error {
		_, _, err := in.PutTenant(ctx, by, domain.Tenant{ID: id, Label: "T", Hosts: map[string][]string{"main": hosts}}, 0)
		return err
	}
	issuer := func(in *registry.Registry, name, url string) error {
		_, _, err := in.PutIssuer(ctx, by, domain.Issuer{Name: name, URL: url}, 0)
		return err
	}
	api := func(in *registry.Registry, name, path string) error {
		a := theAPI()
		a.Name, a.Path = name, path
		_, _, err := in.PutAPI(ctx, by, a, 0)
		return err
	}
	err := r.Together(ctx, by, func(in *registry.Registry) error {
		if err := tenant(in, tenantID, "a.example.com"); err != nil {
			return err
		}
		problem(t, tenant(in, other, "A.example.com"), "hosts.main[0]")
		if err := errors.Join(tenant(in, tenantID, "b.example.com"), tenant(in, other, "a.example.com")); err != nil {
			return err
		}
		problem(t, tenant(in, tenantID, "a.example.com"), "hosts.main[0]")
		if err := errors.Join(in.DeleteTenant(ctx, by, other, 0), tenant(in, tenantID, "a.example.com")); err != nil {
			return err
		}
		problem(t, issuer(in, "two", "https://a.example.com"), "url")
		if err := errors.Join(issuer(in, "two", "https://two.example.com"), api(in, "one", "/v1")); err != nil {
			return err
		}
		problem(t, tenant(in, tenantID, "two.example.com"), "hosts.main[0]")
		problem(t, api(in, "copy", "/v1"), "path")
		return errors.Join(in.DeleteAPI(ctx, by, "one", 0), api(in, "copy", "/v1"))
	})
	if err != nil {
		t.Fatal(err)
	}
}
