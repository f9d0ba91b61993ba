package dialecttest_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-dev/postern/oauth/dialect"
	"github.com/postern-dev/postern/oauth/dialect/dialecttest"
)

// Each mutant loads, differs from the original, and differs in what it says it
// changes; every field of Wire and Server has one in some file.
func TestMutations(t *testing.T) {
	files, err := filepath.Glob("../*.yaml")
	if err != nil || len(files) != 6 {
		t.Fatal(files, err)
	}
	touched := make(map[string]bool)
	for _, file := range append(files, "../testdata/seventh.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		original, err := dialect.Load(file, data)
		if err != nil {
			t.Fatal(err)
		}
		list, err := dialecttest.Mutations(file, data)
		if err != nil {
			t.Fatal(err)
		}
		own := 0
		for _, m := range list {
			if m.Set {
				own++
			}
		}
		if len(list) < 30 || own == 0 || own == len(list) {
			t.Errorf("%s: %d mutants, %d of fields that the file sets", file, len(list), own)
		}
		t.Logf("%s: %d mutants, %d of fields that the file sets", file, len(list), own)
		for _, m := range list {
			mutant, err := dialect.Load(file, m.Data)
			if err != nil {
				t.Errorf("%s: %s: %v", file, m.Field, err)
				continue
			}
			ignore := cmp.Options{cmpopts.IgnoreUnexported(dialect.Dialect{}, dialect.Binding{})}
			if cmp.Equal(original.Wire, mutant.Wire, ignore) && cmp.Equal(original.Server, mutant.Server, ignore) {
				t.Errorf("%s: %s from %s to %s changes nothing", file, m.Field, m.From, m.To)
			}
			touched[m.Field] = true
		}
	}
	for _, part := range []struct {
		name string
		t    reflect.Type
	}{{"wire", reflect.TypeFor[dialect.Wire]()}, {"server", reflect.TypeFor[dialect.Server]()}} {
		for f := range part.t.Fields() {
			field := part.name + "." + f.Tag.Get("yaml")
			found := false
			for name := range touched {
				found = found || name == field || strings.HasPrefix(name, field+".") || strings.HasPrefix(name, field+"[")
			}
			if !found {
				t.Errorf("no mutant of %s", field)
			}
		}
	}
}
