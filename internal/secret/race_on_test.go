//go:build race

package secret_test

// underRace: sync.Pool then drops at random what it is given.
const underRace = true
