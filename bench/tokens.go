package main

import (
	"context"
	"errors"
	"time"
)

// patience is how long one run of load may take.
const patience = 60 * time.Second

// tokens compares the candidate with the floor: for each algorithm plain,
// with TLS, and with TLS and a new connection per token.
func (b *bench) tokens(ctx context.Context) error {
	targets := map[string]string{"ES256": "≤ 1.25", "EdDSA": "≤ 1.30"}
	for _, algorithm := range []string{"ES256", "EdDSA"} {
		for _, secure := range []bool{false, true} {
			floor, candidate, err := b.serveBoth(ctx, setup{algorithm: algorithm, secure: secure, clients: b.few})
			if err != nil {
				return err
			}
			modes := []string{"plain, kept"}
			if secure {
				modes = []string{"TLS, kept", "TLS, new"}
			}
			for _, mode := range modes {
				d := demand{requests: b.requests, duration: patience, pick: "uniform", newConnection: mode == "TLS, new"}
				if d.newConnection { // a handshake costs as much as many tokens
					d.requests = max(b.requests/8, 1)
				}
				d.warmup = d.requests / 20
				c, err := b.compare(ctx, algorithm+" "+mode, floor, candidate, d)
				if err != nil {
					return err
				}
				c.Target = targets[algorithm]
				b.result.Tokens = append(b.result.Tokens, c)
			}
			if err := errors.Join(floor.stop(), candidate.stop()); err != nil {
				return err
			}
		}
	}
	return b.result.tokenTable(b.out)
}
