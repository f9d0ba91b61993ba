package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/postern-dev/postern"

// floor is one package of the module and every package of the module that it
// may import. Paths are relative to the module.
type floor struct {
	pkg string
	may []string
}

// floors holds the allowed edges (DESIGN §3), ground first: a package may import only
// what stands above it, and of that only what its row names. A new edge is a
// decision; it is made here.
func floors() []floor {
	return []floor{
		{"oauth", nil},
		{"internal/strictjson", nil},
		{"internal/strictyaml", nil},
		{"oauth/jwt", []string{"internal/strictjson"}},
		{"internal/inprocess", nil},
		{"oauth/dialect", []string{"internal/strictjson", "oauth"}},
		{"oauth/dialect/dialecttest", []string{"oauth", "oauth/dialect"}},
		{"oauth/resourceserver", []string{"internal/inprocess", "internal/strictjson", "oauth", "oauth/jwt"}},
		{"oauth/oauthtest", []string{"oauth/jwt", "oauth/resourceserver"}},
		{"internal/policy", nil},
		{"internal/graphql", []string{"internal/policy", "internal/strictjson"}},
		{"internal/seal", nil},
		{"internal/secret", []string{"oauth"}},
		{"internal/domain", []string{"internal/graphql", "internal/policy", "oauth", "oauth/dialect", "oauth/jwt"}},
		{"internal/config", []string{"internal/domain", "internal/strictyaml"}},
		{"internal/audit", []string{"internal/domain", "internal/policy", "internal/strictjson", "oauth/jwt"}},
		{"internal/domain/storetest", []string{"internal/audit", "internal/domain"}},
		{"internal/request", []string{"internal/domain"}},
		{"internal/ratelimit", nil},
		{"internal/keys", []string{"internal/domain", "internal/seal", "internal/secret", "oauth/dialect", "oauth/jwt"}},
		{"internal/token", []string{"internal/domain", "oauth", "oauth/dialect", "oauth/jwt"}},
		{"internal/snapshot", []string{"internal/domain", "internal/graphql", "internal/keys", "internal/policy", "internal/ratelimit", "internal/secret", "oauth", "oauth/dialect",
			"oauth/jwt"}},
		{"internal/clientauth", []string{"internal/domain", "internal/ratelimit", "internal/secret", "internal/snapshot", "oauth"}},
		{"internal/guard", []string{"internal/domain", "internal/graphql", "internal/inprocess", "internal/policy", "internal/ratelimit", "internal/snapshot",
			"internal/secret", "internal/strictjson", "oauth", "oauth/dialect", "oauth/jwt", "oauth/resourceserver"}},
		{"internal/signin", []string{"internal/domain", "internal/ratelimit", "internal/secret", "oauth"}},
		{"internal/registry", []string{"internal/domain", "internal/graphql", "internal/keys", "internal/policy", "internal/secret", "oauth", "oauth/dialect", "oauth/jwt"}},
		{"internal/sqlstore", []string{"internal/audit", "internal/domain"}},
		{"internal/sqlite", []string{"internal/sqlstore"}},
		{"internal/postgres", []string{"internal/sqlstore"}},
		{"internal/postgres/pgtest", nil},
		{"internal/declare", []string{"internal/domain", "internal/registry", "internal/strictyaml", "oauth", "oauth/dialect"}},
		{"internal/authserver", []string{"internal/audit", "internal/clientauth", "internal/domain", "internal/request",
			"internal/snapshot", "internal/token", "oauth", "oauth/dialect", "oauth/jwt"}},
		{"internal/auditlog", []string{"internal/audit", "internal/domain", "internal/guard", "internal/request"}},
		{"internal/gateway", []string{"internal/audit", "internal/auditlog", "internal/domain", "internal/guard", "internal/policy", "internal/request",
			"internal/token", "oauth/resourceserver"}},
		{"internal/admin", []string{"internal/audit", "internal/declare", "internal/domain", "internal/graphql", "internal/guard", "internal/keys", "internal/policy",
			"internal/registry", "internal/request", "internal/signin", "internal/strictjson", "oauth", "oauth/dialect"}},
		{"internal/sample", nil},
		{"internal/server", []string{"internal/admin", "internal/audit", "internal/auditlog", "internal/authserver", "internal/clientauth", "internal/config",
			"internal/domain", "internal/gateway", "internal/guard", "internal/inprocess", "internal/keys", "internal/postgres",
			"internal/ratelimit", "internal/registry", "internal/request", "internal/seal", "internal/secret", "internal/signin",
			"internal/snapshot", "internal/sqlite", "internal/sqlstore", "oauth", "oauth/dialect", "oauth/jwt", "oauth/resourceserver"}},
		{"cmd/postern", []string{"internal/admin", "internal/audit", "internal/config", "internal/declare", "internal/domain", "internal/graphql", "internal/guard",
			"internal/registry", "internal/sample", "internal/seal", "internal/server", "internal/signin", "internal/strictjson",
			"internal/strictyaml", "oauth", "oauth/dialect", "oauth/jwt"}},
		{"bench/fixture", nil},
		{"bench/load", []string{"bench/fixture"}},
		{"bench/ref", []string{"bench/fixture"}},
		{"bench/upstream", []string{"bench/fixture"}},
		{"bench", []string{"bench/fixture", "internal/admin", "internal/audit", "internal/config", "internal/declare", "internal/domain", "internal/policy",
			"internal/postgres", "internal/postgres/pgtest", "internal/registry", "internal/seal", "internal/secret", "internal/server",
			"internal/sqlite", "internal/token", "oauth"}},
	}
}

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath string
	Standard   bool
	GoFiles    []string
	Imports    []string
	Module     *struct{ Path string }
}

func TestImportsKeepToTheFloors(t *testing.T) { // DESIGN §3
	imports := map[string][]string{}
	for _, p := range goList(t, "./...") {
		if len(p.GoFiles) > 0 { // a folder of tests only is no package that others could hang on
			imports[inModule(p.ImportPath)] = own(p.Imports)
		}
	}
	for _, problem := range edgeProblems(floors(), imports) {
		t.Error(problem)
	}
}

// Whoever imports oauth/... compiles no database, CLI or web package (STYLE "FLOORS").
// The list of modules is closed, so one that nobody thought of is refused too.
func TestPublicPackagesStayLight(t *testing.T) {
	modules := []string{module, "github.com/go-jose/go-jose/v4", "go.yaml.in/yaml/v3"}
	heavy := []string{"database/sql", "html/template", "text/template"}
	found := 0
	for _, p := range goList(t, "-deps", "./oauth/...") {
		switch {
		case slices.Contains(heavy, p.ImportPath):
			t.Errorf("oauth/... compiles %s", p.ImportPath)
		case p.Standard:
		case p.Module == nil:
			t.Errorf("oauth/... compiles %s of no module", p.ImportPath)
		case !slices.Contains(modules, p.Module.Path):
			t.Errorf("oauth/... compiles %s of %s", p.ImportPath, p.Module.Path)
		case strings.HasPrefix(inModule(p.ImportPath), "oauth"):
			found++
		}
	}
	if found < 5 {
		t.Errorf("saw %d packages under oauth/, want oauth, jwt, dialect, resourceserver, oauthtest at least", found)
	}
}

// Whoever protects an API of their own compiles this and nothing more (issue 3).
func TestResourceServerCompiles(t *testing.T) {
	const jose = "github.com/go-jose/go-jose/v4"
	want := []string{jose, jose + "/cipher", jose + "/json", module + "/internal/inprocess", module + "/internal/strictjson",
		module + "/oauth", module + "/oauth/jwt", module + "/oauth/resourceserver"}
	var got []string
	for _, p := range goList(t, "-deps", "./oauth/resourceserver") {
		if !p.Standard {
			got = append(got, p.ImportPath)
		}
		if p.ImportPath == "testing" {
			t.Error("a test package is compiled into the API")
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// edgeProblems compares the table with what the packages import.
func edgeProblems(table []floor, imports map[string][]string) []string {
	var problems []string
	say := func(format string, a ...any) { problems = append(problems, fmt.Sprintf(format, a...)) }
	above := map[string]bool{}
	for _, f := range table {
		has, exists := imports[f.pkg]
		if !exists {
			say("%s: in the table, but there is no such package", f.pkg)
		}
		if above[f.pkg] {
			say("%s: twice in the table", f.pkg)
		}
		for _, to := range f.may {
			if !above[to] {
				say("%s: may import %s, which does not stand above it", f.pkg, to)
			}
			if exists && !slices.Contains(has, to) {
				say("%s: does not import %s: take the edge out of the table", f.pkg, to)
			}
		}
		for _, to := range has {
			if !slices.Contains(f.may, to) {
				say("%s: imports %s: no such edge in the table", f.pkg, to)
			}
		}
		above[f.pkg] = true
	}
	for pkg := range imports {
		if !above[pkg] {
			say("%s: not in the table", pkg)
		}
	}
	slices.Sort(problems)
	return problems
}

func TestEdgeProblems(t *testing.T) {
	table := []floor{{"ground", nil}, {"middle", []string{"ground"}}, {"roof", []string{"middle"}}}
	clean := map[string][]string{"ground": nil, "middle": {"ground"}, "roof": {"middle"}}
	with := func(pkg string, imports ...string) map[string][]string {
		m := map[string][]string{pkg: imports}
		for k, v := range clean {
			if k != pkg {
				m[k] = v
			}
		}
		return m
	}
	for _, tc := range []struct {
		name    string
		table   []floor
		imports map[string][]string
		want    []string
	}{
		{"clean", table, clean, nil},
		{"order is no excuse", table, with("roof", "ground", "middle"), []string{"roof: imports ground: no such edge in the table"}},
		{"unused edge", table, with("middle"), []string{"middle: does not import ground: take the edge out of the table"}},
		{"unknown package", table, with("shed"), []string{"shed: not in the table"}},
		{"package gone", append(table, floor{"shed", nil}), clean, []string{"shed: in the table, but there is no such package"}},
		{"upwards", []floor{{"middle", []string{"ground"}}, {"ground", nil}, {"roof", []string{"middle"}}}, clean,
			[]string{"middle: may import ground, which does not stand above it"}},
		{"twice", append(table, floor{"ground", nil}), clean, []string{"ground: twice in the table"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, edgeProblems(tc.table, tc.imports)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// goList runs `go list -json` at the root of the module.
func goList(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,GoFiles,Imports,Module"}, args...)...)
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// own keeps the imports that lie in this module.
func own(imports []string) []string {
	var in []string
	for _, path := range imports {
		if path == module || strings.HasPrefix(path, module+"/") {
			in = append(in, inModule(path))
		}
	}
	return in
}

func inModule(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}
