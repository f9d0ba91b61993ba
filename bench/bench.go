package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// bench is one run of the harness: its directory, its binaries, its children.
type bench struct {
	options
	dir       string // of everything that is written; removed at the end
	load      string // binary
	upstream  string // binary
	floor     side
	pooled    side // the floor as a proxy that keeps its buffers
	candidate side
	children  []*child
	prepared  int // sides so far: each has a directory of its own
	out       io.Writer
	result    result
}

// setup is what a side is asked to serve.
type setup struct {
	algorithm string
	secure    bool
	clients   int
	imported  bool   // clients whose secrets are imported ones, so that guesses cost argon2id
	calls     *calls // be a gateway too, and make these possible; nil: tokens only
}

// calls says before what a gateway stands and how many tokens it will see.
type calls struct {
	upstream string // origin of the API
	known    int    // tokens that are sent again and again
	fresh    int    // tokens that are sent once
	graphql  bool   // the API speaks GraphQL too
}

// launch says how a prepared server is started and asked.
type launch struct {
	setup    setup
	command  []string
	origin   string
	tokenURL string
	clients  string // file
	calls    string // file, where calls are made
	data     string // directory that lasts; empty: none
}

// side is a server that can be measured.
type side interface {
	name() string
	// prepare writes into the empty directory all that a start needs; nothing
	// runs when it returns.
	prepare(ctx context.Context, dir string, s setup) (launch, error)
}

const module = "github.com/postern-dev/postern/"

// newBench builds the binaries.
func newBench(ctx context.Context, o options) (b *bench, err error) {
	b = &bench{options: o, out: os.Stdout, result: newResult(o)}
	if b.dir, err = os.MkdirTemp("", "postern-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.load, err = b.build(ctx, "bench/load"); err != nil {
		return b, err
	}
	if b.upstream, err = b.build(ctx, "bench/upstream"); err != nil {
		return b, err
	}
	reference, err := b.build(ctx, "bench/ref")
	if err != nil {
		return b, err
	}
	b.floor = ref{binary: reference, label: "floor"}
	b.pooled = ref{binary: reference, label: "pooled proxy", pooled: true}
	switch o.candidate {
	case "ref":
		b.candidate = ref{binary: reference, label: "floor again"}
	case "postern":
		binary := o.postern
		if binary == "" {
			if binary, err = b.build(ctx, "cmd/postern"); err != nil {
				return b, err
			}
		}
		b.candidate = postern{binary: binary}
	default:
		err = fmt.Errorf("candidate %q: postern or ref", o.candidate)
	}
	return b, err
}

// build compiles a command of this module and returns the binary.
func (b *bench) build(ctx context.Context, path string) (string, error) {
	binary := filepath.Join(b.dir, filepath.Base(path))
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, module+path) //nolint:gosec // our own commands
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", path, err, out)
	}
	return binary, nil
}

// prepare makes a directory for the side and lets it write there.
func (b *bench) prepare(ctx context.Context, s side, wanted setup) (launch, error) {
	b.prepared++
	dir := filepath.Join(b.dir, "side-"+strconv.Itoa(b.prepared))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return launch{}, err
	}
	l, err := s.prepare(ctx, dir, wanted)
	if err != nil {
		return l, fmt.Errorf("prepare %s: %w", s.name(), err)
	}
	l.setup = wanted
	return l, nil
}

// close ends every child that still runs and removes the directory.
func (b *bench) close() error {
	var errs []error
	for _, c := range b.children {
		errs = append(errs, c.stop())
	}
	return errors.Join(append(errs, os.RemoveAll(b.dir))...)
}

// note tells on stderr how far the run is.
func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}
