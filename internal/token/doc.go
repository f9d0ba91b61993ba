// Package token makes access tokens: the claims that a dialect asks for, those
// that every token of ours has, and the signature (RFC 7519, RFC 9068).
package token
