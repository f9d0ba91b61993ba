package snapshot

import (
	"fmt"
	"reflect"
)

// addSchema makes the schema of an API ready. One that the earlier view has is not loaded
// again, nor is its text kept twice: it may be large, and plans are kept by it.
func (a *API) addSchema(earlier *View) error {
	if a.GraphQL == nil {
		return nil
	}
	if earlier != nil {
		if old := earlier.apis[a.Name]; old != nil && old.Schema != nil && reflect.DeepEqual(old.GraphQL, a.GraphQL) {
			a.GraphQL, a.Schema = old.GraphQL, old.Schema
			return nil
		}
	}
	schema, problems := a.GraphQL.Load()
	if schema == nil {
		return fmt.Errorf("API %s: GraphQL: %s (%d problems)", a.Name, problems[0], len(problems))
	}
	a.Schema = schema
	return nil
}
