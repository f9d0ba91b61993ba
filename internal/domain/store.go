package domain

import (
	"context"
	"encoding/json"
	"time"
)

// Seq numbers changes, from 1 without gaps; number order is commit order.
type Seq int64

// Actor is who makes a change: `local:<uid>`, `system`, later people and clients.
type Actor string

// System is the actor of what Postern does by itself: rotation by age, hashes
// made again.
const System Actor = "system"

// Change is one audited change of one object. All of them in order are the feed
// that nodes follow.
type Change struct {
	Kind   Kind   `json:"kind"`
	Key    string `json:"key"`
	Action string `json:"action"` // e.g. client.create, key.rotate

	// The store sets the rest.
	Seq     Seq             `json:"seq"`
	Version int64           `json:"version"`          // of the object; 0 where it was deleted
	Object  json.RawMessage `json:"object,omitempty"` // the whole new object without secrets; absent where it was deleted
	Actor   Actor           `json:"actor"`
	Time    time.Time       `json:"time"`
	Hash    []byte          `json:"hash"` // SHA-256, chained (package audit)
}

// Page selects a part of a table in the order of keys.
type Page struct {
	Prefix string // of the keys
	After  string // keys greater than this one
	Limit  int    // zero: all
}

// Table holds objects of one kind. The version of an object is 1 when it is put
// first and grows by one with each put; the table sets it in what it returns.
type Table[T any] interface {
	// Get returns ErrNotFound where there is none.
	Get(ctx context.Context, key string) (T, error)
	List(ctx context.Context, page Page) ([]T, error)
	// Put writes v where the version stored is ifVersion, else ErrConflict, or,
	// for ifVersion 0, where there is none, else ErrExists. It returns the new
	// version.
	Put(ctx context.Context, v T, ifVersion int64) (int64, error)
	// Delete removes it where the version stored is ifVersion, else ErrConflict.
	Delete(ctx context.Context, key string, ifVersion int64) error
}

// Tables are the tables of a store.
type Tables struct {
	Tenants    Table[Tenant]
	Issuers    Table[Issuer]
	Clients    Table[Client]
	Tombstones Table[Tombstone]
	Keys       Table[Key]
	Vault      Table[VaultKey]
	APIs       Table[API]
	Policies   Table[Policy]
	Tiers      Table[Tier]
	People     Table[Person]
	APIKeys    Table[APIKey]
	Directory  Table[NamedResource]
}

// Records keep small things that expire and are no domain data: sessions, answers to be
// given again, one-time tokens. What has expired is as if it were not there.
type Records interface {
	// Record returns ErrNotFound where there is none.
	Record(ctx context.Context, space, key string, now time.Time) (value []byte, err error)
	// AddRecord returns ErrExists where there is one.
	AddRecord(ctx context.Context, space, key string, value []byte, now, expires time.Time) error
	// SetRecord makes one, or replaces it.
	SetRecord(ctx context.Context, space, key string, value []byte, expires time.Time) error
	// PutReceipt is what a change under WithReceipt does with the receipt, without a change.
	PutReceipt(ctx context.Context, r Receipt) error
	// TakeRecord returns and removes one, in one step: of several callers one gets it, the
	// others ErrNotFound.
	TakeRecord(ctx context.Context, space, key string, now time.Time) (value []byte, err error)
	// DropRecord removes one, if it is there.
	DropRecord(ctx context.Context, space, key string) error
	// SweepRecords removes those that have expired and returns how many.
	SweepRecords(ctx context.Context, now time.Time) (int64, error)
}

// Receipt is a record that tells that something was changed. It takes the place of one that
// holds Before, or the receipt already, or of none. A record that holds anything else, expired
// or not, is somebody else's: ErrTaken.
type Receipt struct {
	Space, Key    string
	Before, Value []byte
	Expires       time.Time
}

type receiptKey struct{}

// WithReceipt is a context under which every change of a store leaves the receipt, in its own
// transaction: it is there if and only if something was changed. A change that may not leave
// it is not made.
func WithReceipt(ctx context.Context, r Receipt) context.Context {
	return context.WithValue(ctx, receiptKey{}, r)
}

// ReceiptOf returns the receipt that changes under ctx leave, if they leave one.
func ReceiptOf(ctx context.Context) (Receipt, bool) {
	r, ok := ctx.Value(receiptKey{}).(Receipt)
	return r, ok
}

// Head is where the feed stands.
type Head struct {
	// Incarnation is another after a restore: what a node has applied of an
	// earlier one is worth nothing.
	Incarnation string
	Seq         Seq
	Hash        []byte
	Now         time.Time // the clock of the database
}

// Store keeps what must last.
type Store interface {
	// Read returns the tables for reading; a put or delete there fails.
	Read() Tables
	// Change runs f in a transaction and commits what it put and deleted
	// together with one change for each, or nothing. f does no I/O but the
	// tables, may run again, and returns Kind, Key and Action of each change;
	// one missing is ErrNoEvent. Seq is that of the last change. Where ctx is one of
	// WithReceipt, the receipt is written with them.
	Change(ctx context.Context, by Actor, f func(Tables) ([]Change, error)) (Seq, error)
	// Follow returns at most max changes after the one given, in order.
	Follow(ctx context.Context, after Seq, max int) ([]Change, error)
	// Head returns where the feed stands.
	Head(ctx context.Context) (Head, error)
	Close() error
}
