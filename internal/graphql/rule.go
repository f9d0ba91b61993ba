package graphql

import "fmt"

// Rule says something of one coordinate of the schema, beside the schema or, as
// directives, in it. What is said in both places holds together.
type Rule struct {
	Coordinate string `json:"coordinate" yaml:"coordinate"` // Type, Type.field, Type.field(argument:), Input.field or Enum.VALUE (the specification's schema coordinates)

	Authenticated  bool       `json:"authenticated,omitempty" yaml:"authenticated"`     // every client may
	RequiresScopes [][]string `json:"requires_scopes,omitempty" yaml:"requires_scopes"` // OAuth scopes: all of one of the lists
	Policy         [][]string `json:"policy,omitempty" yaml:"policy"`                   // actions: all of one of the lists

	Scoped     string   `json:"scoped,omitempty" yaml:"scoped"`           // its objects belong to a resource of this kind
	By         string   `json:"by,omitempty" yaml:"by"`                   // the field with the resource's id; left out: id
	ScopedBy   string   `json:"scoped_by,omitempty" yaml:"scoped_by"`     // it names resources of this kind
	ChildOf    string   `json:"child_of,omitempty" yaml:"child_of"`       // what it names lies in what this other argument names
	Unscoped   bool     `json:"unscoped,omitempty" yaml:"unscoped"`       // it says nothing of any scoped kind
	WholeScope bool     `json:"whole_scope,omitempty" yaml:"whole_scope"` // only clients with all of the kinds
	Kinds      []string `json:"kinds,omitempty" yaml:"kinds"`             // of whole_scope; left out: every kind of the schema
	Checkable  bool     `json:"checkable,omitempty" yaml:"checkable"`     // answers may be checked instead, where responses: check
	Paging     bool     `json:"paging,omitempty" yaml:"paging"`           // it chooses no objects, only how many at a time
}

// Options are the settings of an API.
type Options struct {
	Introspection  bool   // __schema and __type, for clients with the action graphql:introspect
	CheckResponses bool   // responses: check
	Limits         Limits // zero fields: the defaults
}

// Introspect is the action that __schema and __type need where they are turned on.
const Introspect = "graphql:introspect"

// Problem is something wrong in a schema or its rules.
type Problem struct {
	Coordinate   string // "" if it is not about one
	Line, Column int    // in the schema; 0 for a rule beside it
	Rule         int    // which rule beside it, from 1; 0: none, or what several say together
	Text         string
}

func (p Problem) String() string {
	s := p.Text
	if p.Coordinate != "" {
		s = p.Coordinate + ": " + s
	}
	if p.Line > 0 {
		s = fmt.Sprintf("%d:%d: %s", p.Line, p.Column, s)
	}
	return s
}

// Axis is one of the two things that every field needs an answer to.
type Axis string

// The axes.
const (
	ActionAxis Axis = "action" // what may be done
	WhereAxis  Axis = "where"  // on which resources
)

// Gap is a field that can be reached and lacks an answer: it is refused to everybody.
type Gap struct {
	Coordinate string
	Axis       Axis
	Why        string
	Line       int // in the schema
}
