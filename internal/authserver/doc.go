// Package authserver answers what is asked of an issuer: the token line
// (token.go), its JWK set (RFC 7517) and its metadata (RFC 8414).
//
// It decides nothing that has a package of its own: the contract is the
// dialect's, who the client is clientauth's, what it gets domain.Client.Grant's.
package authserver
