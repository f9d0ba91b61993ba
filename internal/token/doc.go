// Package token makes access tokens: the claims that a dialect asks for, those
// that every token of ours has, and the signature (RFC 7519, RFC 9068); and the
// identity tokens that tell an upstream whose call it gets.
package token
