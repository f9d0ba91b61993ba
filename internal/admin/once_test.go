package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/domain"
	"github.com/postern-dev/postern/internal/registry"
)

// process is a process that serves a store it may share with others: what it does before and
// after each change, and instead of ending an attempt, stands in for what may happen to it.
type process struct {
	domain.Store
	domain.Records
	before, after, end func() error

	t      *testing.T
	socket string
}

func (p *process) Change(ctx context.Context, by domain.Actor, f func(domain.Tables) ([]domain.Change, error)) (domain.Seq, error) {
	if p.before != nil {
		if err := p.before(); err != nil {
			return 0, err
		}
	}
	seq, err := p.Store.Change(ctx, by, f)
	if err == nil && p.after != nil {
		err = p.after()
	}
	return seq, err
}

func (p *process) PutReceipt(ctx context.Context, r domain.Receipt) error {
	if p.end != nil {
		return p.end()
	}
	return p.Records.PutReceipt(ctx, r)
}

// begin serves the registry's store, later by as much.
func (p process) begin(t *testing.T, reg *registry.Registry, socket string, later time.Duration) *process {
	t.Helper()
	p.t, p.socket, p.Store, p.Records = t, socket, reg.Store, reg.Store.(domain.Records)
	one := *reg
	one.Store, one.Now = &p, func() time.Time { return time.Now().Add(later) }
	serve(t, socket, &one)
	return &p
}

// create sends a creation with a key, and returns status, type of the problem and id of the client.
func (p *process) create(key string) (status int, kind, id string) {
	body := `{"issuer":"main","name":"x","platform_wide":true,"audiences":["a"]}`
	status, header, answer := raw(p.t, p.socket, http.MethodPost, "/clients", body, "Content-Type", isJSON, "Idempotency-Key", key)
	var members struct{ ID, Type string }
	if err := json.Unmarshal([]byte(answer), &members); err != nil {
		p.t.Errorf("%d %q: %v", status, answer, err)
	}
	if header.Get("Idempotency-Replayed") != "" {
		members.Type = "replayed"
	}
	return status, strings.TrimPrefix(members.Type, "urn:postern:problem:"), members.ID
}

// creates is create, which must be answered so.
func (p *process) creates(key string, status int, kind string) (id string) {
	p.t.Helper()
	got, gotKind, id := p.create(key)
	if got != status || gotKind != kind {
		p.t.Errorf("%s: %d %s, want %d %s", key, got, gotKind, status, kind)
	}
	return id
}

func countClients(t *testing.T, reg *registry.Registry, want int) {
	t.Helper()
	if list, err := reg.ListClients(t.Context(), "main", "", domain.Page{}); err != nil || len(list) != want {
		t.Errorf("%d clients, want %d, %v", len(list), want, err)
	}
}

// An Idempotency-Key is free again only where nothing was changed: an answer that tells of a
// failure does not make the change undone.
func TestIdempotencyKeyOfAFailure(t *testing.T) {
	errDisk := errors.New("disk")
	for name, c := range map[string]struct {
		process
		status        int
		kind          string // of the first answer
		again         string // of the second
		made, madeNew int
	}{
		"before the change": {process: process{before: func() error { return errDisk }}, status: 500, kind: "internal", again: "", made: 0, madeNew: 2},
		"after the change":  {process: process{after: func() error { return errDisk }}, status: 500, kind: "internal", again: "answer-lost", made: 1, madeNew: 2},
		"not applied here": {process: process{after: func() error { return fmt.Errorf("%w: %w", domain.ErrBehind, domain.ErrNotFound) }},
			status: 500, kind: "answer-lost", again: "answer-lost", made: 1, madeNew: 2},
		"out of time":    {process: process{after: func() error { return context.DeadlineExceeded }}, status: 503, kind: "unavailable", again: "answer-lost", made: 1, madeNew: 2},
		"not allowed":    {process: process{after: func() error { return registry.ErrForbidden }}, status: 403, kind: "forbidden", again: "answer-lost", made: 1, madeNew: 2},
		"no more store":  {process: process{end: func() error { return errDisk }}, status: 201, kind: "", again: "running", made: 1, madeNew: 2},
		"none at all":    {process: process{after: func() error { return errDisk }, end: func() error { return errDisk }}, status: 500, kind: "internal", again: "running", made: 1, madeNew: 2},
		"refused before": {process: process{before: func() error { return registry.ErrForbidden }}, status: 403, kind: "forbidden", again: "", made: 0, madeNew: 2},
	} {
		t.Run(name, func(t *testing.T) {
			reg, socket := start(t)
			c.begin(t, reg, socket+"1", 0).creates("k", c.status, c.kind)
			countClients(t, reg, c.made)
			well := process{}.begin(t, reg, socket+"2", 0)
			want := http.StatusConflict
			if c.again == "" {
				want = http.StatusCreated
			}
			well.creates("k", want, c.again)
			if c.again == "running" {
				process{}.begin(t, reg, socket+"3", 16*time.Minute).creates("k", http.StatusConflict, "answer-lost")
				process{}.begin(t, reg, socket+"4", 23*time.Hour).creates("k", http.StatusConflict, "answer-lost")
			}
			well.creates("new", http.StatusCreated, "")
			countClients(t, reg, c.madeNew)
		})
	}
}

// A process that is killed after a change leaves its key with it; one that is killed before
// leaves it for a quarter of an hour. One that was only slow changes nothing any more where
// its key is another request's by then.
func TestIdempotencyKeyOfAKilledProcess(t *testing.T) {
	for name, changed := range map[string]bool{"before the change": false, "after the change": true} {
		t.Run(name, func(t *testing.T) {
			reg, socket := start(t)
			stuck, let := make(chan struct{}), make(chan struct{})
			var stopped atomic.Bool
			stop := func() error {
				if !stopped.Swap(true) {
					close(stuck)
					<-let
				}
				return nil
			}
			p := process{before: stop}
			if changed {
				p = process{after: stop}
			}
			killed := p.begin(t, reg, socket+"1", 0)
			type answer struct {
				status   int
				kind, id string
			}
			answered := make(chan answer)
			go func() {
				status, kind, id := killed.create("k")
				answered <- answer{status, kind, id}
			}()
			<-stuck
			process{}.begin(t, reg, socket+"2", time.Minute).creates("k", http.StatusConflict, "running")
			next := process{}.begin(t, reg, socket+"3", 16*time.Minute)
			var made string
			if changed {
				next.creates("k", http.StatusConflict, "answer-lost")
			} else {
				made = next.creates("k", http.StatusCreated, "")
			}
			countClients(t, reg, 1)

			close(let) // it was not killed, only slow
			switch slow := <-answered; {
			case changed && slow.status == http.StatusCreated:
				made = slow.id
			case changed || slow.status != http.StatusConflict || slow.kind != "running":
				t.Errorf("the slow one: %+v", slow)
			}
			if again := next.creates("k", http.StatusCreated, "replayed"); again != made || made == "" {
				t.Errorf("again %q, made %q", again, made)
			}
			countClients(t, reg, 1)
		})
	}
}

// A panic is a failure as any.
func TestIdempotencyKeyOfAPanic(t *testing.T) {
	reg, socket := start(t)
	p := process{after: func() error { panic(http.ErrAbortHandler) }}.begin(t, reg, socket+"1", 0)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://postern/api/admin/clients", strings.NewReader(`{"issuer":"main","name":"x","platform_wide":true,"audiences":["a"]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", isJSON)
	req.Header.Set("Idempotency-Key", "k")
	if resp, err := overSocket(p.socket).Do(req); err == nil {
		t.Errorf("%d", resp.StatusCode)
	}
	well := process{}.begin(t, reg, socket+"2", 0)
	for range 2 {
		well.creates("k", http.StatusConflict, "answer-lost")
	}
	countClients(t, reg, 1)
}
