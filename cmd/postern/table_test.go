package main

import (
	"slices"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"
)

func TestNarrow(t *testing.T) {
	for name, test := range map[string]struct {
		widths []int
		width  int
		want   []int
	}{
		"no terminal":       {[]int{100, 100}, 0, []int{100, 100}},
		"fits":              {[]int{36, 10, 30}, 80, []int{36, 10, 30}},
		"the widest":        {[]int{36, 10, 50}, 80, []int{36, 10, 30}},
		"two wide ones":     {[]int{36, 60, 60}, 80, []int{36, 20, 20}},
		"never the first":   {[]int{100, 10}, 80, []int{100, 8}},
		"one column":        {[]int{100}, 80, []int{100}},
		"a narrow terminal": {[]int{36, 20, 20}, 20, []int{36, 8, 8}},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.Clone(test.widths)
			narrow(got, test.width)
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Narrowing ends, widens nothing and makes no column useless.
func TestNarrowAlwaysEnds(t *testing.T) {
	err := quick.Check(func(columns []uint8, width uint8) bool {
		widths := make([]int, len(columns))
		for i, c := range columns {
			widths[i] = int(c)
		}
		was := slices.Clone(widths)
		narrow(widths, int(width))
		for i := range widths {
			if widths[i] > was[i] || widths[i] < min(was[i], narrowed) {
				return false
			}
		}
		return true
	}, nil)
	if err != nil {
		t.Error(err)
	}
}

func TestCut(t *testing.T) {
	for cell, want := range map[string]string{"short": "short", "exactly8": "exactly8", "longer than it may be": "longer …", "äöüäöüäöü": "äöüäöüä…"} {
		if got := cut(cell, 8); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}
