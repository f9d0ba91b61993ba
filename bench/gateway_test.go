package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// The gateway's three with the server itself: each call is admitted, each ended client refused.
func TestGateway(t *testing.T) {
	linuxOnly(t)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	o, err := parseOptions(strings.Fields("kill -rounds 1 -requests 300 -connections 2 -kills 1 -single"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBench(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	b.out = io.Discard
	for _, run := range []func(*bench, context.Context) error{(*bench).compareCalls, (*bench).compareGraphQL, (*bench).kill} {
		if err := run(b, ctx); err != nil {
			t.Fatal(errors.Join(err, b.close()))
		}
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	gone(t, b)
	if len(b.result.GraphQL) != 2 {
		t.Errorf("%d comparisons of GraphQL", len(b.result.GraphQL))
	}
	for _, c := range slices.Concat(b.result.Calls, b.result.GraphQL) {
		if s := c.Runs[0]; s.Answers != 300 || s.Fresh != 4 { // one in the warm-up
			t.Errorf("%s: %+v", c.Name, s)
		}
	}
	if len(b.result.Kills) != len(endings()) {
		t.Errorf("%d ways to end a client: %+v", len(b.result.Kills), b.result.Kills)
	}
	for _, k := range b.result.Kills {
		if len(k.FromSent) != 1 || k.FromAnswer[0] != 0 {
			t.Errorf("%+v", k)
		}
	}
}
