package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
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
	const sight, answer = "BenchmarkFirstSightThirtyFields", "BenchmarkCheckResponse"
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
		{
			check: check{Name: "first sight of a document of 30 fields", Control: "gqlparser's parse and validate", Target: "≤ 1.4"},
			pkg:   "internal/graphql", pattern: "^" + sight + "$/^(gqlparser|plan)$",
			times: figure{sight + "/plan", "ns/op"}, base: figure{sight + "/gqlparser", "ns/op"}, allocation: figure{sight + "/plan", "allocs/op"},
		},
		{
			check: check{Name: "an answer of 100 objects, 20 KB, looked into", Control: "encoding/json into any and back", Target: "≤ 1.5"},
			pkg:   "internal/graphql", pattern: "^" + answer + "$",
			times: figure{answer + "/check", "ns/op"}, base: figure{answer + "/encoding_json", "ns/op"}, allocation: figure{answer + "/check", "allocs/op"},
		},
	}
}

// checks runs the benchmarks of the parts, each with its control, round by round.
func (b *bench) checks(ctx context.Context) error {
	for _, a := range checkList() {
		run, err := b.benchmarks(ctx, a.pkg)
		if err != nil {
			return err
		}
		for range b.rounds {
			out, err := run(a.pattern, "300ms")
			if err != nil {
				return err
			}
			if err := a.read(out); err != nil {
				return fmt.Errorf("benchmarks of %s: %w\n%s", a.pkg, err, out)
			}
		}
		a.conclude()
		b.note("%s: %.2f", a.Name, a.Ratio)
		b.result.Checks = append(b.result.Checks, a.check)
	}
	return errors.Join(b.result.checkTable(b.out), b.hostile(ctx))
}

// benchmarks builds those of a package and returns what runs some of them.
func (b *bench) benchmarks(ctx context.Context, pkg string) (func(pattern, each string) ([]byte, error), error) {
	binary, dir := filepath.Join(b.dir, filepath.Base(pkg)+".test"), filepath.Join(b.dir, filepath.Base(pkg)+".data")
	if _, err := os.Stat(binary); err != nil {
		if out, err := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, module+pkg).CombinedOutput(); err != nil { //nolint:gosec // our own packages
			return nil, fmt.Errorf("build the benchmarks of %s: %w\n%s", pkg, err, out)
		}
		source, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", module+pkg).Output() //nolint:gosec // our own packages
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", pkg, err)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
		if err := os.Symlink(filepath.Join(strings.TrimSpace(string(source)), "testdata"), filepath.Join(dir, "testdata")); err != nil {
			return nil, err
		}
	}
	return func(pattern, each string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, binary, "-test.run", "^$", "-test.bench", pattern, "-test.benchmem", "-test.benchtime", each) //nolint:gosec // built above
		cmd.Dir = dir                                                                                                                 // where they find their data, and leave nothing
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("benchmarks of %s: %w\n%s", pkg, err, out)
		}
		return out, nil
	}, nil
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
