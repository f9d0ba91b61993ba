package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// script is a conversation file: what is there before, and what is said.
type script struct {
	file     string
	name     string            // of the file without its ending; the issuer is called so
	dialect  string            // file of a dialect beside those built in, or empty
	lets     map[string]string // names for texts that return
	files    map[string]string // objects, by file name
	sections []section
}

// section is one thing that a contract says, shown.
type section struct {
	name  string
	lines []string
}

// readScripts reads every conversation.
func readScripts(t testing.TB) []*script {
	t.Helper()
	files, err := filepath.Glob("testdata/conversations/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations:", err)
	}
	list := make([]*script, 0, len(files))
	for _, file := range files {
		s, err := readScript(file)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

func readScript(file string) (*script, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &script{
		file: file, name: strings.TrimSuffix(filepath.Base(file), ".txtar"),
		lets: make(map[string]string), files: make(map[string]string),
	}
	for _, f := range txtar.Parse(data).Files {
		switch {
		case f.Name == "let":
			for line := range strings.Lines(string(f.Data)) {
				name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " = ")
				if !ok {
					return nil, fmt.Errorf("%s: let: %q is no `name = value`", file, line)
				}
				s.lets[strings.TrimSpace(name)] = value
			}
		case f.Name == "dialect":
			s.dialect = strings.TrimSpace(string(f.Data))
		case strings.HasSuffix(f.Name, ".yaml"):
			s.files[f.Name] = string(f.Data)
		default:
			s.sections = append(s.sections, section{f.Name, strings.Split(string(bytes.TrimRight(f.Data, "\n")), "\n")})
		}
	}
	return s, nil
}

// exchange is one request and what must come back, still with variables.
type exchange struct {
	request []string // lines behind "> "
	answer  []string // lines behind "< "
	token   []string // lines behind "= "
}

// step is an act, or an exchange where act is empty.
type step struct {
	act string
	exchange
}

// steps reads the lines of a section:
//
//	# words for people, with the ids that this shows
//	! an act
//	> the request: its line, headers, an empty line, the body
//	< the answer: its status, headers, an empty line, the body
//	= header or claims of the token that came
func (s *section) steps() ([]step, error) {
	var list []step
	cur := func() *exchange { return &list[len(list)-1].exchange }
	last := byte(0)
	for n, line := range s.lines {
		if line == "" || line[0] == '#' {
			last = 0
			continue
		}
		mark, text := line[0], strings.TrimPrefix(line[1:], " ")
		if mark != '!' && (mark != '>' && len(list) == 0 || strings.IndexByte("><=", mark) < 0) {
			return nil, fmt.Errorf("line %d: %q", n+1, line)
		}
		switch mark {
		case '!':
			list = append(list, step{act: text})
		case '>':
			if last != '>' {
				list = append(list, step{})
			}
			cur().request = append(cur().request, text)
		case '<':
			cur().answer = append(cur().answer, text)
		case '=':
			cur().token = append(cur().token, text)
		}
		last = mark
	}
	return list, nil
}
