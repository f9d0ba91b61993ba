package declare_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/declare"
	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/graphql"
)

const (
	schemaText = "type Query {\n  study(id: ID! @scopedBy(kind: \"study\")): Study @policy(policies: [[\"studies:read\"]])\n}\n" +
		"type Study @scoped(kind: \"study\") @authenticated { id: ID! name: String! }\n"
	graphFile = "kind: API\nname: graph\naudience: https://api.example.com\nissuers: [main]\npath: /v2\nupstream: http://10.0.0.7:9000\n" +
		"graphql:\n  path: /graphql\n  schema_file: trials.graphql\n  rules:\n    - {coordinate: Study.name, policy: [[\"studies:read\"]]}\n  limits: {depth: 9}\n"
)

// graphed are objects with an API whose schema is in a file of its own.
func graphed(changed map[string]string) []declare.File {
	content := map[string]string{"apis/graph.yaml": graphFile, "apis/trials.graphql": schemaText, "issuer.yaml": issuerFile, "policy.yaml": policyFile}
	for name, text := range changed {
		content[name] = text
		if text == "-" {
			delete(content, name)
		}
	}
	var files []declare.File
	for name, text := range content {
		files = append(files, declare.File{Name: name, Content: b(text)})
	}
	return files
}

// A schema beside the objects becomes that of the API; twice is once, and nothing is left of
// where it came from. A change of the schema alone is a change of the API.
func TestApplySchemaFile(t *testing.T) {
	reg := newRegistry(t)
	for _, c := range []struct {
		changed map[string]string
		want    declare.Outcome
		schema  string
	}{
		{nil, declare.Created, schemaText},
		{map[string]string{"apis/unused.gql": "what nobody names is not read"}, declare.Unchanged, schemaText},
		{map[string]string{"apis/trials.graphql": schemaText + "# more\n"}, declare.Updated, schemaText + "# more\n"},
		{map[string]string{
			"apis/graph.yaml": strings.Replace(graphFile, "trials.graphql", "../schemas/./trials.graphqls", 1), "apis/trials.graphql": "-", "schemas/trials.graphqls": schemaText,
		}, declare.Updated, schemaText},
		{map[string]string{
			"apis/graph.yaml": strings.Replace(graphFile, "schema_file: trials.graphql", "schema: |\n    "+strings.ReplaceAll(strings.TrimSpace(schemaText), "\n", "\n    "), 1), "apis/trials.graphql": "-",
		}, declare.Unchanged, schemaText},
	} {
		result, err := apply(t, reg, graphed(c.changed))
		if err != nil {
			t.Fatal(err)
		}
		last := result.Items[len(result.Items)-1]
		if last.Kind != domain.KindAPI || last.Outcome != c.want || last.Warnings != nil {
			t.Errorf("%+v, want %s", last, c.want)
		}
		a, err := reg.GetAPI(t.Context(), "graph")
		if err != nil {
			t.Fatal(err)
		}
		want := &domain.GraphQL{Path: "/graphql", Schema: c.schema, Responses: domain.PassResponses, Limits: graphql.Limits{Depth: 9},
			Rules: []graphql.Rule{{Coordinate: "Study.name", Policy: [][]string{{"studies:read"}}}}}
		if diff := cmp.Diff(want, a.GraphQL); diff != "" {
			t.Error(diff)
		}
	}
}

func TestCheckSchemaFile(t *testing.T) {
	file := func(name string) map[string]string {
		return map[string]string{"apis/graph.yaml": strings.Replace(graphFile, "trials.graphql", name, 1)}
	}
	const noName = " is no name of a schema: it ends in .graphql, .graphqls or .gql and is relative to this file"
	for name, c := range map[string]struct {
		changed map[string]string
		want    string
	}{
		"right": {nil, ""},
		"D-109 out of the directory": {file("../../etc/x.graphql"),
			"apis/graph.yaml:9: graphql.schema_file there is no ../etc/x.graphql; put it into the directory, its name relative to this file"},
		"D-109 an absolute name": {file("/apis/trials.graphql"), `apis/graph.yaml:9: graphql.schema_file "/apis/trials.graphql"` + noName},
		"D-109 a file of objects, or any other": {file("../issuer.yaml"),
			`apis/graph.yaml:9: graphql.schema_file "../issuer.yaml"` + noName},
		"none": {map[string]string{"apis/trials.graphql": "-"},
			"apis/graph.yaml:9: graphql.schema_file there is no apis/trials.graphql; put it into the directory, its name relative to this file"},
		"empty": {map[string]string{"apis/trials.graphql": ""}, "apis/graph.yaml:9: graphql.schema_file names apis/trials.graphql, which is empty"},
		"both": {map[string]string{"apis/graph.yaml": graphFile + "  schema: \"type Query { a: Int }\"\n"},
			"apis/graph.yaml:9: graphql.schema_file stands there and so does schema; keep one"},
		"no name": {file(`""`), "apis/graph.yaml:7: graphql.schema is missing; write it there (SDL), or name its file: schema_file: x.graphql"},
		"a list":  {file("[a.graphql]"), "apis/graph.yaml:9: graphql.schema_file must be a single value"},
		"D-91 problems of the schema are told where they stand": {map[string]string{"apis/trials.graphql": schemaText + "type Site {\n  id: ID! @paging\n  b: Int @scopedBy(kind: \"b\")\n}\n"},
			"apis/trials.graphql:6: Site.id: @paging cannot stand on a field\napis/trials.graphql:7: Site.b: @scopedBy cannot stand on a field"},
		"D-91 all of it": {map[string]string{"apis/trials.graphql": "scalar Date\n"}, "apis/trials.graphql: the schema has no query type"},
		"D-94 rules are told where they stand": {map[string]string{"apis/graph.yaml": strings.Replace(graphFile, "Study.name", "Study.nome", 1)},
			"apis/graph.yaml:11: graphql.rules[0] Study.nome: the schema has no such coordinate: write Type, Type.field, Type.field(argument:), Input.field or Enum.VALUE"},
		"D-91 a schema among the objects": {map[string]string{"apis/graph.yaml": strings.Replace(graphFile, "schema_file: trials.graphql", "schema: |\n    type Query {\n      study: Study\n    }", 1)},
			"apis/graph.yaml:9: graphql.schema:2 Undefined type Study."},
		"fields": {map[string]string{"apis/graph.yaml": strings.Replace(graphFile, "depth", "deep", 1)},
			"apis/graph.yaml:12: graphql.limits.deep is no field; there are bytes, tokens, depth, aliases, directives, fragments, cost, values"},
	} {
		t.Run(name, func(t *testing.T) {
			told := ""
			if err := check(t, offline(), graphed(c.changed)); err != nil {
				told = err.Error()
			}
			if diff := cmp.Diff(c.want, told); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// D-109: schemas are read from within the directory only, and not without a bound.
func TestReadDirSchemas(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "a.graphql"), "a")
	if _, err := declare.ReadDir(dir); !errors.Is(err, declare.ErrNoFiles) {
		t.Errorf("no objects: %v", err)
	}
	most := strings.Repeat("#", domain.MaxSchema)
	write(filepath.Join(dir, "a.yaml"), "a")
	write(filepath.Join(dir, "below", "b.graphqls"), most)
	write(filepath.Join(dir, "below", "c.gql"), "c")
	write(filepath.Join(dir, ".hidden.graphql"), "x")
	want := []declare.File{{Name: "a.graphql", Content: b("a")}, {Name: "a.yaml", Content: b("a")}, {Name: "below/b.graphqls", Content: b(most)}, {Name: "below/c.gql", Content: b("c")}}
	got, err := declare.ReadDir(dir)
	if !slices.EqualFunc(want, got, func(a, b declare.File) bool { return a.Name == b.Name && bytes.Equal(a.Content, b.Content) }) || err != nil {
		t.Errorf("%d files, %v", len(got), err) // cmp looks at each byte by itself
	}
	write(filepath.Join(outside, "s.graphql"), "s")
	if err := os.Symlink(filepath.Join(outside, "s.graphql"), filepath.Join(dir, "link.graphql")); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(dir, "large.graphql"), most+"#")
	write(filepath.Join(dir, "latin.graphql"), "\xfc")
	_, err = declare.ReadDir(dir)
	var wrong *declare.Error
	if !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	problems := []declare.Problem{
		{File: "large.graphql", Message: fmt.Sprintf("is larger than %d bytes", domain.MaxSchema)},
		{File: "latin.graphql", Message: "is no text in UTF-8"},
		{File: "link.graphql", Message: "leads out of the directory, or nowhere; put the file itself here"},
	}
	if diff := cmp.Diff(problems, wrong.Problems); diff != "" {
		t.Error(diff)
	}
	for i := range 3 {
		write(filepath.Join(dir, fmt.Sprintf("%d.gql", i)), most)
	}
	if _, err := declare.ReadDir(dir); err == nil || !strings.Contains(err.Error(), "bytes together") {
		t.Errorf("no bound of all together: %v", err)
	}
}
