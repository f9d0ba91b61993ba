package main

import (
	"context"
	"errors"
	"fmt"
)

// clients compares the candidate holding many clients with itself holding few.
// Before that each of the many asks once, which is a row of its own: the first
// use of a client may cost a read.
func (b *bench) clients(ctx context.Context) error {
	var servers []*server
	for _, n := range []int{b.few, b.many} {
		l, err := b.prepare(ctx, b.candidate, setup{algorithm: "ES256", clients: n})
		if err != nil {
			return err
		}
		s, err := b.serve(ctx, b.candidate, l)
		if err != nil {
			return err
		}
		s.name = fmt.Sprintf("%d clients", n)
		servers = append(servers, s)
		first, err := b.measure(ctx, s, demand{requests: n, warmup: 0, duration: 5 * patience, pick: "each"})
		if err != nil {
			return err
		}
		b.result.FirstUse = append(b.result.FirstUse, firstUse{Clients: n, sample: first})
	}
	for _, pick := range []string{"uniform", "zipf"} {
		d := demand{requests: b.requests, warmup: warmup, duration: patience, pick: pick}
		c, err := b.compare(ctx, "clients "+pick, servers[0], servers[1], d)
		if err != nil {
			return err
		}
		c.Target = "rate 0.95–1.05"
		b.result.Clients = append(b.result.Clients, c)
	}
	if err := errors.Join(servers[0].stop(), servers[1].stop()); err != nil {
		return err
	}
	return b.result.clientTable(b.out)
}

// firstUse is a run in which every client asked once.
type firstUse struct {
	Clients int `json:"clients"`
	sample
}
