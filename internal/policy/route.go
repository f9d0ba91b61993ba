package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Place is where a parameter stands in a request.
type Place string

// The places.
const (
	InPath  Place = "path"
	InQuery Place = "query"
	InBody  Place = "body"
)

// Parameter says what a parameter of a route means. Exactly one of Kind, ChildOf and
// Unscoped is given.
type Parameter struct {
	Name     string `json:"name" yaml:"name"`                   // as in the path, the query, the form or the top of the JSON object
	In       Place  `json:"in" yaml:"in"`                       // path, query or body; left out: path
	Kind     string `json:"kind,omitempty" yaml:"kind"`         // it names a resource of this kind
	ChildOf  string `json:"child_of,omitempty" yaml:"child_of"` // it names something that lies in what this other parameter names: the upstream's promise
	Unscoped bool   `json:"unscoped,omitempty" yaml:"unscoped"` // it names nothing of any kind
}

// Route is a rule: who may call what this method and path choose.
type Route struct {
	Method     string      `json:"method" yaml:"method"`                   // GET, HEAD, POST, PUT, PATCH or DELETE; GET is also asked for HEAD
	Path       string      `json:"path" yaml:"path"`                       // below that of the API; segments are literal, {name}, or {name}:verb
	Scopes     []string    `json:"scopes,omitempty" yaml:"scopes"`         // OAuth scopes, all of them needed
	Actions    []string    `json:"actions,omitempty" yaml:"actions"`       // all of them needed, of the client's policies
	Parameters []Parameter `json:"parameters,omitempty" yaml:"parameters"` // every one of the path, and those of query and body that name a resource
	Tags       []string    `json:"tags,omitempty" yaml:"tags"`             // endpoints that must be enabled for the tenant, all of them
	Upgrade    bool        `json:"upgrade,omitempty" yaml:"upgrade"`       // may become another protocol, as WebSocket does
}

// Mutating reports whether the method may change something (RFC 9110 §9.2.1).
func (r *Route) Mutating() bool { return r.Method != "GET" && r.Method != "HEAD" }

// maxParameters is how many parameters a path may have.
const maxParameters = 8

// Table is the routes of an API, ready to match. It does not change.
type Table struct {
	root node
}

// node is a place in the tree of segments.
type node struct {
	literal map[string]*node
	param   map[string]*node // by verb, "" for none
	methods map[string]*rule
}

// rule is a route made ready.
type rule struct {
	route Route
	names []string   // parameters of the path, in order
	whole []Resource // what a mutating route that names no resource needs: all of every kind
	body  bool       // a parameter stands in the body
}

// RouteError is what is wrong with one route.
type RouteError struct {
	Index int   // of the route in the list
	Err   error // names the route by method and path
}

// RouteErrors is the error of NewTable: one for each route that is no rule.
type RouteErrors []RouteError

// Error lists them, one on each line.
func (e RouteErrors) Error() string {
	lines := make([]string, len(e))
	for i, of := range e {
		lines[i] = of.Err.Error()
	}
	return strings.Join(lines, "\n")
}

// NewTable checks routes and makes them ready. The error is RouteErrors and lists every
// route with a problem.
func NewTable(routes []Route) (*Table, error) {
	t := &Table{}
	var problems RouteErrors
	whole := wholeOf(routes)
	for i, r := range routes {
		if err := t.add(r, whole); err != nil {
			problems = append(problems, RouteError{Index: i, Err: fmt.Errorf("route %s %s: %w", r.Method, r.Path, err)})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return t, nil
}

// wholeOf is all resources of every kind that the routes name.
func wholeOf(routes []Route) []Resource {
	var kinds []string
	for _, r := range routes {
		for _, p := range r.Parameters {
			if p.Kind != "" {
				kinds = append(kinds, p.Kind)
			}
		}
	}
	slices.Sort(kinds)
	var whole []Resource
	for _, k := range slices.Compact(kinds) {
		whole = append(whole, Resource{Kind: k, All: true})
	}
	return whole
}

func (t *Table) add(r Route, whole []Resource) error {
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, r.Method) {
		return errors.New("method is none of GET, HEAD, POST, PUT, PATCH, DELETE")
	}
	at, names := &t.root, []string(nil)
	if !strings.HasPrefix(r.Path, "/") {
		return errors.New("path does not begin with /")
	}
	for segment := range strings.SplitSeq(r.Path[1:], "/") {
		name, verb, isParam, err := readSegment(segment, r.Path)
		if err != nil {
			return err
		}
		if isParam {
			names = append(names, name)
			at = child(&at.param, verb)
		} else {
			at = child(&at.literal, segment)
		}
	}
	if err := checkParameters(r, names); err != nil {
		return err
	}
	if _, twice := at.methods[r.Method]; twice {
		return errors.New("another route has this method and a path of this form")
	}
	if at.methods == nil {
		at.methods = map[string]*rule{}
	}
	ready := &rule{route: r, names: names, body: slices.ContainsFunc(r.Parameters, func(p Parameter) bool { return p.In == InBody })}
	if r.Mutating() && !r.namesResource() {
		ready.whole = whole
	}
	at.methods[r.Method] = ready
	return nil
}

func child(of *map[string]*node, key string) *node {
	if *of == nil {
		*of = map[string]*node{}
	}
	n, ok := (*of)[key]
	if !ok {
		n = &node{}
		(*of)[key] = n
	}
	return n
}

// readSegment tells literals from parameters.
func readSegment(segment, path string) (name, verb string, isParam bool, err error) {
	if inner, ok := strings.CutPrefix(segment, "{"); ok {
		name, rest, closed := strings.Cut(inner, "}")
		verb, hasVerb := strings.CutPrefix(rest, ":")
		if !closed || !word(name) || (rest != "" && (!hasVerb || !word(verb))) {
			return "", "", false, errors.New("a segment with a parameter is {name} or {name}:verb")
		}
		return name, verb, true, nil
	}
	if normal, err := Normalise("/" + segment); err != nil || normal != "/"+segment || (segment == "" && path != "/") {
		return "", "", false, errors.New("path is not in its normal form, or ends in /")
	}
	return "", "", false, nil
}

func word(s string) bool {
	for i := range len(s) {
		if !unreserved(s[i]) {
			return false
		}
	}
	return s != ""
}

func checkParameters(r Route, names []string) error {
	if len(names) > maxParameters {
		return fmt.Errorf("path has more than %d parameters", maxParameters)
	}
	declared := map[string]Parameter{}
	for _, p := range r.Parameters {
		if _, twice := declared[p.Name]; twice || p.Name == "" {
			return fmt.Errorf("parameter %q is declared twice or has no name", p.Name)
		}
		declared[p.Name] = p
		if p.In != InPath && p.In != InQuery && p.In != InBody {
			return fmt.Errorf("parameter %q stands in none of path, query, body", p.Name)
		}
		if p.In == InPath && !slices.Contains(names, p.Name) {
			return fmt.Errorf("parameter %q does not stand in the path", p.Name)
		}
		if meanings(p) != 1 {
			return fmt.Errorf("parameter %q needs exactly one of kind, child_of, unscoped", p.Name)
		}
	}
	for i, name := range names {
		if p, ok := declared[name]; !ok || p.In != InPath || slices.Contains(names[:i], name) {
			return fmt.Errorf("parameter %q of the path is not declared exactly once", name)
		}
	}
	return checkChildren(declared)
}

func meanings(p Parameter) int {
	n := 0
	for _, has := range []bool{p.Kind != "", p.ChildOf != "", p.Unscoped} {
		if has {
			n++
		}
	}
	return n
}

// checkChildren: whoever is a child has a parent that names a resource, in the end.
func checkChildren(declared map[string]Parameter) error {
	for name, p := range declared {
		for steps := 0; p.ChildOf != ""; steps++ {
			parent, ok := declared[p.ChildOf]
			if !ok || steps > len(declared) || parent.Unscoped {
				return fmt.Errorf("parameter %q is a child of what names no resource", name)
			}
			p = parent
		}
	}
	return nil
}
