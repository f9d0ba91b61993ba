package declare

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/domain"
)

// Difference is what is other in one field, named as in the files by its path
// (`resource_scope.study.ids`, `routes[GET /studies].scopes`). Of a list each element that
// goes or comes is one; of a long text there are lines.
type Difference struct {
	Field string   `json:"field"`
	Old   any      `json:"old,omitempty" doc:"Absent: it was not said."`
	New   any      `json:"new,omitempty" doc:"Absent: it is not said any more."`
	Lines []string `json:"lines,omitempty" doc:"Of a long text: the lines that go (-) and come (+), with some around them."`
}

// differences lists what is other, in the order of fields; nil is an object that is not
// there. Only what files can say is looked at, and the origin: no secret is.
func differences(old, now body) []Difference {
	var d difference
	a, b := reflect.ValueOf(old), reflect.ValueOf(now)
	switch {
	case old == nil:
		a = reflect.New(b.Type().Elem())
	case now == nil:
		b = reflect.New(a.Type().Elem())
	}
	d.structs("", a.Elem(), b.Elem())
	var was, is string
	if old != nil {
		was = originOf(old)
	}
	if now != nil {
		is = originOf(now)
	}
	if was != is {
		d.add("origin", said(reflect.ValueOf(was)), said(reflect.ValueOf(is)))
	}
	return d.found
}

// difference is one comparison.
type difference struct{ found []Difference }

func (d *difference) add(field string, old, now any) {
	d.found = append(d.found, Difference{Field: field, Old: old, New: now})
}

// structs compares the fields that files can say.
func (d *difference) structs(path string, old, now reflect.Value) {
	for i, name := range fieldNames(old.Type()) {
		if name != "" {
			d.values(below(path, name), old.Field(i), now.Field(i))
		}
	}
}

// fieldNames are the names in files of a struct's fields; empty: no file says it.
func fieldNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); name != "-" {
			names[i] = name
		}
	}
	return names
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// schemaText is the one field that is a long text.
const schemaText = "graphql.schema"

// values compares two values of one type.
func (d *difference) values(path string, old, now reflect.Value) {
	switch old.Kind() {
	case reflect.Pointer:
		d.pointers(path, old, now)
	case reflect.Struct:
		d.structs(path, old, now)
	case reflect.Map:
		d.mappings(path, old, now)
	case reflect.Slice:
		d.lists(path, old, now)
	default:
		switch a, b := old.Interface(), now.Interface(); {
		case a == b:
		case path == schemaText:
			d.found = append(d.found, Difference{Field: path, Lines: unified(old.String(), now.String())})
		default:
			d.add(path, said(old), said(now))
		}
	}
}

func (d *difference) pointers(path string, old, now reflect.Value) {
	if at, ok := old.Interface().(*time.Time); ok {
		then := now.Interface().(*time.Time) //nolint:forcetypeassert // of one type
		if (at == nil) != (then == nil) || at != nil && !at.Truncate(time.Second).Equal(then.Truncate(time.Second)) {
			d.add(path, said(old), said(now))
		}
		return
	}
	d.inside(path, old.IsNil(), now.IsNil(), func() {
		d.structs(path, orZero(old), orZero(now))
	})
}

// orZero is what a pointer points to.
func orZero(v reflect.Value) reflect.Value {
	if v.IsNil() {
		return reflect.Zero(v.Type().Elem())
	}
	return v.Elem()
}

// inside compares what is inside of something that may not be there on one side. That it
// comes or goes is told where nothing inside of it tells.
func (d *difference) inside(path string, noOld, noNow bool, compare func()) {
	before := len(d.found)
	compare()
	if noOld == noNow || len(d.found) > before {
		return
	}
	if noOld {
		d.add(path, nil, map[string]any{})
	} else {
		d.add(path, map[string]any{}, nil)
	}
}

func (d *difference) mappings(path string, old, now reflect.Value) {
	keys := make(map[string]bool)
	for _, side := range []reflect.Value{old, now} {
		for _, k := range side.MapKeys() {
			keys[k.String()] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		k := reflect.ValueOf(key).Convert(old.Type().Key())
		a, b := old.MapIndex(k), now.MapIndex(k)
		noOld, noNow := !a.IsValid(), !b.IsValid()
		if noOld {
			a = reflect.Zero(old.Type().Elem())
		}
		if noNow {
			b = reflect.Zero(old.Type().Elem())
		}
		d.inside(below(path, key), noOld, noNow, func() { d.values(below(path, key), a, b) })
	}
}

func (d *difference) lists(path string, old, now reflect.Value) {
	if old.Len() == 0 && now.Len() == 0 {
		return
	}
	if old.Type().Elem().Kind() == reflect.Struct && d.named(path, old, now) {
		return
	}
	a, b := elements(old), elements(now)
	if slices.Equal(a, b) {
		return
	}
	gone, came := without(a, b), without(b, a)
	if len(gone)+len(came) == 0 { // the same in another order
		d.add(path, plain(old), plain(now))
		return
	}
	for _, i := range gone {
		d.add(path, plain(old.Index(i)), nil)
	}
	for _, i := range came {
		d.add(path, nil, plain(now.Index(i)))
	}
}

// elements are the texts by which elements are compared.
func elements(list reflect.Value) []string {
	texts := make([]string, list.Len())
	for i := range texts {
		if v := list.Index(i); v.Kind() == reflect.String {
			texts[i] = v.String()
		} else {
			text, _ := json.Marshal(plain(v)) // it is made of what JSON knows
			texts[i] = string(text)
		}
	}
	return texts
}

// without lists the places of what is in a and not, or not so often, in b.
func without(a, b []string) (places []int) {
	left := make(map[string]int, len(b))
	for _, text := range b {
		left[text]++
	}
	for i, text := range a {
		if left[text]--; left[text] < 0 {
			places = append(places, i)
		}
	}
	return places
}

// named compares lists whose elements have names of their own, element by element. Where
// names are missing or stand twice it returns false.
func (d *difference) named(path string, old, now reflect.Value) bool {
	a, olds := names(old)
	b, nows := names(now)
	if a == nil && old.Len() > 0 || b == nil && now.Len() > 0 {
		return false
	}
	zero := reflect.Zero(old.Type().Elem())
	for _, name := range olds {
		at, there := b[name]
		if there {
			d.values(path+"["+name+"]", a[name], at)
		} else {
			d.inside(path+"["+name+"]", false, true, func() { d.values(path+"["+name+"]", a[name], zero) })
		}
	}
	for _, name := range nows {
		if _, there := a[name]; !there {
			d.inside(path+"["+name+"]", true, false, func() { d.values(path+"["+name+"]", zero, b[name]) })
		}
	}
	kept := func(list []string, other map[string]reflect.Value) (both []string) {
		for _, name := range list {
			if _, there := other[name]; there {
				both = append(both, name)
			}
		}
		return both
	}
	if was, is := kept(olds, b), kept(nows, a); !slices.Equal(was, is) {
		d.add(path+" (order)", was, is)
	}
	return true
}

// names are the elements of a list by what people call them, and these names in their order.
func names(list reflect.Value) (byName map[string]reflect.Value, order []string) {
	byName = make(map[string]reflect.Value, list.Len())
	for i := range list.Len() {
		v := list.Index(i)
		name := nameOf(v)
		if _, twice := byName[name]; twice || name == "" {
			return nil, nil
		}
		byName[name] = v
		order = append(order, name)
	}
	return byName, order
}

// nameOf is what tells an element from its neighbours: its coordinate, its method and path,
// or its name and where it stands.
func nameOf(v reflect.Value) string {
	texts := make(map[string]string)
	for i, name := range fieldNames(v.Type()) {
		if name != "" && v.Field(i).Kind() == reflect.String {
			texts[name] = v.Field(i).String()
		}
	}
	name := cmp.Or(texts["coordinate"], texts["path"], texts["name"])
	if first := cmp.Or(texts["method"], texts["in"]); first != "" && name != "" {
		return first + " " + name
	}
	return name
}

// said is plain of what is not the zero value, which is as if left out.
func said(v reflect.Value) any {
	if v.IsZero() {
		return nil
	}
	return plain(v)
}

// plain is a value as files write it, of what JSON knows.
func plain(v reflect.Value) any {
	switch t := v.Interface().(type) {
	case domain.Seconds:
		return seconds(t)
	case *time.Time:
		return t.UTC().Format(time.RFC3339)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return plain(v.Elem())
	case reflect.Struct:
		return plainStruct(v)
	case reflect.Map:
		m := make(map[string]any, v.Len())
		for _, k := range v.MapKeys() {
			m[k.String()] = plain(v.MapIndex(k))
		}
		return m
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i))
		}
		return list
	case reflect.String:
		return v.String()
	}
	return v.Interface()
}

func plainStruct(v reflect.Value) map[string]any {
	m := make(map[string]any)
	for i, name := range fieldNames(v.Type()) {
		if name != "" && !v.Field(i).IsZero() {
			m[name] = plain(v.Field(i))
		}
	}
	return m
}

// seconds is a duration as files write it: 90d, 12h, 30m, 45s.
func seconds(s domain.Seconds) string {
	for _, unit := range []struct {
		of   domain.Seconds
		word string
	}{{86400, "d"}, {3600, "h"}, {60, "m"}} {
		if s%unit.of == 0 {
			return fmt.Sprintf("%d%s", s/unit.of, unit.word)
		}
	}
	return fmt.Sprintf("%ds", s)
}
