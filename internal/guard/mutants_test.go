package guard_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mutated are the files that decide, by the directory of their package.
var mutated = []struct {
	dir    string
	files  []string
	suites [][]string // arguments of each run of its tests; the quick ones first
}{
	{"../policy", []string{"match.go", "path.go", "resource.go", "rights.go"}, [][]string{{"-rapid.nofailfile"}}},
	{"../graphql", []string{
		"answer.go", "arguments.go", "check.go", "decide.go", "judge.go", "limits.go", "overlap.go", "pin.go", "plan.go", "request.go", "shape.go",
		"validate.go", "value.go", "values.go", "variables.go",
	}, [][]string{{"-test.skip=^TestDifferential$", "-rapid.nofailfile"}, {"-test.run=^TestDifferential$", "-test.short", "-rapid.nofailfile"}}},
	{".", []string{
		"actor.go", "body.go", "call.go", "events.go", "explain.go", "graphql.go", "guard.go", "request.go", "token.go", "users.go", "verdict.go", "verifiers.go",
	}, [][]string{{"-test.skip=Mutat"}}},
}

// mutant is one check that is off.
type mutant struct {
	id   string
	dir  string
	at   token.Position
	in   string // function
	text string // what is changed
	to   string // what it is then
	nth  int    // of those that are alike in one function, from 1
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d in %s: %s is %s", m.at.Filename, m.at.Line, m.in, m.text, m.to)
}

// edit puts text into a source.
type edit struct {
	at   int
	text string
}

// instrumented is a file with its mutants: all of them compiled in, each turned on by its id.
type instrumented struct {
	dir, path string
	name      string // of the package
	set       *token.FileSet
	text      []byte
	edits     []edit
	mutants   []mutant
	function  string
	results   []string // types of the function at hand
}

func readMutants(t *testing.T) (all []mutant, files []*instrumented) {
	t.Helper()
	for _, p := range mutated {
		for _, name := range p.files {
			path := filepath.Join(p.dir, name)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := &instrumented{dir: p.dir, path: path, set: token.NewFileSet(), text: text}
			file, err := parser.ParseFile(s.set, path, text, 0)
			if err != nil {
				t.Fatal(err)
			}
			s.name = file.Name.Name
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
					s.function = nameOf(f)
					s.body(f.Type, f.Body)
				}
			}
			files, all = append(files, s), append(all, s.mutants...)
		}
	}
	return all, files
}

func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	return typ.(*ast.Ident).Name + "." + f.Name.Name
}

// body looks for checks in a function, and in those it holds.
func (s *instrumented) body(f *ast.FuncType, body *ast.BlockStmt) {
	was := s.results
	s.results = nil
	if f.Results != nil { // a switch whose cases are skipped ends no function
		s.edits = append(s.edits, edit{s.offset(body.Rbrace), "\npanic(\"a mutant without an end\")\n"}, edit{s.offset(body.Rbrace), ""})
	}
	if f.Results != nil {
		for _, r := range f.Results.List {
			for range max(1, len(r.Names)) {
				s.results = append(s.results, s.textOf(r.Type))
			}
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			s.body(n.Type, n.Body)
			return false
		case *ast.IfStmt:
			if s.refuses(n.Body.List) {
				s.alternatives(n.Cond, "||", "false")
			}
		case *ast.SwitchStmt:
			s.cases(n)
		case *ast.ReturnStmt:
			s.returned(n)
		}
		return true
	})
	s.results = was
}

// cases of a switch that refuse never match.
func (s *instrumented) cases(n *ast.SwitchStmt) {
	for _, c := range n.Body.List {
		c := c.(*ast.CaseClause)
		if !s.refuses(c.Body) {
			continue
		}
		for _, e := range c.List {
			if n.Tag == nil {
				s.alternatives(e, "||", "false")
			}
		}
		if n.Tag != nil || c.List == nil {
			s.skip(c)
		}
	}
}

// skip leaves out what a case does.
func (s *instrumented) skip(c *ast.CaseClause) {
	if len(c.Body) == 0 {
		return
	}
	what := "default"
	if c.List != nil {
		what = "case " + string(s.text[s.offset(c.List[0].Pos()):s.offset(c.List[len(c.List)-1].End())])
	}
	id := s.add(c.Body[0].Pos(), what, "skipped")
	s.edits = append(s.edits,
		edit{s.offset(c.Body[0].Pos()), "if mutantOff != " + id + " {\n"}, edit{s.offset(c.Body[len(c.Body)-1].End()), "\n}"})
}

// refuses reports whether statements may be those of a check: they do anything but go on as
// if nothing was wrong.
func (s *instrumented) refuses(list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	r, ok := list[len(list)-1].(*ast.ReturnStmt)
	if !ok {
		_, goesOn := list[len(list)-1].(*ast.BranchStmt)
		return !goesOn && marks(list)
	}
	for i, result := range r.Results {
		text, typ := s.textOf(result), ""
		if len(r.Results) == len(s.results) {
			typ = s.results[i]
		}
		switch {
		case typ == "bool", typ == "":
			return true
		case strings.HasSuffix(typ, "Decision"):
			return !strings.Contains(text, "Allowed: true")
		case typ == "error", typ == "*Refusal", typ == "Reason", typ == "string" && i == len(r.Results)-1:
			if text != "nil" && text != `""` {
				return true
			}
		}
	}
	return false
}

// marks reports whether statements note that something is wrong.
func marks(list []ast.Stmt) (found bool) {
	for _, st := range list {
		ast.Inspect(st, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				f, ok := n.Fun.(*ast.SelectorExpr)
				found = found || ok && strings.HasPrefix(f.Sel.Name, "refuse")
			case *ast.AssignStmt:
				for _, l := range n.Lhs {
					if sel, ok := l.(*ast.SelectorExpr); ok {
						l = sel.Sel
					}
					if id, ok := l.(*ast.Ident); ok {
						found = found || slices.Contains([]string{"odd", "hidden", "bad", "refusal", "refused", "first", "undeclared", "ok"}, id.Name)
					}
				}
			}
			return !found
		})
	}
	return found
}

// returned are the truths that a function returns: each is turned to both, and of several
// that must hold together each is left out.
func (s *instrumented) returned(r *ast.ReturnStmt) {
	if len(r.Results) != len(s.results) {
		return
	}
	for i, e := range r.Results {
		if id, ok := e.(*ast.Ident); s.results[i] != "bool" || ok && (id.Name == "true" || id.Name == "false") {
			continue
		}
		s.turn(e, "true")
		s.turn(e, "false")
		if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.LAND {
			s.alternatives(e, "&&", "true")
		}
	}
}

// alternatives turns each operand of a chain.
func (s *instrumented) alternatives(e ast.Expr, op, to string) {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op.String() == op {
		s.alternatives(b.X, op, to)
		s.alternatives(b.Y, op, to)
		return
	}
	s.turn(e, to)
}

// turn makes an expression true or false.
func (s *instrumented) turn(e ast.Expr, to string) {
	id := s.add(e.Pos(), s.textOf(e), to)
	open := map[string]string{"false": "(mutantOff != " + id + " && (", "true": "(mutantOff == " + id + " || ("}[to]
	s.edits = append(s.edits, edit{s.offset(e.Pos()), open}, edit{s.offset(e.End()), "))"})
}

func (s *instrumented) add(at token.Pos, text, to string) string {
	id := fmt.Sprintf("%s#%d", filepath.Base(s.path), len(s.mutants))
	if s.dir != "." {
		id = filepath.Base(s.dir) + "/" + id
	}
	m := mutant{id: id, dir: s.dir, at: s.set.Position(at), in: s.function, text: strings.Join(strings.Fields(text), " "), to: to, nth: 1}
	for _, o := range s.mutants {
		if o.in == m.in && o.text == m.text && o.to == m.to {
			m.nth++
		}
	}
	s.mutants = append(s.mutants, m)
	return fmt.Sprintf("%q", id)
}

func (s *instrumented) offset(p token.Pos) int { return s.set.Position(p).Offset }

func (s *instrumented) textOf(n ast.Node) string {
	return string(s.text[s.offset(n.Pos()):s.offset(n.End())])
}

// written is the source with all mutants in it. Of edits at one place, that of the
// inner expression closes first and opens last: they were found from the outside in.
func (s *instrumented) written() []byte {
	var opens, closes []edit
	for i, e := range s.edits {
		if i%2 == 0 {
			opens = append(opens, e)
		} else {
			closes = append(closes, e)
		}
	}
	slices.Reverse(closes)
	all := slices.Concat(closes, opens)
	slices.SortStableFunc(all, func(a, b edit) int { return cmp.Compare(a.at, b.at) })
	var out []byte
	last := 0
	for _, e := range all {
		out = append(append(out, s.text[last:e.at]...), e.text...)
		last = e.at
	}
	return append(out, s.text[last:]...)
}
