package policy

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"
)

// ErrPath refuses a path that two readers could understand differently (D-60).
var ErrPath = errors.New("path is not in a form that has one reading")

// Bounds of a path.
const (
	maxPath     = 4096
	maxSegments = 32
)

const upperHex = "0123456789ABCDEF"

// Normalise gives an escaped path its one form: unreserved characters and the
// colon decoded, every other escape in upper case (RFC 3986 §6.2.2). The result is
// what is matched and what is forwarded. It returns ErrPath for dot segments, empty
// segments, `\` and `;` and `%` and control characters however they are written,
// `%2F`, what is not UTF-8, and what RFC 3986 §3.3 does not allow in a path.
func Normalise(escaped string) (string, error) {
	if len(escaped) > maxPath || escaped == "" || escaped[0] != '/' {
		return "", ErrPath
	}
	normal, err := decodeUnreserved(escaped)
	if err != nil {
		return "", err
	}
	rest, segments := normal[1:], 0
	for more := true; more; segments++ {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if segment == "." || segment == ".." || (segment == "" && more) || segments == maxSegments {
			return "", ErrPath
		}
	}
	return normal, nil
}

// decodeUnreserved copies only where something changes.
func decodeUnreserved(s string) (string, error) {
	first := strings.IndexByte(s, '%')
	if first < 0 {
		return s, checkRaw(s)
	}
	b := append(make([]byte, 0, len(s)), s[:first]...)
	for i := first; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) || !hex(s[i+1]) || !hex(s[i+2]) {
			return "", ErrPath
		}
		c := value(s[i+1])<<4 | value(s[i+2])
		switch {
		case unreserved(c) || c == ':':
			b = append(b, c)
		case c < 0x20 || c == 0x7f || c == '/' || c == '\\' || c == ';' || c == '%':
			return "", ErrPath
		default:
			b = append(b, '%', upperHex[c>>4], upperHex[c&0xf])
		}
		i += 2
	}
	normal := string(b)
	if plain, err := url.PathUnescape(normal); err != nil || !utf8.ValidString(plain) {
		return "", ErrPath
	}
	return normal, checkRaw(normal)
}

// checkRaw lets through pchar and `/` of RFC 3986 §3.3, without `;`, which some
// servers take for the start of a parameter.
func checkRaw(s string) error {
	for i := range len(s) {
		if c := s[i]; !unreserved(c) && strings.IndexByte("/%:@!$&'()*+,=", c) < 0 {
			return ErrPath
		}
	}
	return nil
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

func hex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func value(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
