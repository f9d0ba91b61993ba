package main

import (
	"context"
	"time"
)

// footprint is the resident memory of a server, in bytes.
type footprint struct {
	Name   string         `json:"name"`
	Idle   int64          `json:"idle"`
	Loaded int64          `json:"loaded"` // the most that was seen under load, looked at ten times a second
	Peak   int64          `json:"peak"`   // of its whole life (VmHWM), or Loaded where that is more
	Status map[string]int `json:"statuses"`
	Target string         `json:"target"`
}

// memory measures both sides, plain and with a TLS handshake per token.
func (b *bench) memory(ctx context.Context) error {
	for _, secure := range []bool{false, true} {
		mode := "plain, kept"
		if secure {
			mode = "TLS, new"
		}
		for _, s := range []side{b.floor, b.candidate} {
			d := demand{requests: 1 << 30, duration: b.busy, pick: "uniform", newConnection: secure}
			f, err := b.footprint(ctx, s, setup{algorithm: "ES256", secure: secure, clients: b.few}, d)
			if err != nil {
				return err
			}
			f.Name, f.Target = s.name()+", "+mode, "≤ 30 / 80 MB"
			b.result.Memory = append(b.result.Memory, f)
		}
	}
	return b.result.memoryTable(b.out, "memory", b.result.Memory)
}

// guess measures the candidate while wrong secrets come in for clients whose
// secrets are imported. (The floor has no such secrets: it only shows that the
// harness works.)
func (b *bench) guess(ctx context.Context) error {
	d := demand{requests: 1 << 30, duration: b.busy, pick: "uniform", guess: true}
	f, err := b.footprint(ctx, b.candidate, setup{algorithm: "ES256", clients: b.few, imported: true}, d)
	if err != nil {
		return err
	}
	f.Name, f.Target = b.candidate.name()+", guessing", "≤ 120 MB"
	b.result.Guess = append(b.result.Guess, f)
	return b.result.memoryTable(b.out, "memory while imported secrets are guessed", b.result.Guess)
}

// footprint starts a side, lets it rest, and watches it under load.
func (b *bench) footprint(ctx context.Context, s side, wanted setup, d demand) (footprint, error) {
	var f footprint
	l, err := b.prepare(ctx, s, wanted)
	if err != nil {
		return f, err
	}
	running, err := b.serve(ctx, s, l)
	if err != nil {
		return f, err
	}
	if err := rest(ctx, b.idle); err != nil {
		return f, err
	}
	before, err := memoryOf(running.pid())
	if err != nil {
		return f, err
	}
	f.Idle = before.now
	watched, stop := context.WithCancel(ctx)
	most := make(chan int64)
	go func() { most <- watch(watched, running.pid()) }()
	loaded, err := b.measure(ctx, running, d)
	stop()
	f.Loaded, f.Status = <-most, loaded.Statuses
	if err != nil {
		return f, err
	}
	after, err := memoryOf(running.pid())
	if err != nil {
		return f, err
	}
	f.Peak = max(after.peak, f.Loaded) // the kernel notes its mark at times only
	return f, running.stop()
}

// watch returns the most memory that was seen until the context ended.
func watch(ctx context.Context, pid int) (most int64) {
	for {
		if m, err := memoryOf(pid); err == nil {
			most = max(most, m.now)
		}
		if rest(ctx, 100*time.Millisecond) != nil {
			return most
		}
	}
}

// rest waits, or returns why it did not.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
