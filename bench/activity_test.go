package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// Few entries: that all searches find what they should, that what is recorded is written, and
// that nothing is left behind.
func TestActivity(t *testing.T) {
	linuxOnly(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	o, err := parseOptions(strings.Fields("activity -candidate ref -entries 6000 -databases sqlite -busy 100ms"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBench(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	b.out = &out
	if err := b.activity(ctx); err != nil {
		t.Fatal(errors.Join(err, b.close()))
	}
	found := map[string]int{}
	for _, s := range b.result.Searches {
		found[s.Search] = s.Found
	}
	if len(found) != len(activityKinds(nil)) || found["all"] != activityPage || found["issuer"] != activityPage || found["tenant"] < 60 || found["client"] < 1 || found["action, 2 of 1000"] < 5 {
		t.Errorf("found: %v", found)
	}
	if w := b.result.Written; len(w) != 1 || w[0].Entries != 1000 || w[0].Waited != 0 {
		t.Errorf("written: %+v", w)
	}
	if n := strings.Count(out.String(), "\n### "); n != 2 {
		t.Errorf("%d tables:\n%s", n, &out)
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(b.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left behind: %v", b.dir, err)
	}
}
