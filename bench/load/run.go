package main

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/bench/fixture"
)

// run warms up, calls ready, and loads the server, over one connection for each
// script. The connections of the warm-up stay open for the measured part.
func run(ctx context.Context, o options, scripts []script, ready func() error) (fixture.Report, error) {
	target, err := parseTarget(o.URL)
	if err != nil {
		return fixture.Report{}, err
	}
	workers := make([]*worker, len(scripts))
	for i, s := range scripts {
		workers[i] = &worker{options: o, target: target, script: s, statuses: map[int]int{}}
	}
	defer func() {
		for _, w := range workers {
			w.close()
		}
	}()
	if !o.NewConnection {
		for _, w := range workers {
			if err := w.open(ctx); err != nil {
				return fixture.Report{}, err
			}
		}
	}
	if err := round(ctx, o.Warmup, o.Duration, workers); err != nil {
		return fixture.Report{}, fmt.Errorf("warm up: %w", err)
	}
	for _, w := range workers {
		w.reset(o.Requests)
	}
	if err := ready(); err != nil {
		return fixture.Report{}, err
	}
	start := time.Now()
	if err := round(ctx, o.Requests, o.Duration, workers); err != nil {
		return fixture.Report{}, err
	}
	return summary(workers, time.Since(start)), ctx.Err()
}

// round lets all workers send n requests together, and begin none after the
// time given. The first failure ends it for all.
func round(ctx context.Context, n int, limit time.Duration, workers []*worker) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	end := time.Now().Add(limit)
	var next atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, len(workers))
	for _, w := range workers {
		wg.Go(func() {
			for ctx.Err() == nil && time.Now().Before(end) {
				ticket := next.Add(1)
				if ticket > int64(n) {
					return
				}
				if err := w.request(ctx, ticket-1); err != nil && ctx.Err() == nil {
					failed <- err
					cancel()
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed // nil where there was none
}

// summary joins what the workers saw.
func summary(workers []*worker, elapsed time.Duration) fixture.Report {
	r := fixture.Report{Statuses: map[string]int{}, Seconds: elapsed.Seconds()}
	var latencies []time.Duration
	for _, w := range workers {
		latencies = append(latencies, w.latencies...)
		r.Connections += w.opened
		for _, status := range slices.Sorted(maps.Keys(w.statuses)) {
			r.Statuses[strconv.Itoa(status)] += w.statuses[status]
		}
		w.script.note(&r)
	}
	slices.Sort(latencies)
	r.Answers = len(latencies)
	r.Rate = float64(r.Answers) / elapsed.Seconds()
	r.P50, r.P99 = quantile(latencies, 0.50), quantile(latencies, 0.99)
	return r
}

// quantile of sorted durations in microseconds; 0 of none.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := min(int(q*float64(len(sorted))), len(sorted)-1)
	return float64(sorted[i].Nanoseconds()) / 1000
}

// target is where requests go.
type target struct {
	address string // host:port to dial
	host    string // as in the URL
	path    string
	secure  bool
}

func parseTarget(text string) (target, error) {
	u, err := url.Parse(text)
	if err != nil {
		return target{}, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Port() == "" {
		return target{}, fmt.Errorf("url %q: http or https with host and port", text)
	}
	return target{address: u.Host, host: u.Host, path: u.EscapedPath(), secure: u.Scheme == "https"}, nil
}
