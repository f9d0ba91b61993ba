package graphql

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// printer writes an operation and the fragments it reaches, each once, without
// comments and descriptions: what was judged, and nothing else.
type printer struct {
	text      strings.Builder
	fragments map[string]*fragment
	reached   []*fragment
	inject    func(p *printer, f *ast.Field) // hidden aliases at the head of what a field selects; nil: none
}

func reprint(op *ast.OperationDefinition, fragments map[string]*fragment, inject func(*printer, *ast.Field)) string {
	p := &printer{fragments: fragments, inject: inject}
	p.write(string(op.Operation))
	if op.Name != "" {
		p.write(" " + op.Name)
	}
	for i, v := range op.VariableDefinitions {
		p.write(map[bool]string{true: "(", false: ","}[i == 0])
		p.write("$" + v.Variable + ":" + v.Type.String())
		if v.DefaultValue != nil {
			p.write("=" + v.DefaultValue.String())
		}
	}
	if len(op.VariableDefinitions) > 0 {
		p.write(")")
	}
	p.set(op.SelectionSet, nil)
	for i := 0; i < len(p.reached); i++ { // grows as it goes
		f := p.reached[i].def
		p.write("fragment " + f.Name + " on " + f.TypeCondition)
		p.set(f.SelectionSet, nil)
	}
	return p.text.String()
}

func (p *printer) write(s string) { p.text.WriteString(s) }

func (p *printer) set(set ast.SelectionSet, of *ast.Field) {
	p.write("{")
	if of != nil && p.inject != nil {
		p.inject(p, of)
	}
	for i, sel := range set {
		if i > 0 {
			p.write(" ")
		}
		switch sel := sel.(type) {
		case *ast.Field:
			p.field(sel)
		case *ast.InlineFragment:
			p.write("...")
			if sel.TypeCondition != "" {
				p.write("on " + sel.TypeCondition)
			}
			p.directives(sel.Directives)
			p.set(sel.SelectionSet, nil)
		case *ast.FragmentSpread:
			p.write("..." + sel.Name)
			p.directives(sel.Directives)
			p.reach(p.fragments[sel.Name])
		}
	}
	p.write("}")
}

func (p *printer) reach(f *fragment) {
	for _, known := range p.reached {
		if known == f {
			return
		}
	}
	p.reached = append(p.reached, f)
}

func (p *printer) field(f *ast.Field) {
	if f.Alias != f.Name {
		p.write(f.Alias + ":")
	}
	p.write(f.Name)
	p.arguments(f.Arguments)
	p.directives(f.Directives)
	if len(f.SelectionSet) > 0 {
		p.set(f.SelectionSet, f)
	}
}

func (p *printer) arguments(list ast.ArgumentList) {
	for i, a := range list {
		p.write(map[bool]string{true: "(", false: ","}[i == 0])
		p.write(a.Name + ":" + a.Value.String())
	}
	if len(list) > 0 {
		p.write(")")
	}
}

func (p *printer) directives(list ast.DirectiveList) {
	for _, d := range list {
		p.write("@" + d.Name)
		p.arguments(d.Arguments)
	}
}
