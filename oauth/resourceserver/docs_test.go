package resourceserver_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The programs and the tests of docs/resource-servers.md compile and pass, as they
// stand there.
func TestDocumentedProgram(t *testing.T) {
	doc, err := os.ReadFile("../../docs/resource-servers.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(doc), "```go\n")
	names := []string{"main.go", "main_test.go", "upstream.go", "upstream_test.go"}
	if len(blocks) != 1+len(names) {
		t.Fatalf("%d Go blocks, want %v", len(blocks)-1, names)
	}
	here, err := filepath.Abs("testdata/documented")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	for i, name := range names {
		code, _, _ := strings.Cut(blocks[i+1], "```")
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(here, name)] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "documented.test")
	if out, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay", file, "-o", program, "./testdata/documented").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(program, "-test.v").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestReports") || !strings.Contains(string(out), "--- PASS: TestBehind") {
		t.Errorf("%v\n%s", err, out)
	}
}
