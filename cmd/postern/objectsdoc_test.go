package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/registry"
	"github.com/postern-dev/postern/oauth/dialect"
)

var update = flag.Bool("update", false, "write the fields in docs/objects.md anew")

const (
	objectsPage   = "../../docs/objects.md"
	fieldsHeading = "\n## Every field"
)

// docs/objects.md lists every field with the comment that stands beside it in the code.
func TestObjectFields(t *testing.T) {
	page := read(t, objectsPage)
	before, _, _ := strings.Cut(page, fieldsHeading)
	want := before + objectFields(t)
	if *update {
		if err := os.WriteFile(objectsPage, []byte(want), 0o644); err != nil { //nolint:gosec // documentation
			t.Fatal(err)
		}
		return
	}
	if page != want {
		t.Error("docs/objects.md is not what the comments say; run go test ./cmd/postern -run TestObjectFields -update")
	}
}

// The example on the page is complete and right, and nobody is warned of it.
func TestObjectsExample(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, objectsPage), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "example.yaml"), []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	problems, warnings, err := checkObjects(t.Context(), dir, &registry.Registry{Dialects: dialect.Builtin()})
	if err != nil || len(problems) > 0 || len(warnings) > 0 {
		t.Errorf("%v, problems %v, warnings %v", err, problems, warnings)
	}
	if kinds := strings.Count("\n"+example, "\nkind: "); kinds < 6 {
		t.Errorf("it shows %d objects, want one of each kind", kinds)
	}
}

// So is that of a GraphQL API, with a schema that fits it: every field has its answers.
func TestGraphQLExample(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, objectsPage), "## A GraphQL API")
	_, rest, _ = strings.Cut(rest, "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"api.yaml": example, "trials.graphql": "type Query { study(id: ID!): Study }\ntype Study { id: ID! name: String! }\n",
		"rest.yaml": "kind: Issuer\nname: main\nurl: https://id.example.com\n---\nkind: Policy\nname: reader\nactions: {\"studies:read\": read studies}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	problems, warnings, err := checkObjects(t.Context(), dir, &registry.Registry{Dialects: dialect.Builtin()})
	if err != nil || len(problems) > 0 || len(warnings) > 0 || example == "" {
		t.Errorf("%v, problems %v, warnings %v", err, problems, warnings)
	}
}

func objectFields(t *testing.T) string {
	structs := domainStructs(t)
	var b strings.Builder
	b.WriteString(fieldsHeading + "\n\n<!-- Made from internal/domain: go test ./cmd/postern -run TestObjectFields -update -->\n")
	for _, kind := range []string{"Tier", "Policy", "Issuer", "Tenant", "API", "Client"} {
		fmt.Fprintf(&b, "\n### %s\n\n| Field | Meaning |\n|---|---|\n", kind)
		fieldRows(t, &b, structs, kind, "")
	}
	return b.String()
}

func domainStructs(t *testing.T) map[string]*ast.StructType {
	structs := make(map[string]*ast.StructType)
	for _, name := range []string{"domain/issuer", "domain/tenant", "domain/api", "domain/apiusers", "domain/client", "policy/resource", "policy/route", "graphql/rule", "graphql/limits"} {
		file, err := parser.ParseFile(token.NewFileSet(), "../../internal/"+name+".go", nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					structs[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	return structs
}

// inner are the structs that stand inside a field, and how their fields are reached from it.
var inner = map[string][2]string{
	"ceiling": {"Ceiling", "."}, "resource_scope": {"Resources", ".KIND."},
	"routes": {"Route", "[]."}, "parameters": {"Parameter", "[]."}, "timeouts": {"Timeouts", "."},
	"users": {"Users", "."}, "roles": {"Rights", ".ROLE."}, "graphql": {"GraphQL", "."}, "rules": {"Rule", "[]."}, "limits": {"Limits", "."},
}

func fieldRows(t *testing.T, b *strings.Builder, structs map[string]*ast.StructType, name, prefix string) {
	for _, f := range structs[name].Fields.List {
		tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
		field, _, _ := strings.Cut(tag.Get("yaml"), ",")
		if field == "-" {
			continue
		}
		comment := strings.TrimSpace(f.Comment.Text())
		if field == "" || comment == "" {
			t.Errorf("field %s of %s has no name in YAML or no comment", f.Names[0].Name, name)
		}
		fmt.Fprintf(b, "| `%s%s` | %s |\n", prefix, field, comment)
		if in, ok := inner[field]; ok {
			fieldRows(t, b, structs, in[0], prefix+field+in[1])
		}
	}
}
