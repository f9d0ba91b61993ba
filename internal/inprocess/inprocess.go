// Package inprocess holds the one permission that only this module may give: to
// verify with symmetric keys, where the issuer of the tokens is the same process
// (RFC 8725 §3.5 is why nobody else should).
package inprocess

// Permission is given or not; the zero value is not.
type Permission struct{ given bool }

// Permit gives it.
func Permit() Permission { return Permission{true} }

// Given reports whether it was given.
func (p Permission) Given() bool { return p.given }
