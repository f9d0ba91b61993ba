package strictjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Unmarshal checks data and decodes it into v, a pointer, as encoding/json does,
// with three differences: a member must be spelt exactly as its field, a member
// without a field is ErrUnknownMember, and a number read into an interface is a
// json.Number. Types that decode themselves judge their own members. A
// json.RawMessage takes anything.
func Unmarshal(data []byte, v any) error {
	if err := Check(data); err != nil {
		return err
	}
	s := scanner{text: string(data)}
	s.space()
	if err := s.known(reflect.TypeOf(v)); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return withoutValue(err)
	}
	return nil
}

// errType says that a value does not fit, without the value.
var errType = errors.New("JSON value does not fit what is expected here")

// withoutValue keeps text of the document out of the error.
func withoutValue(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%w: %s", errType, wrong.Field)
	}
	return errType
}

// known scans a value that Check has passed, and holds the names in it against
// the type it goes into.
func (s *scanner) known(t reflect.Type) error {
	for t != nil && t.Kind() == reflect.Pointer && !decodesItself(t) {
		t = t.Elem()
	}
	if t == nil || decodesItself(t) || decodesItself(reflect.PointerTo(t)) {
		return s.value()
	}
	switch c := s.peek(); {
	case c == '{' && t.Kind() == reflect.Struct:
		fields := fieldsOf(t)
		return s.object(func(name string) error {
			field, ok := fields[name]
			if !ok {
				return ErrUnknownMember
			}
			return s.known(field)
		})
	case c == '{' && t.Kind() == reflect.Map:
		return s.object(func(string) error { return s.known(t.Elem()) })
	case c == '[' && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		return s.array(func() error { return s.known(t.Elem()) })
	}
	return s.value()
}

func decodesItself(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[json.Unmarshaler]()) || t.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// fieldsOf maps the names of a struct's members to their types. An embedded
// struct without a name lends its fields.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type, t.NumField())
	for f := range t.Fields() {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Tag.Get("json") == "-":
		case f.Anonymous && tag == "":
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				for name, typ := range fieldsOf(inner) {
					if _, outer := fields[name]; !outer {
						fields[name] = typ
					}
				}
			}
		case !f.IsExported():
		case tag != "":
			fields[tag] = f.Type
		default:
			fields[f.Name] = f.Type
		}
	}
	return fields
}
