package declare

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/postern-dev/postern/internal/domain"
)

// write writes objects as a file declares them: each with its kind first, then its fields
// in their order, those that say nothing left out.
func write(list []body, words map[domain.Kind]string) ([]byte, error) {
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	for _, v := range list {
		node := mapping(reflect.ValueOf(v).Elem())
		node.Content = append([]*yaml.Node{text("kind"), text(words[v.Kind()])}, node.Content...)
		if err := encoder.Encode(node); err != nil {
			return nil, fmt.Errorf("write %s %s: %w", v.Kind(), v.Key(), err)
		}
	}
	err := encoder.Close()
	return b.Bytes(), err
}

// text is a value that is read back as these very characters.
func text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func word(tag, s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: s} }

// mapping is the fields of a struct.
func mapping(v reflect.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i, name := range fieldNames(v.Type()) {
		if f := v.Field(i); name != "" && !f.IsZero() { // an empty list is not none
			n.Content = append(n.Content, text(name), node(f))
		}
	}
	return n
}

// node is a value as strictyaml reads it back.
func node(v reflect.Value) *yaml.Node {
	switch t := v.Interface().(type) {
	case domain.Seconds:
		return word("!!str", seconds(t))
	case *time.Time:
		return text(t.UTC().Format(time.RFC3339))
	}
	switch v.Kind() {
	case reflect.Pointer:
		return node(v.Elem())
	case reflect.Struct:
		return mapping(v)
	case reflect.Map:
		return pairs(v)
	case reflect.Slice:
		return sequence(v)
	case reflect.Bool:
		return word("!!bool", strconv.FormatBool(v.Bool()))
	case reflect.String:
		return text(v.String())
	}
	return word("!!int", strconv.FormatInt(v.Int(), 10))
}

func pairs(v reflect.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		n.Content = append(n.Content, text(k.String()), node(v.MapIndex(k)))
	}
	return n
}

// sequence stands in one line where it holds words only.
func sequence(v reflect.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	if k := v.Type().Elem().Kind(); k == reflect.String || k == reflect.Slice || v.Len() == 0 {
		n.Style = yaml.FlowStyle
	}
	for i := range v.Len() {
		n.Content = append(n.Content, node(v.Index(i)))
	}
	return n
}
