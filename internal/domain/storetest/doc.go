// Package storetest is the conformance suite of domain.Store and
// domain.Activity: every driver passes it, whatever its database. It runs
// against real stores and knows only the interfaces.
package storetest
