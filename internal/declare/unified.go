package declare

import (
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// maxLines is how many lines of a difference of long texts are told.
const maxLines = 200

// unified lists the lines that differ, with three around them, as diff -u has them.
func unified(old, now string) []string {
	text := string(diff.Diff("old", []byte(old), "new", []byte(now)))
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > 3 {
		lines = lines[3:] // its own head
	}
	if len(lines) > maxLines {
		more := len(lines) - maxLines
		lines = append(lines[:maxLines:maxLines], fmt.Sprintf("… %d more lines", more))
	}
	return lines
}
