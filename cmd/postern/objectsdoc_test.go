package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
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

func objectFields(t *testing.T) string {
	structs := domainStructs(t)
	var b strings.Builder
	b.WriteString(fieldsHeading + "\n\n<!-- Made from internal/domain: go test ./cmd/postern -run TestObjectFields -update -->\n")
	for _, kind := range []string{"Issuer", "Tenant", "Client"} {
		fmt.Fprintf(&b, "\n### %s\n\n| Field | Meaning |\n|---|---|\n", kind)
		fieldRows(t, &b, structs, kind, "")
	}
	return b.String()
}

func domainStructs(t *testing.T) map[string]*ast.StructType {
	structs := make(map[string]*ast.StructType)
	for _, name := range []string{"domain/issuer", "domain/tenant", "domain/client", "policy/resource"} {
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

// inner are the structs that stand inside a field, and how their fields are reached.
var inner = map[string][2]string{"ceiling": {"Ceiling", "ceiling."}, "resource_scope": {"Resources", "resource_scope.KIND."}}

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
			fieldRows(t, b, structs, in[0], in[1])
		}
	}
}
