package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"golang.org/x/term"
)

const (
	between  = 2 // blanks between columns
	narrowed = 8 // characters that a cut column keeps at least
)

// table prints rows with their columns one below the other.
func (s *streams) table(rows [][]string) error {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, between, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t")) // a buffer takes all
	}
	_ = w.Flush()
	for line := range strings.Lines(b.String()) { // empty cells at its end are no text
		if _, err := fmt.Fprintln(s.out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// list prints a row for each of many things. On a terminal the widest columns but the
// first, which names them, are cut until a row fits into a line.
func (s *streams) list(rows [][]string) error {
	widths := columns(rows)
	narrow(widths, terminalWidth(s.out))
	for _, row := range rows {
		for i := range row {
			row[i] = cut(row[i], widths[i])
		}
	}
	return s.table(rows)
}

// columns are the widths of the columns, in characters.
func columns(rows [][]string) (widths []int) {
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// narrow takes a character from the widest column, and again, until all fit; width 0 is any.
func narrow(widths []int, width int) {
	sum := -between
	for _, w := range widths {
		sum += w + between
	}
	for ; width > 0 && sum > width; sum-- {
		widest := 0
		for i, w := range widths {
			if i > 0 && (widest == 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest == 0 || widths[widest] <= narrowed {
			return
		}
		widths[widest]--
	}
}

func cut(cell string, width int) string {
	if utf8.RuneCountInString(cell) <= width {
		return cell
	}
	return string([]rune(cell)[:width-1]) + "…"
}

// terminalWidth is that of the terminal, in characters; 0: out is none.
func terminalWidth(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd())) //nolint:gosec // a file descriptor
	if err != nil {
		return 0
	}
	return width
}
