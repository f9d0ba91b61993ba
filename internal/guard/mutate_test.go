package guard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Every check of the guard that is turned off must fail a test: of its package, or of this
// one (issue 4). All are compiled in at once; which one is off the process is told by its
// environment. POSTERN_MUTATE=1 (make mutate) plays them, or those whose id, as in
// graphql/pin.go#7, holds POSTERN_MUTANTS; else only the list of those that change nothing is
// held against the sources.
func TestMutatedChecks(t *testing.T) {
	all, files := readMutants(t)
	var play []mutant
	for _, m := range all {
		if !excused(m) && strings.Contains(m.id, os.Getenv("POSTERN_MUTANTS")) {
			play = append(play, m)
		}
	}
	for _, e := range equivalents {
		if !e.found {
			t.Errorf("no mutant is %s: %q to %s (%d); if the check has gone, so should this", e.in, e.text, e.to, max(1, e.nth))
		}
	}
	if os.Getenv("POSTERN_MUTATE") != "1" {
		t.Skipf("%d mutants wait for POSTERN_MUTATE=1", len(play))
	}
	h := build(t, files)
	h.control(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	next, survivors := 0, 0
	for range 2 {
		group.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(play) {
					return
				}
				if h.survives(t.Context(), play[i]) {
					t.Errorf("survives: %s", play[i])
					mu.Lock()
					survivors++
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d mutants, %d survive; %d more change nothing", len(play), survivors, len(equivalents))
}

// suite is a test binary that is run in the directory of its package.
type suite struct {
	dir, binary string
	args        []string
}

// harness are the suites that a mutant must pass to survive, those of its own package first.
type harness struct{ suites []suite }

// build compiles the tests with all mutants in them, each off.
func build(t *testing.T, files []*instrumented) *harness {
	t.Helper()
	at := t.TempDir()
	replace := map[string]string{}
	put := func(path string, text []byte) {
		absolute, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		if replace[absolute] == "" {
			replace[absolute] = filepath.Join(at, fmt.Sprintf("%d.go", len(replace)))
		}
		if err := os.WriteFile(replace[absolute], text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		put(f.path, f.written())
		put(filepath.Join(f.dir, "mutantoff.go"), fmt.Appendf(nil, "package %s\n\nimport \"os\"\n\nvar mutantOff = os.Getenv(\"POSTERN_MUTANT\")\n", f.name))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(at, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	h := &harness{}
	for _, p := range mutated {
		binary := filepath.Join(at, fmt.Sprintf("%d.test", len(h.suites)))
		cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", file, "-o", binary, ".")
		cmd.Dir = p.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build the mutants of %s: %v\n%s", p.dir, err, out)
		}
		for _, args := range p.suites {
			h.suites = append(h.suites, suite{p.dir, binary, args})
		}
	}
	return h
}

// control: with no mutant on every suite passes.
func (h *harness) control(t *testing.T) {
	for _, s := range h.suites {
		if out, err := s.run(t.Context(), "none"); err != nil {
			t.Fatalf("without a mutant %s fails: %v\n%s", s.dir, err, out)
		}
	}
}

func (h *harness) survives(ctx context.Context, m mutant) bool {
	mine := func(s suite) bool { return s.dir == m.dir }
	for _, s := range slices.Concat(slices.DeleteFunc(slices.Clone(h.suites), func(s suite) bool { return !mine(s) }), h.suites) {
		if !mine(s) && s.dir != "." {
			continue
		}
		if _, err := s.run(ctx, m.id); err != nil {
			return false
		}
	}
	return true
}

// run plays a suite with one mutant on. One that never ends is killed too.
func (s suite) run(ctx context.Context, id string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, append([]string{"-test.failfast", "-test.timeout=4m"}, s.args...)...)
	cmd.Dir = s.dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "POSTERN_MUTATE=") }), "POSTERN_MUTANT="+id)
	return cmd.CombinedOutput()
}
