package graphql

import (
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// validation is the rules of GraphQL §5 that are left to the library. Cycles of
// fragments, unknown, repeated and unused ones, and directives but skip and include
// are refused by the limits before, overlapping fields by overlap after;
// subscriptions are refused anyway. Values and possible fragments are in values.go,
// as the library's cost too much on large schemas. No rule looks for what may have been
// meant.
var validation = []core.Rule{
	rules.KnownRootTypeRule, rules.LoneAnonymousOperationRule, rules.UniqueOperationNamesRule,
	rules.KnownTypeNamesRuleWithoutSuggestions, rules.FragmentsOnCompositeTypesRule,
	rules.FieldsOnCorrectTypeRuleWithoutSuggestions, rules.ScalarLeafsRuleWithoutSuggestions,
	rules.KnownArgumentNamesRuleWithoutSuggestions, rules.UniqueArgumentNamesRule, rules.ProvidedRequiredArgumentsRule,
	rules.KnownDirectivesRule, rules.UniqueDirectivesPerLocationRule,
	rules.UniqueVariableNamesRule, rules.VariablesAreInputTypesRule, rules.NoUndefinedVariablesRule, rules.NoUnusedVariablesRule, rules.VariablesInAllowedPositionRule,
	rules.UniqueInputFieldNamesRule, rules.MaxIntrospectionDepth,
}

// read parses a document, holds it against the limits and validates all of it.
func (s *Schema) read(query string) (*ast.QueryDocument, map[string]*fragment, *Refusal) {
	limits := &s.options.Limits
	if len(query) > limits.Bytes {
		return nil, nil, tooComplex("bytes", nil)
	}
	if !utf8.ValidString(query) {
		return nil, nil, &Refusal{Reason: Malformed, Detail: "not valid UTF-8"}
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, limits.Tokens)
	if err != nil {
		return nil, nil, syntax(err)
	}
	fragments, refusal := limits.limit(doc)
	if refusal != nil {
		return nil, nil, refusal
	}
	if refusal := s.validate(doc); refusal != nil {
		return nil, nil, refusal
	}
	o := &overlap{schema: s.ast, fragments: fragments}
	for _, op := range doc.Operations {
		o.check([]ast.SelectionSet{op.SelectionSet}, true)
	}
	return doc, fragments, o.refusal
}

// validate returns the first thing that a rule finds.
func (s *Schema) validate(doc *ast.QueryDocument) (first *Refusal) {
	observers := &core.Events{}
	for i := range validation {
		rule := &validation[i]
		rule.RuleFunc(observers, func(options ...core.ErrorOption) {
			if first != nil {
				return
			}
			e := &gqlerror.Error{}
			for _, o := range options {
				o(e)
			}
			first = &Refusal{Reason: Invalid, Detail: clip(e.Message)}
			if len(e.Locations) > 0 {
				first.Line, first.Column = e.Locations[0].Line, e.Locations[0].Column
			}
		})
	}
	own := func(at *ast.Position, why string) {
		if first == nil {
			first = invalid(at, why)
		}
	}
	s.values(observers, own)
	s.possible(observers, own)
	core.Walk(s.ast, doc, observers)
	return first
}

// maxDetail is how many bytes of what the library says are kept: it may repeat the document.
const maxDetail = 200

func clip(text string) string {
	if len(text) <= maxDetail {
		return text
	}
	return strings.ToValidUTF8(text[:maxDetail], "") + "…"
}

// syntax is what the parser says. Its words go to nobody outside.
func syntax(err error) *Refusal {
	r := &Refusal{Reason: Malformed, Detail: clip(err.Error())}
	if e, ok := err.(*gqlerror.Error); ok { //nolint:errorlint // the parser returns it bare
		r.Detail = clip(e.Message)
		if strings.HasPrefix(e.Message, "exceeded ") { // the limit of tokens, or of nesting
			r.Reason = TooComplex
		}
		if len(e.Locations) > 0 {
			r.Line, r.Column = e.Locations[0].Line, e.Locations[0].Column
		}
	}
	return r
}
