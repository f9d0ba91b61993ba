// Package declare reads tiers, policies, issuers, tenants, APIs and clients as YAML
// and brings them into the store through registry: `postern apply -f DIR`. A file holds one
// object, or several divided by `---`; each says its `kind` and then its fields
// (docs/objects.md).
//
// What is declared is made or changed until it is as the file says, and belongs to the set
// of its files from then on. What is not declared is left alone, or deleted where it is of
// the set and Options.Prune says so. No file holds a secret: that of a new client is in the
// results, once. Export goes the other way.
package declare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// File is a file of objects.
type File struct {
	Name    string `json:"name"` // for people, relative to the directory
	Content []byte `json:"content"`
}

// Problem is one thing wrong in the files.
type Problem struct {
	File    string
	Line    int    // from 1; 0: the whole file
	Field   string // by its path; empty: the whole object
	Message string // what is wrong and what would be right
}

// Place is `file:line`.
func (p Problem) Place() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// String is `file:line: field message`.
func (p Problem) String() string {
	s := p.Place() + ": "
	if p.Field != "" {
		s += p.Field + " "
	}
	return s + p.Message
}

// Error holds everything that is wrong in the files.
type Error struct{ Problems []Problem }

// Error lists the problems, one on each line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// asError is nil where there are no problems, and an *Error in the order of the
// files otherwise.
func asError(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return &Error{Problems: problems}
}
