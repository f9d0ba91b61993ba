package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

type versionCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// build is what `version --json` prints.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
}

// Run prints the version of the module and of the commit it was built from.
func (c versionCommand) Run(s *streams) error {
	b := build{Version: "unknown", Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.Version = info.Main.Version
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				b.Commit = setting.Value
			}
		}
	}
	if c.JSON {
		return s.json(b)
	}
	words := []string{"postern", b.Version, b.Commit, b.Go}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	_, err := fmt.Fprintln(s.out, strings.Join(words, " "))
	return err
}
