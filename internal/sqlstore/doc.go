// Package sqlstore keeps what must last in an SQL database: domain.Store and
// domain.Activity in plain SQL, one text for SQLite and PostgreSQL. It owns the
// tables' meaning, the transaction that commits a change with its event, and
// the compact form of activity.
//
// Opening, migrations, locking and what else differs is left to the driver's
// package (sqlite). Hash chains are package audit's.
package sqlstore
