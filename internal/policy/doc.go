// Package policy decides: may a client that holds these actions in this resource
// scope do what a request needs? And what does a request need, by the route that
// its method and path choose?
//
// It is pure: it reads no store, no clock and no request, and imports nothing of
// this module. Who the client is, what its token says and how a refusal is worded
// are the business of others.
package policy
