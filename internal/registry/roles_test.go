package registry_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/keys"
	"github.com/postern-dev/postern/internal/registry"
)

// row is an operation, and what becomes of it: for each caller a word with a letter for each
// place: y done, f forbidden, s a new sign-in needed, - as if it were not there, i refused
// because something it names is not there.
type row struct {
	want string
	do   func(ctx context.Context, r *registry.Registry, at target) error
}

// What whole classes of operations have in common.
const (
	all         = "yyyy yyyy yyyy yyyy yyyy"
	platform    = "yyyy ssss ffff ffff ffff" // whatever it is about
	itself      = "ffff ffff ffff ffff ffff" // Postern itself
	reading     = "yyyy yyyy y--- y--- y---"
	managing    = "yyyy yyyy y--- ffff ffff"
	making      = "yyyy yyyy yiif ffff ffff"
	securing    = "yyyy yyyy y--- y--- ffff"
	ofIssuer    = "yyyy yyyy yy-y yy-y yyyy"
	ofTenant    = "yyyy yyyy y-y- y-y- y-y-"
	directing   = "yyyy yyyy y-y- ffff ffff"
	puttingDown = "yyyy yyyy yiyf ffff ffff"
	everywhere  = "yyyy yyyy ffff ffff ffff"
)

func rows() map[string]row {
	list := map[string]row{
		"Together": {all, func(ctx context.Context, r *registry.Registry, _ target) error {
			return r.Together(ctx, by, func(*registry.Registry) error { return nil })
		}},
		"GetIssuer": {ofIssuer, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.GetIssuer(ctx, at.issuer)
			return err
		}},
		"ListKeys": {ofIssuer, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.ListKeys(ctx, at.issuer)
			return err
		}},
		"IssuerChangeProblems": {all, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.IssuerChangeProblems(ctx, &domain.Issuer{Name: at.issuer})
			return err
		}},
		"ListIssuers": {ofIssuer, func(ctx context.Context, r *registry.Registry, at target) error {
			list, err := r.ListIssuers(ctx, domain.Page{})
			return among(list, err, func(i domain.Issuer) bool { return i.Name == at.issuer })
		}},
		"PutIssuer": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, _, err := r.PutIssuer(ctx, by, domain.Issuer{Name: "new", URL: "https://new.example.com"}, 0)
			return err
		}},
		"DeleteIssuer": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			return r.DeleteIssuer(ctx, by, "empty", 0)
		}},
		"RotateKey": {platform, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.RotateKey(ctx, by, at.issuer, keys.RotateOptions{Now: true})
			return err
		}},
		"ImportKey": {platform, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.ImportKey(ctx, by, at.issuer, []byte(rfcKey), keys.ImportOptions{})
			return err
		}},
		"RotateDue": {itself, func(ctx context.Context, r *registry.Registry, _ target) error { return r.RotateDue(ctx) }},
	}
	for _, more := range []map[string]row{objectRows(), tenantRows(), clientRows(), peopleRows(), asked()} {
		for name, one := range more {
			list[name] = one
		}
	}
	return list
}

func objectRows() map[string]row {
	return map[string]row{
		"GetAPI": {all, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, err := r.GetAPI(ctx, "api")
			return err
		}},
		"GetPolicy": {all, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, err := r.GetPolicy(ctx, "reader")
			return err
		}},
		"GetTier": {all, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, err := r.GetTier(ctx, "standard")
			return err
		}},
		"ListAPIs": {all, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, err := r.ListAPIs(ctx, domain.Page{})
			return err
		}},
		"ListPolicies": {all, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, err := r.ListPolicies(ctx, domain.Page{})
			return err
		}},
		"ListTiers": {all, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, err := r.ListTiers(ctx, domain.Page{})
			return err
		}},
		"PutAPI": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			a := theAPI()
			a.Name, a.Path = "new", "/new"
			_, _, err := r.PutAPI(ctx, by, a, 0)
			return err
		}},
		"PutPolicy": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, _, err := r.PutPolicy(ctx, by, domain.Policy{Name: "new", Actions: map[string]string{"a:b": "do"}}, 0)
			return err
		}},
		"PutTier": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, _, err := r.PutTier(ctx, by, domain.Tier{Name: "new", PerMinute: 7}, 0)
			return err
		}},
		"DeleteAPI": {platform, func(ctx context.Context, r *registry.Registry, _ target) error { return r.DeleteAPI(ctx, by, "api", 0) }},
		"DeletePolicy": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			return r.DeletePolicy(ctx, by, "reader", 0)
		}},
		"DeleteTier": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			return r.DeleteTier(ctx, by, "slow", 0)
		}},
		"Release": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, err := r.Release(ctx, by, domain.KindTier, "slow")
			return err
		}},
	}
}

func tenantRows() map[string]row {
	found := func(at target) func(domain.NamedResource) bool {
		return func(n domain.NamedResource) bool { return n.Tenant == at.tenant }
	}
	return map[string]row{
		"GetTenant": {strings.ReplaceAll(ofTenant, "yyyy", "yyy-"), func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.GetTenant(ctx, at.tenant) // of none there is none
			return err
		}},
		"ListTenants": {strings.ReplaceAll(ofTenant, "yyyy", "yyy-"), func(ctx context.Context, r *registry.Registry, at target) error {
			list, err := r.ListTenants(ctx, domain.Page{})
			return among(list, err, func(t domain.Tenant) bool { return t.ID == at.tenant })
		}},
		"PutTenant": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, _, err := r.PutTenant(ctx, by, domain.Tenant{Label: "New"}, 0)
			return err
		}},
		"UpdateTenant": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, _, err := r.UpdateTenant(ctx, by, tenantID, 0, func(t *domain.Tenant) error { t.Label = "Other"; return nil })
			return err
		}},
		"DeleteTenant": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			return r.DeleteTenant(ctx, by, "88888888-8888-4888-8888-888888888888", 0)
		}},
		"GetResource": {ofTenant, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.GetResource(ctx, "study", "of-"+at.tenant)
			return err
		}},
		"ListResources": {ofTenant, func(ctx context.Context, r *registry.Registry, at target) error {
			list, err := r.ListResources(ctx, "", "", domain.Page{})
			return among(list, err, found(at))
		}},
		"FindResources": {ofTenant, func(ctx context.Context, r *registry.Registry, at target) error {
			list, err := r.FindResources(ctx, "asthma", domain.Page{})
			return among(list, err, found(at))
		}},
		"PutResources": {puttingDown, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.PutResources(ctx, by, []domain.NamedResource{{ResourceKind: "study", ID: "new", Label: "New", Tenant: at.tenant}})
			return err
		}},
		"DeleteResource": {directing, func(ctx context.Context, r *registry.Registry, at target) error {
			return r.DeleteResource(ctx, by, "study", "of-"+at.tenant, 0)
		}},
	}
}

func clientRows() map[string]row {
	fresh := func(at target) domain.Client {
		c := spec()
		c.ID, c.Issuer, c.Tenant, c.PlatformWide = "", at.issuer, at.tenant, at.tenant == ""
		return c
	}
	return map[string]row{
		"CreateClient": {making, func(ctx context.Context, r *registry.Registry, at target) error {
			_, _, err := r.CreateClient(ctx, by, fresh(at))
			return err
		}},
		"ImportClient": {making, func(ctx context.Context, r *registry.Registry, at target) error {
			c := fresh(at)
			c.ID = "imported"
			_, err := r.ImportClient(ctx, by, c, registry.Imported{Secret: "a word"})
			return err
		}},
		"GetClient": {reading, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.GetClient(ctx, at.issuer, at.client)
			return err
		}},
		"ListClients": {reading, func(ctx context.Context, r *registry.Registry, at target) error {
			list, err := r.ListClients(ctx, at.issuer, at.tenant, domain.Page{})
			return among(list, err, func(c domain.Client) bool { return c.ID == at.client })
		}},
		"Rotation": {reading, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.Rotation(ctx, at.issuer, at.client)
			return err
		}},
		"UpdateClient": {managing, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.UpdateClient(ctx, by, at.issuer, at.client, 0, func(c *domain.Client) error { c.Note = "n"; return nil })
			return err
		}},
		"EnableClient": {managing, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.EnableClient(ctx, by, at.issuer, at.client)
			return err
		}},
		"DeleteClient": {managing, func(ctx context.Context, r *registry.Registry, at target) error {
			return r.DeleteClient(ctx, by, at.issuer, at.client, 0)
		}},
		"DisableClient": {securing, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.DisableClient(ctx, by, at.issuer, at.client)
			return err
		}},
		"ReplaceSecrets": {securing, func(ctx context.Context, r *registry.Registry, at target) error {
			_, _, err := r.ReplaceSecrets(ctx, by, at.issuer, at.client, true)
			return err
		}},
		"StartRotation": {securing, func(ctx context.Context, r *registry.Registry, at target) error {
			if _, err := r.CancelRotation(ctx, by, at.issuer, at.client); err != nil {
				return err
			}
			_, _, err := r.StartRotation(ctx, by, at.issuer, at.client, 0)
			return err
		}},
		"CancelRotation": {securing, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.CancelRotation(ctx, by, at.issuer, at.client)
			return err
		}},
		"CompleteRotation": {securing, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.CompleteRotation(ctx, by, at.issuer, at.client, true)
			return err
		}},
		"ReplaceHash": {itself, func(ctx context.Context, r *registry.Registry, at target) error {
			return r.ReplaceHash(ctx, at.issuer, at.client, "1-1", "x", "$postern$p1$"+strings.Repeat("A", 43))
		}},
	}
}

func peopleRows() map[string]row {
	return map[string]row{
		"CreatePerson": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, err := r.CreatePerson(ctx, by, domain.Person{Name: "new@example.com", Role: domain.Auditor, Reach: within})
			return err
		}},
		"UpdatePerson": {platform, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.UpdatePerson(ctx, by, at.person, 0, func(p *domain.Person) error { p.Name = "other@example.com"; return nil })
			return err
		}},
		"DeletePerson": {platform, func(ctx context.Context, r *registry.Registry, at target) error {
			return r.DeletePerson(ctx, by, at.person, 0)
		}},
		"SetPassword": {platform, func(ctx context.Context, r *registry.Registry, at target) error {
			return r.SetPassword(ctx, by, at.person, 0, aHash)
		}},
		"GetPerson": {platform, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.GetPerson(ctx, at.person)
			return err
		}},
		"FindPerson": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, err := r.FindPerson(ctx, "ann@example.com")
			return err
		}},
		"ListPeople": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, err := r.ListPeople(ctx, domain.Page{})
			return err
		}},
		"CreateAPIKey": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, _, err := r.CreateAPIKey(ctx, by, domain.APIKey{Label: "CI", Audience: domain.AdminAudience, Role: domain.Auditor, Reach: within})
			return err
		}},
		"DeleteAPIKey": {platform, func(ctx context.Context, r *registry.Registry, at target) error {
			return r.DeleteAPIKey(ctx, by, at.key, 0)
		}},
		"GetAPIKey": {platform, func(ctx context.Context, r *registry.Registry, at target) error {
			_, err := r.GetAPIKey(ctx, at.key)
			return err
		}},
		"ListAPIKeys": {platform, func(ctx context.Context, r *registry.Registry, _ target) error {
			_, err := r.ListAPIKeys(ctx, domain.Page{})
			return err
		}},
	}
}

// asked are operations of other packages.
func asked() map[string]row {
	may := func(name string) func(context.Context, *registry.Registry, target) error {
		return func(_ context.Context, r *registry.Registry, _ target) error {
			return r.May(registry.Operation{Name: name})
		}
	}
	list := map[string]row{registry.Apply: {platform, may(registry.Apply)}}
	for _, name := range []string{registry.ReadDialects, registry.SearchAudit, registry.ExportAudit, registry.AuditAccess, registry.Explain, registry.Export} {
		list[name] = row{all, may(name)}
	}
	for _, name := range []string{registry.VerifyAudit, registry.ReadCheckpoints} {
		list[name] = row{everywhere, may(name)}
	}
	return list
}

// Every operation × role × place. D-101, D-102: what a caller may not see is as if it were
// not there. A method of Registry without a row fails.
func TestOperations(t *testing.T) {
	r := peopled(t)
	all := rows()
	for _, method := range methods() {
		if _, ok := all[method]; !ok && !slices.Contains(free, method) {
			t.Errorf("Registry.%s has no row here", method)
		}
	}
	for name, row := range all {
		for i, word := range strings.Fields(row.want) {
			for j, place := range places {
				at := place.target
				at.client, at.person, at.key = r.at[place.name], r.person, r.key
				got := r.try(t, callers[i].Caller, func(ctx context.Context, as *registry.Registry) error { return row.do(ctx, as, at) })
				if want := word[j : j+1]; got != want {
					t.Errorf("%s by %s, %s: %s, want %s", name, callers[i].name, place.name, got, want)
				}
			}
		}
	}
}

// free are the methods that need no right: they look at what they are given, or make a
// registry that may less.
var free = []string{"As", "From", "May", "Sees", "Reach", "Overlaps", "Clashes", "At", "IssuerProblems"}

func methods() []string {
	var list []string
	of := reflect.TypeFor[*registry.Registry]()
	for i := range of.NumMethod() {
		list = append(list, of.Method(i).Name)
	}
	return list
}

// Each operation is tested, and each names a method that there is.
func TestOperationsAreTested(t *testing.T) {
	tested, there := rows(), methods()
	seen := make(map[string]bool)
	for _, op := range registry.Operations() {
		name := op.Method
		if name == "" {
			name = op.Name
		} else if !slices.Contains(there, name) {
			t.Errorf("%s names a method %s, and there is none", op.Name, name)
		}
		if _, ok := tested[name]; !ok {
			t.Errorf("operation %s has no row", op.Name)
		}
		if seen[op.Name] {
			t.Errorf("operation %s stands there twice", op.Name)
		}
		seen[op.Name] = true
	}
	if err := (&registry.Registry{}).May(registry.Operation{Name: "client.frobnicate"}); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("an operation that nobody knows: %v", err)
	}
}
