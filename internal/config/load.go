package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/strictyaml"
)

// maxFile is how large a configuration may be, in bytes.
const maxFile = 1 << 20

// Problem is one thing wrong with a configuration file.
type Problem struct {
	File    string
	Line    int    // from 1; 0: the whole file
	Field   string // by its path; empty: the whole file
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

// Error holds everything that is wrong with a configuration file.
type Error struct {
	Problems []Problem
	Read     *Config // what could be read, for those who look for further problems
}

// Error lists the problems, one on each line, in the order of the file.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Load reads a configuration. What over says goes before the file, and of two for one
// field the later; without a file (empty) they are all there is. The error is an *Error
// with every problem, or that of reading the file. Paths in what it returns are relative
// to the working directory: those of the file are no longer relative to it.
func Load(file string, over ...Override) (*Config, error) {
	data := []byte("{}")
	if file != "" {
		var err error
		if data, err = read(file); err != nil {
			return nil, err
		}
	}
	docs, found := strictyaml.Parse(data)
	r := &reader{file: file, over: over}
	for _, p := range found {
		r.problems = append(r.problems, Problem{File: file, Line: p.Line, Field: p.Field, Message: p.Message})
	}
	c := Default()
	if len(found) == 0 && len(docs) == 1 {
		r.override(docs[0])
	}
	switch {
	case len(r.problems) > 0:
	case len(docs) != 1:
		r.problems = append(r.problems, Problem{File: file, Message: fmt.Sprintf("holds %d documents; a configuration is one", len(docs))})
	default:
		r.read(docs[0], c)
	}
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
		return nil, &Error{Problems: r.problems, Read: c}
	}
	return c, nil
}

// read returns the bytes of a file that is not larger than a configuration may be.
func read(file string) ([]byte, error) {
	f, err := os.Open(file) //nolint:gosec // the administrator names it
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(data) > maxFile {
		return nil, &Error{Problems: []Problem{{File: file, Message: fmt.Sprintf("is larger than %d bytes", maxFile)}}, Read: Default()}
	}
	return data, nil
}

// reader collects the problems of one file.
type reader struct {
	file     string // empty: there is none
	over     overrides
	doc      *strictyaml.Document
	unread   map[string]bool // fields of which the form is wrong already
	problems []Problem
}

func (r *reader) read(doc *strictyaml.Document, c *Config) {
	r.doc, r.unread = doc, make(map[string]bool)
	for _, p := range doc.Decode(c) {
		r.unread[p.Field] = true
		r.note(p.Field, p.Line, p.Message)
	}
	c.check(r)
}

// override puts what does not come from the file in its place.
func (r *reader) override(doc *strictyaml.Document) {
	for _, o := range r.over {
		if wrong := doc.Set(o.Field, []byte(o.yaml())); wrong != "" {
			r.problems = append(r.problems, Problem{File: o.Source, Message: wrong})
		}
	}
}

// note tells of a problem where the field was set: in the file, or elsewhere.
func (r *reader) note(field string, line int, message string) {
	p := Problem{File: r.file, Line: line, Field: field, Message: message}
	if o := r.over.of(field); o != nil {
		p.File, p.Line = o.Source, 0
	} else if p.File == "" {
		p.File, p.Line = "configuration", 0
	}
	r.problems = append(r.problems, p)
}

// add notes a problem, unless the field could not even be read.
func (r *reader) add(field, format string, args ...any) {
	for f := field; ; f = f[:max(0, strings.LastIndexAny(f, ".["))] {
		if r.unread[f] {
			return
		}
		if f == "" {
			break
		}
	}
	r.note(field, r.doc.Line(field), fmt.Sprintf(format, args...))
}

// path makes a path in the file one from the working directory.
func (r *reader) path(field string, p *string) {
	if *p != "" && !filepath.IsAbs(*p) && r.over.of(field) == nil {
		*p = filepath.Join(filepath.Dir(r.file), *p)
	}
}

// exists resolves the path of a file that must be there.
func (r *reader) exists(field string, p *string, what string) {
	if *p == "" {
		r.add(field, "is missing; name the file of %s", what)
		return
	}
	r.path(field, p)
	switch info, err := os.Stat(*p); {
	case errors.Is(err, fs.ErrNotExist):
		r.add(field, "names %s, which does not exist", *p)
	case err != nil:
		r.add(field, "names a file that cannot be looked at: %v", err)
	case !info.Mode().IsRegular():
		r.add(field, "names %s, which is no file", *p)
	}
}
