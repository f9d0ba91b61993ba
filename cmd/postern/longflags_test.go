package main

import (
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// A long flag may have one dash; nothing else is touched.
func TestLongFlags(t *testing.T) {
	parser, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ args, want []string }{
		"one dash":          {[]string{"serve", "-config", "x"}, []string{"serve", "--config", "x"}},
		"with a value":      {[]string{"serve", "-config=x"}, []string{"serve", "--config=x"}},
		"two dashes":        {[]string{"serve", "--config", "x"}, []string{"serve", "--config", "x"}},
		"short":             {[]string{"apply", "-f", "dir"}, []string{"apply", "-f", "dir"}},
		"short with value":  {[]string{"apply", "-fdir"}, []string{"apply", "-fdir"}},
		"no flag":           {[]string{"-confg", "-", ""}, []string{"-confg", "-", ""}},
		"after the end":     {[]string{"-config", "--", "-config", "-file"}, []string{"--config", "--", "-config", "-file"}},
		"two words":         {[]string{"dev", "-json-file", "x"}, []string{"dev", "--json-file", "x"}},
		"nothing":           {[]string{}, []string{}},
		"value with a dash": {[]string{"client", "--note=-config"}, []string{"client", "--note=-config"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, longFlags(parser.Model.Node, test.args)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
