// Package postgres opens the store of several nodes: one PostgreSQL database,
// which all of them follow. It owns the connections and their settings, the
// migrations, the session by which nodes wake each other, and what PostgreSQL
// says differently; the tables' meaning is sqlstore's.
//
// A change runs under REPEATABLE READ and locks the head of the feed last before
// it commits. Every change moves that row, so of two that overlap the later one
// fails there and runs again on what the earlier one left: changes are serial,
// and number order is commit order. One that has lost twice takes the feed first.
package postgres
