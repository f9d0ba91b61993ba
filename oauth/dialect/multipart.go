package dialect

import (
	"bytes"
	"errors"
	"mime"
	"strings"
	"unicode/utf8"
)

var (
	errBoundary = errors.New("the multipart body does not fit its boundary")
	errPart     = errors.New("a multipart part is not a plain form field")
)

// readMultipart takes a multipart/form-data body apart (RFC 7578), which is in
// memory as a whole. Parts are plain fields: a file, an encoding of its own or
// text around the parts is refused.
func readMultipart(dst []field, body []byte, boundary string) ([]field, error) {
	if !validBoundary(boundary) {
		return dst, errBoundary
	}
	delimiter := []byte("--" + boundary)
	rest, ok := bytes.CutPrefix(body, delimiter)
	if !ok {
		return dst, errBoundary
	}
	for {
		if end, last := bytes.CutPrefix(rest, []byte("--")); last {
			if len(end) == 0 || string(end) == "\r\n" {
				return dst, nil
			}
			return dst, errBoundary
		}
		part, ok := bytes.CutPrefix(rest, []byte("\r\n"))
		if !ok {
			return dst, errBoundary
		}
		f, after, err := readPart(part, delimiter)
		if err != nil {
			return dst, err
		}
		dst, rest = append(dst, f), after
	}
}

// readPart reads headers and value of one part; rest begins behind the next delimiter.
func readPart(part, delimiter []byte) (f field, rest []byte, err error) {
	for {
		line, after, ok := bytes.Cut(part, []byte("\r\n"))
		if !ok {
			return f, nil, errBoundary
		}
		part = after
		if len(line) == 0 {
			break
		}
		if err := readPartHeader(&f, string(line)); err != nil {
			return f, nil, err
		}
	}
	if f.name == nil {
		return f, nil, errPart
	}
	value, rest, ok := bytes.Cut(part, append([]byte("\r\n"), delimiter...))
	if !ok {
		// An empty value may be followed by its delimiter at once.
		if rest, ok = bytes.CutPrefix(part, delimiter); !ok {
			return f, nil, errBoundary
		}
		value = nil
	}
	if !utf8.Valid(value) {
		return f, nil, errText
	}
	f.value = value
	return f, rest, nil
}

// readPartHeader takes the name out of Content-Disposition, once, and tolerates
// a Content-Type of text.
func readPartHeader(f *field, line string) error {
	key, value, ok := strings.Cut(line, ":")
	media, params, err := mime.ParseMediaType(strings.TrimSpace(value))
	if !ok || err != nil {
		return errPart
	}
	switch strings.ToLower(key) {
	case "content-disposition":
		name, named := params["name"]
		// A star would be a second way to write the name (RFC 7578 §4.2).
		if f.name != nil || media != "form-data" || !named || len(params) != 1 || strings.Contains(value, "*") || !utf8.ValidString(name) {
			return errPart
		}
		f.name = []byte(name)
		return nil
	case "content-type":
		if media == "text/plain" {
			return nil
		}
	}
	return errPart
}

// validBoundary is RFC 2046 §5.1.1.
func validBoundary(s string) bool {
	return s != "" && len(s) <= 70 && only(s, letters+digit+"'()+_,-./:=? ") && s[len(s)-1] != ' '
}
