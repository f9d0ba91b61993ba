// Package gateway stands before the APIs: it has package guard judge each call, forwards
// what may pass, and turns refusals into answers (RFC 6750 §3; at a GraphQL endpoint the errors
// of GraphQL §7.1, without data).
//
// It decides nothing about a call. It owns what is between two connections: headers that
// go on and that do not (RFC 9110 §7.6), how long each side may keep the other waiting,
// streams that end with their client, and that no byte of an upstream reaches another
// client than the one it was meant for; where an API has its GraphQL answers looked into, no
// byte at all before that is done.
package gateway
