package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// hostile is what one document or body costs that was made to cost much.
type hostile struct {
	Name   string    `json:"name"`
	CPU    []float64 `json:"cpu_ns"` // of the whole process for one, by round
	Bytes  float64   `json:"bytes"`  // allocated for one, the most that a round had
	Target string    `json:"target,omitempty"`
}

// The benchmarks of internal/graphql.
const (
	hostileDocument = "BenchmarkHostileDocument/"
	hostileBody     = "BenchmarkHostileBody/"
)

// hostile runs what is hostile, round by round.
func (b *bench) hostile(ctx context.Context) error {
	run, err := b.benchmarks(ctx, "internal/graphql")
	if err != nil {
		return err
	}
	all := map[string]*hostile{}
	for range b.rounds {
		out, err := run("^BenchmarkHostile(Document|Body)$", "20ms")
		if err != nil {
			return err
		}
		addHostile(all, figures(out))
	}
	if len(all) == 0 {
		return errors.New("no benchmark of hostile documents")
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.result.Hostile = append(b.result.Hostile, *all[name])
	}
	return b.result.hostileTable(b.out)
}

// addHostile takes the figures of one round.
func addHostile(all map[string]*hostile, found map[figure]float64) {
	for f, n := range found {
		document, isDocument := strings.CutPrefix(f.benchmark, hostileDocument)
		body, isBody := strings.CutPrefix(f.benchmark, hostileBody)
		if f.unit != "cpu-ns/op" || !isDocument && !isBody {
			continue
		}
		h := all[f.benchmark]
		if h == nil {
			h = &hostile{Name: strings.ReplaceAll(document, "_", " "), Target: "≤ 5"}
			if isBody {
				h.Name, h.Target = "body: "+strings.ReplaceAll(body, "_", " "), ""
			}
			all[f.benchmark] = h
		}
		h.CPU, h.Bytes = append(h.CPU, n), max(h.Bytes, found[figure{f.benchmark, "B/op"}])
	}
}

func (r *result) hostileTable(w io.Writer) error {
	var rows [][]string
	for _, h := range r.Hostile {
		rows = append(rows, []string{
			h.Name, fmt.Sprintf("%.2f", median(h.CPU)/1e6), fmt.Sprintf("%.2f", slices.Max(h.CPU)/1e6), fmt.Sprintf("%.2f", h.Bytes/1e6), h.Target,
		})
	}
	return table(w, r.about("Processor time of a hostile document"), []string{"", "ms", "most", "MB allocated", "target ms"}, rows)
}
