package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
)

// Operation is something that administrators do, and who may.
type Operation struct {
	Name       string        // as in client.create
	Method     string        // of Registry, which checks it; empty: who does it asks May
	Roles      []domain.Role // that may, within their reach; none: only Postern itself
	Platform   bool          // needs Caller.Platform too
	Everywhere bool          // but for platform admins: only with all tenants and all issuers
}

// Operations that other packages do; they ask May.
const (
	ReadDialects    = "dialect.read"
	Apply           = "apply"        // of files, also --dry-run, diff and prune
	Export          = "export"       // of what is within Reach
	SearchAudit     = "audit.search" // within Reach
	ExportAudit     = "audit.export" // within Reach
	AuditAccess     = "audit.access" // within Reach
	Explain         = "explain"      // within Reach
	VerifyAudit     = "audit.verify"
	ReadCheckpoints = "audit.checkpoints"
)

// Operations is the one table of what each role may do (RULES "Administration"). Where it
// may do it is its reach; what more it needs stands at the methods.
func Operations() []Operation {
	var list []Operation
	add := func(op Operation, names ...string) {
		for _, name := range names {
			one := op
			one.Name, one.Method, _ = strings.Cut(name, " ")
			list = append(list, one)
		}
	}
	add(Operation{Roles: domain.Roles()},
		"issuer.read GetIssuer", "issuer.list ListIssuers", "issuer.problems IssuerChangeProblems", "key.list ListKeys",
		"api.read GetAPI", "api.list ListAPIs", "policy.read GetPolicy", "policy.list ListPolicies", "tier.read GetTier", "tier.list ListTiers", ReadDialects,
		"tenant.read GetTenant", "tenant.list ListTenants", "client.read GetClient", "client.list ListClients", "client.rotation Rotation",
		"resource.read GetResource", "resource.list ListResources", "resource.find FindResources",
		"together Together",
		SearchAudit, ExportAudit, AuditAccess, Explain, Export)
	add(Operation{Roles: []domain.Role{domain.PlatformAdmin, domain.IntegrationManager}},
		"client.create CreateClient", "client.import ImportClient", "client.update UpdateClient", "client.enable EnableClient", "client.delete DeleteClient",
		"resource.put PutResources", "resource.delete DeleteResource")
	add(Operation{Roles: []domain.Role{domain.PlatformAdmin, domain.IntegrationManager, domain.TenantDeveloper}},
		"client.disable DisableClient", "client.replace_secrets ReplaceSecrets",
		"client.start_rotation StartRotation", "client.cancel_rotation CancelRotation", "client.complete_rotation CompleteRotation")
	add(Operation{Roles: []domain.Role{domain.PlatformAdmin}, Platform: true},
		"tenant.put PutTenant", "tenant.update UpdateTenant", "tenant.delete DeleteTenant", "issuer.put PutIssuer", "issuer.delete DeleteIssuer",
		"key.rotate RotateKey", "key.import ImportKey", "api.put PutAPI", "api.delete DeleteAPI",
		"policy.put PutPolicy", "policy.delete DeletePolicy", "tier.put PutTier", "tier.delete DeleteTier",
		"person.create CreatePerson", "person.update UpdatePerson", "person.delete DeletePerson", "person.set_password SetPassword",
		"person.read GetPerson", "person.list ListPeople", "person.find FindPerson",
		"api_key.create CreateAPIKey", "api_key.delete DeleteAPIKey", "api_key.read GetAPIKey", "api_key.list ListAPIKeys",
		"object.release Release", Apply)
	add(Operation{Roles: []domain.Role{domain.PlatformAdmin, domain.Auditor}, Everywhere: true}, VerifyAudit, ReadCheckpoints)
	add(Operation{}, "client.rehash ReplaceHash", "key.due RotateDue")
	return list
}

// check returns nil where the caller, nil for Postern itself, may.
func (op Operation) check(c *domain.Caller) error {
	switch {
	case c == nil:
		return nil
	case len(op.Roles) == 0:
		return fmt.Errorf("%w: %s is done by Postern itself", ErrForbidden, op.Name)
	case !slices.Contains(op.Roles, c.Role):
		return fmt.Errorf("%w: %s needs the role %s", ErrForbidden, op.Name, roles(op.Roles))
	case op.Platform && !c.Platform:
		return fmt.Errorf("%s: %w", op.Name, ErrNotFresh)
	case op.Everywhere && c.Role != domain.PlatformAdmin && !(c.AllTenants && c.AllIssuers):
		return fmt.Errorf("%w: %s needs a reach of all tenants and all issuers", ErrForbidden, op.Name)
	}
	return nil
}

func roles(list []domain.Role) string {
	var words []string
	for _, r := range list {
		words = append(words, string(r))
	}
	return strings.Join(words, " or ")
}
