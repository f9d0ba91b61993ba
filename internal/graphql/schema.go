package graphql

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/postern-dev/postern/internal/policy"
)

// Schema is an annotated schema made ready. It does not change.
type Schema struct {
	ast        *ast.Schema
	options    Options
	kinds      []string                    // resource kinds; their places are the bits of a kindSet
	wants      []want                      // requirements of the action axis, each once
	types      map[string]*typeRule        // objects, interfaces, unions
	inputs     map[string]*inputRule       // input objects
	enums      map[string]map[string][]int // requirements of each value of an enum
	prefix     string                      // of hidden aliases
	introspect int                         // the requirement of __schema and __type
	all        []policy.Need               // of each kind, all
	everything []source                    // pins every kind
}

// Kinds are the resource kinds that the schema names, in alphabetical order.
func (s *Schema) Kinds() []string { return s.kinds }

// kindSet is a set of kinds by their places in Schema.kinds.
type kindSet uint64

const maxKinds = 64

func (k kindSet) has(i int) bool { return k&(1<<i) != 0 }

// want is an OR of ANDs: one of the alternatives is enough.
type want struct {
	key          string
	alternatives []policy.Need
}

// scoping says that the objects of a type belong to a resource.
type scoping struct {
	kind  int
	by    string // field with the id
	alias string // under which answers carry it
}

// typeRule is what holds for a type that has fields or members.
type typeRule struct {
	name     string
	def      *ast.Definition
	wants    []int // with those of its interfaces
	answered bool  // on the action axis
	scopings []scoping
	unscoped bool
	builtin  bool
	fields   map[string]*fieldRule  // of objects
	possible []*typeRule            // object types that may stand for it; an object: itself
	set      map[*typeRule]struct{} // of possible
	carries  kindSet                // of a plain type: what it contains
}

func (t *typeRule) plain() bool { return len(t.scopings) == 0 && !t.unscoped }

// fieldRule is what holds for a field of an object type, with what the type's
// interfaces say of it.
type fieldRule struct {
	coordinate string
	def        *ast.FieldDefinition
	wants      []int
	answered   bool // on the action axis, by itself or its type
	unscoped   bool
	whole      kindSet // all of these are needed
	wholeScope bool
	checkable  bool
	mutation   bool
	refused    string // why nobody may have it
	args       []*slotRule
	result     *typeRule // nil: a leaf
	opaque     bool      // a leaf of a type that may hold anything
	undeclared string    // id-like argument that nothing is said of
	pins       kindSet   // what its arguments may pin
	slots      bool      // arguments have to be looked at
}

func (f *fieldRule) arg(name string) *slotRule {
	for _, a := range f.args {
		if a.name == name {
			return a
		}
	}
	return nil
}

// slotRule is what holds for an argument or an input field.
type slotRule struct {
	name    string
	typ     *ast.Type
	value   *ast.Value // default
	wants   []int
	kind    int // of what it names; -1: it names nothing
	parent  *slotRule
	child   bool
	exempt  bool // @unscoped
	paging  bool
	idLike  bool
	object  *inputRule       // its type, if that is an input object
	enum    map[string][]int // rules of the values of its type
	opaque  bool             // its type may hold anything
	watched bool             // has to be looked at, or something in it
}

// inputRule is what holds for an input object.
type inputRule struct {
	name    string
	def     *ast.Definition
	fields  []*slotRule
	watched bool
}
