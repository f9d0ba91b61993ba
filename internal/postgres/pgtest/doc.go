// Package pgtest starts a real PostgreSQL for tests, or finds the one that
// POSTERN_TEST_POSTGRES (a URL) names, and gives each test a database of its
// own. A test skips where there is no PostgreSQL; with CI=true it fails.
package pgtest
