// Package oauthtest is an authorization server for the tests of resource servers:
// it publishes a key set and makes access tokens (RFC 9068), good ones and ones
// that are to be refused, each for one reason only.
//
// It has no token endpoint, its keys are made at the start of each test and its
// tokens are worth nothing anywhere else.
package oauthtest
