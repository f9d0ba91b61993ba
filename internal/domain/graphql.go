package domain

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/internal/graphql"
	"github.com/postern-dev/postern/internal/policy"
	"github.com/postern-dev/postern/oauth"
)

// MaxSchema is how many bytes a schema may have.
const MaxSchema = 4 << 20

const (
	maxBatching  = 100
	maxSDLErrors = 100 // that are told of one schema
)

// Load makes the schema ready, with its rules. Where there are problems there is none.
func (g *GraphQL) Load() (*graphql.Schema, []graphql.Problem) {
	return graphql.Load(g.Schema, g.Rules, graphql.Options{
		Introspection: g.Introspection, CheckResponses: g.Responses == CheckResponses, Limits: g.Limits,
	})
}

// SchemaProblems lists everything that is wrong in the schema and its rules.
func (g *GraphQL) SchemaProblems() []Problem {
	var p problems
	p.schema(g)
	return p
}

func (g *GraphQL) defaults() *GraphQL {
	if g == nil {
		return nil
	}
	filled := *g // whose it was keeps it as it is
	filled.Responses = orElse(g.Responses, PassResponses)
	return &filled
}

// graphQL checks the GraphQL endpoint of an API.
func (p *problems) graphQL(g *GraphQL, routes []Route) {
	if g == nil {
		return
	}
	if normal, err := policy.Normalise(g.Path); err != nil || normal != g.Path || g.Path != "/" && !plainPath(g.Path) {
		p.add("graphql.path", "%q is no path of an endpoint: begin with /, do not end in it, write no //, dots or ;, and no escape of what needs none, as in /graphql", g.Path)
	}
	for i, r := range routes {
		if r.Path == g.Path {
			p.add("graphql.path", "%s is the path of routes[%d] (%s) too; give one of them another path", g.Path, i, r.Method)
		}
	}
	if g.Responses != PassResponses && g.Responses != CheckResponses {
		p.add("graphql.responses", "%q is neither pass nor check", g.Responses)
	}
	if g.Batching < 0 || g.Batching > maxBatching {
		p.add("graphql.batching", "is %d requests in one array; from 0, which is none, to %d", g.Batching, maxBatching)
	}
	p.limits(&g.Limits)
	p.schema(g)
}

// limits are bounded, so that no document can take a node for itself (D-89).
func (p *problems) limits(l *graphql.Limits) {
	for _, one := range []struct {
		field    string
		is, most int
	}{
		{"bytes", l.Bytes, 1 << 20}, {"tokens", l.Tokens, 100_000}, {"depth", l.Depth, 100}, {"aliases", l.Aliases, 10_000},
		{"directives", l.Directives, 10_000}, {"fragments", l.Fragments, 1000}, {"cost", l.Cost, 100_000}, {"values", l.Values, 1_000_000},
	} {
		if one.is < 0 || one.is > one.most {
			p.add("graphql.limits."+one.field, "is %d; from 1 to %d, or leave it out", one.is, one.most)
		}
	}
}

// schema tells everything that is wrong in the schema and its rules, and every word in
// them that is none.
func (p *problems) schema(g *GraphQL) {
	const field = "graphql.schema"
	switch {
	case g.Schema == "":
		p.add(field, "is missing; write it there (SDL), or name its file: schema_file: x.graphql")
		return
	case len(g.Schema) > MaxSchema:
		p.add(field, "is %d bytes; at most %d", len(g.Schema), MaxSchema)
		return
	}
	schema, wrong := g.Load()
	for i, of := range wrong {
		if i == maxSDLErrors {
			p.add(field, "has %d problems more", len(wrong)-i)
			break
		}
		p.inSchema(g, of)
	}
	if schema == nil {
		return
	}
	for _, kind := range schema.Kinds() {
		p.kind(field, kind)
	}
	for _, action := range schema.Actions() {
		if !word.MatchString(action) {
			p.add(field, "%q is no action: %s", action, wordForm)
		}
	}
	for _, scope := range schema.Scopes() {
		if !oauth.ValidScopeToken(scope) {
			p.add(field, "%q is no scope: printable ASCII without spaces, quotes or backslashes (RFC 6749 §3.3)", scope)
		}
	}
}

// inSchema tells a problem where it stands: in the schema, or at a rule beside it.
func (p *problems) inSchema(g *GraphQL, of graphql.Problem) {
	problem := Problem{Field: "graphql.schema", Line: of.Line, Message: of.Text}
	i := of.Rule - 1
	if of.Line == 0 && i < 0 { // what came of rules together
		i = slices.IndexFunc(g.Rules, func(r graphql.Rule) bool { return r.Coordinate == of.Coordinate && r.Coordinate != "" })
	}
	if i >= 0 {
		problem.Field = fmt.Sprintf("graphql.rules[%d]", i)
	}
	if of.Coordinate != "" {
		problem.Message = of.Coordinate + ": " + of.Text
	}
	*p = append(*p, problem)
}
