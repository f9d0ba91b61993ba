// Package dialecttest makes mutants of dialect files, for tests that ask
// whether a suite of conversations would notice a wrong value in a file. It
// runs no conversation itself.
package dialecttest
