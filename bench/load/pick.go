package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
)

// picker chooses the client (an index) of the request with the number given.
type picker func(ticket int64) int

// zipfExponent makes the first of 100,000 clients ask for about a tenth of all tokens.
const zipfExponent = 1.1

// newPicker makes one of n clients. The same seed gives the same choices.
func newPicker(kind string, n int, seed uint64) (picker, error) {
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a choice, no secret
	switch kind {
	case "uniform":
		return func(int64) int { return random.IntN(n) }, nil
	case "zipf":
		zipf := rand.NewZipf(random, zipfExponent, 1, uint64(n-1)) //nolint:gosec // n is positive
		return func(int64) int { return int(zipf.Uint64()) }, nil  //nolint:gosec // below n
	case "each":
		return func(ticket int64) int { return int(ticket % int64(n)) }, nil
	}
	return nil, fmt.Errorf("pick %q: uniform, zipf or each", kind)
}

// scripts makes one for each connection, each with choices of its own among n.
func (o options) scripts(n int, one func(picker) script) ([]script, error) {
	if o.Connections < 1 || o.Requests < 1 || o.Duration <= 0 {
		return nil, errors.New("connections, requests and duration must be positive")
	}
	made := make([]script, o.Connections)
	for i := range made {
		pick, err := newPicker(o.Pick, n, o.Seed+uint64(i)) //nolint:gosec // small
		if err != nil {
			return nil, err
		}
		made[i] = one(pick)
	}
	return made, nil
}
