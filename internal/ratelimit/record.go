package ratelimit

import (
	"slices"
	"time"
)

// failure is one counted guess.
type failure struct {
	source Source
	at     uint32 // stamp
	id     uint32 // within the record
}

// record holds the failures of one client, oldest first. There are never more
// than ClientGuesses strangers, as beyond that nothing is counted.
type record struct {
	strangers []failure
	trusted   []failure
	last      uint32 // id
}

// wait is how long the source has to wait until its next guess; zero: not at all.
func (r *record) wait(s Source, trusted bool, now time.Duration) time.Duration {
	r.strangers = forget(r.strangers, now)
	r.trusted = forget(r.trusted, now)
	wait := max(0, r.sourceWait(s, now))
	if n := len(r.strangers); !trusted && n >= ClientGuesses {
		wait = max(wait, ClientWindow-since(r.strangers[n-ClientGuesses].at, now))
	}
	return wait
}

// sourceWait looks for the failure that must leave the window of the source.
func (r *record) sourceWait(s Source, now time.Duration) time.Duration {
	var newest [SourceGuesses]uint32 // stamps, newest first
	n := 0
	for _, list := range [][]failure{r.strangers, r.trusted} {
		for _, f := range list {
			if f.source != s {
				continue
			}
			i, _ := slices.BinarySearchFunc(newest[:n], f.at, func(a, b uint32) int { return int(b) - int(a) })
			if n < SourceGuesses {
				n++
			}
			if i < n {
				copy(newest[i+1:n], newest[i:])
				newest[i] = f.at
			}
		}
	}
	if n < SourceGuesses {
		return 0
	}
	return SourceWindow - since(newest[n-1], now)
}

// add counts a failure and returns its id.
func (r *record) add(s Source, trusted bool, now time.Duration) uint32 {
	r.last++
	f := failure{source: s, at: stamp(now), id: r.last}
	if !trusted {
		r.strangers = append(r.strangers, f)
		return r.last
	}
	if len(r.trusted) == maxTrusting {
		r.trusted = slices.Delete(r.trusted, 0, 1)
	}
	r.trusted = append(r.trusted, f)
	return r.last
}

// remove takes a failure out again.
func (r *record) remove(id uint32) {
	has := func(f failure) bool { return f.id == id }
	r.strangers = slices.DeleteFunc(r.strangers, has)
	r.trusted = slices.DeleteFunc(r.trusted, has)
}

// weight is how many failures still count.
func (r *record) weight(now time.Duration) int {
	r.strangers = forget(r.strangers, now)
	r.trusted = forget(r.trusted, now)
	return len(r.strangers) + len(r.trusted)
}

// forget drops what lies longer back than any window reaches.
func forget(list []failure, now time.Duration) []failure {
	n := 0
	for n < len(list) && since(list[n].at, now) >= ClientWindow {
		n++
	}
	return slices.Delete(list, 0, n)
}
