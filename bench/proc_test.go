package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const rest = " S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 9 0 100 200 300\n" // fields 3, 4 … ; 14 is 150, 15 is 25
	for name, c := range map[string]struct {
		line string
		want time.Duration
	}{
		"plain":                    {"77 (postern)" + rest, 1750 * time.Millisecond},
		"a space and parentheses":  {"77 (a) S 9 (b 1)" + rest, 1750 * time.Millisecond},
		"nothing behind the name":  {"77 (postern)", -1},
		"no name":                  {"77 78 79", -1},
		"a word where time stands": {"77 (p) S 1 2 3 4 5 6 7 8 9 10 x 25 0 0", -1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseStat([]byte(c.line))
			if c.want < 0 && err == nil || c.want >= 0 && (err != nil || got != c.want) {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func TestParseStatus(t *testing.T) {
	got, err := parseStatus([]byte("Name:\tpostern\nVmPeak:\t 999 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nThreads:\t9\n"))
	if err != nil || got.now != 1<<20 || got.peak != 2<<20 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := parseStatus([]byte("Name:\tzombie\n")); err == nil {
		t.Error("a process without memory passes")
	}
}

func TestOwnProcess(t *testing.T) {
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Skip("no /proc here:", err)
	}
	for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); {
	}
	if after, err := cpuTime(os.Getpid()); err != nil || after <= before {
		t.Errorf("busy, yet %v then %v: %v", before, after, err)
	}
	if m, err := memoryOf(os.Getpid()); err != nil || m.now < 1<<20 || m.peak < 1<<20 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestSizeOf(t *testing.T) {
	dir := t.TempDir()
	for name, n := range map[string]int{"a": 10, "below/b": 32} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, make([]byte, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := sizeOf(dir); err != nil || n != 42 {
		t.Errorf("%d, %v", n, err)
	}
}
