package graphql

import (
	"strings"

	"github.com/postern-dev/postern/internal/strictjson"
)

// token is one value of a JSON document, or the name of a member. The members of an
// object follow it, each name before its value.
type token struct {
	kind       byte // the first byte of the value: { [ " t f n; '0' for every number
	start, end int  // in the document
	next       int  // place of the token after the value and all it holds
}

// tape lays out a document that strictjson.Check has passed.
func tape(text string) []token {
	t := taper{text: text, tokens: make([]token, 0, 16+len(text)/8)}
	t.value()
	return t.tokens
}

type taper struct {
	text   string
	at     int
	tokens []token
}

func (t *taper) space() byte {
	for ; t.at < len(t.text); t.at++ {
		if c := t.text[t.at]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

func (t *taper) value() {
	c := t.space()
	me := len(t.tokens)
	t.tokens = append(t.tokens, token{kind: c, start: t.at})
	switch c {
	case '{', '[':
		t.at++
		for end := c + 2; t.space() != end; { // } and ] stand two after { and [
			if t.text[t.at] == ',' || t.text[t.at] == ':' {
				t.at++
				continue
			}
			t.value()
		}
		t.at++
	case '"':
		for t.at++; t.text[t.at] != '"'; t.at++ {
			if t.text[t.at] == '\\' {
				t.at++
			}
		}
		t.at++
	default:
		if c == '-' || c >= '0' && c <= '9' {
			t.tokens[me].kind = '0'
		}
		for t.at < len(t.text) && strings.IndexByte(" \n\t\r,:]}", t.text[t.at]) < 0 {
			t.at++
		}
	}
	t.tokens[me].end, t.tokens[me].next = t.at, len(t.tokens)
}

// str is what a string token means; another has no such meaning.
func str(text string, t token) (string, bool) {
	if t.kind != '"' {
		return "", false
	}
	raw := text[t.start+1 : t.end-1]
	if strings.IndexByte(raw, '\\') < 0 {
		return raw, true
	}
	s, err := strictjson.String([]byte(text[t.start:t.end]))
	return s, err == nil
}
