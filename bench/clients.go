package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/postern-dev/postern/bench/fixture"
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
		first, err := b.measure(ctx, s, demand{requests: n, duration: 5 * patience, pick: "each"})
		if err != nil {
			return err
		}
		b.result.FirstUse = append(b.result.FirstUse, firstUse{Clients: n, sample: first})
		if s.launch.clients, err = repeat(s.launch.clients, b.many); err != nil {
			return err
		}
	}
	for _, pick := range []string{"uniform", "zipf"} {
		d := demand{requests: b.requests, warmup: b.requests / 20, duration: patience, pick: pick}
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

// repeat writes a list of n entries with the clients of the file again and again,
// and returns its name. The generator then works through as much memory for few
// clients as for many: what is left of the difference is the server's.
func repeat(file string, n int) (string, error) {
	clients, err := fixture.ReadClients(file)
	if err != nil {
		return "", err
	}
	repeated := make([]fixture.Client, max(n, len(clients)))
	for i := range repeated {
		repeated[i] = clients[i%len(clients)]
	}
	return file + ".repeated", fixture.WriteClients(file+".repeated", repeated)
}

// firstUse is a run in which every client asked once.
type firstUse struct {
	Clients int `json:"clients"`
	sample
}
