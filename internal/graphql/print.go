package graphql

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// printer writes an operation and the fragments it reaches, each once, without
// comments and descriptions: what was judged, and nothing else.
type printer struct {
	strings.Builder
	fragments map[string]*fragment
	reached   []*fragment
	inject    func(p *printer, f *ast.Field) // hidden aliases at the head of what a field selects; nil: none
}

func reprint(op *ast.OperationDefinition, fragments map[string]*fragment, inject func(*printer, *ast.Field)) string {
	p := &printer{fragments: fragments, inject: inject}
	p.WriteString(string(op.Operation))
	if op.Name != "" {
		p.WriteString(" " + op.Name)
	}
	for i, v := range op.VariableDefinitions {
		p.WriteString(map[bool]string{true: "(", false: ","}[i == 0])
		p.WriteString("$" + v.Variable + ":" + v.Type.String())
		if v.DefaultValue != nil {
			p.WriteString("=" + v.DefaultValue.String())
		}
	}
	if len(op.VariableDefinitions) > 0 {
		p.WriteByte(')')
	}
	p.set(op.SelectionSet, nil)
	for i := 0; i < len(p.reached); i++ { // grows as it goes
		f := p.reached[i].def
		p.WriteString("fragment " + f.Name + " on " + f.TypeCondition)
		p.set(f.SelectionSet, nil)
	}
	return p.String()
}

func (p *printer) set(set ast.SelectionSet, of *ast.Field) {
	p.WriteByte('{')
	if of != nil && p.inject != nil {
		p.inject(p, of)
	}
	for i, sel := range set {
		if i > 0 {
			p.WriteByte(' ')
		}
		switch sel := sel.(type) {
		case *ast.Field:
			p.field(sel)
		case *ast.InlineFragment:
			p.WriteString("...")
			if sel.TypeCondition != "" {
				p.WriteString("on " + sel.TypeCondition)
			}
			p.directives(sel.Directives)
			p.set(sel.SelectionSet, nil)
		case *ast.FragmentSpread:
			p.WriteString("..." + sel.Name)
			p.directives(sel.Directives)
			p.reach(p.fragments[sel.Name])
		}
	}
	p.WriteByte('}')
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
		p.WriteString(f.Alias + ":")
	}
	p.WriteString(f.Name)
	p.arguments(f.Arguments)
	p.directives(f.Directives)
	if len(f.SelectionSet) > 0 {
		p.set(f.SelectionSet, f)
	}
}

func (p *printer) arguments(list ast.ArgumentList) {
	for i, a := range list {
		p.WriteString(map[bool]string{true: "(", false: ","}[i == 0])
		p.WriteString(a.Name + ":" + a.Value.String())
	}
	if len(list) > 0 {
		p.WriteByte(')')
	}
}

func (p *printer) directives(list ast.DirectiveList) {
	for _, d := range list {
		p.WriteString("@" + d.Name)
		p.arguments(d.Arguments)
	}
}
