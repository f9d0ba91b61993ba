package graphql_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/graphql"
)

// The reference's own model of an annotated schema. It knows nothing of gqlparser
// nor of the engine: it is printed as SDL for them.

type class int

const (
	object class = iota
	iface
	union
	enum
	input
	scalar
)

// demand is what stands on the action axis at one place: every member holds.
type demand []clause

// clause is one directive: any client, or all words of one of the alternatives.
type clause struct {
	scopes bool // words are OAuth scopes, else actions
	any    [][]string
}

type scoping struct{ kind, by string }

type definition struct {
	name     string
	class    class
	demand   demand
	scoped   *scoping
	unscoped bool
	ifaces   []*definition // of an object
	members  []*definition // objects that an interface or a union may be
	fields   []*field
	inputs   []*argument
	values   []*enumValue
}

type enumValue struct {
	name   string
	demand demand
}

// reference is a type as it is written: a name, or a list.
type reference struct {
	named   *definition
	of      *reference
	nonNull bool
}

type field struct {
	name      string
	typ       *reference
	args      []*argument
	demand    demand
	unscoped  bool
	checkable bool
	whole     bool
	kinds     []string // of whole; none: all
	quiet     bool     // the words of the where axis stand on the interface or on the objects only
}

// argument is one of a field, or a field of an input object.
type argument struct {
	name     string
	typ      *reference
	demand   demand
	scopedBy string
	childOf  string
	unscoped bool
	paging   bool
	literal  string // the default, "" for none
	quiet    bool   // as of a field
}

type model struct {
	kinds    []string
	types    []*definition // in printing order
	byName   map[string]*definition
	query    *definition
	mutation *definition
}

func (r *reference) String() string {
	s := ""
	if r.of != nil {
		s = "[" + r.of.String() + "]"
	} else {
		s = r.named.name
	}
	if r.nonNull {
		s += "!"
	}
	return s
}

func (r *reference) base() *definition {
	for r.of != nil {
		r = r.of
	}
	return r.named
}

func (d *definition) leaf() bool { return d.class == enum || d.class == scalar }

// possible lists the objects that may stand where d is asked for.
func (d *definition) possible() []*definition {
	if d.class == object {
		return []*definition{d}
	}
	return d.members
}

func (d *definition) field(name string) *field {
	for _, f := range d.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

// scopings are those of the type and of its interfaces.
func (d *definition) scopings() []scoping {
	var all []scoping
	for _, t := range append([]*definition{d}, d.ifaces...) {
		if t.scoped != nil && !slices.Contains(all, *t.scoped) {
			all = append(all, *t.scoped)
		}
	}
	return all
}

// scopedOnly tells whether nothing but scoped objects may stand there.
func (d *definition) scopedOnly() bool {
	return !d.leaf() && !slices.ContainsFunc(d.possible(), func(o *definition) bool { return len(o.scopings()) == 0 })
}

func (d *definition) plain() bool { return !d.unscoped && len(d.scopings()) == 0 }

// idLike tells whether an argument looks like an id.
func (a *argument) idLike() bool {
	return a.typ.base().name == "ID" || a.name == "id" || a.name == "ids" || strings.HasSuffix(a.name, "Id") || strings.HasSuffix(a.name, "Ids")
}

func (a *argument) declared() bool {
	return a.scopedBy != "" || a.childOf != "" || a.unscoped
}

// beside takes what half of the coordinates say out of the schema, as rules that
// stand beside it.
type printer struct {
	s     *source // nil: everything in the schema
	out   strings.Builder
	rules []graphql.Rule
}

// sdl prints the schema; with a source, some of what it says becomes rules.
func (m *model) sdl(s *source) (string, []graphql.Rule) {
	p := &printer{s: s}
	for _, t := range m.types {
		p.definition(t)
	}
	return p.out.String(), p.rules
}

func (p *printer) definition(t *definition) {
	head := map[class]string{object: "type", iface: "interface", union: "union", enum: "enum", input: "input", scalar: "scalar"}[t.class]
	fmt.Fprintf(&p.out, "%s %s", head, t.name)
	for i, f := range t.ifaces {
		p.out.WriteString([]string{" implements ", " & "}[min(i, 1)] + f.name)
	}
	p.words(t.name, t.demand, func(r *graphql.Rule) {
		if t.scoped != nil {
			r.Scoped, r.By = t.scoped.kind, t.scoped.by
		}
		r.Unscoped = t.unscoped
	})
	if t.class == union {
		for i, o := range t.members {
			p.out.WriteString([]string{" = ", " | "}[min(i, 1)] + o.name)
		}
	}
	if t.class == scalar || t.class == union {
		p.out.WriteString("\n")
		return
	}
	p.out.WriteString(" {\n")
	for _, f := range t.fields {
		p.field(t, f)
	}
	for _, a := range t.inputs {
		p.out.WriteString("  ")
		p.argument(t.name+"."+a.name, a)
		p.out.WriteString("\n")
	}
	for _, v := range t.values {
		p.out.WriteString("  " + v.name)
		p.words(t.name+"."+v.name, v.demand, nil)
		p.out.WriteString("\n")
	}
	p.out.WriteString("}\n")
}

func (p *printer) field(t *definition, f *field) {
	p.out.WriteString("  " + f.name)
	for i, a := range f.args {
		p.out.WriteString([]string{"(", ", "}[min(i, 1)])
		p.argument(t.name+"."+f.name+"("+a.name+":)", a)
	}
	if len(f.args) > 0 {
		p.out.WriteString(")")
	}
	p.out.WriteString(": " + f.typ.String())
	p.words(t.name+"."+f.name, f.demand, func(r *graphql.Rule) {
		if f.quiet {
			return
		}
		r.Unscoped, r.Checkable, r.WholeScope, r.Kinds = f.unscoped, f.checkable, f.whole, f.kinds
	})
	p.out.WriteString("\n")
}

func (p *printer) argument(coordinate string, a *argument) {
	p.out.WriteString(a.name + ": " + a.typ.String())
	if a.literal != "" {
		p.out.WriteString(" = " + a.literal)
	}
	p.words(coordinate, a.demand, func(r *graphql.Rule) {
		if a.quiet {
			return
		}
		r.ScopedBy, r.ChildOf, r.Unscoped, r.Paging = a.scopedBy, a.childOf, a.unscoped, a.paging
	})
}

// words says what stands at a coordinate, in the schema or beside it.
func (p *printer) words(coordinate string, d demand, where func(*graphql.Rule)) {
	r := graphql.Rule{Coordinate: coordinate}
	aside := p.s != nil && p.s.percent(20)
	if where != nil {
		where(&r)
	}
	for _, c := range d {
		p.clause(&r, c, aside)
	}
	if aside {
		if r.Authenticated || r.RequiresScopes != nil || r.Policy != nil || r.Scoped != "" || r.ScopedBy != "" || r.ChildOf != "" || r.Unscoped || r.WholeScope || r.Checkable || r.Paging {
			p.rules = append(p.rules, r)
		}
		return
	}
	p.directives(&r)
}

// clause puts one into the rule where there is room, else into the schema.
func (p *printer) clause(r *graphql.Rule, c clause, aside bool) {
	switch {
	case c.any == nil && aside:
		r.Authenticated = true
	case c.any == nil:
		p.out.WriteString(" @authenticated")
	case c.scopes && aside && r.RequiresScopes == nil:
		r.RequiresScopes = c.any
	case c.scopes:
		p.out.WriteString(" @requiresScopes(scopes: " + lists(c.any) + ")")
	case aside && r.Policy == nil:
		r.Policy = c.any
	default:
		p.out.WriteString(" @policy(policies: " + lists(c.any) + ")")
	}
}

func (p *printer) directives(r *graphql.Rule) {
	if r.Scoped != "" {
		fmt.Fprintf(&p.out, " @scoped(kind: %q", r.Scoped)
		if r.By != "id" {
			fmt.Fprintf(&p.out, ", by: %q", r.By)
		}
		p.out.WriteString(")")
	}
	for _, d := range []struct {
		there bool
		text  string
	}{
		{r.ScopedBy != "", fmt.Sprintf(" @scopedBy(kind: %q)", r.ScopedBy)},
		{r.ChildOf != "", fmt.Sprintf(" @childOf(arg: %q)", r.ChildOf)},
		{r.Unscoped, " @unscoped"},
		{r.Checkable, " @checkable"},
		{r.Paging, " @paging"},
		{r.WholeScope && len(r.Kinds) == 0, " @wholeScope"},
		{r.WholeScope && len(r.Kinds) > 0, " @wholeScope(kinds: " + list(r.Kinds) + ")"},
	} {
		if d.there {
			p.out.WriteString(d.text)
		}
	}
}

func list(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func lists(words [][]string) string {
	inner := make([]string, len(words))
	for i, w := range words {
		inner[i] = list(w)
	}
	return "[" + strings.Join(inner, ", ") + "]"
}
