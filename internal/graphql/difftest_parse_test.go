package graphql_test

import (
	"fmt"
	"strconv"
	"strings"
)

// A reader of executable documents, of our own: the reference does not see them
// through the eyes of the library that the engine uses.

type document struct {
	operations []*operation
	fragments  map[string]*fragment
}

type operation struct {
	kind, name string
	variables  []variable
	selections []*selection
}

type variable struct {
	name string
	typ  *reference
	def  *literal
}

type fragment struct {
	on         string
	selections []*selection
}

// selection is a field, an inline fragment (spread is "") or a spread.
type selection struct {
	field, alias string
	args         []named
	inline       bool
	on           string
	spread       string
	directives   []directive
	selections   []*selection
}

type directive struct {
	name string
	args []named
}

type named struct {
	name  string
	value *literal
}

// literal is a value as written; kind is one of $ 1 1.0 " t e [ { n.
type literal struct {
	kind   string
	text   string
	list   []*literal
	fields []named
}

func (s *selection) key() string {
	if s.alias != "" {
		return s.alias
	}
	return s.field
}

type parser struct {
	text string
	at   int
	tok  string // "" at the end
	str  bool   // tok is a string's value
	m    *model
}

// parseDocument reads what the generator wrote or the engine printed.
func parseDocument(text string, m *model) (doc *document, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v in %q", r, text)
		}
	}()
	p := &parser{text: text, m: m}
	p.next()
	doc = &document{fragments: map[string]*fragment{}}
	for p.tok != "" || p.str {
		switch p.tok {
		case "fragment":
			p.next()
			name := p.take()
			p.want("on")
			doc.fragments[name] = &fragment{on: p.take(), selections: p.set()}
		default:
			doc.operations = append(doc.operations, p.operation())
		}
	}
	return doc, nil
}

func (p *parser) operation() *operation {
	o := &operation{kind: "query"}
	if p.tok != "{" {
		o.kind = p.take()
		if p.tok != "{" && p.tok != "(" {
			o.name = p.take()
		}
		if p.tok == "(" {
			p.next()
			for p.tok != ")" {
				o.variables = append(o.variables, p.variable())
			}
			p.next()
		}
	}
	o.selections = p.set()
	return o
}

func (p *parser) variable() variable {
	p.want("$")
	v := variable{name: p.take()}
	p.want(":")
	v.typ = p.reference()
	if p.tok == "=" {
		p.next()
		v.def = p.literal()
	}
	return v
}

func (p *parser) reference() *reference {
	r := &reference{}
	if p.tok == "[" {
		p.next()
		r.of = p.reference()
		p.want("]")
	} else {
		name := p.take()
		if r.named = p.m.byName[name]; r.named == nil {
			panic("no type " + name)
		}
	}
	if p.tok == "!" {
		r.nonNull = true
		p.next()
	}
	return r
}

func (p *parser) set() (all []*selection) {
	p.want("{")
	for p.tok != "}" {
		all = append(all, p.selection())
	}
	p.next()
	return all
}

func (p *parser) selection() *selection {
	s := &selection{}
	if p.tok != "..." {
		s.field = p.take()
		if p.tok == ":" {
			p.next()
			s.alias, s.field = s.field, p.take()
		}
		s.args = p.args()
		s.directives = p.directives()
		if p.tok == "{" {
			s.selections = p.set()
		}
		return s
	}
	p.next()
	switch {
	case p.tok == "on":
		p.next()
		s.inline, s.on = true, p.take()
	case p.tok == "{" || p.tok == "@":
		s.inline = true
	default:
		s.spread = p.take()
	}
	s.directives = p.directives()
	if s.inline {
		s.selections = p.set()
	}
	return s
}

func (p *parser) args() (all []named) {
	if p.tok != "(" {
		return nil
	}
	p.next()
	for p.tok != ")" {
		name := p.take()
		p.want(":")
		all = append(all, named{name, p.literal()})
	}
	p.next()
	return all
}

func (p *parser) directives() (all []directive) {
	for p.tok == "@" && !p.str {
		p.next()
		name := p.take()
		all = append(all, directive{name, p.args()})
	}
	return all
}

func (p *parser) literal() *literal {
	if p.str {
		return &literal{kind: `"`, text: p.take()}
	}
	switch c := p.tok; {
	case c == "$":
		p.next()
		return &literal{kind: "$", text: p.take()}
	case c == "[":
		l := &literal{kind: "["}
		for p.next(); p.tok != "]" || p.str; {
			l.list = append(l.list, p.literal())
		}
		p.next()
		return l
	case c == "{":
		l := &literal{kind: "{"}
		for p.next(); p.tok != "}"; {
			name := p.take()
			p.want(":")
			l.fields = append(l.fields, named{name, p.literal()})
		}
		p.next()
		return l
	case c == "true" || c == "false":
		return &literal{kind: "t", text: p.take()}
	case c == "null":
		p.next()
		return &literal{kind: "n"}
	case c[0] == '-' || c[0] >= '0' && c[0] <= '9':
		if strings.ContainsAny(c, ".eE") {
			return &literal{kind: "1.0", text: p.take()}
		}
		return &literal{kind: "1", text: p.take()}
	}
	return &literal{kind: "e", text: p.take()}
}

func (p *parser) take() string {
	if p.tok == "" && !p.str {
		panic("early end")
	}
	t := p.tok
	p.next()
	return t
}

func (p *parser) want(tok string) {
	if p.tok != tok || p.str {
		panic(fmt.Sprintf("%q instead of %q at %d", p.tok, tok, p.at))
	}
	p.next()
}

const wordBytes = "_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// skip passes over what means nothing.
func (p *parser) skip() {
	for p.at < len(p.text) {
		rest := p.text[p.at:]
		if rest[0] == '#' {
			end := strings.IndexAny(rest, "\r\n")
			if end < 0 {
				end = len(rest)
			}
			p.at += end
		} else if strings.IndexByte(" \t\r\n,", rest[0]) >= 0 {
			p.at++
		} else if strings.HasPrefix(rest, "\ufeff") {
			p.at += len("\ufeff")
		} else {
			return
		}
	}
}

func (p *parser) next() {
	p.str = false
	p.skip()
	rest := p.text[p.at:]
	n := 1
	switch {
	case rest == "":
		n = 0
	case strings.HasPrefix(rest, "..."):
		n = 3
	case strings.HasPrefix(rest, `"""`):
		n = 3 + strings.Index(strings.ReplaceAll(rest[3:], `\"""`, "xxxx"), `"""`) + 3
		p.tok, p.str, p.at = blockString(strings.ReplaceAll(rest[3:n-3], `\"""`, `"""`)), true, p.at+n
		return
	case rest[0] == '"':
		for ; rest[n] != '"'; n++ {
			if rest[n] == '\\' {
				n++
			}
		}
		p.tok, p.str, p.at = unquote(rest[1:n]), true, p.at+n+1
		return
	case rest[0] == '-' || rest[0] >= '0' && rest[0] <= '9':
		for n < len(rest) && strings.IndexByte(wordBytes+".+-", rest[n]) >= 0 {
			n++
		}
	case strings.IndexByte(wordBytes, rest[0]) >= 0:
		for n < len(rest) && strings.IndexByte(wordBytes, rest[n]) >= 0 {
			n++
		}
	}
	p.tok, p.at = rest[:n], p.at+n
}

func unquote(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'u':
			n, err := strconv.ParseUint(s[i+1:i+5], 16, 16)
			if err != nil {
				panic(err)
			}
			out.WriteRune(rune(n))
			i += 4
		default:
			at := strings.IndexByte(`bfnrt"\/`, s[i])
			if at < 0 {
				panic("escape")
			}
			out.WriteByte("\b\f\n\r\t\"\\/"[at])
		}
	}
	return out.String()
}

// blockString is BlockStringValue of the specification, §2.9.4.
func blockString(raw string) string {
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(raw), "\n")
	indent := -1
	for _, l := range lines[1:] {
		if n := len(l) - len(strings.TrimLeft(l, " \t")); n < len(l) && (indent < 0 || n < indent) {
			indent = n
		}
	}
	for i, l := range lines {
		if i > 0 && indent > 0 {
			lines[i] = l[min(indent, len(l)):]
		}
	}
	for len(lines) > 0 && strings.Trim(lines[0], " \t") == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.Trim(lines[len(lines)-1], " \t") == "" {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, "\n")
}
