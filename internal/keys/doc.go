// Package keys makes, imports and rotates the signing keys of issuers, says
// which one signs and which ones are published at a time, and opens the vault:
// the data keys and peppers of an installation, sealed under its master key.
//
// It plans and computes; registry commits what it plans (RFC 7517, RFC 7638).
package keys
