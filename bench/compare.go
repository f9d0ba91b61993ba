package main

import (
	"context"
	"fmt"
	"slices"
)

// comparison is two servers under the same load, alternating.
type comparison struct {
	Name      string   `json:"name"`
	Base      string   `json:"base"` // what the ratios divide by
	Against   string   `json:"against"`
	Ratio     float64  `json:"ratio"` // CPU per answer, against ÷ base: the median of the rounds' ratios
	RatioLow  float64  `json:"ratio_low"`
	RatioHigh float64  `json:"ratio_high"`
	RateRatio float64  `json:"rate_ratio"` // answers per second, likewise
	Target    string   `json:"target,omitempty"`
	BaseRuns  []sample `json:"base_runs"`
	Runs      []sample `json:"runs"`
}

// compare measures both servers once in each round, the first one in turn.
func (b *bench) compare(ctx context.Context, name string, base, against *server, d demand) (comparison, error) {
	c := comparison{Name: name, Base: base.name, Against: against.name}
	for round := range b.rounds {
		d.seed = 1 + round*b.connections
		pair := [2]sample{}
		servers := [2]*server{base, against}
		for turn := range 2 {
			i := (turn + round) % 2
			var err error
			if pair[i], err = b.measure(ctx, servers[i], d); err != nil {
				return c, fmt.Errorf("%s: %w", name, err)
			}
		}
		d.freshFrom += d.fresh()
		c.BaseRuns, c.Runs = append(c.BaseRuns, pair[0]), append(c.Runs, pair[1])
		b.note("%s, round %d of %d: %.1f µs, %.1f µs", name, round+1, b.rounds, pair[0].CPU, pair[1].CPU)
	}
	c.conclude()
	return c, nil
}

// conclude computes the ratios. A round in which the clock of the kernel saw no
// CPU time at all has none.
func (c *comparison) conclude() {
	var cpu, rate []float64
	for i, base := range c.BaseRuns {
		if base.CPU > 0 {
			cpu = append(cpu, c.Runs[i].CPU/base.CPU)
		}
		rate = append(rate, c.Runs[i].Rate/base.Rate)
	}
	c.RateRatio = median(rate)
	if len(cpu) > 0 {
		c.Ratio, c.RatioLow, c.RatioHigh = median(cpu), slices.Min(cpu), slices.Max(cpu)
	}
}

// median of numbers in any order; of an even count the mean of the middle two, of none 0.
func median(numbers []float64) float64 {
	n := len(numbers)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(numbers))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// of is the median of one figure of samples.
func of(samples []sample, figure func(sample) float64) float64 {
	numbers := make([]float64, len(samples))
	for i, s := range samples {
		numbers[i] = figure(s)
	}
	return median(numbers)
}
