package declare

import (
	"fmt"
	"path"
	"slices"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/internal/strictyaml"
)

// isSchema reports whether a file is no file of objects, but a schema that one may name.
func isSchema(name string) bool {
	return slices.Contains([]string{".graphql", ".graphqls", ".gql"}, path.Ext(name))
}

// schemas are the files of schemas by name.
func schemas(files []File) map[string]string {
	all := make(map[string]string)
	for _, f := range files {
		if isSchema(f.Name) {
			all[path.Clean(f.Name)] = string(f.Content)
		}
	}
	return all
}

// schemaField is where problems of a schema are told.
const schemaField = "graphql.schema"

// attach puts the schema that an API names by its file in its place. Only what was handed
// over with the objects can be named: nothing is read here (D-109).
func (o *Object) attach(all map[string]string) []strictyaml.Problem {
	api, ok := o.body.(*domain.API)
	if !ok || api.GraphQL == nil || api.GraphQL.SchemaFile == "" {
		return nil
	}
	g, field := api.GraphQL, "graphql.schema_file"
	name := g.SchemaFile
	g.SchemaFile = ""
	wrong := func(format string, args ...any) []strictyaml.Problem {
		return []strictyaml.Problem{{Line: o.doc.Line(field), Field: field, Message: fmt.Sprintf(format, args...)}}
	}
	at := path.Join(path.Dir(o.File), name)
	text, there := all[at]
	switch {
	case o.doc.Has(schemaField):
		return wrong("stands there and so does schema; keep one")
	case !isSchema(name) || path.IsAbs(name):
		return wrong("%q is no name of a schema: it ends in .graphql, .graphqls or .gql and is relative to this file", name)
	case !there:
		return wrong("there is no %s; put it into the directory, its name relative to this file", at)
	case text == "":
		return wrong("names %s, which is empty", at)
	}
	g.Schema, o.schema = text, at
	return nil
}

// Place is where the files say what a problem of an object is about.
func (o Objects) Place(of registry.Ref, p domain.Problem) Problem {
	for _, one := range o.list {
		if one.Kind() == of.Kind && one.Key() == of.Key {
			return one.in(p)
		}
	}
	return Problem{Field: p.Place(), Message: p.Message}
}
