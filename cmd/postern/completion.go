package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"Whose: bash, zsh or fish."`
}

// Help says where the script goes.
func (completionCommand) Help() string {
	return `For this session:

  bash: source <(postern completion bash)
  zsh:  source <(postern completion zsh)
  fish: postern completion fish | source

For every session put that line into ~/.bashrc, ~/.zshrc (behind compinit) or ~/.config/fish/config.fish.`
}

// scripts ask `postern complete` for what may stand where the cursor is. Where it knows
// nothing, a file may stand there.
var scripts = map[string]string{ //nolint:gochecknoglobals // never changed
	"bash": `_postern() {
	local IFS=$'\n'
	COMPREPLY=($(postern complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _postern postern`,
	"zsh": `_postern() {
	local -a found
	found=("${(@f)$(postern complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	found=("${(@)found:#}")
	if (( $#found )); then
		found=("${(@)found/$'\t'/:}")
		_describe postern found
	else
		_files
	fi
}
compdef _postern postern`,
	"fish": `complete -c postern -a '(postern complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'`,
}

// Run prints the script of a shell.
func (c completionCommand) Run(s *streams) error {
	s.data("%s", scripts[c.Shell])
	return nil
}

type completeCommand struct {
	Words []string `arg:"" optional:"" help:"The words so far; the last is the one to complete."`
}

// Run prints a line for each word that may stand in the place of the last one, and after a
// tab what it means.
func (c completeCommand) Run(k *kong.Context, s *streams) error {
	for _, w := range candidates(k.Model.Node, c.Words) {
		s.data("%s\t%s", w.word, w.help)
	}
	return nil
}

// candidate is a word that may stand somewhere, and what it means.
type candidate struct{ word, help string }

// candidates are the words that may stand in the place of the last one.
func candidates(node *kong.Node, words []string) (list []candidate) {
	if len(words) == 0 {
		words = []string{""}
	}
	last := words[len(words)-1]
	add := func(word, help string) {
		if strings.HasPrefix(word, last) {
			help, _, _ = strings.Cut(help, "\n")
			list = append(list, candidate{word, help})
		}
	}
	var open *kong.Flag // wants a value
	places := 0         // words that are no command and no flag
	for _, word := range words[:len(words)-1] {
		switch below := child(node, word); {
		case open != nil:
			open = nil
		case strings.HasPrefix(word, "-"):
			if f := flagOf(node, word); f != nil && !f.IsBool() && !strings.Contains(word, "=") {
				open = f
			}
		case below != nil:
			node = below
		default:
			places++
		}
	}
	switch {
	case open != nil:
		eachEnum(open.Value, add)
	case strings.HasPrefix(last, "-"):
		for _, group := range node.AllFlags(true) {
			for _, f := range group {
				add("--"+f.Name, f.Help)
			}
		}
	case places < len(node.Positional):
		eachEnum(node.Positional[places], add)
	default:
		for _, c := range node.Children {
			if !c.Hidden {
				add(c.Name, c.Help)
			}
		}
	}
	return list
}

func eachEnum(v *kong.Value, add func(word, help string)) {
	if v.Enum == "" {
		return
	}
	for _, word := range strings.Split(v.Enum, ",") {
		add(word, "")
	}
}

func child(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// flagOf is the flag that a word names, with one dash or two.
func flagOf(node *kong.Node, word string) *kong.Flag {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	for _, group := range node.AllFlags(false) {
		for _, f := range group {
			if f.Name == name || f.Short != 0 && string(f.Short) == name {
				return f
			}
		}
	}
	return nil
}
