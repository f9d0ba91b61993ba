// Package strictyaml reads YAML written by people, the configuration and the
// objects of `apply`, into structs: known fields only, each once, no anchors,
// aliases or tags, and every problem at once, each with its line.
//
// What the values mean is the business of the caller, who finds the line of a
// field by its path (`listeners[1].tls.cert_file`).
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Problem is one thing that is wrong, and what would be right.
type Problem struct {
	Line    int    // from 1; 0: the whole file
	Field   string // by its path; empty: the whole document
	Message string
}

// Document is one YAML document: a mapping of fields.
type Document struct {
	root  *yaml.Node
	lines map[string]int
	probs []Problem
}

// maxDocuments is how many documents one file may hold.
const maxDocuments = 10_000

// Parse splits a file into its documents. Empty ones are left out.
func Parse(data []byte) ([]*Document, []Problem) {
	var docs []*Document
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var node yaml.Node
		switch err := decoder.Decode(&node); {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			return docs, []Problem{syntax(err)}
		case len(docs) == maxDocuments:
			return docs, []Problem{{Line: node.Line, Message: fmt.Sprintf("is document %d of this file; write at most %d", len(docs)+1, maxDocuments)}}
		}
		if len(node.Content) != 1 || node.Content[0].Tag == "!!null" {
			continue
		}
		docs = append(docs, &Document{root: node.Content[0], lines: make(map[string]int)})
	}
}

// syntax takes the line out of what the YAML reader says.
func syntax(err error) Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, message, ok := strings.Cut(rest, ": "); ok {
			line, _ = strconv.Atoi(number)
			text = message
		}
	}
	return Problem{Line: line, Message: "is not YAML: " + text}
}

// Line is where the field stands, or what it belongs in where it was left out.
func (d *Document) Line(field string) int {
	for {
		if line, ok := d.lines[field]; ok {
			return line
		}
		if field == "" {
			return d.root.Line
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
}

// Has reports whether the field stands in the document. It is known of those
// that Decode has read.
func (d *Document) Has(field string) bool {
	_, ok := d.lines[field]
	return ok
}

// Set puts a value, itself YAML, in the place of a field (`log.level`), or adds it. wrong
// says what is wrong with the value, or with what stands above it in the document.
func (d *Document) Set(field string, value []byte) (wrong string) {
	var node yaml.Node
	if err := yaml.Unmarshal(value, &node); err != nil {
		return syntax(err).Message
	}
	if len(node.Content) != 1 {
		return "has no value"
	}
	at, path := d.root, strings.Split(field, ".")
	for i, name := range path {
		if at.Kind != yaml.MappingNode {
			return strings.Join(path[:i], ".") + " must be a mapping of fields"
		}
		below := child(at, name)
		if below == nil {
			below = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
			at.Content = append(at.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, below)
		}
		at = below
	}
	*at = *node.Content[0]
	return ""
}

// child is the value of a field of a mapping, nil where there is none.
func child(mapping *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// Take removes a scalar field from the top of the document and returns its
// text; ok is false where there is none.
func (d *Document) Take(name string) (value string, ok bool) {
	if d.root.Kind != yaml.MappingNode {
		return "", false
	}
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		key, v := d.root.Content[i], d.root.Content[i+1]
		if key.Value == name && key.Kind == yaml.ScalarNode && v.Kind == yaml.ScalarNode {
			d.lines[name] = key.Line
			d.root.Content = append(d.root.Content[:i:i], d.root.Content[i+2:]...)
			return v.Value, true
		}
	}
	return "", false
}
