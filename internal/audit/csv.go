package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// formulas are what a formula begins with. Some programs take the wide forms too.
const formulas = "=+-@＝＋－＠"

// Cell is a text as a cell of a CSV file for people's spreadsheets. What such a program could
// take for a formula begins with an apostrophe (D-103), behind a semicolon too: where the comma
// stands in numbers, that one ends a cell. A character that ends a line, or
// moves what is shown, is written as an escape: an event is one line, whatever is in it
// (D-108).
func Cell(text string) string {
	first, _ := utf8.DecodeRuneInString(text)
	formula := text != "" && strings.ContainsRune(formulas+"\t\r", first)
	parts := strings.Split(OneLine(text), ";")
	for i, part := range parts {
		begin := strings.TrimLeft(part, ` "`) // which may be read over
		if r, _ := utf8.DecodeRuneInString(begin); i > 0 && begin != "" && strings.ContainsRune(formulas, r) {
			parts[i] = "'" + part
		}
	}
	text = strings.Join(parts, ";")
	if formula {
		return "'" + text
	}
	return text
}

// OneLine writes line ends, control characters and what turns the direction of writing as
// escapes, as in \n, so that a text stays the line that it is in (D-108). What is no UTF-8
// becomes U+FFFD.
func OneLine(text string) string {
	if strings.IndexFunc(text, hidden) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case hidden(r):
			b.WriteString(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				b.WriteByte("0123456789abcdef"[r>>shift&0xf])
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hidden are characters that are not shown as themselves: controls (C0, C1), line and
// paragraph separators, and those that format, the turns of direction among them. All of
// them that a text can do without lie below U+10000.
func hidden(r rune) bool {
	return unicode.IsControl(r) || r < 0x10000 && (unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029')
}
