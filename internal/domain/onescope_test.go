package domain_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScopeComparedOnce: scope is compared in exactly one function of the token line
// (issue 2). Validation compares too, when a client is configured.
func TestScopeComparedOnce(t *testing.T) {
	found := map[string]int{}
	for _, dir := range []string{".", "../token", "../clientauth", "../authserver"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %s: %v", dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || filepath.Clean(file) == "validate.go" {
				continue
			}
			for _, where := range comparisons(t, file) {
				found[where]++
			}
		}
	}
	if found["grant.go grantScope"] == 0 {
		t.Error("grantScope compares no scopes: this test sees nothing")
	}
	delete(found, "grant.go grantScope")
	if len(found) > 0 {
		t.Errorf("scopes are compared elsewhere: %v", found)
	}
}

// comparisons lists the functions of a file that compare scopes, once for each place.
func comparisons(t *testing.T, file string) []string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	text := func(n ast.Node) string {
		return string(source[set.Position(n.Pos()).Offset:set.Position(n.End()).Offset])
	}
	var found []string
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if compares(n, text) {
				found = append(found, filepath.ToSlash(file)+" "+f.Name.Name)
			}
			return true
		})
	}
	return found
}

// compares tells x.Contains(…) of a scope, functions of slices, maps and strings over one, and
// ==, < and the like of two of which one is one.
func compares(n ast.Node, text func(ast.Node) string) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		f, ok := n.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		switch text(f.X) {
		case "slices", "strings", "maps", "bytes", "subtle":
			for _, a := range n.Args {
				if f.Sel.Name != "Join" && ofScope(text(a)) {
					return true
				}
			}
			return false
		}
		return f.Sel.Name == "Contains" && len(n.Args) == 1
	case *ast.BinaryExpr:
		switch n.Op {
		case token.EQL, token.NEQ, token.LSS, token.GTR:
			for _, side := range []ast.Expr{n.X, n.Y} {
				if ofScope(text(side)) && text(n.X) != "nil" && text(n.Y) != "nil" {
					return true
				}
			}
		}
	}
	return false
}

// ofScope reports whether an expression is a scope or part of one: not its length, and not a
// word of the dialect about scopes.
func ofScope(expr string) bool {
	for _, other := range []string{"len(", "dialect.", "d.Server.", ".From"} {
		if strings.HasPrefix(expr, other) {
			return false
		}
	}
	return strings.Contains(strings.ToLower(strings.ReplaceAll(expr, "ResourceScope", "")), "scope")
}
