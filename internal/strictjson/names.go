package strictjson

import (
	"slices"
	"strings"
	"unicode"
)

// few is how many names are compared one by one; more go into a map, so that
// an object of many members costs no square of them.
const few = 16

// names are the member names of one object. The few of all objects that are open stand in one
// list, those of this one from its place on.
type names struct {
	from int
	set  map[string]bool
}

// add reports whether the name is new.
func (n *names) add(open *[]string, name string) bool {
	if n.set == nil {
		mine := (*open)[n.from:]
		if slices.Contains(mine, name) {
			return false
		}
		if len(mine) < few {
			if *open == nil {
				*open = make([]string, 0, 8) // room for what most documents have
			}
			*open = append(*open, name)
			return true
		}
		n.set = make(map[string]bool, 4*few)
		for _, s := range mine {
			n.set[s] = true
		}
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
