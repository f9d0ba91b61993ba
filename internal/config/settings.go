package config

import (
	"encoding"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// EnvPrefix begins the names of environment variables that are settings.
const EnvPrefix = "POSTERN_"

// Setting is a field of the configuration by its one name: `log.level` in the file,
// POSTERN_LOG_LEVEL in the environment, --log-level on the command line. A flag goes
// before a variable, a variable before the file.
type Setting struct {
	Field string // its path in the file
	shape shape
}

// Env is the environment variable of the setting.
func (s Setting) Env() string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(s.Field, ".", "_"))
}

// Flag is the flag of the setting, without dashes.
func (s Setting) Flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(s.Field) }

// shape is how the text of a setting is read.
type shape int

const (
	plain shape = iota // as YAML: a number, a list of fields
	text               // as it stands
	words              // texts between commas
)

// Settings lists every field that is one value or one list, in the order of the file.
func Settings() []Setting { return settings(reflect.TypeFor[Config](), "") }

func settings(t reflect.Type, above string) (list []Setting) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case name == "" || name == "-":
		case inner.Kind() == reflect.Struct && !readsText(inner):
			list = append(list, settings(inner, above+name+".")...)
		default:
			list = append(list, Setting{Field: above + name, shape: shapeOf(inner)})
		}
	}
	return list
}

func shapeOf(t reflect.Type) shape {
	switch {
	case t.Kind() == reflect.String:
		return text
	case t.Kind() == reflect.Slice && (t.Elem().Kind() == reflect.String || readsText(t.Elem())):
		return words
	}
	return plain
}

// readsText reports whether values of the type read a text of their own.
func readsText(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) || p.Implements(reflect.TypeFor[yaml.Unmarshaler]())
}

// Override is a setting that does not come from the file.
type Override struct {
	Setting
	Source string // what it is called where it was set, for problems
	Text   string
}

// Environment finds the settings among variables of the form NAME=value (os.Environ).
// An empty value is as good as none.
func Environment(environ []string) []Override {
	var list []Override
	for _, s := range Settings() {
		for _, v := range environ {
			if value, ok := strings.CutPrefix(v, s.Env()+"="); ok && value != "" {
				list = append(list, Override{Setting: s, Source: s.Env(), Text: value})
			}
		}
	}
	return list
}

// FromFlag is the setting as a flag gives it.
func (s Setting) FromFlag(text string) Override {
	return Override{Setting: s, Source: "--" + s.Flag(), Text: text}
}

// yaml is the text as it would stand in a file.
func (o Override) yaml() string {
	switch o.shape {
	case text:
		return quote(o.Text)
	case words:
		if strings.HasPrefix(o.Text, "[") {
			return o.Text
		}
		list := strings.Split(o.Text, ",")
		for i, w := range list {
			list[i] = quote(strings.TrimSpace(w))
		}
		return "[" + strings.Join(list, ", ") + "]"
	case plain:
	}
	return o.Text
}

// quote writes a text as a YAML string that is nothing else.
func quote(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }

// overrides are those of one reading, the last of a field being the one that counts.
type overrides []Override

// of is what set the field, or what it is part of or holds.
func (o overrides) of(field string) *Override {
	for i := range slices.Backward(o) {
		at := o[i].Field
		if rest, ok := strings.CutPrefix(field, at); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return &o[i]
		}
	}
	return nil
}

// Differs lists the settings that are others in another configuration, in the order of the
// file.
func (c *Config) Differs(other *Config) (fields []string) {
	for _, s := range Settings() {
		if !reflect.DeepEqual(c.value(s.Field), other.value(s.Field)) {
			fields = append(fields, s.Field)
		}
	}
	return fields
}

// value is what a field holds; nil where what it stands in is not there.
func (c *Config) value(field string) any {
	v := reflect.ValueOf(c).Elem()
	for name := range strings.SplitSeq(field, ".") {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return nil
			}
			v = v.Elem()
		}
		v = member(v, name)
	}
	return v.Interface()
}

// member is the field of a struct that has the name in YAML.
func member(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ","); tag == name {
			return v.Field(i)
		}
	}
	panic("config: no field " + name) // Settings lists those that there are
}
