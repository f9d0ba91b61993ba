// Command bench measures the token endpoint and the gateway against the floor
// (bench/ref). It builds both servers and the load generator (bench/load), runs them as
// processes of their own on loopback, and reads what they cost from the
// operating system (/proc, so Linux only).
//
// A figure is worth something beside the other one of the same run only: the
// two sides alternate, round by round, and what counts is the median of the ratios.
// Nothing here passes or fails by a clock; the targets are printed beside the figures.
//
//	go run ./bench tokens            CPU time per token, latency, rate; and so for each command below
//	go run ./bench all -json FILE    everything, and the same for programs
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// command is one thing to measure.
type command struct {
	name, about string
	run         func(*bench, context.Context) error
	own         bool // the floor has nothing that could be measured so
}

func commands() []command {
	return []command{
		{"tokens", "CPU time of the server per token against the floor, p50 and p99", (*bench).tokens, false},
		{"calls", "CPU time of the gateway per call against a bare proxy, p50 and p99", (*bench).compareCalls, false},
		{"graphql", "CPU time of the gateway per GraphQL call of 30 fields against a REST POST of the same body", (*bench).compareGraphQL, false},
		{"kill", "from an administrator's request to the last call admitted, on one node and on two", (*bench).kill, true},
		{"checks", "parts beside their controls, and what hostile GraphQL costs", (*bench).checks, false},
		{"apply", "applying files of clients against bare inserts, and without a change", (*bench).applying, true},
		{"clients", "many clients against few: CPU time per token and rate", (*bench).clients, false},
		{"memory", "resident memory, idle and under load", (*bench).memory, false},
		{"guess", "resident memory while imported secrets are guessed", (*bench).guess, false},
		{"start", "from exec to the first token", (*bench).start, false},
		{"storage", "bytes of the data directory per token", (*bench).storage, false},
		{"activity", "searching millions of entries of activity against a lookup by primary key, and writing 10,000 a second", (*bench).activity, true},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures what the arguments ask for. Every process it started has ended
// when it returns.
func run(ctx context.Context, args []string) (err error) {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, c := range commands() {
		if o.command != c.name && (o.command != "all" || c.own && o.candidate != "postern") {
			continue
		}
		if err := c.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return b.result.write(o.json)
}

// options of a run.
type options struct {
	command     string
	candidate   string // postern, or ref: the floor against itself shows the noise
	postern     string // binary; empty: build it
	json        string
	rounds      int
	requests    int
	connections int
	few, many   int // clients
	kills       int
	single      bool
	stored      int // tokens
	entries     int // of activity
	databases   string
	idle, busy  time.Duration
	limit       time.Duration
}

func parseOptions(args []string) (options, error) {
	var o options
	names := []string{"all"}
	for _, c := range commands() {
		names = append(names, c.name)
	}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.candidate, "candidate", "postern", "`side` to measure: postern or ref")
	f.StringVar(&o.postern, "postern", "", "`file` of the postern binary (default: build ./cmd/postern)")
	f.StringVar(&o.json, "json", "", "write the results to this `file` too")
	f.IntVar(&o.rounds, "rounds", 9, "`number` of rounds; each measures both sides once")
	f.IntVar(&o.requests, "requests", 40_000, "`number` of tokens or calls per side and round; an eighth with new connections")
	f.IntVar(&o.connections, "connections", 32, "`number` of connections")
	f.IntVar(&o.few, "clients", 100, "`number` of clients")
	f.IntVar(&o.many, "many", 100_000, "`number` of clients where there are many")
	f.IntVar(&o.kills, "kills", 30, "`number` of clients that are ended in each way")
	f.BoolVar(&o.single, "single", false, "kill on one node only, without PostgreSQL")
	f.IntVar(&o.stored, "stored", 100_000, "`number` of tokens for storage")
	f.IntVar(&o.entries, "entries", 10_000_000, "`number` of entries of activity to search")
	f.StringVar(&o.databases, "databases", "sqlite,postgres", "where activity is searched")
	f.DurationVar(&o.idle, "idle", 5*time.Second, "`time` of rest before memory counts as idle")
	f.DurationVar(&o.busy, "busy", 20*time.Second, "`time` under load for memory, and of writing activity")
	f.DurationVar(&o.limit, "limit", 75*time.Minute, "`time` after which everything is ended")
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "usage: bench %s [flags]\n", strings.Join(names, "|"))
		for _, c := range commands() {
			fmt.Fprintf(f.Output(), "  %-8s %s\n", c.name, c.about)
		}
		f.PrintDefaults()
	}
	if len(args) == 0 || !slices.Contains(names, args[0]) {
		f.Usage()
		return o, flag.ErrHelp
	}
	o.command = args[0]
	if err := f.Parse(args[1:]); err != nil {
		return o, err
	}
	if f.NArg() > 0 || min(o.rounds, o.requests, o.connections, o.few, o.many, o.stored, o.kills, o.entries) < 1 {
		return o, errors.New("every number must be positive, and nothing may follow the flags")
	}
	return o, nil
}
