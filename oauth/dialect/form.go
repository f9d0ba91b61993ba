package dialect

import (
	"bytes"
	"unicode/utf8"
)

// readForm takes an application/x-www-form-urlencoded body apart and decodes it
// in place. Only & separates, a percent sign is followed by two hexadecimal
// digits, and what comes out is UTF-8.
func readForm(dst []field, body []byte) ([]field, error) {
	for len(body) > 0 {
		var pair []byte
		pair, body, _ = bytes.Cut(body, []byte{'&'})
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte{'='})
		name, ok := unescape(name)
		value, ok2 := unescape(value)
		if !ok || !ok2 {
			return dst, errText
		}
		dst = append(dst, field{name, value})
	}
	return dst, nil
}

// unescape decodes b in place: what comes out is never longer.
func unescape(b []byte) ([]byte, bool) {
	if bytes.IndexByte(b, '%') < 0 && bytes.IndexByte(b, '+') < 0 {
		return b, utf8.Valid(b)
	}
	out := b[:0]
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '+':
			out = append(out, ' ')
		case '%':
			if len(b)-i < 3 {
				return nil, false
			}
			high, ok := unhex(b[i+1])
			low, ok2 := unhex(b[i+2])
			if !ok || !ok2 {
				return nil, false
			}
			out = append(out, high<<4|low)
			i += 2
		default:
			out = append(out, b[i])
		}
	}
	return out, utf8.Valid(out)
}

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
