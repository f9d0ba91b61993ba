package main

import (
	"context"
	"slices"
)

// starts are the times from exec to the first token, in milliseconds.
type starts struct {
	Name    string    `json:"name"`
	Clients int       `json:"clients"`
	Times   []float64 `json:"times_ms"`
	Target  string    `json:"target"`
}

// start starts both sides again and again with their data there, few clients
// and many.
func (b *bench) start(ctx context.Context) error {
	for _, n := range slices.Compact([]int{b.few, b.many}) {
		for _, s := range []side{b.floor, b.candidate} {
			l, err := b.prepare(ctx, s, setup{algorithm: "ES256", clients: n})
			if err != nil {
				return err
			}
			result := starts{Name: s.name(), Clients: n, Target: "≤ 100 ms"}
			for range b.rounds {
				running, err := b.serve(ctx, s, l)
				if err != nil {
					return err
				}
				result.Times = append(result.Times, float64(running.started.Microseconds())/1000)
				if err := running.stop(); err != nil {
					return err
				}
			}
			b.note("start %s, %d clients: %v ms", s.name(), n, result.Times)
			b.result.Starts = append(b.result.Starts, result)
		}
	}
	return b.result.startTable(b.out)
}
