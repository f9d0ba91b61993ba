// Package gateway stands before the APIs: it has package guard judge each call, forwards
// what may pass, and turns refusals into answers (RFC 6750 §3).
//
// It decides nothing about a call. It owns what is between two connections: headers that
// go on and that do not (RFC 9110 §7.6), how long each side may keep the other waiting,
// streams that end with their client, and that no byte of an upstream reaches another
// client than the one it was meant for.
package gateway
