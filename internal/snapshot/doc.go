// Package snapshot is what a node knows: issuers, tenants and keys as a whole,
// clients as they are asked for, all as of the last change that it has applied.
//
// It follows the feed of the store, and says when it has lost touch. On the
// token line and the call line nothing is read from the store but a client that
// is asked for the first time.
package snapshot
