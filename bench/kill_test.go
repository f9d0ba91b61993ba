package main

import (
	"errors"
	"testing"
	"time"
)

// group has seen calls begun at these milliseconds, the admitted ones in the order of their answers.
func group(start time.Time, admitted ...int) *callers {
	g := &callers{}
	for i, ms := range admitted {
		g.note(i%callersEach, start.Add(time.Duration(ms)*time.Millisecond), true, nil)
	}
	g.note(0, start.Add(time.Hour), false, nil) // a refusal never counts
	return g
}

// The administrator's request is sent at 100 and answered at 110.
func TestDelays(t *testing.T) {
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	for name, c := range map[string]struct {
		a, b *callers
		want [2]delay
		bad  bool
	}{
		"dead before the answer":               {a: group(start, 90, 104), b: group(start, 99), want: [2]delay{{4, 0}, {0, 0}}},
		"the other node follows":               {a: group(start, 90), b: group(start, 95, 180), want: [2]delay{{0, 0}, {80, 70}}},
		"an earlier call is answered later":    {a: group(start, 107, 101), b: group(start, 1), want: [2]delay{{7, 0}, {0, 0}}},
		"admitted at the moment of the answer": {a: group(start, 110), b: group(start, 1), want: [2]delay{{10, 0}, {0, 0}}},
		"admitted after the answer":            {a: group(start, 111), b: group(start, 1), bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := delays([]*callers{c.a, c.b}, at(100), at(110))
			if c.bad {
				if err == nil {
					t.Errorf("%v passes", got)
				}
				return
			}
			if err != nil || [2]delay(got) != c.want {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func TestCallersSeen(t *testing.T) {
	start := time.Now()
	if all, _, _ := group(start, 1, 2, 3).seen(); all {
		t.Error("one was never admitted, and counts")
	}
	if all, last, err := group(start, 1, 2, 3, 4).seen(); !all || err != nil || last.Sub(start) != 4*time.Millisecond {
		t.Error(all, last.Sub(start), err)
	}
	g := group(start, 1)
	g.note(1, start, false, errors.New("502"))
	if _, err := delays([]*callers{g}, start, start); err == nil {
		t.Error("a round with an error has a result")
	}
}
