package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// The tables are Markdown, to be put into docs/performance.md as they are.

func table(w io.Writer, title string, head []string, rows [][]string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n| %s |\n|%s\n", title, strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *result) about(what string) string {
	return fmt.Sprintf("%s (%d cores, %d connections, medians of %d alternating rounds)", what, r.Machine.Cores, r.Connections, r.Rounds)
}

func cpu(s sample) float64  { return s.CPU }
func rate(s sample) float64 { return s.Rate }
func p50(s sample) float64  { return s.P50 }
func p99(s sample) float64  { return s.P99 }

func (r *result) tokenTable(w io.Writer) error {
	return r.comparisonTable(w, "CPU time of the server per token", "tokens", r.Tokens)
}

// comparisonTable shows what one answer costs; unit is what they are called, in the plural.
func (r *result) comparisonTable(w io.Writer, title, unit string, comparisons []comparison) error {
	if len(comparisons) == 0 {
		return nil
	}
	a, b := comparisons[0].Base, comparisons[0].Against
	head := []string{
		"", a + " µs", b + " µs", "ratio", "(lowest–highest)", "target", "rate ratio",
		unit + "/s " + a, b, "p50 ms " + a, b, "p99 ms " + a, b,
	}
	var rows [][]string
	for _, c := range comparisons {
		row := []string{
			c.Name, fmt.Sprintf("%.0f", of(c.BaseRuns, cpu)), fmt.Sprintf("%.0f", of(c.Runs, cpu)),
			fmt.Sprintf("**%.2f**", c.Ratio), fmt.Sprintf("%.2f–%.2f", c.RatioLow, c.RatioHigh), c.Target, fmt.Sprintf("%.2f", c.RateRatio),
		}
		for _, f := range []struct {
			figure func(sample) float64
			form   string
			unit   float64
		}{{rate, "%.0f", 1}, {p50, "%.2f", 1000}, {p99, "%.2f", 1000}} {
			for _, runs := range [][]sample{c.BaseRuns, c.Runs} {
				row = append(row, fmt.Sprintf(f.form, of(runs, f.figure)/f.unit))
			}
		}
		rows = append(rows, row)
	}
	return table(w, r.about(title), head, rows)
}

func (r *result) clientTable(w io.Writer) error {
	if err := r.comparisonTable(w, "Many clients against few", "tokens", r.Clients); err != nil {
		return err
	}
	var rows [][]string
	for _, f := range r.FirstUse {
		rows = append(rows, []string{fmt.Sprint(f.Clients), fmt.Sprintf("%.0f", f.CPU), fmt.Sprintf("%.0f", f.Rate)})
	}
	return table(w, "First token of each client after a start", []string{"clients", "CPU µs", "tokens/s"}, rows)
}

func (r *result) memoryTable(w io.Writer, title string, footprints []footprint) error {
	var rows [][]string
	for _, f := range footprints {
		var answers []string
		for _, status := range slices.Sorted(maps.Keys(f.Status)) {
			answers = append(answers, fmt.Sprintf("%s: %d", status, f.Status[status]))
		}
		rows = append(rows, []string{f.Name, megabytes(f.Idle), megabytes(f.Loaded), megabytes(f.Peak), f.Target, strings.Join(answers, ", ")})
	}
	head := []string{"", "idle MB", "under load MB", "peak MB", "target", "answers"}
	return table(w, fmt.Sprintf("Resident %s (%d cores, %d connections)", title, r.Machine.Cores, r.Connections), head, rows)
}

// megabytes are those of 10⁶ bytes.
func megabytes(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/1e6) }

func (r *result) startTable(w io.Writer) error {
	var rows [][]string
	for _, s := range r.Starts {
		rows = append(rows, []string{
			s.Name, fmt.Sprint(s.Clients), fmt.Sprintf("%.1f", median(s.Times)),
			fmt.Sprintf("%.1f–%.1f", slices.Min(s.Times), slices.Max(s.Times)), s.Target,
		})
	}
	return table(w, "From exec to the first token, data there", []string{"", "clients", "median ms", "lowest–highest", "target"}, rows)
}

func (r *result) storageTable(w io.Writer) error {
	var rows [][]string
	for _, s := range r.Storage {
		rows = append(rows, []string{s.Name, fmt.Sprint(s.Tokens), fmt.Sprint(s.Before), fmt.Sprint(s.After), fmt.Sprintf("%.1f", s.PerToken), s.Target})
	}
	return table(w, "Storage per token", []string{"", "tokens", "bytes before", "bytes after", "bytes per token", "target"}, rows)
}

func (r *result) killTable(w io.Writer) error {
	var rows [][]string
	for _, k := range r.Kills {
		rows = append(rows, []string{
			k.Store, k.Ending, k.Node, fmt.Sprint(len(k.FromSent)), fmt.Sprintf("**%.1f**", median(k.FromSent)), fmt.Sprintf("**%.1f**", slices.Max(k.FromSent)),
			fmt.Sprintf("%.1f", median(k.FromAnswer)), fmt.Sprintf("%.1f", slices.Max(k.FromAnswer)), k.Target,
		})
	}
	head := []string{"store", "client", "last admitted by", "rounds", "median ms after sending", "maximum", "median ms after the answer", "maximum", "target"}
	return table(w, "From the administrator's request to the last call admitted", head, rows)
}

func (r *result) checkTable(w io.Writer) error {
	var rows [][]string
	for _, c := range r.Checks {
		rows = append(rows, []string{
			c.Name, fmt.Sprintf("%.1f", median(c.Base)), fmt.Sprintf("%.1f", median(c.Times)), fmt.Sprintf("**%.2f**", c.Ratio),
			fmt.Sprintf("%.2f–%.2f", c.RatioLow, c.RatioHigh), fmt.Sprint(c.Allocations), c.Target,
		})
	}
	head := []string{"", "control ns", "ns", "ratio", "(lowest–highest)", "allocations", "target"}
	return table(w, r.about("What the checks cost by themselves"), head, rows)
}
