package strictjson

import (
	"slices"
	"strings"
	"unicode"
)

// few is how many names are compared one by one; more go into a map, so that
// an object of many members costs no square of them.
const few = 16

// names is a set of member names.
type names struct {
	first [4]string // room for what most objects have
	list  []string
	set   map[string]bool
}

// add reports whether the name is new.
func (n *names) add(name string) bool {
	if n.set == nil {
		if slices.Contains(n.list, name) {
			return false
		}
		if n.list == nil {
			n.list = n.first[:0]
		}
		n.list = append(n.list, name)
		if len(n.list) <= few {
			return true
		}
		n.set = make(map[string]bool, 4*few)
		for _, s := range n.list {
			n.set[s] = true
		}
		return true
	}
	if n.set[name] {
		return false
	}
	n.set[name] = true
	return true
}

// fold gives names that differ only in case the same form, as
// strings.EqualFold understands case.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, name)
}
