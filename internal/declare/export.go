package declare

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth"
)

// Selection says what is exported.
type Selection struct {
	Kinds  []domain.Kind // none: all that files declare
	Issuer string        // of issuers, APIs and clients those of this one; empty: any
	Tenant string        // of tenants and clients those of this one; empty: any
}

// Kinds lists what files declare, in the order in which it is applied.
func Kinds() []domain.Kind {
	list := make([]domain.Kind, 0, len(kinds()))
	for _, k := range kinds() {
		list = append(list, k.of)
	}
	return list
}

// fileRoom is how large a written file becomes before the next one is begun, in bytes.
const fileRoom = maxFile / 2

// Export writes what is there as files that Apply reads back to no change: no secret is in
// them, and a schema is a file beside its API. What is built in, and what the registry's
// caller may not see, is left out.
func Export(ctx context.Context, reg *registry.Registry, of Selection) ([]File, error) {
	var files []File
	words := make(map[domain.Kind]string)
	for _, k := range kinds() {
		words[k.of] = k.word
	}
	for _, k := range kinds() {
		if len(of.Kinds) > 0 && !slices.Contains(of.Kinds, k.of) {
			continue
		}
		list, err := of.read(ctx, reg, k.of)
		if err != nil {
			return nil, err
		}
		for i, v := range list {
			if a, ok := v.(*domain.API); ok && a.GraphQL != nil {
				schema := File{Name: a.Name + ".graphql", Content: []byte(a.GraphQL.Schema)}
				files = append(files, schema)
				list[i] = withSchemaFile(*a, schema.Name)
			}
		}
		written, err := split(list, words)
		if err != nil {
			return nil, err
		}
		files = append(files, written...)
	}
	return files, nil
}

// withSchemaFile is the API with the name of its schema's file in place of the schema.
func withSchemaFile(a domain.API, name string) *domain.API {
	g := *a.GraphQL
	g.Schema, g.SchemaFile = "", name
	a.GraphQL = &g
	return &a
}

// split writes the objects of one kind to as many files as they need.
func split(list []body, words map[domain.Kind]string) ([]File, error) {
	const atOnce = 20
	var files []File
	for part := range slices.Chunk(list, atOnce) {
		content, err := write(part, words)
		if err != nil {
			return nil, err
		}
		last := len(files) - 1
		if last >= 0 && len(files[last].Content)+len(content) <= fileRoom {
			files[last].Content = append(append(files[last].Content, "---\n"...), content...)
			continue
		}
		name := plural(part[0].Kind())
		if last >= 0 {
			name += fmt.Sprintf("-%d", len(files)+1)
		}
		files = append(files, File{Name: name + ".yaml", Content: content})
	}
	return files, nil
}

func plural(k domain.Kind) string {
	if k == domain.KindPolicy {
		return "policies"
	}
	return string(k) + "s"
}

// read lists the objects of one kind.
func (s Selection) read(ctx context.Context, reg *registry.Registry, kind domain.Kind) ([]body, error) {
	var all domain.Page
	switch kind {
	case domain.KindTier:
		list, err := reg.ListTiers(ctx, all)
		return chosen(list, err, func(t *domain.Tier) bool { return t.Version > 0 }, func(t *domain.Tier) body { return t })
	case domain.KindPolicy:
		list, err := reg.ListPolicies(ctx, all)
		return chosen(list, err, func(*domain.Policy) bool { return true }, func(p *domain.Policy) body { return p })
	case domain.KindIssuer:
		list, err := reg.ListIssuers(ctx, all)
		return chosen(list, err, func(i *domain.Issuer) bool { return cmp.Or(s.Issuer, i.Name) == i.Name }, func(i *domain.Issuer) body { return i })
	case domain.KindTenant:
		list, err := reg.ListTenants(ctx, all)
		return chosen(list, err, func(t *domain.Tenant) bool { return cmp.Or(s.Tenant, t.ID) == t.ID }, func(t *domain.Tenant) body { return t })
	case domain.KindAPI:
		list, err := reg.ListAPIs(ctx, all)
		return chosen(list, err, func(a *domain.API) bool { return s.Issuer == "" || slices.Contains(a.Issuers, s.Issuer) }, func(a *domain.API) body { return a })
	case domain.KindClient:
		return s.clients(ctx, reg)
	}
	return nil, fmt.Errorf("files declare no %s", kind)
}

func chosen[T any](list []T, err error, is func(*T) bool, asBody func(*T) body) ([]body, error) {
	var bodies []body
	for i := range list {
		if is(&list[i]) {
			bodies = append(bodies, asBody(&list[i]))
		}
	}
	return bodies, err
}

// clients lists the clients. One that is enabled does not say so: applying files enables
// nothing again by itself. One that has no scope says so where it would get one unsaid.
func (s Selection) clients(ctx context.Context, reg *registry.Registry) ([]body, error) {
	list, err := reg.ListClients(ctx, s.Issuer, s.Tenant, domain.Page{})
	if err != nil {
		return nil, err
	}
	issuers, err := reg.ListIssuers(ctx, domain.Page{})
	if err != nil {
		return nil, err
	}
	dialects := make(map[string]string)
	for _, i := range issuers {
		dialects[i.Name] = i.Dialect
	}
	for i := range list {
		c := &list[i]
		if c.Status == domain.Enabled {
			c.Status = ""
		}
		unsaid := domain.Client{}
		d, _ := reg.Dialects.Get(dialects[c.Issuer])
		if unsaid.Defaults(d); len(c.Scopes) == 0 && len(unsaid.Scopes) > 0 {
			c.Scopes = oauth.Scope{}
		}
	}
	return chosen(list, nil, func(*domain.Client) bool { return true }, func(c *domain.Client) body { return c })
}
