package admin

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsText string

//go:embed docs.css
var docsStyle []byte

// docsPage is what the page shows. Everything in it is escaped by the template.
type docsPage struct {
	Introduction []string
	Groups       []docsGroup
	Problems     any
	Schemas      []docsSchema
}

type docsGroup struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Description string
	Open                                   bool // it asks for no credential
	Parameters                             []docsField
	Body                                   *docsSchema
	Example                                string // of the body
	Curl                                   string
	Answers                                []docsAnswer
}

type docsAnswer struct{ Status, Meaning, Schema string }

type docsSchema struct {
	Name   string
	Fields []docsField
}

type docsField struct {
	Name, In, Type, Schema, Doc string
	Required                    bool
}

// renderDocs writes the document as a page without any script.
func renderDocs(doc *huma.OpenAPI) []byte {
	page := docsPage{Introduction: strings.Split(doc.Info.Description, "\n"), Problems: problemTypes()}
	groups := map[string][]docsOperation{}
	for path, item := range doc.Paths {
		for method, op := range methodsOf(item) {
			groups[op.Tags[0]] = append(groups[op.Tags[0]], showOperation(method, path, op))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		slices.SortFunc(groups[name], func(a, b docsOperation) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
		})
		page.Groups = append(page.Groups, docsGroup{name, groups[name]})
	}
	schemas := doc.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		page.Schemas = append(page.Schemas, docsSchema{name, showFields(schemas[name])})
	}
	var b bytes.Buffer
	if err := template.Must(template.New("docs").Funcs(template.FuncMap{"words": words}).Parse(docsText)).Execute(&b, page); err != nil {
		panic(err) // what the code says of itself: a test serves it
	}
	return b.Bytes()
}

func showOperation(method, path string, op *huma.Operation) docsOperation {
	o := docsOperation{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: op.Description, Open: len(op.Security) > 0}
	for _, p := range op.Parameters {
		kind, schema := typeName(p.Schema)
		o.Parameters = append(o.Parameters, docsField{Name: p.Name, In: p.In, Type: kind, Schema: schema, Doc: p.Description, Required: p.Required})
	}
	if op.RequestBody != nil {
		media := op.RequestBody.Content["application/json"]
		_, name := typeName(media.Schema)
		o.Body = &docsSchema{Name: name}
		if name == "" {
			o.Body.Fields = showFields(media.Schema)
		}
		if text, ok := media.Example.(json.RawMessage); ok {
			var b bytes.Buffer
			_ = json.Indent(&b, text, "", "  ") // a test reads every example
			o.Example = b.String()
		}
	}
	o.Curl = curlOf(method, path, o)
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		a := docsAnswer{Status: status, Meaning: r.Description}
		for _, media := range r.Content {
			_, a.Schema = typeName(media.Schema)
		}
		o.Answers = append(o.Answers, a)
	}
	return o
}

// curlOf is a command to try; the credential comes from a file, not from the command line.
func curlOf(method, path string, o docsOperation) string {
	var b strings.Builder
	b.WriteString("curl ")
	if method != http.MethodGet {
		fmt.Fprintf(&b, "-X %s ", method)
	}
	if !o.Open {
		b.WriteString("-H @auth ")
	}
	if o.Example != "" {
		b.WriteString("-H 'Content-Type: application/json' --data @body.json ")
	}
	return b.String() + "https://admin.example.com" + path
}

func showFields(s *huma.Schema) []docsField {
	var list []docsField
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		kind, schema := typeName(p)
		doc := p.Description
		if len(p.Enum) > 0 && name != "type" {
			doc = strings.TrimSpace(doc + " One of " + strings.Trim(fmt.Sprint(p.Enum), "[]") + ".")
		}
		list = append(list, docsField{Name: name, Type: kind, Schema: schema, Doc: doc, Required: slices.Contains(s.Required, name)})
	}
	return list
}

// typeName is a type in words, and the schema that it is one of.
func typeName(s *huma.Schema) (kind, schema string) {
	switch {
	case s == nil:
		return "anything", ""
	case s.Ref != "":
		schema = s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
		return schema, schema
	case s.Type == huma.TypeArray:
		kind, schema = typeName(s.Items)
		return "list of " + kind, schema
	case s.Type == huma.TypeObject:
		if of, ok := s.AdditionalProperties.(*huma.Schema); ok {
			kind, schema = typeName(of)
			return "map to " + kind, schema
		}
		return "object", ""
	case s.Type == "":
		return "anything", ""
	case s.Format != "":
		return s.Type + " (" + s.Format + ")", ""
	}
	return s.Type, ""
}

// run is a piece of a description: plain, or code, which stands between backticks there.
type run struct {
	Text string
	Code bool
}

func words(description string) (runs []run) {
	for i, text := range strings.Split(description, "`") {
		runs = append(runs, run{text, i%2 == 1})
	}
	return runs
}
