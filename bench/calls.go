package main

import (
	"context"
	"errors"
	"time"
)

// The calls of issue 3, "Numbers".
const (
	callTokens  = 10_000 // sent again and again, by Zipf
	callClients = 1000   // clients of theirs
	freshEvery  = 100    // one call in so many is with a token that was never sent
)

// compareCalls compares Postern's gateway with httputil.ReverseProxy before the same API, a
// third process: with a bare one, which is the measure asked for, and with one that
// keeps its buffers, as the gateway does. Before the rounds each known token is sent once, so
// that in them the share of tokens seen first is the one wanted.
func (b *bench) compareCalls(ctx context.Context) error {
	d := demand{requests: b.requests, warmup: b.requests / 20, duration: patience, pick: "zipf", freshEvery: freshEvery}
	upstream, origin, err := b.startUpstream(ctx)
	if err != nil {
		return err
	}
	wanted := calls{upstream: origin, known: min(callTokens, b.requests), fresh: 2 * b.rounds * d.fresh()}
	s := setup{algorithm: "ES256", clients: min(callClients, b.requests), calls: &wanted}
	bare, gateway, err := b.serveBoth(ctx, s)
	if err != nil {
		return err
	}
	pooled, err := b.serveOne(ctx, b.pooled, s)
	if err != nil {
		return err
	}
	bare.name, gateway.name = "proxy", "gateway"
	for _, s := range []*server{bare, pooled, gateway} {
		s.launch.calls = gateway.launch.calls // the same to all
		if _, err := b.measure(ctx, s, demand{requests: wanted.known, duration: patience, pick: "each"}); err != nil {
			return err
		}
	}
	for _, with := range []struct {
		name, target string
		proxy        *server
	}{{"bare proxy", "≤ 1.20", bare}, {"proxy with pooled buffers", "", pooled}} {
		c, err := b.compare(ctx, "ES256, "+with.name, with.proxy, gateway, d)
		if err != nil {
			return err
		}
		c.Target = with.target
		b.result.Calls = append(b.result.Calls, c)
		d.freshFrom += b.rounds * d.fresh() // those are sent
	}
	if err := errors.Join(bare.stop(), pooled.stop(), gateway.stop(), upstream.stop()); err != nil {
		return err
	}
	return b.result.comparisonTable(b.out, "CPU time of the proxy per call", "calls", b.result.Calls)
}

// startUpstream starts the API and returns its origin.
func (b *bench) startUpstream(ctx context.Context) (*child, string, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	c, err := b.spawn([]string{b.upstream, "-listen", address})
	if err != nil {
		return nil, "", err
	}
	origin := "http://" + address
	err = c.await(ctx, 30*time.Second, func() error { return firstCall(ctx, onceOnly(), origin, callOf("", 0)) })
	return c, origin, err
}
