package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// check is a benchmark of a package beside its control.
type check struct {
	Name        string    `json:"name"`
	Control     string    `json:"control"`
	Times       []float64 `json:"times_ns"` // of one operation, by round
	Base        []float64 `json:"control_ns"`
	Ratio       float64   `json:"ratio"` // the median of the rounds' ratios
	RatioLow    float64   `json:"ratio_low"`
	RatioHigh   float64   `json:"ratio_high"`
	Allocations float64   `json:"allocations"` // the most that a round had
	Target      string    `json:"target"`
}

// asked is a check and where its figures stand in what the benchmarks of a package print.
type asked struct {
	check
	pkg, pattern            string
	times, base, allocation figure
}

// figure is a benchmark's name and a unit that it reports.
type figure struct{ benchmark, unit string }

func checkList() []asked {
	const hit, limit = "BenchmarkCacheHit", "BenchmarkSpend/admitted"
	return []asked{
		{
			check: check{Name: "token seen before, 525 bytes", Control: "SHA-256 of the same bytes", Target: "≤ 3, 0 allocations"},
			pkg:   "oauth/resourceserver", pattern: "^" + hit + "$",
			times: figure{hit, "ns/hit"}, base: figure{hit, "ns/sha256"}, allocation: figure{hit, "allocs/op"},
		},
		{
			check: check{Name: "local limit, contended", Control: "atomic.AddInt64, contended", Target: "≤ 3, 0 allocations"},
			pkg:   "internal/ratelimit", pattern: "^BenchmarkSpend$/^(atomic.AddInt64|admitted)$",
			times: figure{limit, "ns/op"}, base: figure{"BenchmarkSpend/atomic.AddInt64", "ns/op"}, allocation: figure{limit, "allocs/op"},
		},
	}
}

// checks runs the benchmarks of the parts, each with its control, round by round.
func (b *bench) checks(ctx context.Context) error {
	for _, a := range checkList() {
		binary := filepath.Join(b.dir, filepath.Base(a.pkg)+".test")
		if out, err := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, module+a.pkg).CombinedOutput(); err != nil { //nolint:gosec // our own packages
			return fmt.Errorf("build the benchmarks of %s: %w\n%s", a.pkg, err, out)
		}
		for range b.rounds {
			cmd := exec.CommandContext(ctx, binary, "-test.run", "^$", "-test.bench", a.pattern, "-test.benchmem", "-test.benchtime", "300ms") //nolint:gosec // built above
			cmd.Dir = b.dir
			out, err := cmd.CombinedOutput()
			if err != nil {
				return fmt.Errorf("benchmarks of %s: %w\n%s", a.pkg, err, out)
			}
			if err := a.read(out); err != nil {
				return fmt.Errorf("benchmarks of %s: %w\n%s", a.pkg, err, out)
			}
		}
		a.conclude()
		b.note("%s: %.2f", a.Name, a.Ratio)
		b.result.Checks = append(b.result.Checks, a.check)
	}
	return b.result.checkTable(b.out)
}

// read takes the figures of one round.
func (a *asked) read(out []byte) error {
	found := figures(out)
	for _, f := range []figure{a.times, a.base, a.allocation} {
		if _, ok := found[f]; !ok {
			return fmt.Errorf("no %s of %s", f.unit, f.benchmark)
		}
	}
	a.Times, a.Base = append(a.Times, found[a.times]), append(a.Base, found[a.base])
	a.Allocations = max(a.Allocations, found[a.allocation])
	return nil
}

// conclude computes the ratios.
func (c *check) conclude() {
	ratios := make([]float64, len(c.Times))
	for i := range ratios {
		ratios[i] = c.Times[i] / c.Base[i]
	}
	c.Ratio, c.RatioLow, c.RatioHigh = median(ratios), slices.Min(ratios), slices.Max(ratios)
}

// figures reads lines as in `BenchmarkX/y-2  1000  12.5 ns/op  0 B/op`: the name with the number
// of processors, how often it ran, and pairs of a number and its unit.
func figures(out []byte) map[figure]float64 {
	found := map[figure]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := fields[0]
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i]
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if n, err := strconv.ParseFloat(fields[i], 64); err == nil {
				found[figure{name, fields[i+1]}] = n
			}
		}
	}
	return found
}
