package registry

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
)

// maxGaps is how many fields without an answer are named; `postern graphql coverage` names
// all.
const maxGaps = 10

// Uncallable warns of what nobody can call: routes and fields that need an action that no
// policy has, fields that lack an answer on one of the axes, and APIs that declare nothing.
// It looks at all policies together.
func Uncallable(apis []domain.API, policies []domain.Policy) []Warning {
	granted := actions(policies)
	var list uncallable
	for i := range apis {
		api := &apis[i]
		if len(api.Routes) == 0 && api.GraphQL == nil {
			list.warn(api, "routes", "is empty, so every call is refused; declare what may be called")
		}
		list.routes(api, func(action string) bool { return !granted[action] })
		if schema := load(api); schema != nil {
			list.fields(api, schema, func(action string) bool { return !granted[action] })
			list.gaps(api, schema.Coverage())
		}
	}
	return list[:min(len(list), maxWarnings)]
}

// ungranted warns of what needs one of the actions.
func ungranted(apis []domain.API, taken map[string]bool) []Warning {
	var list uncallable
	for i := range apis {
		api := &apis[i]
		list.routes(api, func(action string) bool { return taken[action] })
		if !names(api.GraphQL, taken) {
			continue
		}
		if schema := load(api); schema != nil {
			list.fields(api, schema, func(action string) bool { return taken[action] })
		}
	}
	return list[:min(len(list), maxWarnings)]
}

// actions are those that some policy has.
func actions(policies []domain.Policy) map[string]bool {
	granted := make(map[string]bool)
	for _, p := range policies {
		for action := range p.Actions {
			granted[action] = true
		}
	}
	return granted
}

// load is the schema of an API, nil where there is none or it is wrong, which is told as
// such.
func load(api *domain.API) *graphql.Schema {
	if api.GraphQL == nil || len(api.GraphQL.Schema) > domain.MaxSchema {
		return nil
	}
	schema, _ := api.GraphQL.Load()
	return schema
}

// names reports whether one of the actions may be named somewhere: a schema is large, and
// most do not have to be loaded.
func names(g *domain.GraphQL, taken map[string]bool) bool {
	if g == nil {
		return false
	}
	for action, is := range taken {
		if !is {
			continue
		}
		if action == graphql.Introspect || strings.Contains(g.Schema, action) || strings.Contains(fmt.Sprint(g.Rules), action) {
			return true
		}
	}
	return false
}

// uncallable are warnings of what nobody can call.
type uncallable []Warning

func (l *uncallable) warn(api *domain.API, field, format string, args ...any) {
	*l = append(*l, Warning{Object: "API " + api.Name, Field: field, Message: fmt.Sprintf(format, args...)})
}

func (l *uncallable) routes(api *domain.API, missing func(action string) bool) {
	for i, route := range api.Routes {
		for n, action := range route.Actions {
			if missing(action) {
				l.warn(api, fmt.Sprintf("routes[%d].actions[%d]", i, n), "no policy has the action %q, so nobody can call %s %s", action, route.Method, route.Path)
			}
		}
	}
}

func (l *uncallable) fields(api *domain.API, schema *graphql.Schema, missing func(action string) bool) {
	for _, action := range schema.Actions() {
		if missing(action) {
			l.warn(api, "graphql.schema", "no policy has the action %q, so nobody has the fields that need it", action)
		}
	}
}

func (l *uncallable) gaps(api *domain.API, gaps []graphql.Gap) {
	fields := make(map[string]bool)
	for _, g := range gaps {
		fields[g.Coordinate] = true
	}
	if len(gaps) == 0 {
		return
	}
	l.warn(api, "graphql.schema", "leaves %d of its fields without an answer, so they are refused to everybody; `postern graphql coverage` lists all", len(fields))
	for _, g := range gaps[:min(len(gaps), maxGaps)] {
		l.warn(api, domain.Problem{Field: "graphql.schema", Line: g.Line}.Place(), "%s lacks an answer on the %s axis: %s", g.Coordinate, g.Axis, g.Why)
	}
}
