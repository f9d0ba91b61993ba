package main

import "context"

// stored is how the data directory grew.
type stored struct {
	Name     string  `json:"name"`
	Tokens   int     `json:"tokens"`
	Before   int64   `json:"before_bytes"`
	After    int64   `json:"after_bytes"`
	PerToken float64 `json:"bytes_per_token"`
	Target   string  `json:"target"`
}

// storage compares the data directory of the candidate before and after many
// tokens. The server is stopped both times, so that its log of writes is
// empty and nothing waits in a queue.
func (b *bench) storage(ctx context.Context) error {
	l, err := b.prepare(ctx, b.candidate, setup{algorithm: "ES256", clients: b.few})
	if err != nil {
		return err
	}
	result := stored{Name: b.candidate.name(), Target: "≤ 100"}
	// Each client asks once first: what is kept per client is not kept per token.
	if _, result.Before, err = b.grow(ctx, l, b.few, "each"); err != nil {
		return err
	}
	if result.Tokens, result.After, err = b.grow(ctx, l, b.stored, "uniform"); err != nil {
		return err
	}
	result.PerToken = float64(result.After-result.Before) / float64(result.Tokens)
	b.result.Storage = append(b.result.Storage, result)
	return b.result.storageTable(b.out)
}

// grow lets the server issue n tokens, stops it, and returns how many there were and the size
// of its data.
func (b *bench) grow(ctx context.Context, l launch, n int, pick string) (tokens int, size int64, err error) {
	running, err := b.serve(ctx, b.candidate, l)
	if err != nil {
		return 0, 0, err
	}
	s, err := b.measure(ctx, running, demand{requests: n, duration: 5 * patience, pick: pick})
	if err != nil {
		return 0, 0, err
	}
	if err := running.stop(); err != nil {
		return 0, 0, err
	}
	if l.data != "" { // a side that keeps nothing has no directory
		size, err = sizeOf(l.data)
	}
	return s.Answers + 1, size, err // one more: the first, that the start waited for
}
