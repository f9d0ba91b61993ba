package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// result is everything a run found, as it is written for programs.
type result struct {
	Made        time.Time    `json:"made"`
	Machine     machine      `json:"machine"`
	Rounds      int          `json:"rounds"`
	Connections int          `json:"connections"`
	Tokens      []comparison `json:"tokens,omitempty"`
	Calls       []comparison `json:"calls,omitempty"`
	GraphQL     []comparison `json:"graphql,omitempty"`
	Kills       []kills      `json:"kills,omitempty"`
	Checks      []check      `json:"checks,omitempty"`
	Hostile     []hostile    `json:"hostile,omitempty"`
	Applied     []applied    `json:"applied,omitempty"`
	Unchanged   []unchanged  `json:"unchanged,omitempty"`
	FirstUse    []firstUse   `json:"first_use,omitempty"`
	Clients     []comparison `json:"clients,omitempty"`
	Memory      []footprint  `json:"memory,omitempty"`
	Guess       []footprint  `json:"guess,omitempty"`
	Starts      []starts     `json:"starts,omitempty"`
	Storage     []stored     `json:"storage,omitempty"`
	Searches    []searches   `json:"searches,omitempty"`
	Written     []written    `json:"written,omitempty"`
}

// machine says where figures come from, without a name.
type machine struct {
	Cores     int    `json:"cores"`
	Processor string `json:"processor,omitempty"`
	System    string `json:"system"`
	Go        string `json:"go"`
	Commit    string `json:"commit,omitempty"`
}

func newResult(o options) result {
	m := machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		_, rest, _ := strings.Cut(string(data), "model name")
		line, _, _ := strings.Cut(rest, "\n")
		m.Processor = strings.TrimLeft(line, "\t :")
	}
	if out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output(); err == nil {
		m.Commit = strings.TrimSpace(string(out))
	}
	return result{Made: time.Now().UTC().Truncate(time.Second), Machine: m, Rounds: o.rounds, Connections: o.connections}
}

// write writes the result to a file; no name, no file.
func (r *result) write(file string) error {
	if file == "" {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o600)
}
