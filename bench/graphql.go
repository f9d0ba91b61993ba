package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/postern-dev/postern/bench/fixture"
)

// compareGraphQL compares two kinds of calls of one gateway: a GraphQL operation of 30 fields
// whose plan is there, and a REST POST of the same bytes, answered with the same bytes (issue
// 4, "Numbers"). Tokens and load are those of compareCalls, but that every call is a POST.
func (b *bench) compareGraphQL(ctx context.Context) error {
	d := demand{requests: b.requests, warmup: b.requests / 20, duration: patience, pick: "zipf", freshEvery: freshEvery}
	upstream, origin, err := b.startUpstream(ctx)
	if err != nil {
		return err
	}
	share := b.rounds * d.fresh()
	wanted := calls{upstream: origin, known: min(callTokens, b.requests), fresh: 4 * share, graphql: true}
	gateway, err := b.serveOne(ctx, b.candidate, setup{algorithm: "ES256", clients: min(callClients, b.requests), calls: &wanted})
	if err != nil {
		return err
	}
	if _, err := b.measure(ctx, gateway, demand{requests: wanted.known, duration: patience, pick: "each"}); err != nil {
		return err
	}
	for i, with := range []struct{ name, path, target string }{
		{"30 fields", apiPath + graphPath, "≤ 1.15"}, {"30 fields, responses: check", checkedPath + graphPath, ""},
	} {
		rest, err := gateway.asking("REST POST", "", 2*i, share)
		if err != nil {
			return err
		}
		operation, err := gateway.asking("GraphQL", with.path, 2*i+1, share)
		if err != nil {
			return err
		}
		c, err := b.compare(ctx, with.name, rest, operation, d)
		if err != nil {
			return err
		}
		c.Target = with.target
		b.result.GraphQL = append(b.result.GraphQL, c)
	}
	if err := errors.Join(gateway.stop(), upstream.stop()); err != nil {
		return err
	}
	return b.result.comparisonTable(b.out, "CPU time of the gateway per call", "calls", b.result.GraphQL)
}

// asking is the same server under calls that ask questions.
func (s *server) asking(name, path string, nth, size int) (*server, error) {
	all, err := fixture.ReadCalls(s.launch.calls)
	if err != nil {
		return nil, err
	}
	list, err := questions()
	if err != nil {
		return nil, err
	}
	calls, err := posing(all, list, path, nth, size)
	if err != nil {
		return nil, err
	}
	other := *s
	other.name, other.launch.calls = name, filepath.Join(filepath.Dir(s.launch.calls), fmt.Sprintf("asking-%d.json", nth))
	return &other, fixture.WriteCalls(other.launch.calls, calls)
}
