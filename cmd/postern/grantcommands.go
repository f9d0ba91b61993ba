package main

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/admin"
	"github.com/postern-dev/postern/internal/domain"
)

// commands are those that would grant what is lacking, to paste. What a flag names takes the
// place of what was there, so all of that is named too.
func (c explainCommand) commands(ctx context.Context, conn *admin.Conn, call *admin.Call, g *admin.Grant) (list []string, err error) {
	if g == nil || len(g.Not) > 0 {
		return nil, nil
	}
	add := func(noun, who string, flags []string, origin string) {
		if len(flags) == 0 {
			return
		}
		if origin != "" {
			list = append(list, "postern release "+noun+" "+who+c.flags())
		}
		list = append(list, "postern "+noun+" update "+who+c.flags()+" "+strings.Join(flags, " "))
		if origin != "" {
			list = append(list, "or, instead of both, in "+origin+", which that came from, and apply again")
		}
	}
	client, err := conn.GetClient(ctx, call.Issuer, call.Client)
	if err != nil {
		return nil, err
	}
	if client.Tenant != "" {
		tenant, err := conn.GetTenant(ctx, client.Tenant)
		if err != nil {
			return nil, err
		}
		add("tenant", tenant.ID, tenantGrantFlags(&tenant, &g.Tenant), tenant.Origin)
	}
	add("client", quoted(client.ID)+" --issuer "+client.Issuer, clientGrantFlags(&client, g), client.Origin)
	return list, nil
}

func clientGrantFlags(c *admin.Client, g *admin.Grant) (flags []string) {
	all := func(flag string, have, more []string) {
		if len(more) > 0 {
			flags = append(flags, repeated(flag, append(slices.Clone(have), more...))...)
		}
	}
	all("audience", c.Audiences, g.Audiences)
	all("scope", c.Scopes, g.Scopes)
	all("policy", c.Policies, g.Policies)
	if len(g.Resources) == 0 {
		return flags
	}
	now := maps.Clone(c.ResourceScope)
	if now == nil {
		now = domain.ResourceScope{}
	}
	for kind, more := range g.Resources {
		now[kind] = domain.Resources{All: more.All || now[kind].All, IDs: append(slices.Clone(now[kind].IDs), more.IDs...)}
	}
	for _, kind := range now.Kinds() {
		if now[kind].All {
			flags = append(flags, "--resource "+quoted(kind+":all"))
			continue
		}
		for _, id := range now[kind].IDs {
			flags = append(flags, "--resource "+quoted(kind+"="+id))
		}
	}
	return flags
}

func tenantGrantFlags(t *admin.Tenant, g *admin.TenantGrant) (flags []string) {
	if len(g.Endpoints) > 0 {
		flags = append(flags, repeated("endpoint", append(slices.Clone(t.Endpoints), g.Endpoints...))...)
	}
	if len(g.Scopes) > 0 {
		flags = append(flags, repeated("ceiling-scope", append(slices.Clone(t.Ceiling.Scopes), g.Scopes...))...)
	}
	if len(g.Policies) > 0 {
		flags = append(flags, repeated("ceiling-policy", append(slices.Clone(t.Ceiling.Policies), g.Policies...))...)
	}
	if len(g.Resources) == 0 {
		return flags
	}
	kinds := maps.Clone(g.Resources)
	for kind := range t.Resources {
		kinds[kind] = append(slices.Clone(t.Resources[kind]), g.Resources[kind]...)
	}
	for _, kind := range sortedKeys(kinds) {
		ids := kinds[kind]
		if len(ids) == 0 {
			ids = []string{""} // none of that kind
		}
		for _, id := range ids {
			flags = append(flags, "--resource "+quoted(kind+"="+id))
		}
	}
	return flags
}

func repeated(flag string, values []string) (flags []string) {
	for _, v := range values {
		flags = append(flags, "--"+flag+" "+quoted(v))
	}
	return flags
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+-]+$`)

// quoted is a word for a shell.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
