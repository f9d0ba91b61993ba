package graphql_test

import (
	"encoding/json"
	"slices"
)

// naming is what the arguments of one field name, after coercion.
type naming struct {
	asked      map[string][]string // ids that were sent, by kind: every one is asked for
	pins       map[string][]string // those of them that say where the answer lies
	kinds      []string            // that the arguments could name
	hidden     bool                // a value of an own scalar that may hold ids
	children   bool                // something could name what lies in something
	undeclared bool                // something looks like an id and is not declared
	broken     bool                // an id is missing where others are: nothing is pinned
	child      bool                // something named lies in something else that is named
	seen       map[*argument]int   // 1: with ids, 2: without, where it could pin
}

// name reads the arguments of a field.
func name(f *field, args values) *naming {
	n := &naming{asked: map[string][]string{}, pins: map[string][]string{}, seen: map[*argument]int{}}
	n.object(f.args, args, nil, true, false)
	for _, a := range f.args {
		n.look(a, a.unscoped, map[lookedAt]bool{})
	}
	if n.undeclared || n.broken {
		n.pins, n.child = map[string][]string{}, false
	}
	return n
}

// lookedAt is an input type, and whether what it stands in is declared to name nothing.
type lookedAt struct {
	typ  *definition
	free bool
}

// look finds what the schema says of an argument, whatever is sent.
func (n *naming) look(a *argument, free bool, seen map[lookedAt]bool) {
	if a.scopedBy != "" && !slices.Contains(n.kinds, a.scopedBy) {
		n.kinds = append(n.kinds, a.scopedBy)
	}
	n.children = n.children || a.childOf != ""
	if a.idLike() && !a.declared() && !free {
		n.undeclared = true
	}
	t := a.typ.base()
	if at := (lookedAt{t, free}); t.class != input || seen[at] {
		return
	} else {
		seen[at] = true
	}
	for _, i := range t.inputs {
		n.look(i, free || i.unscoped, seen)
	}
}

// object reads the members of an argument list or an input object; within are the
// input types it lies in, and pinning tells whether ids in it say where.
func (n *naming) object(of []*argument, members values, within []*definition, pinning, free bool) {
	for _, a := range of {
		value := members[a.name]
		if a.typ.base().name == "Json" && !a.unscoped && !free && !flat(value, a.typ) {
			n.hidden = true
		}
		if (a.scopedBy != "" || a.childOf != "") && pinning {
			n.seen[a] |= map[bool]int{true: 1, false: 2}[carries(value)]
			n.broken = n.broken || n.seen[a] == 3
		}
		if a.scopedBy != "" {
			n.ids(a.scopedBy, value, pinning)
		}
		if items, ok := value.([]any); ok && a.childOf != "" && slices.Contains(items, nil) {
			n.broken = true
		}
		if a.childOf != "" && carries(value) {
			if carries(members[a.childOf]) {
				n.child = n.child || pinning
			} else {
				n.broken = true
			}
		}
		if t := a.typ.base(); t.class == input {
			n.nested(t, value, within, pinning, free || a.unscoped)
		}
	}
}

func (n *naming) nested(t *definition, value any, within []*definition, pinning, free bool) {
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	}
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			n.object(t.inputs, m, append(slices.Clone(within), t), pinning && !slices.Contains(within, t), free)
		}
	}
}

func (n *naming) ids(kind string, value any, pinning bool) {
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	}
	if value == nil {
		return // null is as good as absent
	}
	for _, item := range items {
		if item == nil {
			n.broken = true
			continue
		}
		id := idText(item)
		n.asked[kind] = append(n.asked[kind], id)
		if pinning {
			n.pins[kind] = append(n.pins[kind], id)
		}
	}
}

func idText(v any) string {
	if number, ok := v.(json.Number); ok {
		return number.String()
	}
	return v.(string)
}

// carries tells whether a value names something: it is there and holds no null.
func carries(value any) bool {
	items, ok := value.([]any)
	if !ok {
		return value != nil
	}
	return len(items) > 0 && !slices.Contains(items, nil)
}

// mayPin lists the kinds that a field could pin with other arguments.
func (n *naming) mayPin(f *field, kinds []string) []string {
	switch {
	case n.undeclared || len(n.kinds) == 0:
		return nil
	case f.unscoped || n.children:
		return kinds
	}
	return n.kinds
}

// flat tells whether a value of an own scalar is a leaf, below the lists of its type.
func flat(value any, r *reference) bool {
	items, ok := value.([]any)
	if !ok {
		_, object := value.(map[string]any)
		return !object
	}
	return r.of != nil && !slices.ContainsFunc(items, func(item any) bool { return !flat(item, r.of) })
}
