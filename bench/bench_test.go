package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// gone fails the test unless every child has ended and the directory is no more.
func gone(t *testing.T, b *bench) {
	t.Helper()
	if len(b.children) == 0 {
		t.Error("nothing was started")
	}
	for _, c := range b.children {
		if err := syscall.Kill(c.pid(), 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is left running: %v", c.pid(), err)
		}
	}
	if _, err := os.Stat(b.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left behind: %v", b.dir, err)
	}
}

func linuxOnly(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("the harness reads /proc")
	}
}

// Every command with the floor as both sides: that the whole machinery runs, counts
// right and leaves nothing behind. What is fast is not asked here.
func TestEveryCommand(t *testing.T) {
	linuxOnly(t)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	o, err := parseOptions(strings.Fields("all -candidate ref -rounds 1 -requests 60 -connections 3 -clients 4 -many 50 -stored 70 -idle 1ms -busy 200ms"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBench(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	b.out = &out
	for _, c := range commands() {
		if c.own {
			continue
		}
		if err := c.run(b, ctx); err != nil {
			t.Fatalf("%s: %v", c.name, errors.Join(err, b.close()))
		}
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	gone(t, b)
	r := b.result
	if len(r.Tokens) != 6 || len(r.Clients) != 2 || len(r.Memory) != 4 || len(r.Guess) != 1 || len(r.Starts) != 4 || len(r.Storage) != 1 || len(r.Calls) != 2 || len(r.GraphQL) != 2 || len(r.Checks) != 4 || len(r.Hostile) == 0 {
		t.Fatalf("%+v", r)
	}
	if s := r.Tokens[5].Runs[0]; s.Answers != 7 || s.Connections != 7 || s.Algorithm != "EdDSA" {
		t.Errorf("EdDSA TLS, new: %+v", s)
	}
	if s := r.FirstUse[1]; s.Answers != 50 || s.Statuses["200"] != 50 {
		t.Errorf("first use of 50 clients: %+v", s)
	}
	if g := r.Guess[0]; g.Status["401"] == 0 || g.Status["200"] != 0 || g.Peak < g.Idle {
		t.Errorf("guessing: %+v", g)
	}
	if r.Storage[0].Tokens != 71 {
		t.Errorf("storage: %+v", r.Storage[0])
	}
	if c := r.Calls[0].Runs[0]; c.Answers != 60 || c.Statuses["200"] != 60 || c.Fresh != 2 { // one in the warm-up too
		t.Errorf("calls: %+v", c)
	}
	if c := r.GraphQL[1]; c.Base != "REST POST" || c.Against != "GraphQL" || c.Runs[0].Answers != 60 || c.Runs[0].Fresh != 2 || c.BaseRuns[0].Fresh != 2 {
		t.Errorf("GraphQL: %+v", c)
	}
	if n := strings.Count(out.String(), "\n### "); n != 11 {
		t.Errorf("%d tables:\n%s", n, &out)
	}
	file := filepath.Join(t.TempDir(), "result.json")
	if err := r.write(file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil || !json.Valid(data) {
		t.Errorf("%v: %s", err, data)
	}
}

// Ctrl-C in the middle of a run ends every child.
func TestInterrupted(t *testing.T) {
	linuxOnly(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	o, err := parseOptions(strings.Fields("tokens -candidate ref -requests 100000000 -connections 2"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBench(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	floor, candidate, err := b.serveBoth(ctx, setup{algorithm: "EdDSA", clients: 1})
	if err != nil {
		t.Fatal(errors.Join(err, b.close()))
	}
	loaded := make(chan struct{})
	go func() { // until the load has come so far that the server works for it
		defer cancel()
		for start, _ := cpuTime(floor.pid()); ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
			if now, err := cpuTime(floor.pid()); err == nil && now > start+50*time.Millisecond {
				close(loaded)
				return
			}
		}
	}()
	_, err = b.compare(ctx, "endless", floor, candidate, demand{requests: o.requests, duration: patience, pick: "uniform"})
	if err == nil {
		t.Error("a run that was interrupted has a result")
	}
	<-loaded
	if err := b.close(); err != nil {
		t.Error(err)
	}
	gone(t, b)
}

// A server that ends at its start is told with its last words, not waited for.
func TestServerThatDies(t *testing.T) {
	linuxOnly(t)
	b := &bench{dir: t.TempDir()}
	c, err := b.spawn([]string{"/bin/sh", "-c", "echo no such luck >&2; exit 3"})
	if err != nil {
		t.Fatal(err)
	}
	err = c.await(context.Background(), time.Minute, func() error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "no such luck") || !strings.Contains(err.Error(), "exit status 3") {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	for _, bad := range []string{"", "nothing", "tokens -rounds 0", "tokens -clients -1", "tokens more", "tokens -unknown", "kill -kills 0"} {
		if _, err := parseOptions(strings.Fields(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
