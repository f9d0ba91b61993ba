package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/postern-dev/postern/internal/declare"
)

type diffCommand struct{ directory }

// Help tells the exit codes.
func (diffCommand) Help() string {
	return "It checks everything as apply does, and changes nothing. Exit codes: 0 nothing would change, 1 something would, 2 it cannot be told."
}

// compared is what `diff --json` prints: what would change, and nothing else.
type compared struct {
	Set     string         `json:"set"`
	Objects []declare.Item `json:"objects"`
}

// Run prints what is other in the files than in the server. As of diff(1), 1 says that
// something is, and every failure is 2.
func (c diffCommand) Run(ctx context.Context, s *streams) error {
	files, err := c.read()
	if err != nil {
		return misuse{err}
	}
	files.DryRun = true
	done, err := c.dial().Apply(ctx, files)
	if err != nil {
		return misuse{err}
	}
	changes := []declare.Item{}
	for _, o := range done.Objects {
		if o.Outcome != declare.Unchanged {
			changes = append(changes, o)
		}
	}
	if c.JSON {
		err = s.json(compared{Set: files.Set, Objects: changes})
	} else {
		printDifferences(s, changes)
	}
	switch {
	case err != nil:
		return misuse{err}
	case len(changes) > 0:
		return fmt.Errorf("%s of %d would change", plural(len(changes), "object"), len(done.Objects))
	}
	s.say("no difference in %s", plural(len(done.Objects), "object"))
	return nil
}

func printDifferences(s *streams, changes []declare.Item) {
	for i := range changes {
		o := &changes[i]
		s.data("%s %s: %s (%s)", o.Kind, printable(nameOf(o)), o.Outcome, printable(o.File))
		for _, d := range o.Differences {
			for _, line := range differenceLines(d) {
				s.data("  %s", line)
			}
		}
		warn(s, o, "then")
	}
}

// differenceLines are `- field: old` and `+ field: new`; of a long text its lines.
func differenceLines(d declare.Difference) []string {
	if d.Lines != nil {
		lines := []string{"  " + d.Field + ":"}
		for _, line := range d.Lines {
			lines = append(lines, "    "+printable(line))
		}
		return lines
	}
	var lines []string
	if d.Old != nil {
		lines = append(lines, "- "+printable(d.Field)+": "+shownValue(d.Old))
	}
	if d.New != nil {
		lines = append(lines, "+ "+printable(d.Field)+": "+shownValue(d.New))
	}
	return lines
}

// shownValue is a value in one line.
func shownValue(v any) string {
	if text, ok := v.(string); ok && text != "" {
		return printable(text)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// printable is the text in one line, whatever is in it (D-108).
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
