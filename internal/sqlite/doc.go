// Package sqlite opens the store of a single machine: one file, one process.
// It owns the lock on the data directory, the connections and their settings,
// the migrations, and what SQLite says differently; the tables' meaning is
// sqlstore's.
//
// There is one writer connection (BEGIN IMMEDIATE, synchronous=FULL: what is
// acknowledged survives a kill and a power cut) and a few readers that may only
// query. Memory is kept small: page caches of a megabyte or less.
package sqlite
