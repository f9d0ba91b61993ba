package dialect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a dialect file.
type Problem struct {
	File    string
	Line    int    // 0: the whole file
	Field   string // as in wire.response[2].from; empty: the whole file
	Message string // what is wrong and what would be right
}

// String is `file:line: field message`.
func (p Problem) String() string {
	s := p.File
	if p.Line > 0 {
		s += fmt.Sprintf(":%d", p.Line)
	}
	s += ": "
	if p.Field != "" {
		s += p.Field + " "
	}
	return s + p.Message
}

// FileError holds everything that is wrong with a dialect file.
type FileError struct{ Problems []Problem }

// Error lists the problems, one on each line.
func (e *FileError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// problems collects what is wrong while a file is read.
type problems struct {
	file  string
	lines map[string]int // of the fields that stand in the file
	list  []Problem
}

// add notes a problem of a field. A field that does not stand in the file gets
// the line of what it belongs in.
func (p *problems) add(field, format string, args ...any) {
	line, at := 0, field
	for {
		if n, ok := p.lines[at]; ok {
			line = n
			break
		}
		if at == "" {
			break
		}
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
	}
	p.list = append(p.list, Problem{File: p.file, Line: line, Field: field, Message: fmt.Sprintf(format, args...)})
}

// err is all of them in the order of the file, or nil.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return &FileError{Problems: p.list}
}

// join lists values of a closed set.
func join[T ~string](values []T) string {
	s := make([]string, len(values))
	for i, v := range values {
		s[i] = string(v)
	}
	return strings.Join(s, ", ")
}
