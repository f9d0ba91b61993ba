package config_test

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

	"github.com/postern-dev/postern/internal/config"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

const page = "../../docs/configuration.md"

// docs/configuration.md says what the comments of the struct say.
func TestDocs(t *testing.T) {
	want := docs(t)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil { //nolint:gosec // documentation
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/configuration.md is not what the comments say (%v); run go test ./internal/config -update", err)
	}
}

func docs(t *testing.T) string {
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	structs := make(map[string]*ast.StructType)
	text := make(map[string]string)
	for _, decl := range file.Decls {
		g, ok := decl.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		spec := g.Specs[0].(*ast.TypeSpec)
		structs[spec.Name.Name], _ = spec.Type.(*ast.StructType)
		text[spec.Name.Name] = oneLine(g.Doc)
	}
	defaults := config.Default()
	defaults.Node = "" // the host's
	var b strings.Builder
	b.WriteString("# Configuration\n\n<!-- Made from internal/config/config.go: go test ./internal/config -update -->\n\n")
	b.WriteString("`postern serve -config postern.yaml` reads one YAML file. " + strings.TrimPrefix(text["Config"], "Config is the file. "))
	b.WriteString(" A field that is not listed here is refused, and every problem is told at once with its line: `postern check -config postern.yaml`.\n\n```yaml\n")
	b.WriteString(example)
	b.WriteString("```\n\n| Field | Left out | Meaning |\n|---|---|---|\n")
	rows(&b, structs, "Config", "", reflect.ValueOf(defaults).Elem())
	return b.String()
}

const example = `data: /var/lib/postern
master_key_file: /etc/postern/master.key
listeners:
  - address: ":443"
    surfaces: [token]
    tls: {cert_file: /etc/postern/cert.pem, key_file: /etc/postern/key.pem}
  - address: "127.0.0.1:9090"
    surfaces: [metrics, health]
`

func rows(b *strings.Builder, structs map[string]*ast.StructType, name, above string, v reflect.Value) {
	for i, f := range structs[name].Fields.List {
		field, value := v.Type().Field(i), v.Field(i)
		tag, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		inner := field.Type
		list := inner.Kind() == reflect.Slice
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		left := ""
		if !value.IsZero() && value.Kind() != reflect.Struct {
			left = fmt.Sprintf("`%v`", value.Interface())
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s |\n", above, tag, left, oneLine(f.Doc))
		if _, ok := structs[inner.Name()]; !ok {
			continue
		}
		if list {
			tag += "[]"
		}
		if value.Kind() != reflect.Struct {
			value = reflect.New(inner).Elem()
		}
		rows(b, structs, inner.Name(), above+tag+".", value)
	}
}

func oneLine(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
