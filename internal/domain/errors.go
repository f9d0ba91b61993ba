package domain

import (
	"errors"
	"fmt"
	"strings"
)

// What a store and the registry answer, to be tested with errors.Is.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("changed by somebody else meanwhile") // the version given is not the current one
	ErrExists   = errors.New("exists already")
	ErrNoEvent  = errors.New("a change without its event") // Store.Change: a put or delete that f did not report
	ErrStale    = errors.New("this node has lost touch with its store")
	ErrBehind   = errors.New("the change is made, but this node has not applied it yet")
	ErrTaken    = errors.New("another request has this receipt") // Receipt
)

// Problem is one thing wrong with an object: the field by its path in the YAML
// or JSON form (`hosts[1]`), and what is wrong and what would be right.
type Problem struct {
	Field   string `json:"field"`
	Line    int    `json:"line,omitempty"` // of the text that the field holds; 0: it is about all of it
	Message string `json:"message"`
}

// Place is the field, and the line in it.
func (p Problem) Place() string {
	if p.Line == 0 {
		return p.Field
	}
	return fmt.Sprintf("%s:%d", p.Field, p.Line)
}

// Invalid is the error of an object with problems; it names them all.
type Invalid struct {
	Object   string // what it is, e.g. client "billing"
	Problems []Problem
}

// Error lists every problem, one a line where there are several.
func (e *Invalid) Error() string {
	var b strings.Builder
	b.WriteString(e.Object)
	for i, p := range e.Problems {
		if i == 0 && len(e.Problems) == 1 {
			b.WriteString(": ")
		} else {
			b.WriteString("\n  ")
		}
		b.WriteString(p.Place() + ": " + p.Message)
	}
	return b.String()
}

// AsError returns nil where there are no problems, and an *Invalid otherwise.
func AsError(object string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &Invalid{Object: object, Problems: problems}
}
