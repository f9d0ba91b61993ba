package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Decode sets the struct that v points to from the document. A field is known
// by its `yaml` tag; one that is left out keeps the value it has. What cannot
// be read is a problem, and reading goes on.
func (d *Document) Decode(v any) []Problem {
	d.probs = nil
	d.read(d.root, "", reflect.ValueOf(v).Elem())
	return d.probs
}

func (d *Document) add(line int, field, format string, args ...any) {
	d.probs = append(d.probs, Problem{Line: line, Field: field, Message: fmt.Sprintf(format, args...)})
}

func (d *Document) read(n *yaml.Node, field string, v reflect.Value) {
	if _, ok := d.lines[field]; !ok {
		d.lines[field] = n.Line
	}
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.add(n.Line, field, "uses an anchor or an alias; write the value out")
		return
	case n.Style&yaml.TaggedStyle != 0:
		d.add(n.Line, field, "has a tag; write the plain value")
		return
	case n.Tag == "!!null":
		d.add(n.Line, field, "has no value; give it one or leave the field out")
		return
	}
	if d.readText(n, field, v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.read(n, field, v.Elem())
	case reflect.Struct:
		d.readStruct(n, field, v)
	case reflect.Map:
		d.readMap(n, field, v)
	case reflect.Slice:
		d.readList(n, field, v)
	default:
		d.readScalar(n, field, v)
	}
}

// readText reads a value whose type reads its own text.
func (d *Document) readText(n *yaml.Node, field string, v reflect.Value) bool {
	if v.Kind() == reflect.Pointer {
		return false
	}
	var err error
	switch t := v.Addr().Interface().(type) {
	case *time.Time:
		*t, err = parseTime(n.Value)
	case yaml.Unmarshaler:
		if n.Kind == yaml.ScalarNode {
			err = t.UnmarshalYAML(&yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Line: n.Line})
		}
	case encoding.TextUnmarshaler:
		err = t.UnmarshalText([]byte(n.Value))
	default:
		return false
	}
	if n.Kind != yaml.ScalarNode {
		d.add(n.Line, field, "must be a single value")
	} else if err != nil {
		d.add(n.Line, field, "%s", strings.TrimPrefix(err.Error(), fmt.Sprintf("line %d: ", n.Line)))
	}
	return true
}

// parseTime reads a date, which begins at midnight UTC, or a time of RFC 3339.
func parseTime(text string) (time.Time, error) {
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q is no date: write 2027-01-31 (midnight UTC) or 2027-01-31T12:00:00Z", text)
	}
	return at, nil
}

// pairs walks a mapping.
func (d *Document) pairs(n *yaml.Node, field string, each func(name string, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.add(n.Line, field, "must be a mapping of fields")
		return
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode || key.Anchor != "" || key.Style&yaml.TaggedStyle != 0 || key.Tag == "!!null" || key.Tag == "!!merge":
			d.add(key.Line, field, "has a field whose name is not a plain word")
		case seen[key.Value]:
			d.add(key.Line, Below(field, key.Value), "stands here a second time; keep one")
		default:
			seen[key.Value] = true
			d.lines[Below(field, key.Value)] = key.Line
			each(key.Value, n.Content[i+1])
		}
	}
}

func (d *Document) readStruct(n *yaml.Node, field string, v reflect.Value) {
	d.pairs(n, field, func(name string, value *yaml.Node) {
		known := make([]string, 0, v.NumField())
		for i := range v.NumField() {
			tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if tag == "" || tag == "-" {
				continue
			}
			if tag == name {
				d.read(value, Below(field, name), v.Field(i))
				return
			}
			known = append(known, tag)
		}
		d.add(d.Line(Below(field, name)), Below(field, name), "is no field; there are %s", strings.Join(known, ", "))
	})
}

func (d *Document) readMap(n *yaml.Node, field string, v reflect.Value) {
	m := reflect.MakeMap(v.Type())
	d.pairs(n, field, func(name string, value *yaml.Node) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.read(value, Below(field, name), item)
		m.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), item)
	})
	v.Set(m)
}

func (d *Document) readList(n *yaml.Node, field string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.add(n.Line, field, "must be a list, as in [a, b]")
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.read(item, fmt.Sprintf("%s[%d]", field, i), list.Index(i))
	}
	v.Set(list)
}

func (d *Document) readScalar(n *yaml.Node, field string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.add(n.Line, field, "must be a single value")
		return
	}
	ok, want := false, ""
	switch v.Kind() {
	case reflect.String: // the exact text: an id may look like a number
		ok, want = n.Tag != "!!bool", "text; put it in quotes"
		v.SetString(n.Value)
	case reflect.Bool:
		ok, want = n.Tag == "!!bool", "true or false"
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(n.Value, 10, 64)
		ok, want = err == nil && n.Tag == "!!int", "a whole number"
		v.SetInt(i)
	}
	if !ok {
		v.SetZero()
		d.add(n.Line, field, "must be %s", want)
	}
}

// Below is the path of a field inside another.
func Below(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}
