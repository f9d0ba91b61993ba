package strictjson

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner walks one document. It holds text, not bytes, so that a string
// without escapes costs no copy.
type scanner struct {
	text  string
	at    int
	depth int
	open  []string // names, see there
}

// document scans exactly one value with nothing but white space around it.
func (s *scanner) document(value func() error) error {
	s.space()
	if err := value(); err != nil {
		return err
	}
	s.space()
	if s.at != len(s.text) {
		return ErrSyntax
	}
	return nil
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *scanner) accept(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// value scans any value.
func (s *scanner) value() error {
	switch c := s.peek(); {
	case c == '{':
		return s.object(func(string) error { return s.value() })
	case c == '[':
		return s.array(s.value)
	case c == '"':
		_, err := s.pass()
		return err
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(s.text[s.at:], word) {
			s.at += len(word)
			return nil
		}
	}
	return ErrSyntax
}

// object scans an object and calls member before each value, which member has
// to scan. A name that occurs twice is reported after the whole object has been
// read, so that a syntax error goes first.
func (s *scanner) object(member func(name string) error) error {
	if !s.accept('{') {
		return ErrNotObject
	}
	if s.depth++; s.depth > MaxDepth {
		return ErrDepth
	}
	seen, twice := names{from: len(s.open)}, false
	s.space()
	for first := true; !s.accept('}'); first = false {
		if !first {
			if !s.accept(',') {
				return ErrSyntax
			}
			s.space()
		}
		name, err := s.str()
		if err != nil {
			return err
		}
		twice = !seen.add(&s.open, name) || twice
		s.space()
		if !s.accept(':') {
			return ErrSyntax
		}
		s.space()
		if err := member(name); err != nil {
			return err
		}
		s.space()
	}
	s.depth--
	s.open = s.open[:seen.from]
	if twice {
		return ErrDuplicate
	}
	return nil
}

func (s *scanner) array(element func() error) error {
	if !s.accept('[') {
		return ErrSyntax
	}
	if s.depth++; s.depth > MaxDepth {
		return ErrDepth
	}
	s.space()
	for first := true; !s.accept(']'); first = false {
		if !first {
			if !s.accept(',') {
				return ErrSyntax
			}
			s.space()
		}
		if err := element(); err != nil {
			return err
		}
		s.space()
	}
	s.depth--
	return nil
}

// str scans a string and returns what it means.
func (s *scanner) str() (string, error) {
	start := s.at + 1
	escaped, err := s.pass()
	if err != nil {
		return "", err
	}
	text := s.text[start : s.at-1]
	if !escaped {
		return text, nil
	}
	return unescape(text), nil
}

// pass scans a string without making it, and reports whether it has escapes. These mean
// whole characters, so that what it means is valid UTF-8 if what is written is.
func (s *scanner) pass() (escaped bool, err error) {
	if !s.accept('"') {
		return false, ErrSyntax
	}
	for start := s.at; ; {
		s.at += plain(s.text[s.at:])
		switch s.peek() {
		case '"':
			s.at++
			if !utf8.ValidString(s.text[start : s.at-1]) {
				return false, ErrSyntax
			}
			return escaped, nil
		case '\\':
			s.at++
			if _, ok := s.escape(); !ok {
				return false, ErrSyntax
			}
			escaped = true
		default: // a control character, or the end
			return false, ErrSyntax
		}
	}
}

// plain is how many bytes of a string stand for themselves.
func plain(text string) int {
	for i := range len(text) {
		if c := text[i]; c == '"' || c == '\\' || c < 0x20 {
			return i
		}
	}
	return len(text)
}

// unescape is what a string means whose escapes are good.
func unescape(text string) string {
	var b strings.Builder
	b.Grow(len(text)) // no escape is shorter than what it means
	s := scanner{text: text}
	for {
		i := strings.IndexByte(s.text[s.at:], '\\')
		if i < 0 {
			b.WriteString(s.text[s.at:])
			return b.String()
		}
		b.WriteString(s.text[s.at : s.at+i])
		s.at += i + 1
		r, _ := s.escape()
		b.WriteRune(r)
	}
}

// escape reads what follows a backslash. A surrogate without its other half is
// no character (RFC 8259 §8.2) and is refused.
func (s *scanner) escape() (rune, bool) {
	c := s.peek()
	s.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
	default:
		return 0, false
	}
	r, ok := s.hex4()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if !s.accept('\\') || !s.accept('u') {
		return 0, false
	}
	low, ok := s.hex4()
	r = utf16.DecodeRune(r, low)
	return r, ok && r != utf8.RuneError
}

func (s *scanner) hex4() (rune, bool) {
	if len(s.text)-s.at < 4 {
		return 0, false
	}
	var r rune
	for range 4 {
		c := s.text[s.at]
		s.at++
		switch lower := c | 0x20; {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case lower >= 'a' && lower <= 'f':
			r = r<<4 | rune(lower-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// number scans a number as RFC 8259 §6 writes it.
func (s *scanner) number() error {
	s.accept('-')
	if !s.accept('0') && !s.digits() {
		return ErrSyntax
	}
	if s.accept('.') && !s.digits() {
		return ErrSyntax
	}
	if s.accept('e') || s.accept('E') {
		if !s.accept('+') {
			s.accept('-')
		}
		if !s.digits() {
			return ErrSyntax
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}
