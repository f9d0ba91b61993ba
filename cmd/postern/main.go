// Postern is the side gate through which machines come in: an authorization
// server for the client credentials grant (RFC 6749 §4.4), and what belongs to it.
//
// This package is the command line: one file per command, each a thin layer over the
// packages that do the work.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/postern-dev/postern/internal/seal"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitMisuse = 2
)

// commands is the command line. Nouns first, then verbs.
type commands struct {
	Dev      devCommand      `cmd:"" help:"Run everything on this machine, with sample issuers and commands to paste."`
	Serve    serveCommand    `cmd:"" help:"Run in production, as a configuration file says."`
	Check    checkCommand    `cmd:"" help:"List every problem of a configuration and of a directory of objects."`
	Apply    applyCommand    `cmd:"" help:"Bring a directory of objects (tiers, policies, issuers, tenants, APIs, clients) into a running server."`
	Diff     diffCommand     `cmd:"" help:"Print what applying a directory of objects would change, field by field."`
	Export   exportCommand   `cmd:"" help:"Write what is there as files that apply reads back."`
	Release  releaseCommand  `cmd:"" help:"Let an object that came from a file be changed by commands again."`
	Copy     copyCommand     `cmd:"" help:"Copy a stopped installation from SQLite to PostgreSQL, or back."`
	Client   clientCommand   `cmd:"" help:"Create and administer clients."`
	Tenant   tenantCommand   `cmd:"" help:"Make, show and change tenants."`
	Issuer   issuerCommand   `cmd:"" help:"Make, show and change issuers."`
	API      apiCommand      `cmd:"" name:"api" help:"Show and delete APIs behind the gateway."`
	Policy   policyCommand   `cmd:"" help:"Make, show and change policies."`
	Tier     tierCommand     `cmd:"" help:"Make, show and change tiers."`
	Resource resourceCommand `cmd:"" help:"The resource directory: what the ids in resource scopes mean."`
	Admin    adminCommand    `cmd:"" help:"The people who administer, and how they are let in."`
	APIKey   apiKeyCommand   `cmd:"" name:"api-key" help:"Keys with a role, for administration or at an API."`
	Audit    auditCommand    `cmd:"" help:"Search and verify the audit trail, and say who could do what at a time."`
	GraphQL  graphqlCommand  `cmd:"" name:"graphql" help:"Look at the rules of GraphQL schemas."`
	Explain  explainCommand  `cmd:"" help:"Say whether a client's call would pass, and what would have to be granted."`
	Key      keyCommand      `cmd:"" help:"List, rotate and import signing keys."`
	Dialect  dialectCommand  `cmd:"" help:"Show the contracts of token endpoints, and check a live one."`
	Token    tokenCommand    `cmd:"" help:"Look into tokens."`
	Version  versionCommand  `cmd:"" help:"Print the version."`

	Completion completionCommand `cmd:"" help:"Print the script with which a shell completes commands and flags."`
	Complete   completeCommand   `cmd:"" hidden:"" help:"What may stand where the cursor is, for those scripts."`
}

// streams are the standard streams: data goes to out, words to err.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// words prints a line for people.
func (s *streams) words(format string, args ...any) {
	_, _ = fmt.Fprintf(s.err, format+"\n", args...) // nobody is left to tell
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], &streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// exited is what kong's help ends a run with.
type exited int

func run(ctx context.Context, args []string, s *streams) (code int) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case exited:
			code = int(p)
		default:
			panic(p)
		}
	}()
	c := commands{Serve: serveCommand{settingFlags: newSettingFlags()}, Check: checkCommand{settingFlags: newSettingFlags()}}
	parser, err := kong.New(&c, kong.Name("postern"), kong.UsageOnError(),
		kong.Description("The side gate through which machines come in: access tokens for backend services."),
		kong.Writers(s.out, s.err), kong.Exit(func(code int) { panic(exited(code)) }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s))
	if err != nil {
		return s.fail(err)
	}
	parsed, err := parser.Parse(longFlags(parser.Model.Node, args))
	if err != nil {
		s.say("%s", strings.Replace(err.Error(), `one of "",`, "one of ", 1)) // left out is no word to write
		s.hint("`postern --help` lists the commands, `postern COMMAND --help` the flags of one")
		return exitMisuse
	}
	if err := parsed.Run(); err != nil {
		return s.fail(err)
	}
	return exitDone
}

// longFlags writes `-config` as `--config`: a long flag may have one dash, as Go's own
// tools have it.
func longFlags(node *kong.Node, args []string) []string {
	long := make(map[string]bool)
	_ = kong.Visit(node, func(v kong.Visitable, next kong.Next) error { // the visitor has no errors
		if flag, ok := v.(*kong.Flag); ok {
			long[flag.Name] = true
		}
		return next(nil)
	})
	list := make([]string, len(args))
	for i, arg := range args {
		list[i] = arg
		if arg == "--" {
			copy(list[i:], args[i:])
			break
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && len(name) > 1 && long[name] {
			list[i] = "-" + arg
		}
	}
	return list
}

// hinted is an error that knows what to do about it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// Hint says what to do.
func (h hinted) Hint() string { return h.hint }

// misuse is an error of whoever typed the command.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

// fail says what went wrong, and what to do where that is known.
func (s *streams) fail(err error) int {
	s.say("%v", err)
	var h interface{ Hint() string }
	var file *seal.FileError
	switch {
	case errors.As(err, &h) && h.Hint() != "":
		s.hint("%s", h.Hint())
	case errors.As(err, &file) && file.Hint != "":
		s.hint("%s", file.Hint)
	}
	if errors.As(err, &misuse{}) {
		return exitMisuse
	}
	return exitFailed
}
