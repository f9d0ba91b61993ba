package dialect

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/postern-dev/postern/oauth"
)

// maxFile is how large a dialect file may be, in bytes.
const maxFile = 64 << 10

// parse reads one YAML document into the node of its top mapping.
func (p *problems) parse(data []byte) *yaml.Node {
	if len(data) > maxFile {
		p.add("", "is larger than %d bytes: no dialect needs that much", maxFile)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		p.syntax(err)
		return nil
	}
	if err := decoder.Decode(&more); err != io.EOF {
		p.add("", "holds more than one document: put each dialect in a file of its own")
		return nil
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		p.add("", "is not a mapping: it begins with schema: %d", Schema)
		return nil
	}
	return doc.Content[0]
}

// syntax takes the line out of what the YAML reader says.
func (p *problems) syntax(err error) {
	if err == io.EOF {
		p.add("", "is empty: it begins with schema: %d", Schema)
		return
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, message, ok := strings.Cut(rest, ": "); ok {
			p.lines[""], _ = strconv.Atoi(number)
			text = message
		}
	}
	p.add("", "is not YAML: %s", text)
}

// read sets v to what the node says. Only known fields, plain scalars, lists
// and mappings are read; every problem is noted and reading goes on.
func (p *problems) read(n *yaml.Node, field string, v reflect.Value) {
	p.lines[field] = n.Line
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		p.add(field, "uses an anchor or alias: write the value out")
		return
	case n.Style&yaml.TaggedStyle != 0:
		p.add(field, "has a tag: write the plain value")
		return
	case n.Tag == "!!null":
		p.add(field, "has no value: leave the field out")
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		p.readStruct(n, field, v)
	case reflect.Map:
		p.readMap(n, field, v)
	case reflect.Slice:
		p.readList(n, field, v)
	default:
		p.readScalar(n, field, v)
	}
}

// pairs walks a mapping.
func (p *problems) pairs(n *yaml.Node, field string, each func(name string, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.add(field, "must be a mapping of fields")
		return
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		name := below(field, key.Value)
		p.lines[name] = key.Line
		switch {
		case key.Kind != yaml.ScalarNode || key.Anchor != "" || key.Tag != "!!str" || !printable(key.Value):
			p.lines[field] = key.Line
			p.add(field, "has a field whose name is not a plain word")
		case seen[key.Value]:
			p.add(name, "stands here a second time: keep one")
		default:
			seen[key.Value] = true
			each(key.Value, n.Content[i+1])
		}
	}
}

func (p *problems) readStruct(n *yaml.Node, field string, v reflect.Value) {
	p.pairs(n, field, func(name string, value *yaml.Node) {
		known := make([]string, 0, v.NumField())
		for i := range v.NumField() {
			tag := v.Type().Field(i).Tag.Get("yaml")
			if tag == name {
				p.read(value, below(field, name), v.Field(i))
				return
			}
			if tag != "" {
				known = append(known, tag)
			}
		}
		p.add(below(field, name), "is not known: here are %s", strings.Join(known, ", "))
	})
}

// readMap reads the answers to failures, the only map there is.
func (p *problems) readMap(n *yaml.Node, field string, v reflect.Value) {
	answers := make(map[oauth.Failure]Answer)
	p.pairs(n, field, func(name string, value *yaml.Node) {
		if !slices.Contains(oauth.Failures(), oauth.Failure(name)) {
			p.add(below(field, name), "is not a failure: there are %s", join(oauth.Failures()))
			return
		}
		var a Answer
		p.read(value, below(field, name), reflect.ValueOf(&a).Elem())
		answers[oauth.Failure(name)] = a
	})
	v.Set(reflect.ValueOf(answers))
}

func (p *problems) readList(n *yaml.Node, field string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		p.add(field, "must be a list")
		return
	}
	// Never nil: a list that is there and empty is not one that was left out.
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		p.read(item, fmt.Sprintf("%s[%d]", field, i), list.Index(i))
	}
	v.Set(list)
}

func (p *problems) readScalar(n *yaml.Node, field string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		p.add(field, "must be a single value")
		return
	}
	ok, want := false, ""
	switch v.Kind() {
	case reflect.String:
		ok, want = n.Tag == "!!str" && n.Value != "", "text that is not empty, in quotes if it looks like a number"
		v.SetString(n.Value)
	case reflect.Bool:
		ok, want = n.Tag == "!!bool", "true or false"
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int:
		i, err := strconv.ParseInt(n.Value, 10, 32)
		ok, want = n.Tag == "!!int" && err == nil && i > 0, "a whole number above 0"
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(n.Value, 64)
		ok, want = (n.Tag == "!!float" || n.Tag == "!!int") && err == nil && f > 0, "a number above 0"
		v.SetFloat(f)
	}
	if !ok {
		v.SetZero()
		p.add(field, "must be %s", want)
		return
	}
	if set := closed(v); set != nil && !slices.Contains(set, n.Value) {
		v.SetZero()
		p.add(field, "must be one of %s", strings.Join(set, ", "))
	}
}

// below is the name of a field inside another.
func below(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}
