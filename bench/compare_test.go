package main

import (
	"testing"

	"github.com/postern-dev/postern/bench/fixture"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.in, got, c.want)
		}
	}
}

// The ratio is that of each round, so that a slow minute of the machine, which
// meets both sides, does not move it: here the machine gets slower by half, and one
// round is spoilt.
func TestRatioIsTheMedianOfRounds(t *testing.T) {
	at := func(cpu, rate float64) sample { return sample{CPU: cpu, Report: fixture.Report{Rate: rate}} }
	c := comparison{
		BaseRuns: []sample{at(100, 1000), at(200, 500), at(150, 800), at(0, 800)},
		Runs:     []sample{at(120, 900), at(240, 450), at(600, 100), at(120, 720)},
	}
	c.conclude()
	if c.Ratio != 1.2 || c.RatioLow != 1.2 || c.RatioHigh != 4 || c.RateRatio != 0.9 {
		t.Errorf("%+v", c)
	}
}
