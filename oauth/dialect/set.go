package dialect

import (
	"embed"
	"fmt"
	"maps"
	"slices"
)

//go:embed *.yaml
var files embed.FS

// Set is the dialects that there are, by name.
type Set struct {
	byName map[string]*Dialect
	own    map[string]bool // names of those that came from files of the user
}

// Builtin returns the dialects that come with this package.
func Builtin() Set {
	s, err := NewSet()
	if err != nil {
		panic(err) // the files are part of the program, and tested
	}
	return s
}

// NewSet returns the dialects of this package and the user's own, whose names
// must differ from those and from each other.
func NewSet(user ...*Dialect) (Set, error) {
	s := Set{byName: make(map[string]*Dialect), own: make(map[string]bool)}
	entries, err := files.ReadDir(".")
	if err != nil {
		return Set{}, fmt.Errorf("read built-in dialects: %w", err)
	}
	for _, entry := range entries {
		data, err := files.ReadFile(entry.Name())
		if err != nil {
			return Set{}, fmt.Errorf("read built-in dialects: %w", err)
		}
		d, err := Load(entry.Name(), data)
		if err != nil {
			return Set{}, err
		}
		s.byName[d.Name] = d
	}
	for _, d := range user {
		if _, taken := s.byName[d.Name]; taken {
			return Set{}, fmt.Errorf("dialect name %s is taken: choose another", d.Name)
		}
		s.byName[d.Name], s.own[d.Name] = d, true
	}
	return s, nil
}

// Get returns the dialect of that name.
func (s Set) Get(name string) (*Dialect, bool) {
	d, ok := s.byName[name]
	return d, ok
}

// Names lists the dialects in alphabetical order.
func (s Set) Names() []string { return slices.Sorted(maps.Keys(s.byName)) }

// Own reports whether the dialect came from a file of the user, for which HS256
// also needs a word in the configuration.
func (s Set) Own(name string) bool { return s.own[name] }

// Source returns the file of a built-in dialect.
func Source(name string) ([]byte, error) { return files.ReadFile(name + ".yaml") }
