package policy

import (
	"errors"
	"net/url"
	"strings"
)

// ErrParameter refuses a request in which a parameter that a rule uses is missing,
// empty, or there more than once over path, query and body. The error is a
// *ParameterError, which names it.
var ErrParameter = errors.New("a parameter that decides who may call is not there exactly once")

// ParameterError is ErrParameter with the name of the parameter, as the rule has it.
type ParameterError struct{ Name string }

// Error names the parameter.
func (e *ParameterError) Error() string { return ErrParameter.Error() + ": " + e.Name }

// Is reports that it is an ErrParameter.
func (e *ParameterError) Is(target error) bool { return target == ErrParameter }

// Match is the route that a request chose, and the values of its path.
type Match struct {
	rule   *rule
	values [maxParameters]string
}

// Route is the one that was chosen, to be read only.
func (m *Match) Route() *Route { return &m.rule.route }

// NeedsBody reports whether the rule uses a parameter of the body.
func (m *Match) NeedsBody() bool { return m.rule.body }

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
	value, verb, has := strings.Cut(segment, ":") // a plain parameter holds no colon: it could be a verb upstream
	next := n.param[verb]
	if next == nil || value == "" || (has && verb == "") {
		return false
	}
	if strings.IndexByte(value, '%') >= 0 {
		plain, err := url.PathUnescape(value)
		if err != nil {
			return false
		}
		value = plain
	}
	m.values[depth] = value // no route has more than maxParameters
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
// values of each name; what is not text in a body stands there as empty. The error is
// a *ParameterError.
func (m *Match) Need(query, body map[string][]string, space []Resource) (Need, error) {
	r := &m.rule.route
	need := Need{Endpoints: r.Tags, Scopes: r.Scopes, Actions: r.Actions, Resources: append(space, m.rule.whole...)}
	for i := range r.Parameters {
		p := &r.Parameters[i]
		value, ok := m.value(p, query, body)
		if !ok {
			return Need{}, &ParameterError{p.Name}
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
	if misspelt(p.Name, query) || misspelt(p.Name, body) {
		return "", false
	}
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

// misspelt reports whether there is a name that is not this one, but that some reader takes
// for it. The upstream would then see the parameter twice, and may go by the other.
func misspelt(name string, values map[string][]string) bool {
	for other := range values {
		if other != name && ReadsAs(other, name) {
			return true
		}
	}
	return false
}

// ReadsAs reports whether some reader takes what is written for the name, for something in
// it, or for what holds it: in another case, cut at NUL, with brackets, or with a dot, a
// space or a bracket that nothing closes for an underscore.
func ReadsAs(written, name string) bool {
	written, _, _ = strings.Cut(strings.TrimLeft(written, " []"), "\x00")
	if written == "" {
		return false
	}
	if strings.EqualFold(underscored(written), underscored(name)) || overlap(written, name) {
		return true
	}
	return strings.ContainsAny(name, "[.") && overlap(strings.ReplaceAll(written, ".", "["), strings.ReplaceAll(name, ".", "["))
}

// overlap compares names key by key: filter[team] is filter, then team. Where one has no
// more of them, it holds the other, or takes its place.
func overlap(a, b string) bool {
	for a != "" && b != "" {
		var x, y string
		x, a = firstKey(a)
		y, b = firstKey(b)
		if !strings.EqualFold(underscored(x), underscored(y)) {
			return false
		}
	}
	return true
}

// firstKey cuts the first key off. What stands between two brackets is nothing, as it is to
// readers of such names.
func firstKey(name string) (key, rest string) {
	end := strings.IndexAny(name, "[]")
	if end < 0 {
		return name, ""
	}
	_, rest, _ = strings.Cut(name[end:], "[")
	return name[:end], rest
}

// underscored writes a name as readers do that have variables of it.
func underscored(name string) string {
	if !strings.ContainsAny(name, ". [") {
		return name
	}
	return strings.Map(func(r rune) rune {
		if r == '.' || r == ' ' || r == '[' {
			return '_'
		}
		return r
	}, name)
}
