// Package domain holds the nouns of Postern (tenant, issuer, client, signing
// key), what may be said of each (validation), the pure decision what a token
// request is granted, and the interface of the store that keeps them.
//
// It does no I/O. Who may change what is the business of registry, how it is
// kept that of sqlstore.
package domain
