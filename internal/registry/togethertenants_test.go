package registry_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// lists counts how often clients are listed in transactions.
type lists struct {
	domain.Store
	n int
}

func (s *lists) Change(ctx context.Context, by domain.Actor, f func(domain.Tables) ([]domain.Change, error)) (domain.Seq, error) {
	return s.Store.Change(ctx, by, func(t domain.Tables) ([]domain.Change, error) {
		t.Clients = listed{t.Clients, s}
		return f(t)
	})
}

type listed struct {
	domain.Table[domain.Client]
	in *lists
}

func (l listed) List(ctx context.Context, page domain.Page) ([]domain.Client, error) {
	l.in.n++
	return l.Table.List(ctx, page)
}

// Many tenants in one transaction: all clients are read once to tell what was taken from whom,
// and again only where one was changed in between.
func TestTogetherReadsClientsOnce(t *testing.T) {
	r := furnished(t)
	ctx := t.Context()
	store := &lists{Store: r.Store}
	r.Store = store
	tenants := []string{tenantID}
	for i := range 3 {
		made, _, err := r.PutTenant(ctx, by, domain.Tenant{Label: fmt.Sprint("T", i), Resources: map[string][]string{"study": {"s1", "s2"}}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		tenants = append(tenants, made.ID)
	}
	one := func(in *registry.Registry, tenant string) domain.Client {
		c := spec()
		c.ID, c.Tenant, c.ResourceScope = "", tenant, domain.ResourceScope{"study": {IDs: []string{"s1"}}}
		made, _, err := in.CreateClient(ctx, by, c)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	take := func(in *registry.Registry, id string, left ...string) []registry.Warning {
		_, warnings, err := in.UpdateTenant(ctx, by, id, 0, func(n *domain.Tenant) error {
			n.Resources = map[string][]string{"study": left}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return warnings
	}
	first := one(r.Registry, tenants[1])
	err := r.Together(ctx, by, func(in *registry.Registry) error {
		store.n = 0
		var told []string
		for _, id := range tenants[1:] {
			for _, w := range take(in, id, "s2") {
				told = append(told, w.Object)
			}
		}
		if diff := cmp.Diff([]string{fmt.Sprintf("client %q of issuer main", first.ID)}, told); diff != "" || store.n != 1 {
			t.Errorf("clients listed %d times; -want +got\n%s", store.n, diff)
		}
		take(in, tenants[2], "s1", "s2")
		second := one(in, tenants[2])
		if w := take(in, tenants[2], "s2"); len(w) != 1 || w[0].Object != fmt.Sprintf("client %q of issuer main", second.ID) {
			t.Errorf("warned %v", w)
		}
		err := in.DeleteClient(ctx, by, "main", second.ID, 0)
		if w := take(in, tenants[2], "s3"); w != nil {
			t.Errorf("warned %v of nobody", w)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
