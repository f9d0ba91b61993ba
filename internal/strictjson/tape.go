package strictjson

import (
	"slices"
	"strings"
)

// Tape is a document laid out: its values in the order in which they stand in the text, each
// list and object before what it holds.
type Tape struct {
	Text   string
	Tokens []Token
}

// Token is one value. Its numbers are int32, so that a document of many small values costs
// little more than it has bytes.
type Token struct {
	Kind       byte   // the first byte of the value: { [ " t f n; '0' for every number
	Name       string // of a member of an object, without escapes
	Start, End int32  // in the text
	Next       int32  // place of the token after the value and all that it holds
}

// Bounds are what a document may have. Zero fields: values without number, MaxDepth.
type Bounds struct{ Values, Depth int }

// maxText is how many bytes can be laid out.
const maxText = 1 << 30

// Lay checks a document as Check does, and lays it out. Past the bounds it goes no further,
// and returns ErrValues or ErrDepth.
func Lay(text string, most Bounds) (Tape, error) {
	if len(text) > maxText {
		return Tape{}, ErrValues
	}
	room := 8 + len(text)/64
	if most.Values > 0 {
		room = min(room, most.Values)
	}
	l := layer{scanner: scanner{text: text}, most: most, tokens: make([]Token, 0, room)}
	if err := l.document(l.unnamed); err != nil {
		return Tape{}, err
	}
	return Tape{Text: text, Tokens: l.tokens}, nil
}

// layer is a scanner that keeps what it sees.
type layer struct {
	scanner
	most   Bounds
	tokens []Token
}

// unnamed is a value that is no member: the document itself, or one in a list.
func (l *layer) unnamed() error { return l.named("") }

func (l *layer) named(name string) error {
	me := len(l.tokens)
	if l.most.Values > 0 && me == l.most.Values {
		return ErrValues
	}
	kind := l.peek()
	if kind == '-' || kind >= '1' && kind <= '9' {
		kind = '0'
	}
	if me == cap(l.tokens) {
		l.tokens = slices.Grow(l.tokens, me) // twice as many: append grows by less, and copies more
	}
	l.tokens = append(l.tokens, Token{Kind: kind, Name: name, Start: int32(l.at)}) //nolint:gosec // at most maxText
	if err := l.content(kind); err != nil {
		return err
	}
	t := &l.tokens[me]
	t.End, t.Next = int32(l.at), int32(len(l.tokens)) //nolint:gosec // at most maxText
	return nil
}

func (l *layer) content(kind byte) error {
	if kind != '{' && kind != '[' {
		return l.value()
	}
	if l.most.Depth > 0 && l.depth == l.most.Depth {
		return ErrDepth
	}
	if kind == '{' {
		return l.object(l.named)
	}
	return l.array(l.unnamed)
}

// Len is how many values stand directly in a list or an object.
func (t *Tape) Len(at int32) (n int) {
	for i := at + 1; i < t.Tokens[at].Next; i = t.Tokens[i].Next {
		n++
	}
	return n
}

// Raw is a value as it was written.
func (t *Tape) Raw(at int32) string { return t.Text[t.Tokens[at].Start:t.Tokens[at].End] }

// String is what a string means; no other value means one.
func (t *Tape) String(at int32) (string, bool) {
	if t.Tokens[at].Kind != '"' {
		return "", false
	}
	text := t.Text[t.Tokens[at].Start+1 : t.Tokens[at].End-1]
	if strings.IndexByte(text, '\\') < 0 {
		return text, true
	}
	return unescape(text), true
}
