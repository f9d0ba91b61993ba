// Package resourceserver protects a Go API with access tokens: it verifies JWT
// access tokens (RFC 9068) of a closed list of issuers, fetches their keys, reads
// the Authorization header (RFC 6750 §2.1) and answers refusals (RFC 6750 §3).
//
// It leaves to the API what a token may do beyond its scope, and to the issuer
// everything about tokens but their verification. A token stays good until it
// expires unless a Revocation says otherwise; there is no driver for one yet.
package resourceserver
