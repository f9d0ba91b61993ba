package server_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Words that Go code may not hold (STYLE "WORDS", "DATA, NOT BRANCHES").
const (
	vendors   = `(?i)trialbee|omnilab|vibes|bipsync|arbitex`
	shapeless = `^(util|helper|common|manager)s?$`
	leftOpen  = `\b(TODO|FIXME|XXX)\b`
)

// mayNameVendors are the folders beside tests where a vendor's name may stand in Go.
func mayNameVendors() []string { return []string{"internal/sample", "interop", "bench"} }

func TestGoFilesKeepToTheHouseStyle(t *testing.T) {
	root := os.DirFS("../..")
	seen := 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "testdata" || name == "bin" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		seen++
		for _, problem := range nameProblems(name, src) {
			t.Error(problem)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 50 {
		t.Errorf("read %d Go files: this is not the whole module", seen)
	}
}

// nameProblems reads one Go file. Tests may name vendors and have any function;
// nothing is left open anywhere.
func nameProblems(name string, src []byte) []string {
	var problems []string
	files := token.NewFileSet()
	say := func(line int, format string, a ...any) {
		problems = append(problems, fmt.Sprintf("%s:%d: %s", name, line, fmt.Sprintf(format, a...)))
	}
	file, err := parser.ParseFile(files, name, src, parser.ParseComments)
	if err != nil {
		return []string{err.Error()}
	}
	for _, c := range file.Comments {
		if word := regexp.MustCompile(leftOpen).FindString(c.Text()); word != "" {
			say(files.Position(c.Pos()).Line, "%s: do it, or say it in the issue", word)
		}
	}
	shape := regexp.MustCompile(shapeless)
	if dir := path.Base(path.Dir(name)); shape.MatchString(dir) || shape.MatchString(file.Name.Name) {
		say(files.Position(file.Name.Pos()).Line, "package %s in %s: name the noun that it owns", file.Name.Name, dir)
	}
	if strings.HasSuffix(name, "_test.go") {
		return problems
	}
	for _, d := range file.Decls {
		if f, is := d.(*ast.FuncDecl); is && f.Recv == nil && f.Name.Name == "init" {
			say(files.Position(f.Pos()).Line, "func init: closed sets are slices, not registrations")
		}
	}
	return append(problems, vendorProblems(name, src)...)
}

// vendorProblems looks for vendors' names in a file that is not a test, its name included.
func vendorProblems(name string, src []byte) []string {
	if slices.ContainsFunc(mayNameVendors(), func(dir string) bool { return strings.HasPrefix(name, dir+"/") }) {
		return nil
	}
	var problems []string
	find := regexp.MustCompile(vendors)
	if word := find.FindString(name); word != "" {
		problems = append(problems, fmt.Sprintf("%s: a file named after a vendor", name))
	}
	line := 0
	for text := range strings.Lines(string(src)) {
		line++
		if word := find.FindString(text); word != "" {
			problems = append(problems, fmt.Sprintf("%s:%d: vendor's name %q: what differs is data of the dialect", name, line, word))
		}
	}
	return problems
}

func TestNameProblems(t *testing.T) {
	for _, tc := range []struct {
		name, file, src string
		want            []string
	}{
		{"clean", "oauth/a.go", "package oauth\n\nfunc (T) init() {}\n", nil},
		{"vendor", "oauth/a.go", "package oauth\n\n// as OmniLab does\n", []string{`oauth/a.go:3: vendor's name "OmniLab": what differs is data of the dialect`}},
		{"vendor in a string", "cmd/postern/a.go", "package main\n\nvar a = `\nvibes`\n", []string{`cmd/postern/a.go:4: vendor's name "vibes": what differs is data of the dialect`}},
		{"file of a vendor", "oauth/dialect/bipsync.go", "package dialect\n", []string{"oauth/dialect/bipsync.go: a file named after a vendor"}},
		{"vendor in a test", "oauth/a_test.go", "package oauth\n\n// Arbitex\n", nil},
		{"vendor in the bench", "bench/a.go", "package main\n\n// Trialbee\n", nil},
		{"a folder that only begins so", "benches/a.go", "package main\n\n// Trialbee\n", []string{`benches/a.go:3: vendor's name "Trialbee": what differs is data of the dialect`}},
		{"init", "oauth/a.go", "package oauth\n\nfunc init() {}\n", []string{"oauth/a.go:3: func init: closed sets are slices, not registrations"}},
		{"folder", "internal/utils/a.go", "package text\n", []string{"internal/utils/a.go:1: package text in utils: name the noun that it owns"}},
		{"package", "internal/key/a.go", "package manager\n", []string{"internal/key/a.go:1: package manager in key: name the noun that it owns"}},
		{"left open", "oauth/a_test.go", "package oauth\n\n// FIXME: later\n", []string{"oauth/a_test.go:3: FIXME: do it, or say it in the issue"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, nameProblems(tc.file, []byte(tc.src))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
