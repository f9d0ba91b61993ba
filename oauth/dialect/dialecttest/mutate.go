package dialecttest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/postern-dev/postern/oauth/dialect"
)

// Mutation is a dialect file with one field changed, and still valid.
type Mutation struct {
	Field string // as in server.lifetime.default
	From  string // the value that the dialect has, set or by default
	To    string // the value in Data
	Data  []byte // the whole file
	Set   bool   // the file itself sets the field, or part of it; else it is the default
	// Rare marks the answer to a failure that no request brings about alone:
	// the server has to be exhausted or broken.
	Rare bool
}

// change is a candidate: values for one field, of which the first that Load
// accepts is taken, together with others that have to follow it.
type change struct {
	field string
	from  any
	to    []any
	also  map[string]any // field → value
	rare  bool
}

// Mutations changes each field of Wire and Server of a dialect file once,
// whether the file sets it or leaves it to its default. Fields that mean
// nothing in this dialect are left out, such as the answer to a failure that
// cannot happen.
func Mutations(file string, data []byte) ([]Mutation, error) {
	d, err := dialect.Load(file, data)
	if err != nil {
		return nil, err
	}
	var list []Mutation
	for _, c := range append(wire(d), server(d)...) {
		m, err := c.apply(file, data)
		if err != nil {
			return nil, err
		}
		if m != nil {
			list = append(list, *m)
		}
	}
	return list, nil
}

// apply returns nil where the floor allows no other value.
func (c change) apply(file string, data []byte) (*Mutation, error) {
	for _, to := range c.to {
		var doc yaml.Node
		if err := yaml.Unmarshal(data, &doc); err != nil {
			return nil, fmt.Errorf("mutate %s: %w", file, err)
		}
		own := has(doc.Content[0], c.field)
		if err := set(doc.Content[0], c.field, to); err != nil {
			return nil, err
		}
		for field, value := range c.also {
			if err := set(doc.Content[0], field, value); err != nil {
				return nil, err
			}
		}
		var out bytes.Buffer
		if err := yaml.NewEncoder(&out).Encode(&doc); err != nil {
			return nil, fmt.Errorf("mutate %s: %w", file, err)
		}
		if _, err := dialect.Load(file, out.Bytes()); err == nil {
			return &Mutation{Field: c.field, From: fmt.Sprint(c.from), To: fmt.Sprint(to), Data: out.Bytes(), Set: own, Rare: c.rare}, nil
		}
	}
	return nil, nil
}

// has reports whether the file says something at a field.
func has(n *yaml.Node, field string) bool {
	name, rest, deeper := strings.Cut(field, ".")
	name, _, isList := strings.Cut(name, "[")
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return isList || !deeper || has(n.Content[i+1], rest)
		}
	}
	return false
}

// set puts a value at a field, and makes what is missing on the way to it.
func set(n *yaml.Node, field string, value any) error {
	name, rest, deeper := strings.Cut(field, ".")
	name, index, isList := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	next := member(n, name)
	if isList {
		i, err := strconv.Atoi(index)
		if err != nil || i >= len(next.Content) {
			return fmt.Errorf("mutate: no %s in the file", field)
		}
		next = next.Content[i]
	}
	if deeper {
		if next.Kind == 0 {
			next.Kind = yaml.MappingNode
		}
		return set(next, rest, value)
	}
	var made yaml.Node
	if err := made.Encode(value); err != nil {
		return fmt.Errorf("mutate %s: %w", field, err)
	}
	*next = made
	return nil
}

// member finds a member of a mapping, or adds an empty one.
func member(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	key, value := &yaml.Node{Kind: yaml.ScalarNode, Value: name}, &yaml.Node{}
	n.Content = append(n.Content, key, value)
	return value
}
