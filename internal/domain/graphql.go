package domain

import (
	"github.com/postern-dev/postern/internal/graphql"
)

// Load makes the schema ready, with its rules. Where there are problems there is none.
func (g *GraphQL) Load() (*graphql.Schema, []graphql.Problem) {
	return graphql.Load(g.Schema, g.Rules, graphql.Options{
		Introspection: g.Introspection, CheckResponses: g.Responses == CheckResponses, Limits: g.Limits,
	})
}
