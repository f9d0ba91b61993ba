package graphql

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Plan is one operation of a document made ready: what it needs, whatever its
// variables are, and what is forwarded. It does not change.
type Plan struct {
	schema    *Schema
	mutation  bool
	name      string
	plain     form
	checked   form // with hidden aliases; empty if answers are not checked
	variables []variable
	declared  map[string]int // places of the variables, by name
	checks    []check
	pins      []pin
	spots     []spot
	answer    *shape
}

// Mutation reports whether the operation is a mutation (D-82).
func (p *Plan) Mutation() bool { return p.mutation }

// OperationName is the name of the operation, "" if it has none. It is forwarded.
func (p *Plan) OperationName() string { return p.name }

// Document is what is forwarded: the operation and the fragments it reaches,
// re-printed. With check it carries the hidden aliases that CheckResponse looks for.
func (p *Plan) Document(check bool) string {
	if check {
		return p.checked.document
	}
	return p.plain.document
}

// check is one thing that is needed, in the order of the document. Exactly one of
// want, pin and kind is not negative.
type check struct {
	want, pin, kind int
	unless          []source // for kind: pinned by one of these
	answered        bool     // for kind: or by looking at the answer
	spot            int
}

// spot is where a check comes from.
type spot struct {
	coordinate string
	path       *trail
	at         *ast.Position
}

// trail is a field and those above it.
type trail struct {
	above *trail
	name  string
}

func (t *trail) String() string {
	var names []string
	for ; t != nil; t = t.above {
		names = append(names, t.name)
	}
	slices.Reverse(names)
	return strings.Join(names, ".")
}

// source is something that may pin kinds.
type source struct {
	kinds   kindSet
	pin     int // the arguments that have to carry ids; -1: certain
	promise bool
}

// Plan reads a document and makes the operation ready that name chooses. The error
// is a *Refusal.
func (s *Schema) Plan(query, name string) (*Plan, error) {
	doc, fragments, refusal := s.read(query)
	if refusal != nil {
		return nil, refusal
	}
	op, refusal := choose(doc, name)
	if refusal != nil {
		return nil, refusal
	}
	p := &Plan{schema: s, name: op.Name, mutation: op.Operation == ast.Mutation}
	j := judge{Plan: p, fragments: fragments, wanted: make([]bool, len(s.wants)), below: stands{}}
	if refusal := j.operation(op); refusal != nil {
		return nil, refusal
	}
	p.plain = p.form(reprint(op, fragments, nil))
	if s.options.CheckResponses {
		if refusal := p.prepareCheck(op, fragments); refusal != nil {
			return nil, refusal
		}
	}
	return p, nil
}

// choose finds the operation that is executed (GraphQL §6.1, D-78).
func choose(doc *ast.QueryDocument, name string) (*ast.OperationDefinition, *Refusal) {
	var op *ast.OperationDefinition
	switch {
	case name == "" && len(doc.Operations) == 1:
		op = doc.Operations[0]
	case name != "":
		op = doc.Operations.ForName(name)
		if op != nil && op.Name != name {
			op = nil // ForName takes a lone operation under any name
		}
	}
	if op == nil {
		return nil, &Refusal{Reason: NoOperation}
	}
	if op.Operation == ast.Subscription { // D-90
		return nil, standing(&Refusal{Reason: NotSupported, Detail: "subscriptions"}, op.Position)
	}
	return op, nil
}
