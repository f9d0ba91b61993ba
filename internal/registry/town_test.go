package registry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

const otherTenant = "99999999-9999-4999-8999-999999999999"

// target is what an operation is tried on.
type target struct{ issuer, tenant, client, person, key string }

// places are where things stand, seen by a caller whose reach is the issuer main and the
// tenant tenantID.
var places = []struct {
	name string
	target
}{
	{"inside", target{issuer: "main", tenant: tenantID}},
	{"another tenant", target{issuer: "main", tenant: otherTenant}},
	{"another issuer", target{issuer: "other", tenant: tenantID}},
	{"platform-wide", target{issuer: "main"}},
}

// callers are the roles, each with the reach that it has by itself.
var callers = []struct {
	name string
	domain.Caller
}{
	{"platform-admin", domain.Local(by)},
	{"platform-admin, signed in long ago", domain.Caller{Actor: by, Role: domain.PlatformAdmin, Reach: domain.Reach{AllTenants: true, AllIssuers: true}}},
	{"integration-manager", domain.Caller{Actor: by, Role: domain.IntegrationManager, Reach: within}},
	{"tenant-developer", domain.Caller{Actor: by, Role: domain.TenantDeveloper, Reach: within}},
	{"auditor", domain.Caller{Actor: by, Role: domain.Auditor, Reach: within}},
}

var within = domain.Reach{Tenants: []string{tenantID}, Issuers: []string{"main"}}

// town is a registry with something at each place, and in it who administers.
type town struct {
	*room
	at          map[string]string // client by place
	person, key string
}

var errBack = errors.New("undo it")

// try does something as a caller, undoes it, and says what came of it.
func (r *town) try(t *testing.T, c domain.Caller, do func(context.Context, *registry.Registry) error) string {
	t.Helper()
	var came error
	err := r.Together(t.Context(), c.Actor, func(in *registry.Registry) error {
		came = do(t.Context(), in.As(c))
		return errBack
	})
	if !errors.Is(err, errBack) {
		t.Fatal(err)
	}
	var invalid *domain.Invalid
	switch {
	case came == nil:
		return "y"
	case errors.Is(came, registry.ErrNotFresh):
		return "s"
	case errors.Is(came, registry.ErrForbidden):
		return "f"
	case errors.Is(came, domain.ErrNotFound):
		return "-"
	case errors.As(came, &invalid) && strings.Contains(came.Error(), "there is no"):
		return "i"
	}
	return came.Error()
}

func peopled(t *testing.T) *town {
	t.Helper()
	r := &town{room: furnished(t), at: make(map[string]string)}
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"other", "empty"} {
		r.issuer(t, domain.Issuer{Name: name, URL: "https://" + name + ".example.com", ImportedSecrets: true})
	}
	for _, id := range []string{otherTenant, "88888888-8888-4888-8888-888888888888"} {
		_, _, err := r.PutTenant(ctx, by, domain.Tenant{ID: id, Label: "Another"}, 0)
		must(err)
	}
	_, _, err := r.PutPolicy(ctx, by, reader(), 0)
	must(err)
	_, _, err = r.PutTier(ctx, by, domain.Tier{Name: "slow", PerMinute: 1}, 0)
	must(err)
	_, _, err = r.PutAPI(ctx, by, theAPI(), 0)
	must(err)
	for i, place := range places {
		c := spec()
		c.ID, c.Issuer, c.Tenant, c.PlatformWide = fmt.Sprintf("%08d-0000-4000-8000-000000000000", i), place.issuer, place.tenant, place.tenant == ""
		_, _, err := r.CreateClient(ctx, by, c)
		must(err)
		_, _, err = r.StartRotation(ctx, by, c.Issuer, c.ID, 0)
		must(err)
		r.at[place.name] = c.ID
		_, err = r.PutResources(ctx, by, []domain.NamedResource{{ResourceKind: "study", ID: "of-" + place.tenant, Label: "Asthma", Tenant: place.tenant}})
		must(err)
	}
	p, err := r.CreatePerson(ctx, by, domain.Person{Name: "Ann@example.com", Role: domain.Auditor, Reach: within})
	must(err)
	k, _, err := r.CreateAPIKey(ctx, by, domain.APIKey{Label: "CI", Audience: domain.AdminAudience, Role: domain.Auditor, Reach: within})
	must(err)
	r.person, r.key = p.ID, k.ID
	return r
}

// among is domain.ErrNotFound where none of the list is the one.
func among[T any](list []T, err error, is func(T) bool) error {
	if err == nil && !slices.ContainsFunc(list, is) {
		err = domain.ErrNotFound
	}
	return err
}

const aHash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
