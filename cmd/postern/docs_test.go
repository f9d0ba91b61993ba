package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What a newcomer pastes first works as it stands in the docs: each command does what the
// comment behind it says, and one without a comment is done.
func TestDocs(t *testing.T) {
	need(t, "bash", "curl", "python3")
	for _, c := range []struct {
		page, section string
		least         int // commands
	}{{"README.md", "Run it in earnest", 4}, {"docs/gateway.md", "Ten minutes", 10}, {"docs/graphql.md", "Ten minutes", 10}} {
		t.Run(c.page, func(t *testing.T) {
			lines := pasted(t, filepath.Join("..", "..", filepath.FromSlash(c.page)), c.section)
			judged, out := followed(t, lines)
			parts := strings.Split(out, "\n@@\n")
			if len(judged) < c.least || len(parts) != len(judged)+1 {
				t.Fatalf("%d of %d commands ran:\n%s", len(parts)-1, len(judged), out)
			}
			for i, line := range judged {
				if problem := broken(line, parts[i]); problem != "" {
					t.Errorf("%s\n%s:\n%s", line, problem, parts[i])
				}
			}
		})
	}
}

// pasted are the lines of a page's section that a reader pastes, at ports that are free.
func pasted(t *testing.T, page, section string) []string {
	t.Helper()
	_, rest, ok := strings.Cut(read(t, page), "\n## "+section+"\n")
	section, _, more := strings.Cut(rest, "\n## ")
	if !ok || !more {
		t.Fatalf("%s has no such section", page)
	}
	port, err := freePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1) {
		all.WriteString(block[1])
	}
	text := strings.NewReplacer(" \\\n", " ", "8080", strconv.Itoa(port), "9000", strconv.Itoa(port+1)).Replace(all.String())
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// followed pastes the lines into a shell, in a directory as `make build` leaves it.
func followed(t *testing.T, lines []string) (judged []string, out string) {
	t.Helper()
	binary, err := exec.LookPath("postern")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "checkout")
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, filepath.Join(dir, "bin", "postern")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // one that hangs ends, with all that it began
	defer cancel()
	judged, script := marked(lines)
	printed := create(t, filepath.Join(t.TempDir(), "printed"))
	cmd := exec.CommandContext(ctx, "bash", "-c", script) //nolint:gosec // what is to be tested
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, printed, printed
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	_ = cmd.Run() // each command says how it ended
	return judged, read(t, printed.Name())
}

// marked is a script of the lines. judged are those that do something by themselves; behind
// what each printed stands how it ended, and @@.
func marked(lines []string) (judged []string, script string) {
	begins := regexp.MustCompile(`^(bin/postern|call|ask|curl|echo|sed) .*[^&]$`)
	var b strings.Builder
	heredoc := ""
	for _, line := range lines {
		b.WriteString(line + "\n")
		switch _, word, opens := strings.Cut(line, "<<'"); {
		case heredoc != "" && line == heredoc:
			heredoc = ""
		case heredoc != "":
		case opens:
			heredoc, _, _ = strings.Cut(word, "'")
		case begins.MatchString(line):
			judged = append(judged, line)
			b.WriteString(`printf 'exit %s\n@@\n' $?` + "\n")
		}
	}
	b.WriteString("jobs -p | xargs -r kill; wait\n") // what the page leaves running
	return judged, b.String()
}

// reached begins the answer of the API that stands in for the reader's own one, of graphql.md.
const reached = "reached the API: "

// broken says how a command did not do what the comment behind it says.
func broken(line, out string) string {
	_, comment, _ := strings.Cut(line, " # ")
	word, _, _ := strings.Cut(comment, " ")
	word = strings.TrimRight(word, ":,")
	_, ended, _ := strings.Cut(out[max(0, strings.LastIndex("\n"+out, "\nexit ")):], "exit ")
	switch status, err := strconv.Atoi(word); {
	case err == nil && !regexp.MustCompile(fmt.Sprintf(`(?m)^HTTP(/1\.1)? %d\b`, status)).MatchString(out):
		return "the status is another"
	case strings.Contains(comment, "exit 1") && ended != "1":
		return "it was not refused"
	case strings.ToUpper(word) == word && err != nil && word != "" && (!strings.Contains(out, `"`+word+`"`) || strings.Contains(out, reached)):
		return "it is not refused by that word"
	case (word == "passes" || word == "so") && !strings.Contains(out, reached):
		return "it does not pass"
	case !strings.Contains(comment, "exit 1") && ended != "0":
		return "it failed"
	}
	return ""
}
