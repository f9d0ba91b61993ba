package main

import (
	"fmt"
	"os"
	"reflect"

	"github.com/alecthomas/kong"

	"github.com/postern-dev/postern/internal/config"
)

// settingFlags are the flags of a configuration, one for each setting of it.
type settingFlags struct{ kong.Plugins }

// newSettingFlags makes the struct that kong reads, from the one that a file is read into.
func newSettingFlags() settingFlags {
	list := config.Settings()
	fields := make([]reflect.StructField, len(list))
	for i, s := range list {
		fields[i] = reflect.StructField{
			Name: fmt.Sprintf("Setting%d", i), Type: reflect.TypeFor[*string](),
			Tag: reflect.StructTag(fmt.Sprintf(`name:%q placeholder:"VALUE" group:"Settings (docs/configuration.md)" help:"%s; or $%s."`, s.Flag(), s.Field, s.Env())),
		}
	}
	return settingFlags{kong.Plugins{reflect.New(reflect.StructOf(fields)).Interface()}}
}

// overrides are the settings of the environment and, after them, of the flags.
func (f settingFlags) overrides() []config.Override {
	over := config.Environment(os.Environ())
	if len(f.Plugins) == 0 {
		return over
	}
	given := reflect.ValueOf(f.Plugins[0]).Elem()
	for i, s := range config.Settings() {
		if text, ok := given.Field(i).Interface().(*string); ok && text != nil {
			over = append(over, s.FromFlag(*text))
		}
	}
	return over
}
