package policy

import (
	"errors"
	"net/url"
	"strings"
)

// ErrParameter refuses a request in which a parameter that a rule uses is missing,
// empty, or there more than once over path, query and body.
var ErrParameter = errors.New("a parameter that decides who may call is not there exactly once")

// Match is the route that a request chose, and the values of its path.
type Match struct {
	rule   *rule
	values [maxParameters]string
}

// Route is the one that was chosen, to be read only.
func (m *Match) Route() *Route { return &m.rule.route }

// Match finds the route for a method and a path that Normalise returned. Literals
// go before parameters. No route means that nobody may pass (D-65). HEAD is judged
// as GET where it has no route of its own (D-61).
func (t *Table) Match(method, path string) (Match, bool) {
	var m Match
	if path == "" || path[0] != '/' {
		return m, false
	}
	found := t.root.find(method, path[1:], 0, &m)
	return m, found
}

func (n *node) find(method, rest string, depth int, m *Match) bool {
	segment, rest, more := strings.Cut(rest, "/")
	if next := n.literal[segment]; next != nil && next.step(method, rest, more, depth, m) {
		return true
	}
	if len(n.param) == 0 || segment == "" {
		return false
	}
	value, verb, has := strings.Cut(segment, ":") // a plain parameter holds no colon: it could be a verb upstream
	next := n.param[verb]
	if next == nil || value == "" || (has && verb == "") || depth == maxParameters {
		return false
	}
	if strings.IndexByte(value, '%') >= 0 {
		plain, err := url.PathUnescape(value)
		if err != nil {
			return false
		}
		value = plain
	}
	m.values[depth] = value
	return next.step(method, rest, more, depth+1, m)
}

func (n *node) step(method, rest string, more bool, depth int, m *Match) bool {
	if more {
		return n.find(method, rest, depth, m)
	}
	r := n.methods[method]
	if r == nil && method == "HEAD" {
		r = n.methods["GET"]
	}
	m.rule = r
	return r != nil
}

// Need is what the request needs: the route's scopes, actions and tags, and the
// resources that its parameters name, appended to space. query and body are the
// values of each name; what is not text in a body is not there. The error is
// ErrParameter.
func (m *Match) Need(query, body map[string][]string, space []Resource) (Need, error) {
	r := &m.rule.route
	need := Need{Endpoints: r.Tags, Scopes: r.Scopes, Actions: r.Actions, Resources: append(space, m.rule.whole...)}
	for i := range r.Parameters {
		p := &r.Parameters[i]
		value, ok := m.value(p, query, body)
		if !ok {
			return Need{}, ErrParameter
		}
		if p.Kind != "" {
			need.Resources = append(need.Resources, Resource{Kind: p.Kind, ID: value})
		}
	}
	return need, nil
}

// value is there exactly once, where the rule says (RULES "Guard, REST").
func (m *Match) value(p *Parameter, query, body map[string][]string) (string, bool) {
	inQuery, inBody := query[p.Name], body[p.Name]
	total, value := len(inQuery)+len(inBody), ""
	switch {
	case p.In == InPath:
		for i, name := range m.rule.names {
			if name == p.Name {
				value = m.values[i]
				total++
			}
		}
	case p.In == InQuery && len(inQuery) == 1:
		value = inQuery[0]
	case p.In == InBody && len(inBody) == 1:
		value = inBody[0]
	}
	return value, total == 1 && value != ""
}
