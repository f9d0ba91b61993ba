// Package guard is the call line: which API is called, whose token is that, may its
// client do this now? It answers with a verdict and its reason, for people and machines.
//
// What a token must be is the business of oauth/resourceserver, what a client may do
// that of internal/policy, what a GraphQL document needs that of internal/graphql, what
// there is that of internal/snapshot. How a verdict becomes an answer (RFC 6750 §3, or the
// errors of GraphQL §7.1) is left to the mouths that ask. Explain judges calls that nobody
// makes, by the same steps.
package guard
