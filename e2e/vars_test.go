package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// names are what variables mean in a conversation.
type names struct {
	now  func() time.Time
	text map[string]string
}

var innermost = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// unknowns are what an answer may hold that nobody knows beforehand.
func unknowns() map[string]string {
	return map[string]string{
		"token": `(?P<token>[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)`,
		"uuid":  `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
		"b64":   `[A-Za-z0-9_-]+`,
	}
}

// expand replaces variables from the inside out. Those in keep stay as they are.
func (n *names) expand(text string, keep map[string]string) (string, error) {
	var failed error
	for range 20 {
		again := false
		text = innermost.ReplaceAllStringFunc(text, func(m string) string {
			name := m[2 : len(m)-2]
			if _, ok := keep[name]; ok {
				return "\x00" + name + "\x01"
			}
			again = true
			value, err := n.value(name)
			if err != nil && failed == nil {
				failed = err
			}
			return value
		})
		if !again {
			break
		}
	}
	text = strings.NewReplacer("\x00", "{{", "\x01", "}}").Replace(text)
	return text, failed
}

// fillMark stands around the length that a body is filled to.
const fillMark = "\x02"

// value is that of one variable, or of one of the few functions.
func (n *names) value(name string) (string, error) {
	if v, ok := n.text[name]; ok {
		return v, nil
	}
	if rest, ok := strings.CutPrefix(name, "now"); ok {
		plus := 0
		if rest != "" {
			var err error
			if plus, err = strconv.Atoi(rest); err != nil {
				return "", fmt.Errorf("{{%s}}: %w", name, err)
			}
		}
		return strconv.FormatInt(n.now().Unix()+int64(plus), 10), nil
	}
	function, arg, ok := strings.Cut(name, ":")
	switch {
	case ok && function == "base64":
		return base64.StdEncoding.EncodeToString([]byte(arg)), nil
	case ok && function == "url":
		return url.QueryEscape(arg), nil
	case ok && function == "bytes":
		b, err := hex.DecodeString(arg)
		return string(b), err
	case ok && function == "fill": // compose fills the body to so many bytes
		return fillMark + arg + fillMark, nil
	case ok && function == "repeat":
		count, text, _ := strings.Cut(arg, ":")
		many, err := strconv.Atoi(count)
		return strings.Repeat(text, max(many, 0)), err
	}
	return "", fmt.Errorf("{{%s}} means nothing here", name)
}

// match holds got against what is expected, in which {{token}} and the like stand
// for what nobody knows. It returns the token, if {{token}} found one.
func (n *names) match(want, got string) (token string, err error) {
	want, err = n.expand(want, unknowns())
	if err != nil {
		return "", err
	}
	pattern := regexp.QuoteMeta(want)
	for name, p := range unknowns() {
		pattern = strings.ReplaceAll(pattern, regexp.QuoteMeta("{{"+name+"}}"), p)
	}
	m, err := regexp.Compile(`^(?s:` + pattern + `)$`)
	if err != nil {
		return "", err
	}
	found := m.FindStringSubmatch(got)
	if found == nil {
		return "", fmt.Errorf("got\n\t%s\nwant\n\t%s", got, want)
	}
	if i := m.SubexpIndex("token"); i >= 0 {
		token = found[i]
	}
	return token, nil
}
