// Package jwt signs and verifies JSON Web Tokens in the compact form (RFC 7515,
// RFC 7519) and reads and writes their keys (RFC 7517, RFC 7638, RFC 8037), with
// a closed list of algorithms and the cautions of RFC 8725.
//
// Signing is assembled by hand around a header that is prepared once; verifying
// goes through go-jose, after checks that are stricter than the RFCs ask for.
// The algorithm is that of the key, never that of the token. What the claims
// mean beyond issuer, audience, type and time is the business of the caller, and
// so is where keys come from: nothing here fetches anything.
package jwt
