package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
)

type tenantCommand struct {
	Create tenantCreateCommand `cmd:"" help:"Make a tenant."`
	List   tenantListCommand   `cmd:"" help:"List tenants."`
	Show   tenantShowCommand   `cmd:"" help:"Show one tenant."`
	Update tenantUpdateCommand `cmd:"" help:"Change what the flags name, and nothing else."`
	Delete tenantDeleteCommand `cmd:"" help:"Delete a tenant that has no clients."`
}

type tenantListCommand struct{ listFlags }

// Run prints a line for each tenant.
func (c tenantListCommand) Run(ctx context.Context, s *streams) error {
	list, err := c.dial().ListTenants(ctx)
	if err != nil {
		return err
	}
	return printList(s, c.JSON, list, []string{"ID", "ENDPOINTS", "CEILING", "LABEL"}, func(t *admin.Tenant) []string {
		return []string{t.ID, strconv.Itoa(len(t.Endpoints)), dash(yes(t.Ceiling != nil)), t.Label}
	})
}

// oneTenant is what the commands about one tenant have in common.
type oneTenant struct {
	remote
	ID   string `arg:"" help:"The tenant's id."`
	JSON bool   `name:"json" help:"Print the tenant as JSON."`
}

type tenantShowCommand struct{ oneTenant }

// Run prints a tenant.
func (c tenantShowCommand) Run(ctx context.Context, s *streams) error {
	t, err := c.dial().GetTenant(ctx, c.ID)
	if err != nil {
		return err
	}
	return printOne(s, c.JSON, t, tenantRows)
}

// tenantRows lists what a tenant is. An empty list that bounds is told: it is another
// thing than none.
func tenantRows(t *admin.Tenant) [][]string {
	var rows [][]string
	bound := func(name string, list []string) {
		if len(list) == 0 {
			list = []string{"none"}
		}
		field(&rows, name, strings.Join(list, " "))
	}
	field(&rows, "id", t.ID)
	field(&rows, "label", t.Label)
	for _, issuer := range slices.Sorted(maps.Keys(t.Hosts)) {
		field(&rows, "hosts at "+issuer, strings.Join(t.Hosts[issuer], " "))
	}
	for _, kind := range slices.Sorted(maps.Keys(t.Resources)) {
		bound("resource "+kind, t.Resources[kind])
	}
	bound("endpoints", t.Endpoints)
	if t.Ceiling != nil {
		bound("ceiling of scopes", t.Ceiling.Scopes)
		bound("ceiling of policies", t.Ceiling.Policies)
	}
	field(&rows, "file", t.Origin)
	field(&rows, "version", strconv.FormatInt(t.Version, 10))
	return rows
}

type tenantDeleteCommand struct{ oneTenant }

// Run deletes a tenant.
func (c tenantDeleteCommand) Run(ctx context.Context, s *streams) error {
	return removal[admin.Tenant]{
		get: (*admin.Conn).GetTenant, remove: (*admin.Conn).DeleteTenant,
		what: func(t *admin.Tenant) string { return "tenant " + t.ID + " (" + t.Label + ") is deleted" },
	}.run(ctx, s, c.dial(), c.ID, c.JSON)
}
