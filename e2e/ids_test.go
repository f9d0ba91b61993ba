package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// demanded are the requirements and threats that the issues of the token line, the call
// line, GraphQL and administration name, as prefix, first, last. Pages and the hand-over
// (D-96, D-97, D-105) come with the console.
func demanded() []string {
	var list []string
	for _, r := range []struct {
		prefix      string
		first, last int
	}{
		{"TRI", 1, 12}, {"OMN", 1, 8}, {"VIB", 1, 4}, {"VIB", 6, 6}, {"BIP", 1, 9},
		{"ARB", 1, 19}, {"COM", 1, 9}, {"COM", 11, 12},
		{"D", 1, 21}, {"D", 33, 95}, {"D", 98, 104}, {"D", 106, 112},
	} {
		for n := r.first; n <= r.last; n++ {
			list = append(list, fmt.Sprintf("%s-%02d", r.prefix, n))
		}
	}
	return list
}

// Every id is named by a conversation or by a Go test; a comment before the first
// section of a conversation does not count.
func TestEveryIDIsNamed(t *testing.T) {
	id := regexp.MustCompile(`\b(?:TRI|OMN|VIB|BIP|ARB|COM|D)-[0-9]{2,3}\b`)
	named := make(map[string]bool)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || filepath.Base(path) == "ids_test.go" || !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, ".txtar") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := string(data)
		if strings.HasSuffix(path, ".txtar") {
			if i := strings.Index(text, "\n-- "); i > 0 {
				text = text[i:]
			}
		}
		for _, found := range id.FindAllString(text, -1) {
			named[found] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range demanded() {
		if !named[want] {
			t.Errorf("%s is named by no test", want)
		}
	}
}
