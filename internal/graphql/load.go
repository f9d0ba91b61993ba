package graphql

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// maxSchema is how many bytes a schema may have.
const maxSchema = 16 << 20

// Load reads an annotated schema (SDL) and the rules that stand beside it. Where
// there are problems, all that could be found at once are returned and no schema.
func Load(sdl string, rules []Rule, options Options) (*Schema, []Problem) {
	l := &loader{said: map[string]*statement{}, schema: &Schema{
		options: options, prefix: aliasPrefix(),
		types: map[string]*typeRule{}, inputs: map[string]*inputRule{}, enums: map[string]map[string][]int{},
	}}
	l.schema.options.Limits = options.Limits.defaults()
	if l.parse(sdl) {
		l.directives()
		for i := range rules {
			before := len(l.problems)
			l.beside(&rules[i])
			for n := range l.problems[before:] {
				l.problems[before+n].Rule = i + 1
			}
		}
		l.compile()
	}
	if len(l.problems) > 0 {
		slices.SortStableFunc(l.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
		return nil, l.problems
	}
	return l.schema, nil
}

// aliasPrefix is different in every process, so that nobody outside can have an
// answer's hidden member under a name of their own (RULES "Guard, GraphQL").
func aliasPrefix() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	return "p" + hex.EncodeToString(b[:]) + "_"
}

// loader makes a schema.
type loader struct {
	schema   *Schema
	said     map[string]*statement // by coordinate
	problems []Problem
}

func (l *loader) problem(coordinate string, at *ast.Position, text string) {
	p := Problem{Coordinate: coordinate, Text: text}
	if at != nil && (at.Src == nil || !at.Src.BuiltIn) {
		p.Line, p.Column = at.Line, at.Column
	}
	if !slices.Contains(l.problems, p) {
		l.problems = append(l.problems, p)
	}
}

func (l *loader) parse(sdl string) bool {
	if len(sdl) > maxSchema || !utf8.ValidString(sdl) {
		l.problem("", nil, "the schema is not valid UTF-8 text of at most 16 MiB")
		return false
	}
	doc, err := parser.ParseSchemas(validator.Prelude, &ast.Source{Name: "schema", Input: sdl})
	if err != nil {
		l.wrong(err)
		return false
	}
	if l.builtins(doc); len(l.problems) > 0 {
		return false
	}
	l.adopt(doc)
	s, err := validator.ValidateSchemaDocument(doc)
	if err != nil {
		l.wrong(err)
		return false
	}
	if s.Query == nil {
		l.problem("", nil, "the schema has no query type")
		return false
	}
	l.schema.ast = s
	return true
}

// builtins refuses a schema that adds to the specification's own types: what they
// mean is not ours to judge.
func (l *loader) builtins(doc *ast.SchemaDocument) {
	names := map[string]bool{}
	for _, def := range doc.Definitions {
		if def.BuiltIn {
			names[def.Name] = true
		}
	}
	for _, ext := range doc.Extensions {
		if names[ext.Name] {
			l.problem(ext.Name, ext.Position, "a built-in type cannot be extended")
		}
	}
}

// wrong tells what gqlparser found.
func (l *loader) wrong(err error) {
	p := Problem{Text: err.Error()}
	if e, ok := errors.AsType[*gqlerror.Error](err); ok {
		p.Text = e.Message
		if len(e.Locations) > 0 {
			p.Line, p.Column = e.Locations[0].Line, e.Locations[0].Column
		}
	}
	l.problems = append(l.problems, p)
}

// directives takes down what the schema itself says.
func (l *loader) directives() {
	for _, name := range slices.Sorted(maps.Keys(l.schema.ast.Types)) {
		def := l.schema.ast.Types[name]
		if def.BuiltIn {
			continue
		}
		l.say(name, placeOf(def), def.Directives)
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			at, p := name+"."+f.Name, onField
			if def.Kind == ast.InputObject {
				p = onInputField
			}
			l.say(at, p, f.Directives)
			for _, a := range f.Arguments {
				l.say(at+"("+a.Name+":)", onArgument, a.Directives)
			}
		}
		for _, v := range def.EnumValues {
			l.say(name+"."+v.Name, onEnumValue, v.Directives)
		}
	}
}

func (l *loader) say(coordinate string, p place, list ast.DirectiveList) {
	for _, d := range list {
		if d.Name == "oneOf" {
			continue
		}
		r, wrong := ruleOf(d)
		if wrong != "" {
			l.problem(coordinate, d.Position, wrong)
			continue
		}
		r.Coordinate = coordinate
		l.state(&r, p, d.Position)
	}
}

// beside takes down a rule that stands beside the schema.
func (l *loader) beside(r *Rule) {
	p := l.find(r.Coordinate)
	if p == nowhere {
		l.problem(r.Coordinate, nil, "the schema has no such coordinate: write Type, Type.field, Type.field(argument:), Input.field or Enum.VALUE")
		return
	}
	l.state(r, p, nil)
}

// find says what a coordinate names.
func (l *loader) find(coordinate string) place {
	owner, rest, more := strings.Cut(coordinate, ".")
	def := l.schema.ast.Types[owner]
	if def == nil || def.BuiltIn {
		return nowhere
	}
	if !more {
		return placeOf(def)
	}
	member, argument, has := strings.Cut(rest, "(")
	field := def.Fields.ForName(member)
	switch {
	case has && field != nil:
		name, ok := strings.CutSuffix(argument, ":)")
		if !ok || field.Arguments.ForName(name) == nil {
			return nowhere
		}
		return onArgument
	case has || strings.HasPrefix(member, "__"):
		return nowhere
	case field != nil && def.Kind == ast.InputObject:
		return onInputField
	case field != nil:
		return onField
	case def.EnumValues.ForName(member) != nil:
		return onEnumValue
	}
	return nowhere
}
