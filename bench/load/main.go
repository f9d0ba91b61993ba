// Command load asks a token endpoint for tokens, or calls an API through a proxy,
// from many connections at once and reports what came and how fast. It runs
// beside the server as a process of its own, so that the server's CPU time is the
// server's alone, and is itself as cheap as it can be: requests are prepared,
// answers are read by hand.
//
// Every answer is checked. One that is not expected ends the run with exit 1.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

// options of a run.
type options struct {
	URL           string // of the token endpoint, or of the proxy
	Connections   int
	Requests      int           // at most, after the warm-up
	Duration      time.Duration // at most, warm-up and measured part each
	Warmup        int           // requests before the measured part
	NewConnection bool          // one for each request
	Pick          string        // which client, or which known call, is next: uniform, zipf, each
	Guess         bool          // send wrong secrets and expect refusals
	Seed          uint64
	FreshEvery    int // of calls: one of so many is with a token that was never sent; 0: none
	FreshFrom     int // the first of those tokens that is still unused
}

func main() {
	var o options
	flag.StringVar(&o.URL, "url", "", "`URL` of the token endpoint or the proxy, http or https; its certificate is not verified")
	flag.IntVar(&o.Connections, "connections", 32, "`number` of connections")
	flag.IntVar(&o.Requests, "requests", 10_000, "`number` of requests at most")
	flag.DurationVar(&o.Duration, "duration", 30*time.Second, "`time` at most")
	flag.IntVar(&o.Warmup, "warmup", 0, "`number` of requests before the measured ones")
	flag.BoolVar(&o.NewConnection, "new-connection", false, "open a connection for each request")
	flag.StringVar(&o.Pick, "pick", "uniform", "which client or known call is next: uniform, zipf, or each once in turn")
	flag.BoolVar(&o.Guess, "guess", false, "send wrong secrets, a quarter of them for unknown clients; refusals are expected")
	flag.Uint64Var(&o.Seed, "seed", 1, "`seed` of the choice of clients")
	flag.IntVar(&o.FreshEvery, "fresh-every", 0, "of calls one in `number` is with a token that was never sent; 0: none")
	flag.IntVar(&o.FreshFrom, "fresh-from", 0, "`number` of such tokens that are used up")
	var files inputs
	flag.StringVar(&files.clients, "clients", "", "JSON `file` of clients: ask for tokens")
	flag.StringVar(&files.calls, "calls", "", "JSON `file` of calls: make them")
	wait := flag.Bool("wait", false, "after the warm-up print a line, and wait for one before the measured part")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, o, files, *wait)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// inputs are the files of what to say; one of them is named.
type inputs struct{ clients, calls string }

// scripts are those of the workers.
func (f inputs) scripts(o options) ([]script, error) {
	if f.calls != "" {
		calls, err := fixture.ReadCalls(f.calls)
		if err != nil {
			return nil, err
		}
		return calling(o, calls)
	}
	clients, err := fixture.ReadClients(f.clients)
	if err != nil {
		return nil, err
	}
	return asking(o, clients)
}

func command(ctx context.Context, o options, files inputs, wait bool) error {
	scripts, err := files.scripts(o)
	if err != nil {
		return err
	}
	ready := func() error { return nil }
	if wait {
		ready = func() error {
			fmt.Println(`{"ready":true}`)
			_, err := bufio.NewReader(os.Stdin).ReadString('\n')
			return err
		}
	}
	report, err := run(ctx, o, scripts, ready)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}
